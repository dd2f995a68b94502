"""Scenes: bodies keep their bones, stay in the picture, and pairs are pairs to the last bit."""

import numpy as np
import pytest
from spikeport.models.data.motion.actions import ACTIONS, CLASSES, twin
from spikeport.models.data.motion.cameras import camera_of
from spikeport.models.data.motion.chance import NAMES, chance_of
from spikeport.models.data.motion.clock import STEPS, times_of
from spikeport.models.data.motion.forms import forms_of
from spikeport.models.data.motion.rendering import view_of
from spikeport.models.data.motion.scenes import YAW, scene_of
from spikeport.models.data.motion.sensing import EventsConfig, SkeletonsConfig, events, skeletons
from spikeport.models.data.skeletons.layouts import NTU

TIMES = times_of(STEPS)
EACH = 6
PAIRS = [(name, twin(name)) for name in CLASSES if CLASSES.index(twin(name) or CLASSES[0]) > CLASSES.index(name)]
OBJECTS = [pair for pair in PAIRS if ACTIONS[pair[0]].kind == "object"]
DEPTHS = [pair for pair in PAIRS if ACTIONS[pair[0]].kind == "depth"]


def scenes(name, seed=0, count=EACH, mirrored=False):
    chance = chance_of(count, np.random.default_rng(seed))
    chosen = chance.mirrored() if mirrored else chance
    return scene_of(np.full(count, CLASSES.index(name)), chosen, TIMES)


def joints_in_pictures(scene, size):
    """Columns and rows of all joints."""
    return camera_of(scene, size).pixels(scene.joints)[..., :2]


@pytest.fixture(scope="module")
def every():
    """Each action in several clips."""
    labels = np.tile(np.arange(len(CLASSES)), EACH)
    return scene_of(labels, chance_of(len(labels), np.random.default_rng(5)), TIMES)


def test_pairs_are_as_the_table_says():
    kinds = [ACTIONS[name].kind for name in CLASSES]
    assert (kinds.count("object"), kinds.count("depth"), kinds.count("free")) == (6, 6, 4)
    assert all((twin(name) is None) == (ACTIONS[name].kind == "free") for name in CLASSES)
    assert all(twin(twin(name)) == name for name in CLASSES if twin(name))
    assert all({ACTIONS[one].mirrored, ACTIONS[other].mirrored} == {True, False} for one, other in DEPTHS)
    assert all(ACTIONS[one].thing != ACTIONS[other].thing for one, other in OBJECTS)
    assert sum(action.persons == 2 for action in ACTIONS.values()) >= 4


def test_bones_keep_their_lengths(every):
    bones = every.joints - every.joints[..., NTU.parents, :]
    lengths = np.linalg.norm(bones, axis=-1)
    assert np.abs(lengths - lengths[:, :1]).max() < 1e-9
    there = lengths[:, 0][every.persons]
    assert (np.delete(there, NTU.root, axis=1) > 0.02).all()


def test_bodies_are_like_people(every):
    head, foot = every.joints[..., 3, 1], every.joints[..., (15, 19), 1].min(-1)
    tall = (head - foot)[:, 0][every.persons]
    assert 1.1 < tall.min() < tall.max() < 2.0
    assert np.ptp(tall) > 0.2
    assert every.joints[..., 1].min() > -0.05


def test_motion_is_smooth(every):
    speed = np.diff(every.joints, axis=1) * 30
    assert np.abs(speed).max() < 9
    assert np.abs(np.diff(speed, axis=1) * 30).max() < 300
    assert np.abs(speed[every.persons[:, None].repeat(speed.shape[1], 1)]).max(axis=(-1, -2)).min() > 0


def test_joints_are_in_the_picture(every):
    pixels = joints_in_pictures(every, 64)[every.persons[:, None].repeat(len(TIMES), 1)]
    assert pixels.min() > 0
    assert pixels.max() < 64


def test_two_persons_where_there_are_two(every):
    counts = np.array([ACTIONS[CLASSES[label]].persons for label in every.labels])
    assert (every.persons.sum(1) == counts).all()
    assert (every.joints[:, :, 1][counts == 1] == 0).all()
    assert (every.joints[:, :, 1][counts == 2].any(axis=(2, 3))).all()


@pytest.mark.parametrize(("one", "other"), OBJECTS)
def test_an_object_pair_has_the_same_joints_and_other_pictures(one, other):
    first, second = scenes(one), scenes(other)
    assert np.array_equal(first.joints, second.joints)
    assert np.array_equal(first.hand, second.hand)
    np.testing.assert_array_equal(skeletons(first, SkeletonsConfig()), skeletons(second, SkeletonsConfig()))
    seen = [view_of(scene, 48, colour=False, depth=False).video for scene in (first, second)]
    assert (np.abs(seen[0] - seen[1]).max(axis=(1, 2, 3, 4)) > 0.1).all()
    filmed = [events(scene, EventsConfig()).astype(int) for scene in (first, second)]
    assert (np.abs(filmed[0] - filmed[1]).sum(axis=(0, 2, 3, 4)) > 20).all()


@pytest.mark.parametrize(("one", "other"), DEPTHS)
def test_a_depth_pair_at_opposite_yaws_is_the_same_picture(one, other):
    first, second = scenes(one), scenes(other, mirrored=True)
    assert np.array_equal(first.yaw, -second.yaw)
    drawn = [joints_in_pictures(scene, 64)[..., _painted(), :] for scene in (first, second)]
    np.testing.assert_array_equal(*drawn)
    seen = [view_of(scene, 64) for scene in (first, second)]
    np.testing.assert_array_equal(seen[0].video, seen[1].video)
    np.testing.assert_array_equal(events(first, EventsConfig()), events(second, EventsConfig()))
    apart = first.joints[..., 2] - second.joints[..., 2]
    assert np.abs(apart).max(axis=(1, 2, 3)).min() > 0.25
    covered = np.isfinite(seen[0].depth)
    assert np.array_equal(covered, np.isfinite(seen[1].depth))
    assert np.abs(seen[0].depth[covered] - seen[1].depth[covered]).max() > 0.25 * 64 / 2.6


def _painted():
    """All joints but feet and thumbs, which no picture shows."""
    return [joint for joint, name in enumerate(NTU.joints) if "foot" not in name and "thumb" not in name]


def test_yaw_is_as_often_positive_as_negative():
    chance = chance_of(4000, np.random.default_rng(0))
    yaw = scene_of(np.zeros(1, int), chance.take(np.arange(1)), TIMES[:2]).yaw
    assert abs(yaw[0]) <= np.deg2rad(YAW)
    shares = chance.shares[0, :, NAMES.index("yaw")]
    for place in range(1, 5):  # the same share of clips at each yaw and its opposite
        assert abs((shares < place / 10).mean() - (shares > 1 - place / 10).mean()) < 0.03


def test_nothing_but_the_thing_is_painted_differently():
    one, other = scenes("wave"), scenes("wave a flag")
    with_thing, without = forms_of(other, camera_of(other, 64)), forms_of(one, camera_of(one, 64))
    same = (with_thing.present == without.present).all(0)
    assert np.array_equal(with_thing.forms[:, :, same], without.forms[:, :, same])
    assert not without.present[:, ~same].any()


def test_some_clips_are_the_same_alone():
    whole = scenes("wave", count=5)
    part = scene_of(whole.labels[2:4], whole.chance.take(np.arange(2, 4)), TIMES)
    assert np.array_equal(whole.joints[2:4], part.joints)
    assert np.array_equal(whole.take(np.arange(2, 4)).joints, part.joints)
