"""Events of the same moments as another recording: which slice each falls into, and files that do not fit."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from spikeport.models.data.dvs.emulator import EVENT
from spikeport.models.data.dvs.files import FORMAT, Recording
from spikeport.models.data.dvs.filmed import files_for, filmed
from spikeport.toolchain.errors import FileError, UsageError

TIMES = np.arange(1, 97) * 1000
"""One event in every millisecond of 96, the last one at the end."""


def columns(times: np.ndarray = TIMES) -> dict[str, np.ndarray]:
    """Each event has a pixel of its own on a camera of 96 × 4."""
    x = np.arange(len(times))
    return {"t": np.asarray(times), "x": x, "y": x % 4, "p": x % 2}


def write(path: Path, about: dict | None = None, **changes: object) -> Path:
    np.savez(path, **{**columns(), **changes})
    if about is not None:
        said = {"format": FORMAT, "size": [96, 4], "stretch": [0, 96_000], "events": 96, **about}
        with zipfile.ZipFile(path, "a") as packed:
            packed.writestr("about.json", json.dumps(said))
    return path


@pytest.mark.parametrize(("part", "length"), [(slice(0, 17), 17), (slice(2, 9), 13), (slice(16, 33), 49)])
def test_every_event_falls_into_the_slice_of_its_frame(tmp_path: Path, part: slice, length: int) -> None:
    film = filmed(write(tmp_path / "e.npz", {}), None)
    steps = 4
    found = film.frames(part, length, steps, (96, 4))
    start, end = (96_000 * place / (length - 1) for place in (part.start, part.stop - 1))
    expected = np.zeros((steps, 2, 4, 96), np.uint8)
    for time, x, y, p in zip(*columns().values(), strict=True):
        if start <= time <= end:
            expected[max(0, int(np.ceil((time - start) * steps / (end - start))) - 1), p, y, x] = 1
    np.testing.assert_array_equal(found, expected)
    assert found.sum() == ((start <= TIMES) & (end >= TIMES)).sum()


def test_both_forms_say_the_same(tmp_path: Path) -> None:
    about = {"format": FORMAT, "size": [96, 4], "stretch": [0, 96_000], "events": 96}
    recording = Recording(tmp_path / "e.h5")
    recording.append(np.rec.fromarrays([columns()[name] for name in EVENT.names], dtype=EVENT))
    recording.finish([0, 96_000])
    recording.tell(about)
    recording.close()
    packed, plain = filmed(write(tmp_path / "e.npz", {}), None), filmed(tmp_path / "e.h5", None)
    np.testing.assert_array_equal(packed.events, plain.events)
    assert (packed.size, packed.stretch) == (plain.size, plain.stretch) == ((96, 4), (0, 96_000))


def test_coarser_frames_hold_the_same_events(tmp_path: Path) -> None:
    found = filmed(write(tmp_path / "e.npz", {}), None).frames(slice(0, 5), 5, 4, (24, 1))
    assert found.shape == (4, 2, 1, 24)
    assert found.sum() == 96 // 2  # of four neighbours two share the polarity: two places


def test_a_camera_s_own_file_begins_with_its_first_event(tmp_path: Path) -> None:
    late = write(tmp_path / "e.npz", t=TIMES + 10**12, p=np.where(np.arange(96) % 2, 1, -1))
    film = filmed(late, (96, 4))
    assert (film.size, film.stretch) == ((96, 4), (10**12 + 1000, 10**12 + 96_000))
    assert film.frames(slice(0, 2), 2, 1, (96, 4))[0].sum(axis=(1, 2)).tolist() == [48, 48]
    with pytest.raises(FileError, match=r"e.npz: does not say how many pixels .* Say it: --camera WxH"):
        filmed(late, None)


def test_a_film_in_which_nothing_moves_has_no_events(tmp_path: Path) -> None:
    empty = dict.fromkeys("txyp", np.empty(0, np.int64))
    film = filmed(write(tmp_path / "e.npz", {"events": 0}, **empty), None)
    assert film.frames(slice(0, 9), 9, 4, (8, 8)).sum() == 0
    assert film.events.dtype == EVENT
    held = filmed(write(tmp_path / "wrong.npz", {"events": 0}), None)
    assert len(held.events) == 96, "what is there counts, whatever the file says"


@pytest.mark.parametrize(
    ("about", "changes", "message"),
    [
        ({"size": [96]}, {}, r"size \[96\]; expected two whole numbers"),
        ({"size": [0, 4]}, {}, "size"),
        ({"size": [96, 2**40]}, {}, "size"),
        ({"stretch": [5, 5]}, {}, "stretch"),
        ({"stretch": [0, 1e300]}, {}, "stretch"),
        ({"stretch": None}, {}, "stretch None"),
        ({"stretch": [0, 50_000]}, {}, "t of event 50 is 51000; expected 0 to 50000"),
        ({"size": [90, 4]}, {}, "x of event 90 is 90; expected 0 to 89"),
        ({}, {"y": -columns()["y"]}, "y of event 1 is -1; expected 0 to 3"),
        ({}, {"p": columns()["x"]}, "p of event 2 is 2; expected -1 to 1"),
        ({}, {"p": np.zeros(3)}, "of one length"),
        ({}, {"t": TIMES + np.nan}, "t of event 0 is nan"),
    ],
)
def test_files_that_do_not_fit_are_named(tmp_path: Path, about: dict, changes: dict, message: str) -> None:
    with pytest.raises(FileError, match=rf"e\.npz: .*{message}"):
        filmed(write(tmp_path / "e.npz", about, **changes), None)


def test_other_files_and_parts_of_one_frame_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "values.npz", a=np.zeros((3, 1, 2)))
    np.savez(tmp_path / "line.npz", t=TIMES, x=np.zeros(96))
    for name, message in (
        ("no.h5", "no such file.*data events"),
        ("values.npz", "no events"),
        ("line.npz", "without y"),
    ):
        with pytest.raises(FileError, match=message):
            filmed(tmp_path / name, (96, 4))
    with pytest.raises(UsageError, match="those of 1 frame"):
        filmed(write(tmp_path / "e.npz", {}), None).frames(slice(3, 4), 9, 4, (8, 8))


def test_files_are_found_by_the_names_of_recordings(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    for name in ("a.h5", "b_rgb.npz", "below/c.h5", "a.frames.npz", "d.mp4", "._d.h5"):
        (tmp_path / name).touch()
    found = files_for(tmp_path, ["a", "b", "c", "d"])
    assert [str(file.relative_to(tmp_path)) for file in found.values()] == ["a.h5", "b_rgb.npz", "below/c.h5", "d.h5"]
    with pytest.raises(FileError, match=r"3 files of events, none called as a recording is; expected such as x\.h5"):
        files_for(tmp_path, ["x"])
    (tmp_path / "b.h5").touch()
    with pytest.raises(FileError, match=r"events of b, as .*; expected one file for a recording"):
        files_for(tmp_path, ["a"])
    for place, message in (("no", "there is no such folder"), ("a.h5", "is no folder")):
        with pytest.raises(FileError, match=message):
            files_for(tmp_path / place, ["a"])
