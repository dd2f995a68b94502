"""`spikeport data clips`: a folder of files of events for each class becomes data to learn from."""

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from spikeport.models.data.clips import load_clips
from spikeport.models.data.dvs.filmed import Seen
from spikeport.models.data.dvs.labelled import Wanted, parts_of
from spikeport.models.data.dvs.labelled_commands import register
from spikeport.toolchain.errors import UsageError
from typer.testing import CliRunner

APP = typer.Typer()
APP.callback()(lambda: None)
register(APP)


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(APP, ["clips", *map(str, words)])
    return done.exit_code, done.output


@pytest.fixture
def filmed(tmp_path: Path) -> Path:
    """Ten files for each of two classes; in the first one the light goes to the right, in the other to the left."""
    for name, way in (("ahead", 1), ("back", -1)):
        (tmp_path / "events" / name).mkdir(parents=True)
        for number in range(10):
            x = np.arange(8)[::way]
            rows = np.stack([x, np.full(8, number % 4), np.arange(8) * 1000 + number, np.ones(8, np.int64)], axis=1)
            np.save(tmp_path / "events" / name / f"{number}.npy", rows)
    return tmp_path


def test_each_class_gives_its_share_to_each_part(filmed: Path) -> None:
    words = (filmed / "events", "-o", filmed / "data", "--camera", "8x4", "--frames", 8, "--frame-size", "8x4")
    code, output = run(*words, "--json")
    assert code == 0, output
    report = json.loads(output.strip().splitlines()[-1])
    assert {part: each["clips"] for part, each in report["parts"].items()} == {"train": 14, "validation": 2, "test": 4}
    for part in report["parts"]:
        clips = load_clips(filmed / "data" / f"{part}.npz")
        assert clips.class_names == ("ahead", "back")
        assert np.ptp(np.bincount(clips.labels)) == 0
        for clip, label in enumerate(clips.labels):
            columns = clips.streams["events"][:, clip, 1].any(axis=1).argmax(axis=1)
            assert (columns[-1] > columns[0]) == (label == 0)
    first = (filmed / "data" / "train.npz").read_bytes()
    assert run(*words)[0] == 0
    assert (filmed / "data" / "train.npz").read_bytes() == first
    code, output = run(*words, "--seed", 1)
    assert "written: " in output
    assert "ahead, back" in output
    assert (filmed / "data" / "train.npz").read_bytes() != first


def test_bad_files_are_named_and_left_out_or_refused(filmed: Path) -> None:
    bad = filmed / "events" / "back" / "3.npy"
    np.save(bad, np.full((2, 4), 9))
    words = (filmed / "events", "-o", filmed / "data", "--camera", "8x4")
    code, output = run(*words)
    assert code == 0, output
    assert "skipped, 1 bad file:" in output
    assert "x of event 0 is 9" in output
    code, output = run(*words[:-1], "8x4", "--on-bad", "refuse")
    assert (code, "3.npy: x of event 0 is 9; expected 0 to 7" in output) == (2, True)


def test_folders_without_files_of_events_are_named_too(filmed: Path) -> None:
    (filmed / "events" / "jump").mkdir()
    (filmed / "events" / "jump" / "0.aedat4").touch()
    words = (filmed / "events", "-o", filmed / "data", "--camera", "8x4")
    code, output = run(*words)
    assert code == 0, output
    assert "skipped, 1 bad file:" in output
    assert "jump: no files of events; expected files that end in" in output.replace("\n", " ")
    assert run(*words, "--on-bad", "refuse")[0] == 2


def test_what_cannot_be_is_said(filmed: Path) -> None:
    events, out = filmed / "events", filmed / "out"
    (filmed / "empty").mkdir()
    for words, message in (
        ((events,), "20 files of events, none that fits; expected some. Mend them, the first: "),
        ((filmed / "no",), "there is no such folder; expected a folder for each class"),
        ((filmed / "empty",), "no files of events; expected a folder for each class"),
        ((events / "back",), "10 files of events beside each other; expected a folder for each class"),
        ((events, "--camera", "8"), "--camera: '8'; expected width and height"),
        ((events, "--frame-size", "8"), "--frame-size: '8'"),
        ((events, "--on-bad", "x"), "--on-bad: 'x'; expected skip or refuse"),
        ((events, "--camera", "8x4", "--validation", "0.01"), "no file for validation; expected one for each part"),
        ((events, "--camera", "8x4", "--frames", "4096", "--frame-size", "16384x16384"), "memory: clips of"),
    ):
        code, output = run(*words, "-o", out)
        assert (code, message in output) == (2, True), output
    assert not out.exists()


def test_shares_are_checked_and_kept_for_every_class() -> None:
    seen = Seen((8, 8))
    for shares, message in (((0.0, 0.2), "--validation: 0;"), ((0.1, 1.0), "--test: 1;"), ((0.5, 0.5), "1 together")):
        with pytest.raises(UsageError, match=message):
            Wanted(4, seen, *shares)
    labels = [0] * 30 + [1] * 50
    found = parts_of(labels, Wanted(4, seen))
    assert np.bincount(found[:30]).tolist() == [21, 3, 6]
    assert np.bincount(found[30:]).tolist() == [35, 5, 10]
