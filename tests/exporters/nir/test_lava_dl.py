"""Files for Lava in lava-dl itself: convolutions and pools of IF neurons, and numbers off its grids."""

from pathlib import Path

import nir
import numpy as np
import pytest
from spikeport.exporters import nir_file
from spikeport.exporters.nir.dialects.lava import DIALECT
from spikeport.exporters.nir.objects_in import tree_of_object
from spikeport.exporters.nir.tree import Leaf
from spikeport.toolchain.graph import Graph, GraphBuilder
from spikeport.toolchain.graph import nodes as n
from support.nir_peers import lava, reference

DT = 1e-4
GRID = 64


@pytest.fixture(scope="module", autouse=True)
def _there() -> None:
    if not lava.peer().version:
        pytest.skip("lava-dl is not installed on this machine")


def weights(seed: int, *shape: int) -> n.Array:
    """On the grid of lava-dl, where sums of them are exact."""
    drawn = np.random.default_rng(seed).normal(0.1, 0.4, shape)
    return (np.rint(drawn * GRID) / GRID).astype(np.float32)


def images(seed: int, *shape: int) -> n.Array:
    """Spikes."""
    return (np.random.default_rng(seed).random((20, 2, *shape)) < 0.4).astype(np.float32)


def row(shape: tuple[int, ...], **nodes: n.Node) -> Graph:
    """Nodes in a row."""
    builder = GraphBuilder("net", DT)
    last = builder.add("input", n.Input(shape, "spikes"))
    for name, node in nodes.items():
        last = builder.add(name, node, last)
    builder.add("output", n.Output(), last)
    return builder.build()


@pytest.mark.parametrize("width", [4, 5])
@pytest.mark.parametrize("pool", [n.SumPool((2, 2)), n.AveragePool((2, 2))], ids=["sum", "average"])
def test_a_convolution_and_a_pool_of_if_neurons(pool: n.Node, width: int, tmp_path: Path) -> None:
    """Thresholds between the grid's values, so that no potential meets one; an odd width leaves a rest."""
    graph = row(
        (2, 6, width),
        conv=n.Conv(weights(1, 4, 2, 3, 3), padding=1),
        neurons=n.IF(threshold=1 + 1 / 128),
        pool=pool,
        flatten=n.Flatten(),
        dense=n.Affine(weights(2, 5, 24)),
        neurons_2=n.IF(threshold=1 + 1 / 1024),
    )
    nir_file.write(graph, tmp_path / "net.nir", dialect="lava")
    x = images(3, 2, 6, width)
    expected = reference(graph, x)
    assert 0.05 < expected.mean() < 0.95
    np.testing.assert_array_equal(lava.load(tmp_path / "net.nir", x, graph), expected)


def test_numbers_off_the_grids_are_rounded_as_imported_says(tmp_path: Path) -> None:
    """Decays of 0.4 and 0.15, a threshold of 1.7: 1638/4096, 614/4096 and 108/64."""
    held = {"tau_syn": DT / 0.4, "tau_mem": DT / 0.15, "v_leak": 0.0, "v_threshold": 1.7, "v_reset": 0.0}
    fields = {name: np.full(40, value) for name, value in {**held, "r": 1 / 0.15, "w_in": 1 / 0.4}.items()}
    ends = {"input": nir.Input(np.array([6])), "output": nir.Output(np.array([40]))}
    dense = nir.Affine(weights(4, 40, 6), np.zeros(40, np.float32))
    nodes = {**ends, "dense": dense, "neurons": nir.CubaLIF(**fields)}
    edges = [("input", "dense"), ("dense", "neurons"), ("neurons", "output")]
    graph = nir.NIRGraph(nodes, edges)
    nir.write(tmp_path / "net.nir", graph)
    leaf = tree_of_object(graph).nodes["neurons"]
    assert isinstance(leaf, Leaf)
    meant = row((6,), dense=n.Affine(dense.weight), neurons=DIALECT.imported(leaf, DIALECT.told))
    exact = n.CubaLIF(alpha=0.6, beta=0.85, threshold=1.7)
    x = images(5, 6)
    sent = lava.load(tmp_path / "net.nir", x, meant)
    wrong, more = (
        (sent != reference(each, x)).mean() for each in (meant, row((6,), dense=n.Affine(dense.weight), neurons=exact))
    )
    assert wrong < 0.002 < more
