"""Made data: from its seed alone, as promised in shape and values, and not to be solved by what it is not about."""

import subprocess
import sys

import numpy as np
import pytest
from spikeport.models.data import made
from spikeport.models.data.burst_orders import GROUPS, ORDERS, BurstOrdersConfig
from spikeport.models.data.moving_shapes import CLASSES, MovingShapesConfig
from spikeport.models.data.pictures import braille, picture
from spikeport.models.data.samples import BLOCK, PARTS
from spikeport.models.data.shape_frames import ShapeFramesConfig
from spikeport.models.data.views import write
from spikeport.toolchain.errors import UsageError

NAMES = [name for name in made.DATA if not name.startswith("action_")]
"""What is made of people who act has tests of its own, in data/motion."""


@pytest.mark.parametrize("name", NAMES)
def test_samples_are_spikes_in_the_promised_shape(name):
    config, samples = made.config_of(name), made.make(name, "test", 100)
    assert made.entry(name).carries == "spikes"
    assert samples.inputs.shape == (config.steps, 100, *config.shape)
    assert samples.inputs.dtype == np.uint8
    assert set(np.unique(samples.inputs)) == {0, 1}
    assert samples.labels.shape == (100,)
    assert samples.labels.dtype == np.int64
    assert len(samples) == 100
    assert 0.01 < samples.rate < 0.12


@pytest.mark.parametrize("name", NAMES)
def test_every_class_is_there_equally_often(name):
    labels = made.make(name, "train", 3 * BLOCK).labels
    assert np.array_equal(np.bincount(labels), [3 * BLOCK // 10] * 10)
    assert not np.array_equal(labels[:BLOCK], labels[BLOCK : 2 * BLOCK])


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_and_the_part_decide_and_nothing_else(name):
    first = made.make(name, "train", 50, 3)
    np.random.default_rng().random()
    again = made.make(name, "train", 50, 3)
    assert np.array_equal(first.inputs, again.inputs)
    assert np.array_equal(first.labels, again.labels)
    others = [made.make(name, part, 50, seed).inputs for part in PARTS for seed in (3, 4)]
    assert len({other.tobytes() for other in others}) == len(others)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [1, BLOCK - 1, BLOCK, BLOCK + 1])
def test_the_first_samples_are_the_same_however_many_are_made(name, count):
    few, many = made.make(name, "test", count), made.make(name, "test", 2 * BLOCK + 3)
    assert np.array_equal(few.inputs, many.inputs[:, :count])
    assert np.array_equal(few.labels, many.labels[:count])


@pytest.mark.parametrize("name", NAMES)
def test_a_linear_readout_of_sums_over_time_does_not_solve_it(name):
    train, test = made.make(name, "train", 1500), made.make(name, "test", 500)
    x, y = _sums(train), np.eye(10)[train.labels]
    best = 0.0
    for ridge in (1e2, 1e3, 1e4):  # in its dual form: fewer samples than pixels
        weights = x.T @ np.linalg.solve(x @ x.T + ridge * np.eye(len(x)), y)
        best = max(best, float(((_sums(test) @ weights).argmax(1) == test.labels).mean()))
    assert best < 0.35


def _sums(samples):
    sums = samples.inputs.sum(0, dtype=np.float64).reshape(len(samples), -1)
    return np.concatenate([sums, np.ones((len(sums), 1))], axis=1)


QUIET = {"shake": 0.0, "lost": 0.0, "noise": 0.0, "spread": 0.0}


def test_shapes_move_where_their_class_says():
    config = MovingShapesConfig(objects=1, **QUIET)
    samples = made.make("moving_shapes", "test", 2 * BLOCK, config=config)
    for label, sample in zip(samples.labels, samples.inputs.swapaxes(0, 1), strict=True):
        angle = np.deg2rad(45 * label)
        if CLASSES[label] not in ("towards", "away"):
            ahead = sum(_middle(on) / _middle(off) for on, off in sample if on.any() and off.any())
            x, y = np.angle(ahead)  # where it gets brighter, seen from where it gets darker
            assert np.cos(angle) * x + np.sin(angle) * y > 0.95 * np.hypot(x, y) > 0, CLASSES[label]


def _middle(events):
    """The middle of some pixels on a torus, x and y, each as a number on the unit circle."""
    turns = np.exp(2j * np.pi * np.arange(len(events)) / len(events))
    found = np.array([(events.sum(0) * turns).sum(), (events.sum(1) * turns).sum()])
    return found / np.abs(found)


def test_what_comes_gets_bigger_and_what_goes_smaller():
    config = MovingShapesConfig(objects=1, **QUIET)
    samples = made.make("moving_shapes", "test", 2 * BLOCK, config=config)
    events = samples.inputs.sum((3, 4), dtype=int)  # [T, B, polarity]
    on, off = (events[..., 0] > events[..., 1]).mean(0), (events[..., 1] > events[..., 0]).mean(0)
    comes, goes = samples.labels == CLASSES.index("towards"), samples.labels == CLASSES.index("away")
    assert (on[comes] > off[comes]).all()
    assert (off[goes] > on[goes]).all()


def test_bursts_come_in_the_order_of_the_class():
    config = BurstOrdersConfig(rate=1.0, noise=0.0)
    samples = made.make("burst_orders", "test", 2 * BLOCK, config=config)
    groups = samples.inputs.reshape(config.steps, 2 * BLOCK, -1, len(GROUPS)).all(2)
    assert np.array_equal(groups.any(2).sum(0), groups.sum((0, 2)))  # no two at a time
    onsets = groups.argmax(0)
    found = ["".join(GROUPS[group] for group in np.argsort(row)) for row in onsets]
    assert found == [ORDERS[label] for label in samples.labels]


def test_orders_come_in_pairs_that_end_alike():
    assert len(set(ORDERS)) == 10
    assert all(sorted(order) == list(GROUPS) for order in ORDERS)
    for one, other in zip(ORDERS[::2], ORDERS[1::2], strict=True):
        assert one[2:] == other[2:]
        assert one[:2] == other[1::-1]


def test_listing_loads_nothing_heavy():
    code = "import sys, spikeport.models.data.made as made; print(list(made.DATA)); sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


def test_a_file_is_whole_equal_and_readable(tmp_path):
    samples = made.make("burst_orders", "test", 12)
    for name in ("a.npz", "b.npz"):
        write(samples, tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.npz", "b.npz"]
    with np.load(tmp_path / "a.npz") as held:
        assert np.array_equal(held["inputs"], samples.inputs)
        assert np.array_equal(held["labels"], samples.labels)


def test_pictures():
    dots = np.zeros((5, 3), bool)
    dots[0, 0] = dots[3, 1] = dots[4, 2] = True
    assert braille(dots) == "⢁⠀\n⠀⠁"
    lines = picture(made.make("moving_shapes", "test", 1).inputs[:, 0]).split("\n")
    assert {len(line) for line in lines} == {4 * 16 + 3 * 2}
    assert len(lines) == 8


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: made.make("mnist", "test", 1), "no data 'mnist'; expected one of moving_shapes, shape_frames"),
        (lambda: made.make("burst_orders", "exam", 1), "a part 'exam'; expected one of train, validation, test"),
        (lambda: made.make("burst_orders", "test", 0), "0 samples of seed 0; expected at least one"),
        (lambda: MovingShapesConfig(size=4), "size 4, 12 steps, 2 objects; expected 8 to 1024"),
        (lambda: MovingShapesConfig(smallest=9.0), "a range that is empty or below 0"),
        (lambda: MovingShapesConfig(noise=2.0), "shares out of 0 to 1"),
        (lambda: MovingShapesConfig(flattest=0.0), "shares out of 0 to 1"),
        (lambda: BurstOrdersConfig(channels=3), "3 channels, bursts of 4 to 7 steps"),
        (lambda: BurstOrdersConfig(slot=9), "slots in which no burst runs into the next"),
        (lambda: BurstOrdersConfig(rate=1.5), "rate 1.5, noise 0.01; expected chances from 0 to 1"),
    ],
)
def test_messages(call, message):
    with pytest.raises(UsageError, match=message):
        call()


