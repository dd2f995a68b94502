"""What sensors make of a scene, and clips: the same moments in every stream, from the seed alone."""

import numpy as np
import pytest
from spikeport.models.data import made
from spikeport.models.data.dvs.counted import events_of, frames_of
from spikeport.models.data.motion.actions import ACTIONS, CLASSES
from spikeport.models.data.motion.clock import MICROSECONDS, moments_of, times_of
from spikeport.models.data.motion.making import STREAMS, ClipsConfig, clips, scene_in_block
from spikeport.models.data.motion.optics import COCO, WALL, coco_points, in_metres, seen_at_steps
from spikeport.models.data.motion.rendering import view_of
from spikeport.models.data.motion.runs import BYTES
from spikeport.models.data.motion.sensing import EventsConfig, SkeletonsConfig, events_of_video, skeletons
from spikeport.models.data.pictures import picture
from spikeport.models.data.samples import BLOCK, beginning_of
from spikeport.toolchain.errors import UsageError

SEED = 3
SMALL = ClipsConfig(SkeletonsConfig(4), EventsConfig(4), 32)


@pytest.fixture(scope="module")
def whole():
    """All streams of some clips, more than a block."""
    return clips("test", BLOCK + 5, SEED, tuple(STREAMS), SMALL)


@pytest.fixture(scope="module")
def scene():
    """Their first clips."""
    labels, source = beginning_of("test", 0, SEED, len(CLASSES))
    return scene_in_block(labels, source, 4)


def test_streams_have_the_promised_shapes(whole):
    shapes = {name: (each.shape, each.dtype.name) for name, each in whole.streams.items()}
    count = BLOCK + 5
    assert shapes == {
        "skeleton": ((4, count, 3, 25, 2), "float32"),
        "events": ((4, count, 2, 32, 32), "uint8"),
        "video": ((4, count, 3, 32, 32), "uint8"),
        "depth": ((4, count, 1, 32, 32), "float32"),
        "pose": ((4, count, 3, 17, 2), "float32"),
        "points": ((4, count, 3, 256), "float32"),
    }
    assert set(np.unique(whole.streams["events"])) == {0, 1}
    assert all(np.isfinite(each).all() for each in whole.streams.values())


def test_the_command_knows_how_large_streams_are(whole):
    for name, each in whole.streams.items():
        pixels = 32 * 32 if name in ("video", "depth") else 1
        assert BYTES[name] * pixels * 4 * (BLOCK + 5) == each.nbytes, name


def test_a_step_ends_with_its_third_picture():
    assert times_of(2).tolist() == [picture / 30 for picture in range(7)]
    assert moments_of(2).tolist() == [3, 6]


def test_a_skeleton_is_shown_as_dots(whole):
    lines = picture(whole.streams["skeleton"][:, 0]).split("\n")
    assert {len(line) for line in lines} == {4 * 16 + 3 * 2}
    assert len(lines) == 8
    assert lines[0].strip(" \u2800")
    assert picture(np.zeros((4, 3, 25, 2), np.float32)).strip(" \n\u2800") == ""


def test_the_seed_and_the_part_decide_and_nothing_else(whole):
    again = clips("test", 7, SEED, ("points", "events", "skeleton"), SMALL)
    for name, each in again.streams.items():
        assert np.array_equal(each, whole.streams[name][:, :7])
    assert np.array_equal(again.labels, whole.labels[:7])
    others = [clips(part, 7, seed, ("skeleton",), SMALL) for part in ("train", "test") for seed in (SEED, 4)]
    assert len({other.streams["skeleton"].tobytes() for other in others}) == 4


def test_rows_of_the_table_are_the_same_moments(whole):
    for name, config in (("action_skeletons", SMALL.skeletons), ("action_events", SMALL.events)):
        samples = made.make(name, "test", BLOCK + 5, SEED, config)
        stream = "skeleton" if "skeletons" in name else "events"
        assert np.array_equal(samples.inputs, whole.streams[stream])
        assert samples.inputs.dtype == whole.streams[stream].dtype
        assert np.array_equal(samples.labels, whole.labels)
        assert made.config_of(name).class_names == CLASSES
    block = made.make_block("action_skeletons", "train", 1)
    assert (block.inputs.shape, block.inputs.dtype) == ((16, BLOCK, 3, 25, 2), np.float32)


def test_every_class_is_there_equally_often():
    labels = np.concatenate([beginning_of("train", number, 0, len(CLASSES))[0] for number in range(4)])
    assert np.array_equal(np.bincount(labels), [10] * 16)


def test_events_are_those_of_the_camera_before_the_video(scene):
    first = scene.first(3)
    grey = view_of(first, 64, colour=False, depth=False).video[:, :, 0]
    codes, times = np.rint(255 * grey).astype(np.uint8), MICROSECONDS * np.arange(grey.shape[1])
    found = events_of_video(grey, first, SMALL.events)
    for clip in range(3):
        seed = int(first.chance.seeds[clip])
        records = events_of(codes[clip], times, SMALL.events.model, seed)
        wanted = frames_of(records, (0, int(times[-1])), 4, (64, 64), (32, 32))
        assert np.array_equal(found[:, clip], wanted)
    assert 0.005 < found.mean() < 0.2


