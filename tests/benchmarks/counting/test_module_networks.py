"""Random networks of all four dialects: what runs in torch and what their graph does are the same integers."""

from __future__ import annotations

import copy
from dataclasses import fields

import pytest
import torch
from spikeport.benchmarks.counting.of_graph import count_graph
from spikeport.benchmarks.counting.of_module import counted, counting
from spikeport.benchmarks.operations import OpCount, total
from spikeport.toolchain.tracing import trace
from spikingjelly.activation_based import layer
from support.dialects import Wide
from support.random_networks import BATCH, FORMS, STEPS, Network, random_network
from torch import Tensor

SEEDS = 10
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


def in_both(network: Network, x: Tensor, *, one_step: bool) -> tuple[OpCount, OpCount]:
    """What the graph did, and what the module did."""
    graph = trace(network, x[0] if one_step else x[:4], time_axis=None if one_step else 0, check=False)
    wide = copy.deepcopy(network).double()
    wide.fresh()
    with torch.no_grad(), Wide():
        inputs = x.double()
        with counting(wide) as found:
            wide.run(inputs)
    return total(count_graph(graph, inputs.numpy())), counted(found.mode, STEPS, BATCH)


def rewritten(network: Network) -> bool:
    """Whether it has x − 0.4·y, which is a sum and two scales in the graph, and a product and a difference in torch."""
    return any(isinstance(each, layer.ElementWiseRecurrentContainer) for each in network.neurons)


@pytest.mark.parametrize("framework", FORMS)
@pytest.mark.parametrize("first", range(0, SEEDS, 5))
def test_the_module_and_its_graph_do_the_same(framework: str, first: int) -> None:
    for seed in range(first, first + 5):
        network, x, one_step = network_of(seed, framework)
        if rewritten(network):
            continue
        graph, module = in_both(network, x, one_step=one_step)
        assert not module.uncounted
        for each in fields(module.total):
            wanted, found = getattr(graph.total, each.name), getattr(module.total, each.name)
            assert found == wanted, f"{framework} {seed}: {each.name}"
        _layers_agree(graph, module, f"{framework} {seed}")


def _layers_agree(graph: OpCount, module: OpCount, where: str) -> None:
    """Layers that are one module each; what a network does itself, in one line after the other, is put together."""
    alone = [name for name in graph.layers if name.startswith(("layers", "neurons"))]
    assert alone == [name for name in module.layers if name.startswith(("layers", "neurons"))], where
    for name in alone:
        mine, wanted = module.layers[name], graph.layers[name]
        assert mine.ops == wanted.ops, f"{where}: {name}"
        if mine.facts.kind != "Mean":  # what an adaptive pool to a single value is in torch
            assert mine.facts == wanted.facts, f"{where}: {name}"
