"""Crops and resizing along time."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.models.data.skeletons.timing import TEST_CROP, TRAIN_CROP, WHOLE, Crop, picked, resized, trimmed
from spikeport.toolchain.errors import UsageError

LENGTHS = st.integers(1, 200)


def line(length, persons=1):
    """Somebody who moves by 2 a frame."""
    return (1 + 2 * np.arange(length))[:, None, None, None] * np.ones((1, 3, 4, persons))


@settings(deadline=None, max_examples=40)
@given(LENGTHS, LENGTHS)
def test_resizing_is_torch_s(length, frames):
    poses = np.random.default_rng(length).normal(size=(length, 3, 4, 2))
    flat = torch.tensor(poses.reshape(length, -1).T.copy())[None, None]
    expected = torch.nn.functional.interpolate(flat, size=(24, frames), mode="bilinear", align_corners=False)
    np.testing.assert_allclose(resized(poses, frames).reshape(frames, -1), expected[0, 0].numpy().T, atol=1e-9)


@settings(deadline=None, max_examples=40)
@given(LENGTHS, LENGTHS)
def test_even_motion_stays_even_except_at_the_ends(length, frames):
    made = resized(line(length), frames)[:, 0, 0, 0]
    at = (np.arange(frames) + 0.5) * length / frames - 0.5
    np.testing.assert_allclose(made, 1 + 2 * np.clip(at, 0, length - 1), atol=1e-9)


def test_one_frame_is_repeated_and_many_become_one():
    np.testing.assert_array_equal(resized(line(1), 5), np.repeat(line(1), 5, axis=0))
    np.testing.assert_allclose(resized(line(5), 1), line(5)[2:3])
    np.testing.assert_array_equal(resized(line(7), 7), line(7))


def test_who_comes_or_goes_does_not_shrink():
    poses = line(6, 2)
    poses[:3, ..., 1] = 0
    made = resized(poses, 24)
    assert not made[:12, ..., 1].any()
    assert (made[12:, ..., 1] >= poses[3, 0, 0, 1]).all()
    np.testing.assert_allclose(made[..., 0], resized(poses[..., :1], 24)[..., 0])


def test_whole_frames_are_picked_from_first_to_last():
    assert picked(np.arange(9), 5).tolist() == [0, 2, 4, 6, 8]
    assert picked(np.arange(3), 6).tolist() == [0, 0, 0, 1, 1, 2]
    assert picked(np.arange(4), 1).tolist() == [0]


@given(st.integers(1, 400), st.integers(0, 2**32 - 1))
def test_drawn_crops_are_within_and_not_too_short(length, seed):
    crop = TRAIN_CROP(length, np.random.default_rng(seed))
    taken = crop.stop - crop.start
    assert 0 <= crop.start < crop.stop <= length
    assert min(64, length) <= taken
    assert taken >= min(int(0.5 * length), length)


def test_drawn_crops_reach_both_ends():
    source = np.random.default_rng(0)
    crops = [TRAIN_CROP(100, source) for _ in range(500)]
    assert min(crop.start for crop in crops) == 0
    assert max(crop.stop for crop in crops) == 100
    assert {crop.stop - crop.start for crop in crops} >= set(range(65, 99))


@pytest.mark.parametrize(("length", "start", "stop"), [(100, 2, 98), (20, 0, 20), (39, 0, 39), (40, 1, 39), (1, 0, 1)])
def test_the_middle_is_cropped_for_tests(length, start, stop):
    assert TEST_CROP(length, np.random.default_rng()) == slice(start, stop)
    assert WHOLE(length, np.random.default_rng()) == slice(0, length)


@pytest.mark.parametrize("share", [(0, 1), (0.6, 0.5), (0.5, 1.1), (float("nan"), 1)])
def test_shares_are_checked(share):
    with pytest.raises(UsageError, match="crop: a share from"):
        Crop(*share)


def test_frames_before_and_behind_everybody_go():
    poses = np.zeros((6, 3, 4, 2))
    poses[2, ..., 1] = poses[4, ..., 0] = 1
    assert trimmed(poses).shape[0] == 3
    assert trimmed(poses * 0).shape[0] == 0