def test_colour_and_brightness_are_one_picture(scene):
    first = scene.first(2)
    colour, grey = (view_of(first, 32, colour=each, depth=False).video for each in (True, False))
    np.testing.assert_allclose(np.einsum("bfchw,c->bfhw", colour, [0.299, 0.587, 0.114]), grey[:, :, 0], atol=1e-5)


def test_points_lie_on_the_depth_map(whole, scene):
    view = seen_at_steps(scene, 32, 4)
    x, y, z = np.moveaxis(whole.streams["points"][:, :BLOCK], 2, 0)
    scale, up = view.camera.scale[:, None], view.camera.height[:, None]
    column = np.floor(x * scale + 16).astype(int)
    row = np.floor(view.camera.row[:, None] - scale * (y + up)).astype(int)
    step, clip = np.arange(4)[:, None, None], np.arange(BLOCK)[None, :, None]
    np.testing.assert_allclose(whole.streams["depth"][step, clip, 0, row, column], z, atol=1e-5)
    assert (z < view.camera.distance[:, None] + WALL).all()


def test_joints_lie_just_under_the_surface(scene):
    """The middle of the spine is inside of the trunk: behind its nearest surface, by less than a trunk and two arms."""
    view = seen_at_steps(scene, 64, 4)
    joints = scene.joints[:, moments_of(4), 0, 1]
    pixels = view.camera.pixels(joints)
    clip, step = np.arange(BLOCK)[:, None], np.arange(4)[None]
    surface = view.depth[clip, step, pixels[..., 1].astype(int), pixels[..., 0].astype(int)]
    under = (pixels[..., 2] - surface) / view.camera.scale[:, None]
    assert under.min() > 0.03
    assert np.median(under) < 0.2


def test_poses_are_the_joints_in_the_picture(whole, scene):
    view = seen_at_steps(scene, 32, 4)
    exact = view.camera.pixels(coco_points(scene)[:, moments_of(4)])[..., :2].transpose(1, 0, 4, 3, 2)
    seen = whole.streams["pose"][:, :BLOCK]
    there = np.broadcast_to(scene.persons[None, :, None], (4, BLOCK, COCO, 2))
    assert np.abs(seen[:, :, :2] - exact).transpose(0, 1, 3, 4, 2)[there].max() < 3
    scores = seen[:, :, 2]
    assert (scores[~there] == 0).all()
    assert 0.3 < scores[there].min() < 0.5 < 0.75 < scores[there].max() < 1


def test_skeletons_are_the_joints_and_noise_of_the_said_size(scene):
    quiet = skeletons(scene, SkeletonsConfig(4, jitter=0.0, lost=0.0))
    exact = scene.joints[:, moments_of(4)]
    middle = exact[:, :1, :1, 1:2]
    there = scene.persons[:, None, :, None, None]
    np.testing.assert_allclose(quiet, ((exact - middle) * there).transpose(1, 0, 4, 3, 2), atol=1e-6)
    noisy = skeletons(scene, SkeletonsConfig(4, jitter=0.02, lost=0.0)) - quiet
    noise = (noisy - noisy[:1, :, :, 1:2, :1])[..., 0]
    assert np.abs(noise.std((0, 1, 3)) / (0.02 * np.array([1, 1, 1.5])) - np.sqrt(2)).max() < 0.15
    lost = skeletons(scene, SkeletonsConfig(4, jitter=0.0, lost=0.5, astray=0.3)) - quiet
    assert 0.02 < (np.abs(lost).max((0, 2)) > 0.2).mean() < 0.6


def test_where_one_is_absent_there_are_zeros(whole):
    alone = np.array([ACTIONS[CLASSES[label]].persons == 1 for label in whole.labels])
    for name in ("skeleton", "pose"):
        second = whole.streams[name][..., 1]
        assert (second[:, alone] == 0).all()
        assert second[:, ~alone].any(axis=(2, 3)).all()


def test_a_sensor_stands_where_its_metres_say(scene):
    view = seen_at_steps(scene, 32, 4)
    metres = in_metres(view.camera, scene)[:, :, 0]
    far = metres[..., 1, 2].mean(1)
    assert (np.abs(far - view.camera.distance) < 1.2).all()
    assert (metres[..., 15, 1] < 0).all()  # feet are below the sensor


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: clips("test", 3, 0, ("smell",)), "a stream 'smell'; expected skeleton, events, video"),
        (lambda: clips("test", 0), "0 clips of seed 0"),
        (lambda: ClipsConfig(SkeletonsConfig(4)), "4 steps of skeletons, 16 of events; expected as many of both"),
        (lambda: ClipsConfig(size=4), "pictures of 4 pixels"),
        (lambda: SkeletonsConfig(0), "0 steps; expected 1 to 1000"),
        (lambda: SkeletonsConfig(lost=2.0), "a chance of 2.0"),
        (lambda: EventsConfig(pixels=30), "30 pixels of 64 rendered"),
    ],
)
def test_messages(call, message):
    with pytest.raises(UsageError, match=message):
        call()
