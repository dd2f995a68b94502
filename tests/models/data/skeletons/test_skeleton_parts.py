"""From files to a data folder: parts, validation, copies, what is skipped or refused, and the command."""

import json
from dataclasses import replace

import numpy as np
import pytest
import typer
from spikeport.models.data.clips import load_clips
from spikeport.models.data.skeletons.bodies import Persons
from spikeport.models.data.skeletons.commands import register
from spikeport.models.data.skeletons.folders import folder_source
from spikeport.models.data.skeletons.layouts import NTU
from spikeport.models.data.skeletons.parts import Held, make_parts
from spikeport.models.data.skeletons.preparing import Recipe, prepared
from spikeport.models.data.skeletons.recording_files import write_skeleton
from spikeport.models.data.skeletons.sets import SETS
from spikeport.models.data.skeletons.sources import Item
from spikeport.models.data.skeletons.streams import bones
from spikeport.toolchain.errors import FileError, UsageError
from support.walkers import ntu_folder, walker
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """24 good recordings of four subjects."""
    return ntu_folder(tmp_path_factory.mktemp("ntu"))


@pytest.fixture(scope="module")
def app():
    made = typer.Typer()
    made.callback()(lambda: None)
    register(made)
    return made


def source(folder, split="xsub"):
    return folder_source(folder, SETS["ntu60"], split, Persons())


def run(app, *words):
    done = CliRunner().invoke(app, ["skeletons", *map(str, words)])
    return done.exit_code, done.output


def test_parts_are_the_split_s_and_validation_is_other_subjects(folder):
    made = make_parts(source(folder), Recipe(frames=8), Held())
    assert {part: len(clips) for part, clips in made.parts.items()} == {"train": 12, "validation": 6, "test": 6}
    assert made.parts["train"].streams["skeleton"].shape == (8, 12, 3, 25, 2)
    assert made.parts["test"].class_names == SETS["ntu60"].class_names
    assert sorted(made.parts["test"].labels.tolist()) == [0, 0, 0, 49, 49, 49]
    train = make_parts(source(folder), Recipe(frames=8), Held(by="clip", share=0.25)).parts
    assert (len(train["train"]), len(train["validation"])) == (14, 4)


def test_the_cross_view_split_tests_camera_one(folder):
    made = make_parts(source(folder, "xview"), Recipe(frames=4), Held())
    assert len(made.parts["test"]) == 8


def test_a_clip_is_what_its_recording_says(folder):
    """By hand: centred on the spine of the first frame, the middle 95 % at even times."""
    poses = walker(60, 2, seed=100 + 30 + 50)
    item = next(item for item in source(folder).items if item.name == "S001C003P001R001A050")
    made, tilted, *_ = prepared(item, NTU, Recipe(frames=15), 0)
    assert not tilted
    moved = poses - poses[0, :, 1, 0][:, None, None]
    middle = moved[1:59]
    at = (np.arange(15) + 0.5) * 58 / 15 - 0.5
    low = at.astype(int)
    share = (at - low)[:, None, None, None]
    expected = (1 - share) * middle[low] + share * middle[low + 1]
    np.testing.assert_allclose(made[:, 0], expected, atol=1e-5)


def test_copies_differ_in_crop_and_turn_and_do_not_depend_on_what_else_is_read(folder):
    recipe = Recipe(frames=8, copies=3, seed=5)
    every = make_parts(source(folder), recipe, Held())
    assert len(every.parts["train"]) == 36
    assert len(every.parts["test"]) == 6
    item = source(folder).items[0]
    one, *_ = prepared(item, NTU, recipe, 3)
    again, *_ = prepared(item, NTU, recipe, 3)
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one[:, 0], one[:, 1])
    lengths = np.linalg.norm(bones(one[:1], NTU), axis=2)
    plain = np.linalg.norm(bones(prepared(item, NTU, Recipe(frames=8), 0)[0][:1], NTU), axis=2)
    assert np.abs(lengths.mean(axis=2) - plain.mean(axis=2)).max() < 0.2
    other, *_ = prepared(item, NTU, Recipe(frames=8, copies=3, seed=6), 3)
    assert not np.allclose(one, other)


