"""The difference of two networks and its standard error, by hand and by drawing seeds and clips anew."""

import numpy as np
import pytest
from spikeport.benchmarks.actions.paired import difference


@pytest.mark.parametrize(
    ("d", "square"),
    [
        # seeds differ by ±½ and clips too: M_s = M_c = 1, nothing is left; (1 + 1) / 4
        ([[1, 0], [0, -1]], 1 / 2),
        # every seed and every clip comes to 0: M_s = M_c = 0, M_r = 4
        ([[1, -1], [-1, 1]], 1),
        # all seeds alike: over clips the variance of 1, 0, 0, 0 is 1/4, by four clips
        ([[1, 0, 0, 0]] * 3, 1 / 4 / 4),
        # all clips alike: seeds at 1, 1, 0 have the variance 1/3, by three seeds
        ([[1] * 4, [1] * 4, [0] * 4], 1 / 3 / 3),
        # one seed: clips alone, the variance of 1, 0, 0, -1 is 2/3
        ([[1, 0, 0, -1]], 2 / 3 / 4),
        ([[0, 0, 0], [0, 0, 0]], 0),
    ],
)
def test_by_hand(d, square):
    d = np.array(d)
    found = difference(d > 0, d < 0)
    assert found.mean == pytest.approx(d.mean())
    assert found.error == pytest.approx(square**0.5)
    assert difference(d < 0, d > 0).mean == -found.mean
    assert difference(d < 0, d > 0).error == found.error


def test_a_single_clip_says_nothing_of_others():
    assert difference(np.ones((3, 1), bool), np.zeros((3, 1), bool)).error is None


def test_the_error_is_how_far_means_scatter_over_seeds_and_clips_drawn_anew():
    source, found = np.random.default_rng(0), []
    for _ in range(3000):
        hard, luck = source.normal(size=(2, 1, 60)), source.normal(scale=(0.3, 0.5), size=(3, 1, 2))
        noise = source.normal(size=(2, 3, 60))
        one, other = (hard[0] + luck[..., 0] + noise[0] > 0), (hard[0] + hard[1] + luck[..., 1] + noise[1] > 0.3)
        each = difference(one, other)
        found.append((each.mean, each.error))
    means, errors = np.array(found).T
    assert np.mean(errors**2) ** 0.5 == pytest.approx(means.std(), rel=0.05)
