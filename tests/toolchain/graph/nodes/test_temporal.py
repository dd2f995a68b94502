"""Nodes that mix time, against the whole sequence at once."""

import numpy as np
import pytest
import torch
from spikeport.toolchain.graph import nodes as n
from torch.nn import functional

STEPS = 9


def run(node: n.Node, x: np.ndarray) -> np.ndarray:
    state = node.start(x.shape[2:], x.shape[1], x.dtype)
    sent = []
    for value in x:
        y, state = node.step(state, value)
        sent.append(y)
    return np.stack(sent)


@pytest.mark.parametrize("steps", [(0,), (3,), (0, 2, 1), (12, 0, 4)])
@pytest.mark.parametrize("rest", [(), (2,), (2, 2)])
def test_a_delay_shifts_each_channel(steps: tuple[int, ...], rest: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=(STEPS, 2, 3, *rest))
    ours = run(n.Delay(steps), x)
    for channel, delay in enumerate(steps if len(steps) == 3 else steps * 3):
        assert np.array_equal(ours[delay:, :, channel], x[: max(STEPS - delay, 0), :, channel])
        assert not ours[:delay, :, channel].any()
    assert n.Delay(steps).stateful == (max(steps) > 0)


@pytest.mark.parametrize("taps", [1, 2, 5, 11])
@pytest.mark.parametrize("rest", [(), (2,)])
def test_a_temporal_kernel_is_a_causal_convolution(taps: int, rest: tuple[int, ...]) -> None:
    rng = np.random.default_rng(taps)
    x, weight, bias = rng.normal(size=(STEPS, 2, 3, *rest)), rng.normal(size=(taps, 4, 3)), rng.normal(size=4)
    ours = run(n.TemporalKernel(weight, bias), x)
    sequences = torch.from_numpy(np.moveaxis(x, 0, -1).reshape(2, 3, -1, STEPS))
    kernel = torch.from_numpy(weight[::-1].transpose(1, 2, 0).copy())
    for place in range(sequences.shape[2]):
        padded = functional.pad(sequences[:, :, place], (taps - 1, 0))
        theirs = functional.conv1d(padded, kernel, torch.from_numpy(bias)).numpy()
        found = np.moveaxis(ours.reshape(STEPS, 2, 4, -1)[..., place], 0, -1)
        np.testing.assert_allclose(found, theirs, atol=1e-12)
    assert n.TemporalKernel(weight).stateful == (taps > 1)


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("rest", [(), (2,)])
def test_a_state_space_is_the_sum_of_its_powers(kind: str, rest: tuple[int, ...]) -> None:
    """y[t] = Re Σ_n C·Σ_k A^k·B·x[t − k] + D·x[t]."""
    rng = np.random.default_rng(1)
    decay, inward, outward = rng.uniform(0.2, 0.9, (3, 4)), rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    if kind == "complex":
        decay = decay * np.exp(1j * rng.normal(size=(3, 4)))
        inward, outward = inward * np.exp(1j * rng.normal(size=(3, 4))), outward * (1 + 1j * rng.normal(size=(3, 4)))
    through = rng.normal(size=3)
    x = rng.normal(size=(STEPS, 2, 3, *rest))
    ours = run(n.StateSpace(decay, inward, outward, through), x)
    sides = (3, *[1] * len(rest))
    for t in range(STEPS):
        kernel = [(outward * decay**k * inward).sum(1).real.reshape(sides) for k in range(t + 1)]
        expected = sum(kernel[k] * x[t - k] for k in range(t + 1)) + through.reshape(sides) * x[t]
        np.testing.assert_allclose(ours[t], expected, atol=1e-11)


def test_a_complex_state_of_a_float32_input_is_complex64() -> None:
    node = n.StateSpace(np.array([[0.5j]]), np.ones((1, 1)), np.ones((1, 1)))
    assert node.start((1,), 1, np.float32)["h"].dtype == np.complex64
    assert node.start((1,), 1, np.float64)["h"].dtype == np.complex128
    y, _ = node.step(node.start((1,), 1, np.float32), np.ones((1, 1), np.float32))
    assert y.dtype == np.float32


def test_a_real_recursion_may_be_read_out_with_complex_numbers() -> None:
    node = n.StateSpace(np.full((1, 1), 0.5), np.ones((1, 1)), np.array([[2 + 3j]]))
    assert run(node, np.ones((2, 1, 1))).ravel().tolist() == [2.0, 3.0]
