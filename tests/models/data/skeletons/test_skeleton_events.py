"""Skeletons and events of the same recordings in one data folder: `data skeletons --events`."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import typer
from spikeport.models.data.clips import load_clips
from spikeport.models.data.dvs.files import FORMAT
from spikeport.models.data.skeletons.commands import register
from spikeport.models.data.skeletons.layouts import NTU
from spikeport.models.data.skeletons.recording_files import write_skeleton
from support.walkers import walker
from typer.testing import CliRunner

FRAMES, STEPS, EMPTY = 49, 4, 8
APP = typer.Typer()
APP.callback()(lambda: None)
register(APP)


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(APP, ["skeletons", *map(str, words)])
    return done.exit_code, done.output


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Six recordings whose first frames are empty, and a light that jumps by a column of pixels with each frame."""
    for place in ("ntu", "events"):
        (tmp_path / place).mkdir()
    for subject in (1, 2, 3):
        for action in (1, 2):
            poses = walker(FRAMES, seed=10 * subject + action)
            poses[:EMPTY] = 0
            name = f"S001C001P{subject:03}R001A{action:03}"
            write_skeleton(tmp_path / "ntu" / f"{name}.skeleton", poses)
            light(tmp_path / "events" / f"{name}_rgb.npz")
    return tmp_path


def light(path: Path) -> None:
    """In frame i an event in column i, at the frame's very moment."""
    places = np.arange(1, FRAMES)
    np.savez(path, t=places * 1000, x=places, y=places * 0, p=places * 0)
    about = {"format": FORMAT, "size": [FRAMES, 1], "stretch": [0, 1000 * (FRAMES - 1)], "events": FRAMES - 1}
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr("about.json", json.dumps(about))


def made(recorded: Path, *words: object) -> dict:
    code, output = run(
        recorded / "ntu", "--events", recorded / "events", "-o", recorded / "data", "--frames", STEPS,
        "--event-size", f"{FRAMES}x1", "--json", *words,
    )  # fmt: skip
    assert code == 0, output
    report: dict = json.loads(output.strip().splitlines()[-1])
    return report


def test_events_are_those_of_the_frames_that_the_skeleton_keeps(recorded: Path) -> None:
    made(recorded)
    clips = load_clips(recorded / "data" / "test.npz")
    assert {name: each.shape[2:] for name, each in clips.streams.items()} == {
        "skeleton": (3, len(NTU.joints), 2),
        "events": (2, 1, FRAMES),
    }
    edge = int(0.05 * (FRAMES - EMPTY) / 2)
    first, last = EMPTY + edge, FRAMES - edge - 1
    for clip in range(len(clips)):
        seen = clips.streams["events"][:, clip, 0, 0]
        assert np.flatnonzero(seen.any(axis=0)).tolist() == list(range(first, last + 1))
        step = np.ceil((np.arange(first, last + 1) - first) * STEPS / (last - first)) - 1
        np.testing.assert_array_equal(seen[:, first : last + 1].argmax(axis=0), np.maximum(step, 0))
    assert not clips.streams["events"][:, :, 1].any()


def test_copies_are_crops_of_both(recorded: Path) -> None:
    made(recorded, "--copies", 3)
    events = load_clips(recorded / "data" / "train.npz").streams["events"]
    skeletons = load_clips(recorded / "data" / "train.npz").streams["skeleton"]
    assert events.shape[1] == skeletons.shape[1] == 3 * 2  # one subject of two trains, the other validates
    lengths = events[:, :, 0, 0].any(axis=0).sum(axis=1)
    assert (lengths == FRAMES - EMPTY).all()  # shorter than the shortest crop: whole


def test_recordings_without_events_are_named_and_left_out(recorded: Path) -> None:
    (recorded / "events" / "S001C001P003R001A002_rgb.npz").unlink()
    (bad,) = made(recorded)["bad"]
    assert "S001C001P003R001A002.h5: there is no such file" in bad
    assert len(load_clips(recorded / "data" / "test.npz")) == 1


def test_what_does_not_go_with_events_is_refused(recorded: Path) -> None:
    words = (recorded / "ntu", "-o", recorded / "out", "--events", recorded / "events")
    for more, message in (
        (("--fill", "drop"), "--fill: drop, with --events; expected frames that keep their places in time"),
        (("--event-size", "32"), "--event-size: '32'; expected width and height"),
        (("--camera", "x"), "--camera: 'x'"),
        (("--events", recorded / "no"), "there is no such folder"),
        (("--events", recorded / "ntu"), "0 files of events, none called as a recording is"),
    ):
        code, output = run(*words, *more)
        assert (code, message in output) == (2, True), output
    for file in (recorded / "events").iterdir():
        file.write_bytes(b"PK\x03\x04")
    code, output = run(*words)
    assert (code, "nothing to train on" in output) == (2, True)
    assert "mend the 6 bad recordings, the first: " in output
    assert not (recorded / "out").exists()
