"""Resonate-and-fire neurons and sigma-delta coding against loops over single numbers."""

import math

import numpy as np
import pytest
from spikeport.toolchain.graph import nodes as n

STEPS = 40


def run(node: n.Node, *inputs: np.ndarray) -> np.ndarray:
    state = node.start(inputs[0].shape[2:], inputs[0].shape[1], inputs[0].dtype)
    sent = []
    for values in zip(*inputs, strict=True):
        y, state = node.step(state, *values)
        sent.append(y)
    return np.stack(sent)


@pytest.mark.parametrize("spike", ["phase", "izhikevich"])
@pytest.mark.parametrize("imaginary", [False, True])
def test_resonate_and_fire_turns_a_complex_number(spike: str, imaginary: bool) -> None:
    """z ← λ·e^{iω}·z + x + i·x′, one neuron at a time."""
    rng = np.random.default_rng(2)
    decay, turn, level = rng.uniform(0.8, 0.99, 5), rng.uniform(0.3, 2.0, 5), rng.uniform(0.4, 1.0, 5)
    node = n.ResonateFire(
        cos=decay * np.cos(turn), sin=decay * np.sin(turn), threshold=level, spike=spike, epsilon=0.01
    )
    inputs = rng.normal(size=(2, STEPS, 1, 5))[: 1 + imaginary]
    ours = run(node, *inputs)
    for k in range(5):
        z, expected = 0j, []
        for t in range(STEPS):
            old, z = z, decay[k] * complex(math.cos(turn[k]), math.sin(turn[k])) * z + inputs[0, t, 0, k]
            z += 1j * inputs[1, t, 0, k] if imaginary else 0
            if spike == "phase":
                s = z.real >= level[k] and z.imag >= 0 and old.imag < 0
            else:
                s = z.imag >= level[k]
                z = complex(0, level[k] - 0.01) if s else z
            expected.append(float(s))
        assert ours[:, 0, k].tolist() == expected
    assert ours.sum() >= 5


def test_an_impulse_makes_a_phase_neuron_spike_once_a_turn() -> None:
    turn, decay = 2 * math.pi / 7.7, 0.99
    node = n.ResonateFire(cos=decay * math.cos(turn), sin=decay * math.sin(turn), threshold=0.1)
    x = np.zeros((33, 1, 1))
    x[0] = 1.0
    assert np.flatnonzero(run(node, x)).tolist() == [8, 16, 24, 31]


def delta_by_hand(x: np.ndarray, threshold: float, cumulative: bool) -> list[float]:
    last = owed = error = 0.0
    sent = []
    for value in x.tolist():
        change = value - last + owed
        if cumulative:
            error += change
        y = change if abs(error if cumulative else change) >= threshold else 0.0
        if cumulative and y != 0:
            error = 0.0
        last, owed = value, change - y
        sent.append(y)
    return sent


@pytest.mark.parametrize("cumulative", [False, True])
def test_delta_against_the_loop(cumulative: bool) -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(STEPS, 2, 3)).cumsum(0) * 0.3
    threshold = rng.uniform(0.2, 0.8, 3)
    ours = run(n.Delta(threshold=threshold, cumulative=cumulative), x)
    for b in range(2):
        for k in range(3):
            assert ours[:, b, k].tolist() == delta_by_hand(x[:, b, k], threshold[k], cumulative)
    assert 0.1 < (ours != 0).mean() < 0.9


def test_what_delta_sends_adds_up_to_its_input_but_for_less_than_the_threshold() -> None:
    x = np.random.default_rng(5).normal(size=(200, 1, 4)).cumsum(0)
    received = run(n.Sigma(), run(n.Delta(threshold=0.5), x))
    assert abs(received - x).max() < 0.5 + 1e-9
    assert np.allclose(run(n.Sigma(), run(n.Delta(threshold=0.0), x)), x, atol=1e-9)


def test_sigma_sums() -> None:
    x = np.random.default_rng(5).normal(size=(20, 2, 4))
    np.testing.assert_allclose(run(n.Sigma(), x), x.cumsum(0), atol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "unit"])
@pytest.mark.parametrize("cumulative", [False, True])
def test_sigma_delta_is_sigma_then_activation_then_delta(activation: str, cumulative: bool) -> None:
    rng = np.random.default_rng(6)
    x, bias = rng.normal(size=(STEPS, 2, 3)), rng.normal(size=3)
    node = n.SigmaDelta(threshold=0.4, bias=bias, activation=activation, cumulative=cumulative)
    summed = run(n.Sigma(), x) + bias
    act = np.maximum(summed, 0) if activation == "relu" else summed
    assert np.array_equal(run(node, x), run(n.Delta(threshold=0.4, cumulative=cumulative), act))
