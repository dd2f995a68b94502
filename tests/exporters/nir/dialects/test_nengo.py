"""Nengo's numbers by the NIR repository's script: what is encoded is imported as it was, and nothing is too early."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.exporters.nir.dialects import dialect
from spikeport.exporters.nir.dialects.base import told_of
from spikeport.exporters.nir.dialects.nengo import DIALECT
from spikeport.exporters.nir.reading import from_nir
from spikeport.exporters.nir.writing import to_tree
from spikeport.exporters.nir_file import to_nir
from spikeport.toolchain.errors import GraphError, Refused
from spikeport.toolchain.graph import Graph, GraphBuilder, Wire
from spikeport.toolchain.graph.nodes import (
    IF,
    LIF,
    Add,
    Affine,
    CubaLIF,
    Input,
    Integrating,
    LeakyIntegrator,
    Output,
)
from spikeport.toolchain.simulate import simulate

DT = 1e-4
DECAYS = st.floats(0.01, 0.99)


@st.composite
def neurons(draw: Any) -> Integrating:
    """Every neuron that the script makes; thresholds may differ where it asks for none that is the same."""
    kind, beta = draw(st.sampled_from([IF, LIF, CubaLIF, LeakyIntegrator])), draw(DECAYS)
    levels = np.array([draw(st.floats(0.5, 3)) for _ in range(3)])
    if kind is IF:
        return IF(threshold=levels)
    if kind is CubaLIF:
        gains = np.array([draw(st.floats(0.1, 2)) for _ in range(3)])
        return CubaLIF(alpha=draw(DECAYS), beta=beta, gain=gains, threshold=levels[0])
    shared = {"beta": beta, "gain": 1 - beta, "rule": "exact"}
    return LIF(threshold=levels, **shared) if kind is LIF else LeakyIntegrator(**shared)


@settings(deadline=None, max_examples=60)
@given(node=neurons())
def test_what_is_encoded_is_imported_as_it_was(node: Integrating) -> None:
    told = told_of(node, DT)
    back = DIALECT.imported(DIALECT.encode(node, (3,), told), told)
    assert type(back) is type(node)
    for name, value in node.arrays().items():
        np.testing.assert_allclose(back.arrays()[name], np.broadcast_to(value, back.arrays()[name].shape), rtol=1e-6)


OWN = LIF(beta=0.8, gain=0.2, rule="exact")
REFUSED: dict[str, tuple[Integrating, tuple[int, ...], str]] = {
    "an image": (OWN, (2, 3, 3), "shape: 3 axes; expected one"),
    "two leaks": (replace(OWN, beta=np.array([0.8, 0.5]), gain=np.array([0.2, 0.5])), (2,), "beta: different"),
    "a gain of its own": (replace(OWN, gain=0.5), (2,), "gain: 0.5"),
    "a bias": (replace(OWN, bias=0.5), (2,), "bias: 0.5"),
    "a soft reset": (replace(OWN, reset="subtract"), (2,), "reset"),
    "met": (replace(OWN, at_least=True), (2,), "at_least"),
    "an IF with a gain": (IF(gain=2.0), (2,), "gain: 2"),
    "two thresholds behind a current": (CubaLIF(alpha=0.5, beta=0.5, threshold=[1.0, 2.0]), (2,), "threshold: diff"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_cannot_make_is_refused_by_name(name: str) -> None:
    node, shape, words = REFUSED[name]
    with pytest.raises(GraphError, match=words):
        DIALECT.encode(node, shape, told_of(node, DT))


def network(*neurons: Integrating, bias: bool = False, back: bool = False) -> Graph:
    """Layers of two, each of them dense and neurons; the first one may have a bias, or a loop."""
    builder, rng = GraphBuilder("net", DT), np.random.default_rng(0)
    last = builder.add("input", Input((2,), "spikes"))
    for at, neuron in enumerate(neurons):
        more = np.ones(2, np.float32) if bias else None
        last = builder.add(f"dense_{at}", Affine(rng.uniform(1, 4, (2, 2)).astype(np.float32), more), last)
        if back and at == 0:
            loop = builder.add("back", Affine(np.full((2, 2), 0.5, np.float32)), Wire(f"neurons_{at}", delayed=True))
            last = builder.add("sum", Add(), last, loop)
        last = builder.add(f"neurons_{at}", neuron, last)
    builder.add("output", Output(), last)
    return builder.build()


def test_spikes_of_a_lif_are_made_1_again() -> None:
    """Nengo's LIF sends 1/dt; the Linear behind it comes off when the file is read again."""
    graph = network(OWN, OWN)
    tree = to_tree(graph, "nengo").tree
    unit = tree.nodes["neurons_0_unit"]
    np.testing.assert_allclose(unit.values["weight"], DT * np.eye(2), rtol=1e-6)
    assert ("neurons_0", "neurons_0_unit") in tree.edges
    assert ("neurons_0_unit", "dense_1") in tree.edges
    read = from_nir(to_nir(graph, "nengo")).graph
    assert set(read.nodes) == set(graph.nodes)
    x = (np.random.default_rng(1).random((40, 2, 2)) < 0.5).astype(np.float32)
    sent = simulate(graph, x).outputs["output"]
    assert 0 < sent.mean() < 1
    np.testing.assert_array_equal(simulate(read, x).outputs["output"], sent)


def test_a_lif_in_a_loop_is_a_current_of_one_step() -> None:
    written = to_tree(network(OWN, back=True), "nengo")
    assert written.tree.nodes["neurons_0"].kind == "CubaLIF"
    assert "nengo: every CubaLIF and LI answers one step later; 1 of them are in this network" in written.remarks
    with pytest.raises(Refused, match="loop: no delay; expected one LIF or CubaLIF in each loop"):
        to_tree(network(IF(), back=True), "nengo")


def test_nothing_comes_before_the_first_input() -> None:
    """A bias behind what filters is heard a step early, and ways with more filters are late."""
    current = CubaLIF(alpha=0.5, beta=0.5)
    assert to_tree(network(current, current), "nengo")
    with pytest.raises(Refused, match="bias of 'dense_1': behind a CubaLIF"):
        to_tree(network(current, current, bias=True), "nengo")
    builder = GraphBuilder("net", DT)
    start = builder.add("input", Input((2,), "spikes"))
    late = builder.add("late", current, start)
    builder.add("output", Output(), builder.add("fires", IF(), builder.add("sum", Add(), start, late)))
    with pytest.raises(Refused, match="inputs that come at different steps"):
        to_tree(builder.build(), "nengo")


def test_thresholds_behind_a_current_are_made_one() -> None:
    node = CubaLIF(alpha=0.5, beta=0.5, threshold=np.array([1.0, 4.0]), gain=2.0)
    leaf = to_tree(network(node), "nengo").tree.nodes["neurons_0"]
    assert leaf.values["v_threshold"].tolist() == [1.0, 1.0]
    assert leaf.values["w_in"].tolist() == [8.0, 2.0]


def test_it_is_in_the_table() -> None:
    assert dialect("nengo") is DIALECT
