"""Lava's numbers by the NIR repository's scripts: the grids, and what a chain of lava-dl's blocks cannot be."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.exporters.nir.dialects import dialect
from spikeport.exporters.nir.dialects.base import told_of
from spikeport.exporters.nir.dialects.lava import DIALECT
from spikeport.exporters.nir.tree import Leaf, Tree
from spikeport.toolchain.errors import GraphError
from spikeport.toolchain.graph import GraphBuilder
from spikeport.toolchain.graph.nodes import IF, LIF, Affine, CubaLIF, Input, Integrating, Output

DT = 1e-4
DECAYS = st.integers(0, 4095).map(lambda steps: steps / 4096)


@st.composite
def neurons(draw: Any) -> Integrating:
    """Every neuron on Lava's grids."""
    kind, alpha, beta = draw(st.sampled_from([IF, LIF, CubaLIF])), draw(DECAYS), draw(DECAYS)
    level = {"threshold": draw(st.integers(1, 500)) / (4096 if kind is IF else 64)}
    if kind is IF:
        return IF(**level)
    return CubaLIF(alpha=alpha, beta=beta, **level) if kind is CubaLIF and alpha else LIF(beta=beta, **level)


@settings(deadline=None, max_examples=60)
@given(node=neurons())
def test_what_is_encoded_is_imported_as_it_was(node: Integrating) -> None:
    """Bit for bit: the grids are exact."""
    told = told_of(node, DT)
    back = DIALECT.imported(DIALECT.encode(node, (3,), told), told)
    assert type(back) is type(node)
    assert {name: float(value) for name, value in back.arrays().items()} == {
        name: float(value) for name, value in node.arrays().items()
    }


def test_decays_and_thresholds_are_cut_to_their_grids() -> None:
    """0.15 · 4096 = 614.4, and 1.01 · 64 = 64.64."""
    told = told_of(OWN, DT)
    leaf = DIALECT.encode(OWN, (1,), told)
    off = {"tau_mem": np.full(1, DT / 0.15), "r": np.full(1, 1 / 0.15), "v_threshold": np.full(1, 1.01)}
    made = DIALECT.imported(replace(leaf, values={**leaf.values, **off}), told)
    assert isinstance(made, CubaLIF)
    assert (float(made.beta), float(made.threshold)) == (1 - 614 / 4096, 1.0)


def test_an_if_fires_above_r_times_its_threshold() -> None:
    """The script multiplies where the paper's equations divide."""
    node = IF(threshold=0.5)
    leaf = DIALECT.encode(node, (2,), told_of(node, DT))
    made = DIALECT.imported(replace(leaf, values={**leaf.values, "r": np.full(2, 2.0)}), told_of(node, DT))
    assert isinstance(made, IF)
    assert float(made.threshold) == 1.0


