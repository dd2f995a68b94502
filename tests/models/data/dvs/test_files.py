"""Files of events: written in pieces, read back whole, and read by `run --input`."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from spikeport.models.data.dvs import files
from spikeport.models.data.dvs.emulator import EVENT
from spikeport.models.data.dvs.files import FORMAT, Recording, about_file, load_events, write_npz
from spikeport.toolchain.errors import FileError
from spikeport.toolchain.graph import chain
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.inputs import Steps, from_file

ABOUT = {"format": FORMAT, "source": {"name": "wäre.mp4"}}


def events(count: int) -> np.ndarray:
    source = np.random.default_rng(count)
    found = np.zeros(count, EVENT)
    found["t"] = np.sort(source.integers(1, 10**9, count))
    found["x"], found["y"], found["p"] = source.integers(0, [[8], [6], [2]], (3, count))
    return found


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, np.ndarray]:
    """A recording of 1000 events in pieces, in chunks of 64."""
    monkeypatch.setattr(files, "CHUNK", 64)
    every, recording = events(1000), Recording(tmp_path / "e.h5")
    for start, stop in ((0, 0), (0, 5), (5, 300), (300, 1000)):
        recording.append(every[start:stop])
    recording.finish([0, 7, 10**9])
    recording.tell(ABOUT)
    np.testing.assert_array_equal(np.concatenate(list(recording.pieces())), every)
    assert max(len(piece) for piece in recording.pieces()) == 64
    assert (recording.count, recording.on) == (1000, every["p"].sum())
    write_npz(tmp_path / "e.npz", recording, ABOUT, [0, 7, 10**9])
    recording.close()
    return tmp_path, every


def test_both_forms_hold_the_same_events(recorded: tuple[Path, np.ndarray]) -> None:
    folder, every = recorded
    for name in ("e.h5", "e.npz"):
        found, about = load_events(folder / name)
        np.testing.assert_array_equal(found, every)
        assert about["source"] == {"name": "wäre.mp4"}
    with h5py.File(folder / "e.h5") as file:
        assert file["frame_times"][:].tolist() == [0, 7, 10**9]
        assert {name: column.dtype for name, column in file["events"].items()} == {k: EVENT[k] for k in "xytp"}
    assert about_file(folder / "e.npz")["frame_times"] == [0, 7, 10**9]


def test_a_network_takes_them_as_they_are(recorded: tuple[Path, np.ndarray]) -> None:
    folder, every = recorded
    network = chain([("in", n.Input((2, 6, 8))), ("out", n.Output())])
    for name in ("e.h5", "e.npz"):
        taken = from_file(network, folder / name, Steps(dt=0.1))
        assert taken.what == "1,000 events"
        steps = (every["t"] - every["t"][0]) // 100_000
        expected = np.zeros((int(steps.max()) + 1, 2, 6, 8))
        np.add.at(expected, (steps, every["p"], every["y"], every["x"]), 1)
        np.testing.assert_array_equal(np.concatenate([w["in"] for w in taken.values])[:, 0], expected)


def test_a_recording_of_nothing_is_a_file(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "e.h5")
    recording.finish([0, 1])
    recording.tell(ABOUT)
    write_npz(tmp_path / "e.npz", recording, ABOUT, [0, 1])
    recording.close()
    for name in ("e.h5", "e.npz"):
        assert len(load_events(tmp_path / name)[0]) == 0


def test_files_of_others_are_not_ours(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=[1])
    (tmp_path / "b.h5").write_bytes(b"nothing")
    with h5py.File(tmp_path / "c.h5", "w") as file:
        file.attrs["about"] = '{"format": "other"}'
    (tmp_path / "d.npz").write_bytes(b"PK\x03\x04")
    for name in ("a.npz", "b.h5", "c.h5", "d.npz"):
        with pytest.raises(FileError, match="is there and holds no events of ours"):
            about_file(tmp_path / name)
