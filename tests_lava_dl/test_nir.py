"""NIR in lava-dl itself: its column of docs/nir.md, convolutions and pools of IF neurons, numbers off its grids."""

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
from support.nir_matrix import run
from support.nir_page import check_cells, check_faults, check_page
from support.nir_peers import CASES, lava, reference
from support.nir_peers.sheets import Sheet

DT = 1e-4
GRID = 64


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    """Every network in both directions."""
    found = run("lava")
    assert found is not None, "lava-dl is not installed: spikeport lava install --with-lava-dl"
    return found


def test_every_cell_is_right_or_explained(sheet: Sheet) -> None:
    check_cells(sheet)


def test_every_fault_is_still_there(sheet: Sheet) -> None:
    check_faults(sheet)


def test_the_page_says_what_ran(sheet: Sheet) -> None:
    check_page(sheet)


def test_a_file_of_the_script_is_recognised(tmp_path: Path) -> None:
    """A network of slayer, through its netx file, read by somebody who says nothing about it."""
    case = next(case for case in CASES if case.name == lava.BOTH_WAYS)
    answers = lava.export(case.graph(lava.peer().native), case.inputs(), tmp_path / "net.nir")
    read = nir_file.read(tmp_path / "net.nir")
    assert read.dialect == "lava"
    np.testing.assert_array_equal(reference(read.graph, case.inputs()), answers)


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
