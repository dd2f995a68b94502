"""SpikingJelly's numbers: what is encoded is imported as it was, and what it cannot be is refused by name."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.exporters.nir.dialects import dialect
from spikeport.exporters.nir.dialects.base import told_of
from spikeport.exporters.nir.dialects.spikingjelly import DIALECT
from spikeport.exporters.nir.tree import Leaf, Tree
from spikeport.toolchain.errors import GraphError
from spikeport.toolchain.graph import GraphBuilder
from spikeport.toolchain.graph.nodes import IF, LIF, AdaptiveLIF, Affine, CubaLIF, Input, Integrating, Output

DT = 1e-4
DECAYS = st.floats(0.01, 0.99)
RESTS = st.floats(-1, 0.5)
LEVELS = st.floats(0.6, 3)


@st.composite
def neurons(draw: Any) -> Integrating:
    """Every neuron that its importer makes, with a threshold that may be met or has to be exceeded."""
    kind, rest, beta = draw(st.sampled_from(["IF", "LIF", "leaky", "CubaLIF"])), draw(RESTS), draw(DECAYS)
    fires = {"threshold": np.float32(draw(LEVELS)), "v_reset": rest, "v_start": rest, "at_least": draw(st.booleans())}
    if kind == "IF":
        return IF(**fires)
    if kind == "CubaLIF":
        return CubaLIF(alpha=draw(DECAYS), beta=beta, **fires)
    gain = 1 - beta if kind == "LIF" else 1.0
    return LIF(beta=beta, gain=gain, bias=rest * (1 - beta), rule="euler", **fires)


@settings(deadline=None, max_examples=60)
@given(node=neurons())
def test_what_is_encoded_is_imported_as_it_was(node: Integrating) -> None:
    told = told_of(node, DT)
    back = DIALECT.imported(DIALECT.encode(node, (3,), told), told)
    assert type(back) is type(node)
    for name, value in node.arrays().items():
        np.testing.assert_allclose(back.arrays()[name], value, rtol=1e-6, atol=1e-9, err_msg=name)


def test_a_threshold_to_exceed_is_the_next_one_to_meet() -> None:
    """v > θ and v ≥ θ⁺ are the same for every v of float32."""
    level = np.float32(0.7)
    above = DIALECT.encode(IF(threshold=level), (1,), told_of(IF(threshold=level), DT)).values["v_threshold"]
    assert np.float32(above[0]) == np.nextafter(level, np.float32(2))
    near = np.array([np.nextafter(level, np.float32(0)), level, np.float32(above[0])])
    assert ((near > level) == (near >= np.float32(above[0]))).all()


def test_a_leak_that_rests_at_0_and_resets_elsewhere_is_a_current_of_one_step() -> None:
    node = LIF(beta=0.8, v_reset=-0.3, v_start=-0.3, at_least=True)
    leaf = DIALECT.encode(node, (2,), told_of(node, DT))
    assert leaf.kind == "CubaLIF"
    assert leaf.values["tau_syn"][0] == pytest.approx(DT)
    assert isinstance(DIALECT.imported(leaf, told_of(node, DT)), LIF)


OWN = LIF(beta=0.5, gain=0.5, rule="euler", at_least=True)
REFUSED: dict[str, tuple[Integrating, str]] = {
    "a soft reset": (replace(OWN, reset="subtract"), "reset: 'subtract'"),
    "a late reset": (replace(OWN, when="next"), "when: 'next'"),
    "two thresholds": (replace(OWN, threshold=np.array([1.0, 2.0])), "threshold: different from neuron to neuron"),
    "a start of its own": (replace(OWN, v_start=0.25), "v_start: 0.25"),
    "a gain of its own": (replace(OWN, gain=0.3), "gain: 0.3"),
    "a rest of its own": (replace(OWN, bias=0.3), "bias: 0.3"),
    "no leak": (replace(OWN, beta=1.0, gain=0.5), "beta: 1 or more"),
    "an IF with a gain": (IF(gain=2.0, at_least=True), "gain: 2"),
    "a current with a bias": (CubaLIF(alpha=0.5, beta=0.5, bias=1.0), "bias: 1"),
    "adaptation": (AdaptiveLIF(beta=0.5, adapt_decay=0.5, adapt_step=0.1), "kind: AdaptiveLIF"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_cannot_make_is_refused_by_name(name: str) -> None:
    node, words = REFUSED[name]
    with pytest.raises(GraphError, match=words):
        DIALECT.encode(node, (2,), told_of(node, DT))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("r", 3.0, r"r: 3; expected 1 or tau/dt = 2"),
        ("tau", 0.5 * DT, r"tau: 0\.5·dt"),
        ("v_leak", 0.25, "v_leak: 0.25; expected v_reset"),
        ("v_threshold", np.array([1.0, 2.0]), "v_threshold: 2 different numbers"),
    ],
)
def test_numbers_that_it_does_not_write_are_refused(name: str, value: Any, words: str) -> None:
    told = told_of(OWN, DT)
    leaf = DIALECT.encode(OWN, (2,), told)
    with pytest.raises(GraphError, match=words):
        DIALECT.exported(replace(leaf, values={**leaf.values, name: np.asarray(value)}), told)


def test_gains_and_biases_are_prepared() -> None:
    """Another scale of voltage, and a bias in the layer before: the same spikes, which it can make."""
    builder = GraphBuilder("net", DT)
    dense = builder.add("dense", Affine(np.ones((2, 3), np.float32)), builder.add("input", Input((3,), "spikes")))
    neuron = LIF(beta=0.5, gain=0.25, bias=0.1, threshold=2.0, at_least=True)
    builder.add("output", Output(), builder.add("neurons", neuron, dense))
    assert DIALECT.prepare is not None
    graph, lines = DIALECT.prepare(builder.build())
    made = graph.nodes["neurons"]
    assert isinstance(made, LIF)
    assert (float(made.gain), float(made.threshold), float(made.bias)) == (1.0, 8.0, 0.0)
    np.testing.assert_allclose(graph.nodes["dense"].arrays()["bias"], [0.4, 0.4], rtol=1e-6)
    assert len(lines) == 2


def leaf(kind: str, **values: Any) -> Leaf:
    """A node of NIR."""
    return Leaf(kind, {name: np.asarray(value) for name, value in values.items()})


def loop(back: Leaf, *more: tuple[str, str]) -> Tree:
    """An input, a neuron that hears itself, and an output, in an order that nirtorch cannot build."""
    neuron = DIALECT.encode(OWN, (2,), told_of(OWN, DT))
    ends = {"output": leaf("Output", shape=[2]), "input": leaf("Input", shape=[2])}
    edges = (("input", "neuron"), ("neuron", "back"), ("back", "neuron"), ("neuron", "output"), *more)
    return Tree({"back": back, **ends, "neuron": neuron}, edges)


def test_nodes_are_put_behind_what_they_read() -> None:
    assert DIALECT.finish is not None
    order = list(DIALECT.finish(loop(leaf("Linear", weight=np.eye(2)))).nodes)
    assert order[:2] == ["input", "neuron"]
    assert sorted(order[2:]) == ["back", "output"]


def test_a_bias_in_a_loop_and_groups_are_refused() -> None:
    assert DIALECT.finish is not None
    with pytest.raises(GraphError, match="bias of 'back': in a loop"):
        DIALECT.finish(loop(leaf("Affine", weight=np.eye(2), bias=np.ones(2))))
    with pytest.raises(GraphError, match="groups of 'conv': 2"):
        DIALECT.finish(Tree({"conv": leaf("Conv2d", groups=2)}, ()))


def test_it_is_in_the_table() -> None:
    assert dialect("spikingjelly") is DIALECT
