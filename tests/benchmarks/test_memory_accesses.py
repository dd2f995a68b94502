"""Memory accesses, beside a machine that computes the same networks word by word and counts what it touches."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from spikeport.benchmarks.counting.of_graph import count_graph
from spikeport.benchmarks.memory_accesses import KINDS, Accesses, Memory, layer_memory, memory_accesses, together
from spikeport.benchmarks.operations import Facts, LayerCount, OpCount, Ops, Pairs
from spikeport.benchmarks.rules.neuron_costs import NEURON_COSTS, PROCESS_COSTS
from spikeport.benchmarks.twin import twin_count
from spikeport.toolchain.graph import Graph, chain
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.simulate.run import simulate
from support.made_counts import op_counts
from support.plain_machine import Machine
from support.random_chips import random_chip

STEPS = 5


def spiking(rng: np.random.Generator) -> Graph:
    """Convolutions with borders, strides and groups; a norm, a pool, two kinds of neurons, a matrix."""
    return chain([
        ("in", n.Input((2, 5, 6), "spikes")),
        ("conv", n.Conv(rng.normal(size=(4, 2, 3, 3)), rng.normal(size=4), 1, 1)),
        ("norm", n.BatchNorm(rng.normal(size=4), np.ones(4), rng.normal(size=4), rng.normal(size=4))),
        ("cuba", n.CubaLIF(alpha=0.5, beta=0.5)), ("pool", n.AveragePool((2, 2))),
        ("strided", n.Conv(rng.normal(size=(2, 2, 2, 2)), None, 2, 1, groups=2)), ("lif", n.LIF(beta=0.25)),
        ("flat", n.Flatten()), ("fc", n.Affine(rng.normal(size=(3, 8)), rng.normal(size=3))),
        ("end", n.Output("sum")),
    ])  # fmt: skip


def real(rng: np.random.Generator) -> Graph:
    """Real numbers into a pool, a ReLU and a matrix."""
    return chain([
        ("in", n.Input((2, 4, 4))), ("pool", n.SumPool((2, 2))), ("relu", n.Activation("relu")), ("flat", n.Flatten()),
        ("fc", n.Affine(rng.normal(size=(6, 8)))), ("lif", n.LIF(beta=0.5)), ("end", n.Output("sum")),
    ])  # fmt: skip


@pytest.mark.parametrize("make", [spiking, real])
@pytest.mark.parametrize("seed", range(3))
def test_a_machine_without_caches_touches_as_many_words(make, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = make(rng)
    shape = graph.signals["in"].shape
    x = rng.random((STEPS, 1, *shape)) < 0.3 if make is spiking else rng.normal(size=(STEPS, 1, *shape))
    x = x * (rng.random(x.shape) < 0.7)
    (counts,) = count_graph(graph, x.astype(float))
    wanted = simulate(graph, x.astype(float), record="all")
    found = memory_accesses(counts)
    for dense in (False, True):
        machine = Machine(graph, dense=dense)
        sent = [machine.step(each[0].astype(float)) for each in x]
        last = graph.wires["end"][0].source
        np.testing.assert_allclose(sent, wanted.nodes[last].sent[:, 0], atol=1e-4)
        for name, memory in found.items():
            mine = memory.dense if dense else memory.effective
            touched = machine.accesses[name]
            assert mine == Accesses(**touched), (name, dense)
    total = together(found.values())
    assert 0 < total.effective.total < total.dense.total
    assert total.effective.input_reads < total.dense.input_reads


def test_products_have_no_parameters_and_an_integer_is_one_access() -> None:
    product = LayerCount(
        Facts("matmul", "products", ("spikes", "graded")), Ops(acs=Pairs(100, 100, 20, 20, 20), received=40, events=9)
    )
    whole = LayerCount(
        Facts("Affine", "synapses", ("int[0,3]",)), Ops(integer_acs=Pairs(12, 12, 6, 5, 11), received=4, events=2)
    )
    assert layer_memory(product, "graph") == Memory(Accesses(40, 0, 100, 100), Accesses(9, 0, 20, 20))
    assert layer_memory(whole, "graph") == Memory(Accesses(4, 12, 12, 12), Accesses(2, 6, 6, 6))


def test_the_twin_touches_everything_in_every_pass_and_has_no_states_of_neurons() -> None:
    (counts,) = count_graph(spiking(np.random.default_rng(1)), np.zeros((STEPS, 1, 2, 5, 6)))
    spikes, twin = (together(memory_accesses(each).values()) for each in (counts, twin_count(counts, "all")))
    assert spikes.effective.input_reads < spikes.dense.input_reads
    assert twin.dense == twin.effective
    assert twin.dense.parameter_reads == spikes.dense.parameter_reads
    assert twin.dense.state_reads < spikes.dense.state_reads
    once = together(memory_accesses(twin_count(counts, "one")).values())
    assert tuple(STEPS * each for each in astuple(once.dense)) == astuple(twin.dense)


def test_the_words_of_a_neuron_are_its_states() -> None:
    nodes = (
        n.IF(), n.LIF(beta=0.5), n.CubaLIF(alpha=0.5, beta=0.5),
        n.AdaptiveLIF(beta=0.5, adapt_decay=0.5, adapt_step=0.1), n.Integrator(), n.LeakyIntegrator(beta=0.5),
        n.CubaIntegrator(alpha=0.5, beta=0.5), n.ResonateFire(cos=0.5, sin=0.5), n.Sigma(), n.Delta(threshold=1.0),
        n.SigmaDelta(threshold=1.0),
    )  # fmt: skip
    assert {node.kind: len(node.start((4,), 1, np.float32)) for node in nodes} == {
        kind: cost.states for kind, cost in NEURON_COSTS.items()
    }


def test_the_words_of_a_process_are_its_registers() -> None:
    found = {}
    for seed in range(60):
        for node in random_chip(seed).nodes.values():
            if node.role == "neuron":
                state = node.start((4,), 3, np.int64).values()
                found[node.kind] = sum(word.shape == (3, 4) for word in state)  # a clock is one for all neurons
    assert len(found) > 10
    assert found == {kind: PROCESS_COSTS[kind].states for kind in found}


@settings(deadline=None, max_examples=60)
@given(op_counts())
def test_effective_is_never_more_than_dense_and_sums_add(counts: OpCount) -> None:
    found = memory_accesses(counts)
    assert list(found) == list(counts.layers)
    for memory in found.values():
        assert all(0 <= e <= d for e, d in zip(astuple(memory.effective), astuple(memory.dense), strict=True))
    assert memory_accesses(counts + counts)[next(iter(found))].dense.input_reads == (
        2 * found[next(iter(found))].dense.input_reads
    )
    total = together(found.values())
    assert total.dense.total == sum(memory.dense.total for memory in found.values())
    assert tuple(vars(total.dense)) == KINDS
