"""200 random networks of all four dialects, where all roads meet: the graph while it runs, the graph and its trace, the
torch module while it runs, and brute force, pair by pair, give the same integers."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from itertools import count, islice

import pytest
import torch
from spikeport.benchmarks.counting.of_graph import count_graph, count_trace
from spikeport.benchmarks.counting.of_module import counted, counting
from spikeport.benchmarks.operations import OpCount, total
from spikeport.toolchain.simulate import simulate
from spikeport.toolchain.tracing import trace
from spikingjelly.activation_based import layer
from support.brute_count import brute_count, plain
from support.dialects import Wide
from support.random_networks import BATCH, FORMS, STEPS, Network, random_network
from torch import Tensor

BLOCKS, NETWORKS = 5, 10
"""Of each framework: so many tests, of so many networks each."""
TAKEN = {"norse": ("loop", "sequence")}
"""Forms of a framework in which the graph does no more than the module; else all. A step of Norse that hands out its
states is traced as a second neuron for each of them."""


def network_of(seed: int, framework: str) -> tuple[Network, Tensor, bool]:
    """A network whose last operation is a neuron, as nothing else is read; its input; whether a call is one step."""
    forms = TAKEN.get(framework, FORMS[framework])
    network, x = random_network(1000 + seed, framework, forms[seed % len(forms)])
    while network.operations[-1][0] != "neuron":
        network.operations.pop()
    if network.form == "sequence":
        network.build_sequence()
    network.fresh()
    return network, x, "step" in network.form


def by_all_roads(network: Network, x: Tensor, *, one_step: bool) -> tuple[OpCount, OpCount, OpCount, list]:
    """What the graph did, by its run and by its trace, what the module did, and brute force."""
    graph = trace(network, x[0] if one_step else x[:4], time_axis=None if one_step else 0, check=False)
    wide = copy.deepcopy(network).double()
    wide.fresh()
    with torch.no_grad(), Wide():
        inputs = x.double()
        with counting(wide) as found:
            wide.run(inputs)
    run = simulate(graph, inputs.numpy(), record="all")
    brute = brute_count(graph, {name: node.values for name, node in run.nodes.items()})
    running, recorded = total(count_graph(graph, inputs.numpy())), total(count_trace(graph, run))
    return running, recorded, counted(found.mode, STEPS, BATCH), brute


def rewritten(network: Network) -> bool:
    """Whether it has x − 0.4·y, which is a sum and two scales in the graph, and a product and a difference in torch."""
    return any(isinstance(each, layer.ElementWiseRecurrentContainer) for each in network.neurons)


def networks(framework: str, first: int) -> Iterator[tuple[str, Network, Tensor, bool]]:
    """Networks that do the same in torch as in the graph, and what to call them."""
    for seed in count(first):
        network, x, one_step = network_of(seed, framework)
        if not rewritten(network):
            yield f"{framework} {seed}", network, x, one_step


@pytest.mark.parametrize("framework", FORMS)
@pytest.mark.parametrize("block", range(BLOCKS))
def test_the_graph_its_trace_the_module_and_brute_force_are_the_same_integers(framework: str, block: int) -> None:
    for name, network, x, one_step in islice(networks(framework, 100 * block), NETWORKS):
        graph, recorded, module, brute = by_all_roads(network, x, one_step=one_step)
        assert not module.uncounted, name
        assert graph == recorded, name
        for each in fields(module.total):
            wanted, found = getattr(graph.total, each.name), getattr(module.total, each.name)
            assert found == wanted, f"{name}: {each.name}"
        _layers_agree(graph, module, name)
        for layer_name, layer_count in graph.layers.items():
            assert plain(layer_count.ops) == sum((sample[layer_name] for sample in brute), Counter()), name


def test_they_are_200() -> None:
    assert BLOCKS * NETWORKS * len(FORMS) == 200


def _layers_agree(graph: OpCount, module: OpCount, where: str) -> None:
    """Layers that are one module each; what a network does itself, in one line after the other, is put together."""
    alone = [name for name in graph.layers if name.startswith(("layers", "neurons"))]
    assert alone == [name for name in module.layers if name.startswith(("layers", "neurons"))], where
    for name in alone:
        mine, wanted = module.layers[name], graph.layers[name]
        assert mine.ops == wanted.ops, f"{where}: {name}"
        if mine.facts.kind != "Mean":  # what an adaptive pool to a single value is in torch
            assert mine.facts == wanted.facts, f"{where}: {name}"