OWN = CubaLIF(alpha=0.5, beta=0.75)
REFUSED: dict[str, tuple[Integrating, tuple[int, ...], str]] = {
    "an image": (OWN, (2, 3, 3), "shape: 3 axes; expected one"),
    "a decay off the grid": (replace(OWN, beta=0.85), (2,), r"beta: 0\.85.* 0\.85009765625 is the nearest"),
    "a threshold off the grid": (replace(OWN, threshold=1.01), (2,), r"threshold: 1\.01.* 1\.015625 is the nearest"),
    "a gain": (replace(OWN, gain=2.0), (2,), "gain: 2"),
    "a bias": (replace(OWN, bias=0.5), (2,), "bias: 0.5"),
    "a soft reset": (replace(OWN, reset="subtract"), (2,), "reset"),
    "another value": (replace(OWN, v_reset=0.5), (2,), "reset"),
    "met": (replace(OWN, at_least=True), (2,), "at_least"),
    "neurons of their own": (replace(OWN, beta=np.array([0.5, 0.75])), (2,), "beta: different from neuron to neuron"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_cannot_make_is_refused_by_name(name: str) -> None:
    node, shape, words = REFUSED[name]
    with pytest.raises(GraphError, match=words):
        DIALECT.encode(node, shape, told_of(node, DT))


def test_a_file_of_netx_has_decays_as_they_are() -> None:
    """lava_to_nir.py writes a decay of 0 as a time constant without end."""
    held = {"tau_mem": np.inf, "tau_syn": DT / 0.25, "r": np.inf, "w_in": 4.0, "v_leak": 0.0, "v_threshold": 0.5}
    made = DIALECT.exported(Leaf("CubaLIF", {name: np.full(2, value) for name, value in held.items()}), DIALECT.told)
    assert isinstance(made, CubaLIF)
    assert (made.alpha.tolist(), made.beta.tolist(), made.gain.tolist()) == ([0.75] * 2, [1.0] * 2, 1.0)


def leaf(kind: str, **values: Any) -> Leaf:
    """A node of NIR."""
    return Leaf(kind, {name: np.asarray(value) for name, value in values.items()})


def chain(**nodes: Leaf | Tree) -> Tree:
    """Nodes in a row between an input and an output."""
    row = {"input": leaf("Input", shape=[2]), **nodes, "output": leaf("Output", shape=[2])}
    names = list(row)
    return Tree(row, tuple(pairwise(names)))


def test_a_linear_becomes_an_affine() -> None:
    assert DIALECT.finish is not None
    made = DIALECT.finish(chain(dense=leaf("Linear", weight=np.ones((3, 2), np.float32)))).nodes["dense"]
    assert isinstance(made, Leaf)
    assert made.kind == "Affine"
    np.testing.assert_array_equal(made.values["bias"], np.zeros(3))


def test_a_flatten_goes_up_to_the_last_axis() -> None:
    """The script counts axes with the batch, all but -1."""
    assert DIALECT.finish is not None
    flat = leaf("Flatten", input_type=[2, 3, 4], start_dim=0, end_dim=2)
    made = DIALECT.finish(chain(flat=flat)).nodes["flat"]
    assert isinstance(made, Leaf)
    assert int(made.values["end_dim"]) == -1
    with pytest.raises(GraphError, match="end_dim: 1; expected the last axis"):
        DIALECT.finish(chain(flat=leaf("Flatten", input_type=[2, 3, 4], start_dim=0, end_dim=1)))


def recurrent(back: Leaf) -> Tree:
    """A CubaLIF and a layer that leads back to it."""
    neuron = DIALECT.encode(OWN, (2,), told_of(OWN, DT))
    ends = {"input": leaf("Input", shape=[2]), "output": leaf("Output", shape=[2])}
    edges = (("input", "neuron"), ("neuron", "back"), ("back", "neuron"), ("neuron", "output"))
    return Tree({**ends, "neuron": neuron, "back": back}, edges)


def test_what_the_script_drops_is_refused() -> None:
    assert DIALECT.finish is not None
    assert DIALECT.finish(chain(loop=recurrent(leaf("Linear", weight=np.eye(2)))))
    with pytest.raises(GraphError, match="bias in a loop"):
        DIALECT.finish(chain(loop=recurrent(leaf("Affine", weight=np.eye(2), bias=np.ones(2)))))
    with pytest.raises(GraphError, match="bias of 'conv': another than 0"):
        DIALECT.finish(chain(conv=leaf("Conv2d", bias=np.ones(2))))
    two = chain(dense=leaf("Linear", weight=np.eye(2)))
    with pytest.raises(GraphError, match="'input': feeds 2 nodes"):
        DIALECT.finish(replace(two, edges=(*two.edges, ("input", "output"))))
    with pytest.raises(GraphError, match="ends: x, output"):
        DIALECT.finish(Tree({"x": leaf("Input", shape=[2]), "output": leaf("Output", shape=[2])}, (("x", "output"),)))


def test_the_ends_are_called_as_the_script_has_them() -> None:
    builder = GraphBuilder("net", DT)
    dense = builder.add("dense", Affine(np.ones((2, 3), np.float32)), builder.add("pixels", Input((3,), "spikes")))
    builder.add("classes", Output(), builder.add("neurons", OWN, dense))
    assert DIALECT.prepare is not None
    graph, lines = DIALECT.prepare(builder.build())
    assert (graph.inputs, graph.outputs) == (("input",), ("output",))
    assert lines == ("pixels: called input", "classes: called output")


def test_it_is_in_the_table() -> None:
    assert dialect("lava") is DIALECT
