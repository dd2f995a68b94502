"""Neurons with numbers that are exact in binary, so that potentials meet thresholds: every mode, bit for bit."""

from itertools import product

import numpy as np
import pytest
from spikeport.toolchain.graph import chain
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.onnx.model import model
from spikeport.toolchain.simulate import simulate
from support.onnx_models import session, stepped, zeros

STEPS, BATCH, WIDTH = 24, 2, 16
RNG = np.random.default_rng(5)
X = RNG.integers(-2, 5, (STEPS, BATCH, WIDTH)).astype("f4") / 4

FIELDS = {
    n.IF: {},
    n.LIF: {"beta": 0.5},
    n.CubaLIF: {"alpha": 0.5, "beta": 0.5},
    n.AdaptiveLIF: {
        "beta": 0.5, "adapt_decay": 0.5, "adapt_step": 0.25, "refractory_decay": 0.5, "refractory_gain": 0.25,
    },
}  # fmt: skip


def same(node: n.Node, x: np.ndarray) -> np.ndarray:
    """What both send, once it is equal in every bit, and the states at the end, too."""
    graph = chain([("in", n.Input(x.shape[2:])), ("node", node), ("out", n.Output())])
    trace = simulate(graph, x)
    running = session(model(graph, dtype="float32"))
    found = stepped(running, {"in": x}, zeros(running, x.shape[1]))
    np.testing.assert_array_equal(found["out"], trace.outputs["out"], str(node))
    for key, value in trace.state.nodes.get("node", {}).items():
        np.testing.assert_array_equal(found[f"next.node.{key}"][-1], value, f"{node}, {key}")
    return found["out"]


@pytest.mark.parametrize("kind", FIELDS, ids=lambda kind: kind.__name__)
def test_every_mode_of_a_neuron(kind: type[n.Firing]):
    sent: dict[object, np.ndarray] = {}
    modes = [*product(("value", "subtract", "none"), ("now", "next")), ("subtract", "guarded")]
    for (reset, when), at_least, emit in product(modes, (False, True), ("spikes", "voltage", "charge")):
        if when == "guarded" and kind is n.AdaptiveLIF:
            continue
        fields = {"v_reset": -0.25 if reset == "value" else 0.0, "bias": 0.125, "gain": 0.5, **FIELDS[kind]}
        node = kind(reset=reset, when=when, at_least=at_least, emit=emit, threshold=0.5, **fields)
        sent[reset, when, at_least, emit] = same(node, X)
    for reset, when in modes:
        if (reset, when, True, "spikes") in sent:
            over, reached = (sent[reset, when, at_least, "spikes"] for at_least in (False, True))
            assert 0 < over.sum() < over.size
            assert (over != reached).any(), "no potential met the threshold exactly"


@pytest.mark.parametrize("spike", ["phase", "izhikevich"])
def test_resonate_and_fire(spike: str):
    sent = same(n.ResonateFire(cos=0.5, sin=0.5, threshold=0.25, spike=spike, epsilon=0.125), X)
    assert 0 < sent.sum() < sent.size


@pytest.mark.parametrize("cumulative", [False, True])
def test_sigma_and_delta(cumulative: bool):
    for node in (
        n.Delta(threshold=0.5, cumulative=cumulative),
        n.SigmaDelta(threshold=0.5, bias=0.25, cumulative=cumulative),
        n.SigmaDelta(threshold=0.5, activation="unit", cumulative=cumulative),
        n.Sigma(),
    ):
        sent = same(node, X)
        assert (sent != 0).any()
        assert isinstance(node, n.Sigma) or (np.abs(sent) == 0.5).any(), "no change met the threshold exactly"


def test_steps_meet_their_threshold():
    for function in ("step", "step_or_equal"):
        same(n.Activation(function, {"threshold": 0.25}), X)


def test_quantising_takes_halves_to_even():
    sent = same(n.Activation("quantise", {"scale": 0.5, "zero": 1.0, "low": -1.0, "high": 3.0}), X)
    assert set(np.unique(sent)) == {0.0, 1.0, 2.0, 3.0}