def test_several_processes_make_the_same(folder):
    alone, many = (make_parts(source(folder), Recipe(frames=4, copies=2), Held(), jobs=jobs) for jobs in (1, 2))
    for part, clips in alone.parts.items():
        np.testing.assert_array_equal(many.parts[part].streams["skeleton"], clips.streams["skeleton"])
        np.testing.assert_array_equal(many.parts[part].labels, clips.labels)


def test_everything_that_can_be_done_to_a_clip(folder):
    item = source(folder).items[0]
    made, *_ = prepared(item, NTU, Recipe(frames=6, upright=True, unit=True, sampling="even"), 0)
    assert made.shape == (6, 1, 3, 25, 2)
    np.testing.assert_allclose([made[..., 0].min(), made[..., 0].max()], [-1, 1], atol=1e-6)
    flat = Item("x", 0, True, 1, lambda: np.ones((3, 3, 25, 1), np.float32))
    assert prepared(flat, NTU, Recipe(upright=True, centre=False), 0)[1]
    both = replace(source(folder), items=[item, replace(flat, training=False)] + [item] * 3)
    said = make_parts(both, Recipe(upright=True), Held(by="clip")).said
    assert said == ("not turned upright, for want of a spine: 1 of 5 recordings",)
    held, *_ = prepared(flat, NTU, Recipe(centre=False, frames=1), 0)
    assert held.shape == (1, 1, 3, 25, 1)


@pytest.mark.parametrize("share", [0, 1, float("nan")])
def test_shares_of_validation_are_checked(share):
    with pytest.raises(UsageError, match=r"--validation: .* a share between 0 and 1"):
        Held(share)


def test_other_wishes_are_checked():
    for wish, message in (
        ({"frames": 0}, "--frames"),
        ({"sampling": "cubic"}, "--sampling"),
        ({"copies": -1}, "--fra"),
    ):
        with pytest.raises(UsageError, match=message):
            Recipe(**wish)
    with pytest.raises(UsageError, match="--validation-by: 'camera'"):
        Held(by="camera")


@pytest.fixture
def spoilt(folder, tmp_path):
    """The good recordings, and all there is that should not go in."""
    place = tmp_path / "ntu"
    place.mkdir()
    for file in folder.iterdir():
        (place / file.name).symlink_to(file)
    good = (folder / "S001C001P001R001A001.skeleton").read_text()
    bad = {"C001P001R002A001": good[:5000], "C001P001R002A002": "2\n0\n0\n", "C001P002R002A001": ""}
    bad["C001P002R002A002"] = good.replace("\n25\n", "\n20\n")
    for name, text in bad.items():
        (place / f"S001{name}.skeleton").write_text(text)
    (place / "notes.skeleton").write_text(good)
    write_skeleton(place / "S001C002P005R002A008.skeleton", walker(20))  # known to be incomplete
    write_skeleton(place / "S020C002P005R002A008.skeleton", walker(20))  # of NTU RGB+D 120
    write_skeleton(place / "S001C001P002R002A003.skeleton", np.concatenate([walker(30, 2), walker(30)], axis=3))
    return place


def test_the_command_names_and_skips_what_is_bad_and_reads_the_rest(app, spoilt, tmp_path):
    out = tmp_path / "data"
    code, output = run(app, spoilt, "-o", out, "--frames", 8, "--streams", "joint,bone-motion", "--json")
    assert code == 0, output
    report = json.loads(output.strip().splitlines()[-1])
    assert sum(each["clips"] for each in report["parts"].values()) == 25
    bad = " ".join(report["bad"])
    for text in (
        "notes.skeleton: no name",
        "R002A001.skeleton, line",
        "the file ends in frame",
        "no body in any",
        "is empty",
    ):
        assert text in bad
    assert "20 joints; expected 25" in bad
    assert len(report["bad"]) == 5
    assert len(report["said"]) == 2
    assert json.loads((out / "report.json").read_text()) == report
    clips = load_clips(out / "train.npz")
    assert list(clips.streams) == ["skeleton", "skeleton_bone_motion"]
    assert clips.streams["skeleton"].dtype == np.float32
    assert sorted(file.name for file in out.iterdir()) == ["report.json", "test.npz", "train.npz", "validation.npz"]


