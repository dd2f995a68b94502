"""Bones, motion, turning, centring and scaling, by closed forms and by what they must keep."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.models.data.skeletons.layouts import COCO, LAYOUTS, NTU, UCLA
from spikeport.models.data.skeletons.placing import (
    centred,
    randomly_turned,
    rotations,
    scaled,
    turned,
    turned_upright,
)
from spikeport.models.data.skeletons.streams import STREAMS, bones, joints_of, motion, streams
from spikeport.toolchain.errors import UsageError
from support.walkers import walker

SEEDS = st.integers(0, 2**32 - 1)


def clips(layout=NTU, seed=0, frames=5):
    return np.random.default_rng(seed).normal(size=(frames, 3, 3, len(layout.joints), 2))


def lengths(values, layout=NTU):
    return np.linalg.norm(bones(values, layout), axis=-3)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=lambda layout: layout.name)
def test_bones_are_child_less_parent_and_sum_back_to_joints(layout):
    joints = clips(layout)
    made = bones(joints, layout)
    for joint, parent in enumerate(layout.parents):
        np.testing.assert_array_equal(made[..., joint, :], joints[..., joint, :] - joints[..., parent, :])
    assert not made[..., layout.root, :].any()
    np.testing.assert_allclose(joints_of(made, joints[..., layout.root, :], layout), joints, atol=1e-12)


def test_the_published_pairs():
    pairs = "1 2 2 21 3 21 4 3 5 21 6 5 7 6 8 7 9 21 10 9 11 10 12 11 13 1 14 13 15 14 16 15 17 1 18 17 19 18 20 19"
    numbers = list(map(int, f"{pairs} 22 23 21 21 23 8 24 25 25 12".split()))
    assert {child - 1: parent - 1 for child, parent in zip(numbers[::2], numbers[1::2], strict=True)} == dict(
        enumerate(NTU.parents)
    )


def test_motion_sums_back_and_ends_with_nothing():
    joints = clips()
    made = motion(joints)
    np.testing.assert_allclose(joints[0] + np.cumsum(made, axis=0)[:-1], joints[1:], atol=1e-12)
    assert not made[-1].any()
    causal = motion(joints, causal=True)
    assert not causal[0].any()
    np.testing.assert_array_equal(causal[1:], made[:-1])
    assert not motion(joints[:1]).any()


def test_who_comes_does_not_jump_from_the_origin():
    joints = clips()
    joints[2:, 1, ..., 1] = 0
    made = motion(joints)
    assert made[0, 1, ..., 1].any()
    assert not made[1:, 1, ..., 1].any()
    for name, stream in STREAMS.items():
        assert not stream(joints, NTU)[2:, 1, ..., 1].any(), name


def test_the_motion_of_bones_is_the_bones_of_motion():
    joints = clips()
    np.testing.assert_allclose(STREAMS["bone-motion"](joints, NTU), bones(motion(joints), NTU), atol=1e-12)


def test_streams_are_named_for_inputs():
    joints = clips()
    made = streams(joints, NTU, ("bone", "joint", "joint-motion"))
    assert list(made) == ["skeleton", "skeleton_joint", "skeleton_joint_motion"]
    np.testing.assert_array_equal(made["skeleton"], bones(joints, NTU))
    for kinds in ((), ("joint", "joint"), ("velocity",)):
        with pytest.raises(UsageError, match=r"--streams: .* one or more of joint, bone, joint-motion, bone-motion"):
            streams(joints, NTU, kinds)


def test_quarter_turns():
    right = np.pi / 2
    np.testing.assert_allclose(rotations(np.array([right, 0, 0])) @ [1, 2, 3], [1, 3, -2], atol=1e-12)
    np.testing.assert_allclose(rotations(np.array([0, right, 0])) @ [1, 2, 3], [-3, 2, 1], atol=1e-12)
    np.testing.assert_allclose(rotations(np.array([0, 0, right])) @ [1, 2, 3], [2, -1, 3], atol=1e-12)
    both = rotations(np.array([0.1, 0.2, 0.3]))
    single = [rotations(np.array(angles)) for angles in ([0.1, 0, 0], [0, 0.2, 0], [0, 0, 0.3])]
    np.testing.assert_allclose(both, single[2] @ single[1] @ single[0], atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_turning_keeps_lengths_handedness_and_who_is_absent(seed):
    joints = clips(seed=seed)
    joints[1:3, 0, ..., 1] = 0
    made = randomly_turned(joints, np.random.default_rng(seed))
    np.testing.assert_allclose(lengths(made), lengths(joints), rtol=1e-9)
    assert not made[1:3, 0, ..., 1].any()
    turns = rotations(np.random.default_rng(seed).uniform(-0.3, 0.3, (3, 3)))
    np.testing.assert_allclose(np.linalg.det(turns), 1)
    np.testing.assert_allclose(turned(made, turns.transpose(0, 2, 1)), joints, atol=1e-12)
    again = randomly_turned(joints, np.random.default_rng(seed))
    np.testing.assert_array_equal(made, again)


def test_angles_are_bounded_and_each_clip_has_its_own():
    one = np.zeros((2, 1000, 3, 1, 1))
    one[:, :, 2] = 1
    made = randomly_turned(one, np.random.default_rng(0), 0.3)[..., 0, 0]
    angles = np.arccos(np.clip(made[0, :, 2], -1, 1))
    assert 0.3 < angles.max() < 0.3 * np.sqrt(2)
    np.testing.assert_array_equal(made[0], made[1])
    assert len(np.unique(angles)) > 900
    assert randomly_turned(one.astype(np.float32), np.random.default_rng(0)).dtype == np.float32


def test_centring_puts_the_first_spine_to_0_and_leaves_the_absent():
    poses = walker(10, 2)
    poses[:2, ..., 0] = 0
    poses[0, ..., 1] = 0
    made = centred(poses, NTU)
    origin = poses[1, :, 1, 1]  # in frame 1 only the second person is there
    np.testing.assert_allclose(made[1, :, 1, 1], 0, atol=1e-6)
    np.testing.assert_allclose(made[5, :, 7, 0], poses[5, :, 7, 0] - origin, atol=1e-6)
    assert not made[:2, ..., 0].any()
    assert centred(poses[:1] * 0, NTU).shape == (1, 3, 25, 2)
    np.testing.assert_array_equal(centred(poses, COCO), poses)


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_upright_is_upright_from_wherever_one_looks(seed):
    poses = walker(4, 1, seed % 100).astype(np.float64)
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    straight, seen_so = turned_upright(poses, NTU), turned_upright(turned(poses, turn), NTU)
    np.testing.assert_allclose(seen_so, straight, atol=1e-9)
    up = straight[0, :, 1, 0] - straight[0, :, 0, 0]
    across = straight[0, :, 8, 0] - straight[0, :, 4, 0]
    np.testing.assert_allclose(up[[0, 2]], 0, atol=1e-9)
    assert up[1] > 0
    np.testing.assert_allclose(across[2], 0, atol=1e-9)
    assert across[0] > 0
    np.testing.assert_allclose(lengths(straight), lengths(poses), rtol=1e-9, atol=1e-12)


def test_who_stands_upright_already_is_hardly_turned_and_who_cannot_be_is_named():
    poses = np.zeros((1, 3, 25, 1))
    poses[0, 1, 1], poses[0, 0, 8], poses[0, 0, 4], poses[0, 2, 3] = 1, 0.2, -0.2, 0.5
    np.testing.assert_allclose(turned_upright(poses, NTU), poses, atol=1e-12)
    assert turned_upright(poses * 0, NTU) is None
    assert turned_upright(poses * [[[1.0]], [[0.0]], [[1.0]]], NTU) is None
    assert turned_upright(poses * [[[0.0]], [[1.0]], [[1.0]]], NTU) is None
    assert turned_upright(poses, COCO) is None


def test_scaling_fills_minus_one_to_one_and_leaves_the_absent():
    poses = walker(6, 1)
    made = scaled(poses)
    np.testing.assert_allclose(made[..., 0].min(axis=(0, 2)), -1, atol=1e-6)
    np.testing.assert_allclose(made[..., 0].max(axis=(0, 2)), 1, atol=1e-6)
    assert not made[..., 1].any()
    assert made.dtype == np.float32
    flat = poses.copy()
    flat[:, 2, :, 0] = 3
    assert not scaled(flat)[:, 2].any()
    assert not scaled(poses * 0).any()
    assert UCLA.centre == 1
