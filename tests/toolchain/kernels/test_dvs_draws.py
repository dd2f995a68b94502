"""Random numbers by counter: the same as in Python's own integers, and of the distributions that they say."""

import math

import numpy as np
from spikeport.toolchain.kernels.dvs_draws import ENDS, HEIGHTS, exponentials, keys_of, normals
from support.dvs_pixels import bits, uniform

COUNT = 200_000


def test_waits_are_those_of_the_definition() -> None:
    (key,) = keys_of(np.array([3]), 5)
    expected = [-math.log1p(-uniform(bits(int(key), n))) for n in range(500)]
    np.testing.assert_allclose(exponentials(key, 500), expected, rtol=1e-14)


def test_keys_differ_by_seed_and_purpose() -> None:
    keys = np.concatenate([keys_of(np.arange(500), purpose) for purpose in range(20)])
    assert len(np.unique(keys)) == len(keys)


def test_the_layers_of_the_ziggurat_have_one_area() -> None:
    areas = ENDS[1:-1] * (HEIGHTS[2:] - HEIGHTS[1:-1])
    tail = math.sqrt(math.pi / 2) * math.erfc(ENDS[1] / math.sqrt(2))
    np.testing.assert_allclose(areas, ENDS[1] * HEIGHTS[1] + tail, rtol=2e-8)


def test_normal_numbers_are_normal_also_in_the_tail() -> None:
    found = np.concatenate([normals(key, COUNT) for key in keys_of(np.arange(5), 1)])
    for value in (-3.9, -3.0, -1.5, -0.3, 0.0, 0.7, 2.0, 3.66, 4.2):
        share = math.erfc(-value / math.sqrt(2)) / 2
        assert abs((found < value).mean() - share) < 4.5 * math.sqrt(share * (1 - share) / len(found)), value
    assert abs((found**4).mean() - 3) < 4.5 * math.sqrt(96 / len(found))


def test_the_tail_beyond_the_lowest_layer_is_that_of_the_bell() -> None:
    """How far numbers beyond r lie from it in the mean: φ(r)/Q(r) − r, and not an exponential tail's 1/r."""
    r = ENDS[1]
    found = np.concatenate([(each := np.abs(normals(key, 1_000_000)))[each > r] for key in keys_of(np.arange(10), 4)])
    beyond = math.erfc(r / math.sqrt(2))
    assert abs(len(found) / 1e7 - beyond) < 4 * math.sqrt(beyond / 1e7)
    excess = 2 * math.exp(-r * r / 2) / math.sqrt(2 * math.pi) / beyond - r
    assert 1 / r - excess > 0.015
    assert abs((found - r).mean() - excess) < 2 * excess / math.sqrt(len(found))


def test_neighbours_know_nothing_of_each_other() -> None:
    keys = keys_of(np.arange(3), 2)
    found = normals(keys[0], COUNT)
    others = (found[1:], normals(keys[1], COUNT)[:-1], normals(keys_of(np.arange(1), 3)[0], COUNT)[:-1])
    for other in others:
        assert abs(np.corrcoef(found[:-1], other)[0, 1]) < 4.5 / math.sqrt(COUNT)
        assert abs(np.corrcoef(found[:-1] ** 2, other**2)[0, 1]) < 4.5 / math.sqrt(COUNT)
