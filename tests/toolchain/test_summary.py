"""Parameters, neurons and synapses of a graph, counted a second time by brute force."""

import numpy as np
import pytest
from spikeport.toolchain.graph import Graph, chain
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.summary import summarise
from support.random_graphs import random_graph

COUNTED = ("Affine", "Conv", "ConvTranspose", "SumPool", "AveragePool", "Contract", "TemporalKernel")


def connected(graph: Graph, name: str) -> int:
    """How many outputs change, over all inputs set to one by one: the pairs that a positive node connects."""
    node = graph.nodes[name]
    shape = graph.received(name)[0].shape
    size = int(np.prod(shape))
    ones = np.eye(size).reshape(size, *shape)
    state = node.start(shape, size, np.dtype("float64"))
    zero, _ = node.step(node.start(shape, size, np.dtype("float64")), ones * 0)
    y, _ = node.step(state, ones)
    return int((y != zero).sum())


@pytest.mark.parametrize("kind", COUNTED)
@pytest.mark.parametrize("seed", range(8))
def test_synapses_are_the_pairs_that_really_are_connected(kind: str, seed: int) -> None:
    graph = random_graph(np.random.default_rng(seed), kinds=[kind], nodes=2, recurrent=False, inputs=1)
    rows = {row.name: row for row in summarise(graph).rows}
    for name, node in graph.nodes.items():
        if node.kind == kind and not (kind == "TemporalKernel" and node.weight.shape[0] > 1):
            every = all((value != 0).all() for value in node.arrays().values())
            if every:
                assert rows[name].synapses == connected(graph, name), (name, node)


def test_rows_and_sums_of_a_known_network() -> None:
    graph = chain(
        [
            ("in", n.Input((2, 6, 6), "spikes")),
            ("conv", n.Conv(np.ones((4, 2, 3, 3)), np.zeros(4), padding=1)),
            ("lif", n.LIF(beta=0.9, threshold=1.0)),
            ("pool", n.SumPool((2, 2))),
            ("flat", n.Flatten()),
            ("fc", n.Affine(np.ones((3, 36)))),
            ("out", n.Output()),
        ]
    )
    summary = summarise(graph)
    rows = {row.name: row for row in summary.rows}
    assert rows["conv"].parameters == 4 * 2 * 9 + 4
    # 16 of the 36 windows see all 9 places, 16 at an edge see 6, 4 at a corner see 4.
    assert rows["conv"].synapses == 4 * 2 * (16 * 9 + 16 * 6 + 4 * 4)
    assert (rows["lif"].neurons, rows["lif"].carries, rows["lif"].synapses) == (144, "spikes", None)
    assert (rows["pool"].synapses, rows["pool"].carries) == (144, "int[0,4]")
    assert rows["fc"].sources == ("flat",)
    assert (rows["fc"].parameters, rows["fc"].synapses) == (108, 108)
    assert summary.neurons == 144
    assert summary.synapses == rows["conv"].synapses + 144 + 108
    assert summary.parameters == sum(row.parameters for row in summary.rows)
