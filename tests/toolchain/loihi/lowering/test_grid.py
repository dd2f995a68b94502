"""What is rounded to the grid is what the chip keeps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.toolchain.loihi.arithmetic import held_weights, sign_mode
from spikeport.toolchain.loihi.lowering.biases import biased
from spikeport.toolchain.loihi.lowering.grid import grid_of
from spikeport.toolchain.loihi.lowering.integers import decay_of, threshold_of


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("sign", ["mixed", "excitatory", "inhibitory"])
def test_the_grid_is_every_weight_that_stays_as_it_is(bits, sign):
    every = np.arange(-300, 301)
    sides = {"mixed": [-1.0, 1.0], "excitatory": [1.0], "inhibitory": [-1.0]}
    kept = every[held_weights(every, sign, bits) == every]
    grid = grid_of(np.array(sides[sign]), bits)
    assert np.array_equal(np.arange(grid.low, grid.high + 1, grid.step), kept)
    nearest = kept[np.abs(every[:, None] - kept).argmin(1)]
    assert np.array_equal(np.abs(every - grid.rounded(every.astype(float))), np.abs(every - nearest))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=20), st.integers(2, 8))
def test_within_reach_nothing_is_clipped(weights, bits):
    values = np.array(weights)
    grid = grid_of(values, bits)
    k = min(grid.reach(values), 1e9)
    kept = grid.rounded(values * k)
    assert np.abs(kept - values * k).max() <= grid.step / 2 * (1 + 1e-9)
    assert np.array_equal(held_weights(kept.astype(int), sign_mode(values), bits), kept)


@pytest.mark.parametrize("at_least", [False, True])
@pytest.mark.parametrize("theta", [0.5, 1.0, 1.25, 3.0, 7.999])
def test_the_integer_compare_is_the_real_one_on_multiples(theta, at_least):
    v = np.arange(-10, 20)
    mantissa = threshold_of(np.asarray(theta), at_least, odd=False)
    assert np.array_equal(v * 64 > mantissa * 64, v >= theta if at_least else v > theta)


@settings(max_examples=100, deadline=None)
@given(st.floats(-8000, 8000))
def test_a_bias_takes_the_least_exponent_that_holds_it(value):
    mantissa, exponent = biased(np.asarray(value), None)
    assert abs(int(mantissa)) <= 4096
    assert abs(mantissa * 2.0**exponent - value * 64) <= 2.0**exponent / 2 + 1e-9
    assert exponent == 0 or abs(value * 64) / 2 ** (exponent - 1) > 4095


def test_a_decay_is_the_nearest_of_4096():
    kept = np.array([0.0, 0.5, 0.9, 1.0])
    assert decay_of(kept).tolist() == [4096, 2048, 410, 0]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 8), st.sampled_from([-1.0, 0.0, 1.0]))
def test_balanced_errors_of_an_output_add_up_to_less_than_a_step(seed, bits, sign):
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(4, 3, 20)) * (rng.random((4, 3, 20)) < 0.8)
    weights = np.abs(weights) * sign if sign else weights
    grid = grid_of(weights, bits)
    wanted = weights * grid.reach(weights) * 0.9
    plain, kept = grid.rounded(wanted.copy()), grid.balanced(wanted)
    errors = (kept - wanted).reshape(4, -1).sum(1)
    assert np.abs(errors).max() <= grid.step / 2 * (1 + 1e-9) or sign
    assert np.abs(errors).sum() <= np.abs((plain - wanted).reshape(4, -1).sum(1)).sum() + 1e-9
    assert np.abs(kept - wanted).max() <= grid.step * (1 + 1e-9)
    assert not kept[weights == 0].any()
    assert np.array_equal(held_weights(kept.astype(int), sign_mode(weights), bits), kept)
