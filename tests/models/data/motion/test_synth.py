"""The command: a data folder, videos that other commands read, pictures, and the page about the actions."""

import json
import re
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import typer
from spikeport.models.data.clips import load_clips
from spikeport.models.data.dvs.video import Account, pictures
from spikeport.models.data.motion.actions import ACTIONS, CLASSES, twin
from spikeport.models.data.motion.commands import register
from spikeport.models.data.motion.making import clips
from spikeport.models.data.motion.strips import SHOWN, SIZE, file_of
from spikeport.models.data.motion.videos import video_name
from spikeport.models.data.skeletons.recordings import read_recording
from typer.testing import CliRunner

PAGE = Path(__file__).parents[4] / "docs" / "actions.md"
PICTURES = PAGE.parent / "actions"
SMALL = ("--steps", "2", "--train", "5", "--validation", "0", "--test", "3", "--seed", "1")


def run(*arguments):
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    return CliRunner().invoke(app, ["synth", *map(str, arguments)])


def test_a_data_folder(tmp_path):
    done = run("-o", tmp_path / "made", *SMALL, "--streams", "skeleton,points,events", "--videos", 1, "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["shapes"]["train"]["skeleton"] == [2, 5, 3, 25, 2]
    assert list(said["files"]) == ["train", "test"]
    held = load_clips(tmp_path / "made" / "test.npz")
    assert tuple(held.streams) == ("skeleton", "points", "events")
    assert held.class_names == CLASSES
    _check_video(Path(said["videos"][0]), int(held.labels[0]))
    again = run("-o", tmp_path / "again", *SMALL, "--streams", "skeleton,points,events")
    assert "8 clips of 16 actions, seed 1" in again.output
    for part in ("train", "test"):
        name = f"{part}.npz"
        assert (tmp_path / "made" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def _check_video(video, label):
    """As many pictures as frames of the skeleton, which is who is on them, and the action in the name."""
    assert video.name == f"S001C001P001R001A{label + 1:03}.mp4"
    seen = list(pictures(video, Account()))
    poses = read_recording(video.with_suffix(".skeleton"))
    assert len(seen) == poses.frames == 7
    assert set(poses.body) == set(range(ACTIONS[CLASSES[label]].persons))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no folder; expected -o DIR"),
        (("-o", "x", "--streams", "skeleton,smell"), "'smell'; expected skeleton, events, video"),
        (("-o", "x", "--train", 0, "--validation", 0, "--test", 0), "no clips and no videos"),
        (("-o", "x", "--pictures", "y"), "a folder beside --output"),
        (("-o", "x", "--streams", "video", "--size", 1024), "a file of 60 GB; expected at most 4 GB"),
        (("-o", "/dev/null/x"), "cannot be made"),
    ],
)
def test_messages(arguments, message):
    done = run(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr


def test_the_page_lists_the_actions():
    rows = re.findall(r"^\| ([a-z ]+) \| (object|depth|free)[^|]* \| (one|two) \| ([^|]+) \|$", PAGE.read_text(), re.M)
    found = [(name, kind, {"one": 1, "two": 2}[persons], text.strip()) for name, kind, persons, text in rows]
    assert found == [(name, row.kind, row.persons, row.text) for name, row in ACTIONS.items()]


def test_the_page_shows_every_action():
    page = PAGE.read_text()
    assert all(f"](actions/{file_of(name)})" in page for name in CLASSES)
    assert sorted(each.name for each in PICTURES.iterdir()) == sorted(map(file_of, CLASSES))
    assert sum(each.stat().st_size for each in PICTURES.iterdir()) < 600_000


def test_the_pictures_of_the_page_are_what_the_command_draws(tmp_path):
    done = run("--pictures", tmp_path)
    assert done.exit_code == 0, done.output
    for name in CLASSES:
        drawn, shown = (matplotlib.image.imread(folder / file_of(name)) for folder in (tmp_path, PICTURES))
        assert drawn.shape == shown.shape == (5 * SIZE, len(SHOWN) * SIZE, 4), name
        # Another machine's sines may differ in the last bit, and so a pixel at the edge of something.
        assert (np.abs(drawn - shown).max(-1) > 0.02).mean() < 0.001, name
        other = twin(name)
        if other and ACTIONS[name].kind == "depth":
            assert np.array_equal(drawn[:SIZE], matplotlib.image.imread(tmp_path / file_of(other))[:SIZE])


def test_names_of_videos_are_unique_and_have_both_sides_of_the_splits():
    names = [video_name(index, 0) for index in range(5000)]
    assert len(set(names)) == 5000
    assert {name[4:8] for name in names[:12]} == {"C001", "C002", "C003"}
    assert {name[8:12] for name in names[:12]} == {"P001", "P002", "P003", "P004"}


def test_clips_of_the_command_are_the_functions(tmp_path):
    run("-o", tmp_path, *SMALL)
    held = load_clips(tmp_path / "train.npz")
    assert np.array_equal(held.labels, clips("train", 5, 1).labels)
    assert held.streams["skeleton"].shape == (2, 5, 3, 25, 2)