def test_frames_fill_with_the_events_of_the_same_shapes():
    events, still = made.make("moving_shapes", "test", 41, 2), made.make("shape_frames", "test", 41, 2)
    filling = made.make("shape_frames", "test", 41, 2, config=ShapeFramesConfig(filling=True))
    assert np.array_equal(events.labels, still.labels)
    assert np.array_equal(filling.inputs[-1], still.inputs[0])
    for t in range(12):
        for stretch in range(4):
            seen = events.inputs[3 * stretch : min(3 * stretch + 3, t + 1)].any(0)
            assert np.array_equal(filling.inputs[t, :, 2 * stretch : 2 * stretch + 2], seen), (t, stretch)
    with pytest.raises(UsageError, match="shape_frames: 5 bins; expected a divisor of 12"):
        ShapeFramesConfig(bins=5)


def test_rows_together_are_the_rows_of_the_same_moments():
    clips = made.make_clips("actions", "test", 5, 3)
    assert list(clips.streams) == list(made.TOGETHER["actions"].streams)
    for stream, row in made.TOGETHER["actions"].streams.items():
        alone = made.make(row, "test", 5, 3)
        assert np.array_equal(clips.streams[stream], alone.inputs)
        assert np.array_equal(clips.labels, alone.labels)
    single = made.make_clips("moving_shapes", "test", 3)
    assert list(single.streams) == ["input"]
    assert np.array_equal(single.streams["input"], made.make("moving_shapes", "test", 3).inputs)
    message = "'actions' is data for several inputs; expected that for one, action_skeletons or action_events"
    with pytest.raises(UsageError, match=message):
        made.make("actions", "test", 3)
