"""The rules of Loihi's integers, each against a slow and plain way to say the same."""

import numpy as np
import pytest
from spikeport.toolchain.loihi.arithmetic import (
    decay,
    held_weights,
    int32,
    magnitude,
    modulo24,
    saturate24,
    shift,
    sign_mode,
    wrap24,
)

EDGES = sorted(
    {sign * (1 << bits) + by for bits in (0, 8, 16, 22, 23, 24, 31, 32) for sign in (1, -1) for by in (-1, 0, 1)}
)


@pytest.mark.parametrize("amount", [0, 1, 77, 2048, 4095, 4096])
def test_a_decay_rounds_to_zero(amount: int):
    values = np.array([*EDGES[4:-4], *range(-40, 41)])
    expected = [int(abs(int(x)) * (4096 - amount) // 4096) * (1 if x >= 0 else -1) for x in values]
    np.testing.assert_array_equal(decay(values, amount), expected)


def test_32_bits_wrap_as_a_register_does():
    np.testing.assert_array_equal(int32(EDGES), np.array(EDGES, np.int64).astype(np.int32))


def test_a_register_has_no_magnitude_for_its_least_number():
    values = np.array([x for x in EDGES if -(1 << 31) <= x < 1 << 31])
    np.testing.assert_array_equal(magnitude(values), np.abs(values.astype(np.int32)))
    assert int(magnitude(-(1 << 31))) == -(1 << 31)


def test_24_bits_wrap_once_saturate_and_count_modulo():
    half, turn = 1 << 23, 1 << 24
    for x in EDGES:
        once = x - turn if x > half else x + turn if x <= -half else x
        assert int(wrap24(x)) == once
        assert int(saturate24(x)) == min(max(x, -half + 1), half - 1)
        assert int(modulo24(x)) == (x + half) % turn - half


@pytest.mark.parametrize("exponent", [-16, -3, -1, 0, 1, 5])
def test_a_shift_down_rounds_down(exponent: int):
    values = np.arange(-70, 70)
    np.testing.assert_array_equal(shift(values, exponent), np.floor(values * 2.0**exponent))


@pytest.mark.parametrize(("weights", "mode"), [([0, 3], "excitatory"), ([0, -3], "inhibitory"), ([-1, 1], "mixed")])
def test_the_sign_mode_follows_from_the_weights(weights: list[int], mode: str):
    assert sign_mode(weights) == mode


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("mode", ["mixed", "excitatory", "inhibitory"])
def test_a_synapse_clips_weights_and_cuts_low_bits(mode: str, bits: int):
    for weight in range(-300, 301):
        magnitude = -weight if mode == "inhibitory" else weight
        clipped = min(max(magnitude, -256 if mode == "mixed" else 0), 255)
        step = 2 ** (8 - bits + (mode == "mixed"))
        expected = clipped // step * step * (-1 if mode == "inhibitory" else 1)
        assert int(held_weights(weight, mode, bits)) == expected
