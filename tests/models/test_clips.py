"""Clips: several streams with one set of labels, in a file and back, and what is refused."""

import numpy as np
import pytest
from spikeport.models.data import clips as clips_module
from spikeport.models.data.clips import Clips, load_clips, save_clips
from spikeport.toolchain.errors import FileError, UsageError


def some(count=5):
    rng = np.random.default_rng(0)
    streams = {
        "skeleton": rng.normal(size=(4, count, 3, 2)).astype(np.float32),
        "events": np.ones((6, count, 2), np.uint8),
    }
    return Clips(streams, np.arange(count) % 3, ("a", "b", "c"), "some")


def test_a_file_and_back(tmp_path):
    clips = some()
    save_clips(tmp_path / "c.npz", clips)
    again = load_clips(tmp_path / "c.npz")
    assert list(again.streams) == ["skeleton", "events"]
    assert all(np.array_equal(again.streams[name], each) for name, each in clips.streams.items())
    assert again.streams["events"].dtype == np.uint8
    assert (again.labels.tolist(), again.class_names) == (clips.labels.tolist(), clips.class_names)


def test_equal_clips_are_equal_files(tmp_path):
    for name in ("a", "b"):
        save_clips(tmp_path / f"{name}.npz", some())
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_some_of_them_and_some_streams():
    clips = some()
    taken = clips.take(np.array([4, 0]))
    assert taken.labels.tolist() == [1, 0]
    assert np.array_equal(taken.streams["skeleton"], clips.streams["skeleton"][:, [4, 0]])
    assert list(clips.only(["events"]).streams) == ["events"]
    with pytest.raises(UsageError, match="no stream 'depth'; expected one of skeleton, events"):
        clips.only(["depth"])


def test_what_does_not_fit_is_refused():
    with pytest.raises(UsageError, match=r"streams \{'x': \[3, 4\]\}; expected \[T, 5, …\]"):
        Clips({"x": np.zeros((3, 4))}, np.zeros(5, int), ("a",))
    with pytest.raises(UsageError, match="labels from 0 to 2; expected 0 to 1, a place in class_names"):
        Clips({"x": np.zeros((3, 3))}, np.arange(3), ("a", "b"))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros((2, 3))}, "arrays x without labels or class names; expected one array"),
        (
            {"x": np.zeros((2, 3)), "labels": np.zeros(3), "class_names": np.array(["a"])},
            "without labels or class names",
        ),
        (
            {"x": np.zeros((2, 4)), "labels": np.zeros(3, int), "class_names": np.array(["a"])},
            r"streams \{'x': \[2, 4\]\}",
        ),
        (
            {"x": np.zeros((2, 3), "S2"), "labels": np.zeros(3, int), "class_names": np.array(["a"])},
            r"x of type \|S2; expected one array",
        ),
        (
            {"x": np.zeros((2, 3)), "labels": np.zeros(3, int), "class_names": np.array("a")},
            r"class_names of shape \[\]",
        ),
        ({"x": np.array([{}]), "labels": np.zeros(1, int), "class_names": np.array(["a"])}, "no clips .*allow_pickle"),
    ],
)
def test_messages_about_files(tmp_path, arrays, message):
    arrays = {name: np.array(each) for name, each in arrays.items()}
    np.savez(tmp_path / "c.npz", **arrays)
    with pytest.raises(FileError, match=message):
        load_clips(tmp_path / "c.npz")


def test_a_file_that_is_no_archive(tmp_path):
    (tmp_path / "c.npz").write_bytes(b"PK\x03\x04 and nothing else")
    with pytest.raises(FileError, match="no clips"):
        load_clips(tmp_path / "c.npz")


def test_changed_files_are_clips_or_messages(tmp_path):
    save_clips(tmp_path / "c.npz", some())
    whole, rng, refused = (tmp_path / "c.npz").read_bytes(), np.random.default_rng(1), []
    for _ in range(150):
        changed = bytearray(whole)
        for _ in range(rng.integers(1, 8)):
            changed[rng.integers(len(changed))] = rng.integers(256)
        (tmp_path / "c.npz").write_bytes(changed)
        try:
            assert len(load_clips(tmp_path / "c.npz")) == 5
        except FileError as error:
            refused.append(type(error.__cause__).__name__)
    assert len(refused) > 100
    assert {"error", "BadZipFile"} <= set(refused)  # zlib's own kind is one of them


def test_a_file_that_unpacks_to_more_than_there_is_room_for(tmp_path, monkeypatch):
    save_clips(tmp_path / "c.npz", some())
    monkeypatch.setattr(clips_module, "available", lambda: 300)
    with pytest.raises(FileError, match=r"c\.npz: unpacks to .*; expected at most 300 bytes, which is free here"):
        load_clips(tmp_path / "c.npz")