def test_the_command_refuses_at_the_first_bad_file_and_writes_nothing(app, spoilt, tmp_path):
    out = tmp_path / "data"
    code, output = run(app, spoilt, "-o", out, "--on-bad", "refuse")
    assert code == 2
    assert "notes.skeleton: no name of a recording of ntu60" in output
    assert "leave such files out with --on-bad skip" in output
    (spoilt / "notes.skeleton").unlink()
    code, output = run(app, spoilt, "-o", out, "--on-bad", "refuse")
    assert code == 2
    assert "S001C001P001R002A001.skeleton, line" in output
    assert not out.exists()
    assert [file.name for file in tmp_path.iterdir()] == ["ntu"]


def test_the_command_shows_a_table(app, folder, tmp_path):
    code, output = run(app, folder, "-o", tmp_path / "data", "--split", "xview", "--upright", "--unit", "--copies", 2)
    assert code == 0, output
    assert "ntu60, split xview, 60 classes, layout ntu" in output
    assert "test" in output
    assert "16×8×3×25×2" in output
    assert "bad" not in output


def test_a_data_folder_is_replaced_and_a_folder_of_anything_else_is_not(app, folder, tmp_path):
    for place, code in ((tmp_path, 0), (tmp_path, 0), (folder, 2)):
        assert run(app, folder, "-o", place, "--frames", 2)[0] == code
    assert len(list(folder.iterdir())) == 24
    (tmp_path / "NTU60_CS.npz").touch()
    code, output = run(app, folder, "-o", tmp_path)
    assert (code, "holds 'NTU60_CS.npz'; expected nothing but train.npz" in output) == (2, True)
    assert (tmp_path / "NTU60_CS.npz").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--set", "ntu"), "--set: 'ntu'; expected one of"),
        (("--split", "xset"), "--split: 'xset' for ntu60"),
        (("--streams", "joint,"), "--streams: ''"),
        (("--on-bad", "ignore"), "--on-bad: 'ignore'; expected skip or refuse"),
        (("--fill", "x"), "--fill: 'x'"),
        (("--sampling", "x"), "--sampling: 'x'"),
        (("--validation", "2"), "--validation: 2"),
        (("--validation-by", "x"), "--validation-by: 'x'"),
    ],
)
def test_wrong_words_are_named(app, folder, tmp_path, words, message):
    code, output = run(app, folder, "-o", tmp_path / "data", *words)
    assert (code, message in output) == (2, True), output
    assert not (tmp_path / "data").exists()


def test_parts_without_a_clip_are_refused(app, folder, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    for number in (1, 2):
        write_skeleton(few / f"S001C001P{number:03}R001A001.skeleton", walker(20))
    for split, message in (("xsub", "nothing for test"), ("xview", "nothing to train on")):
        code, output = run(app, few, "-o", tmp_path / "data", "--split", split)
        assert (code, message in output) == (2, True), output


def test_more_than_fits_into_memory_is_refused(folder, monkeypatch):
    monkeypatch.setattr("spikeport.models.data.skeletons.parts.available", lambda: 1000)
    with pytest.raises(UsageError, match=r"memory: clips of .* kB; expected at most 1\.0 kB"):
        make_parts(source(folder), Recipe(), Held())


def test_single_subjects_validate_by_clip(tmp_path):
    ntu_folder(tmp_path, subjects=(1, 3), actions=(1, 2, 3))
    made = make_parts(source(tmp_path), Recipe(frames=2), Held(share=0.3))
    assert made.said == ("validation by clip: there are no two subjects to tell apart",)
    assert {part: len(clips) for part, clips in made.parts.items()} == {"train": 6, "validation": 3, "test": 9}


def test_files_of_one_s_own_that_are_bad_are_errors_in_the_library_too(tmp_path):
    write_skeleton(tmp_path / "S001C001P001R001A001.skeleton", walker(5))
    (tmp_path / "S001C001P001R001A002.skeleton").write_text("x")
    with pytest.raises(FileError, match=r"A002\.skeleton, line 1: 'x'"):
        make_parts(source(tmp_path), Recipe(), Held(), skip=False)
