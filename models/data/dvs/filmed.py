"""What an event camera saw of a moment that something else has recorded too: the frames of events of a part of it.

    frame i of L is at tᵢ = t₀ + i·(t₁ − t₀)/(L − 1)

t₀ and t₁ are the first and the last picture of the video that the events are of; of events of a camera, the first and
the last one. So both recordings must begin and end together. Slice k of T of the frames a to b holds the events with
k·D/T < t − t_a ≤ (k + 1)·D/T, D = t_b − t_a: a skeleton that is resampled to T frames has the same moments, to half a
frame of the recording at its ends.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ....toolchain.errors import FileError, UsageError
from ....toolchain.event_files import EVENTS, HDF5, contents_of, from_arrays, from_events, in_contents
from ....toolchain.events import Events, need
from ....toolchain.inputs import ABOUT, arrays_in
from .counted import Size, frames_of
from .emulator import EVENT, LARGEST_SIDE
from .files import About, about_file, about_in, is_extra

Array = npt.NDArray[Any]

SUFFIXES = (*EVENTS, ".npz", ".npy")
COLOUR = "_rgb"
"""How the names of NTU RGB+D's videos end, beside those of their skeletons."""
LATEST = 1 << 53
PICTURE = (2, 1, 1)
"""The shape of something that events are seen as, and four columns of a table are not."""


@dataclass(frozen=True)
class Seen:
    """How events become frames.

    Args:
        size: width and height of the frames.
        camera: those of the camera, for files that do not say it.
    """

    size: Size
    camera: Size | None = None


@dataclass(frozen=True, eq=False)
class Filmed:
    """The events of a file.

    Args:
        events: records of `EVENT`.
        size: width and height of the camera.
        stretch: the first and the last moment in µs.
    """

    events: Array
    size: Size
    stretch: tuple[int, int]

    def frames(self, part: slice, length: int, steps: int, size: Size) -> Array:
        """Frames of zeros and ones, uint8 [T, 2, h, w].

        Args:
            part: which of the frames of the other recording.
            length: how many those are in all.
            steps: T.
            size: width and height of the result.
        """
        first, last = self.stretch
        start, end = (first + place * (last - first) // max(1, length - 1) for place in (part.start, part.stop - 1))
        if end <= start:
            raise UsageError("events", f"those of {part.stop - part.start} frame", "a stretch of time", "leave it out")
        inside = self.events[(self.events["t"] >= start) & (self.events["t"] <= end)]
        return frames_of(inside, (start, end), steps, self.size, size)


def filmed(path: Path, camera: Size | None) -> Filmed:
    """Reads a file of events: one of ours, or of a camera, with t in µs.

    Raises:
        FileError: when it holds something else, or does not say how large the camera is and nobody does.
    """
    about, read = _opened(path)
    if about is not None:
        size, stretch = _whole(path, about, "size", 1, LARGEST_SIDE), _whole(path, about, "stretch", 0, LATEST)
        try:
            held = read()
        except FileError:
            if about.get("events") != 0:  # a file without events is read as none
                raise
            return Filmed(np.empty(0, EVENT), size, stretch)
        return Filmed(_records(held, size, stretch), size, stretch)
    held = read()
    if camera is None:
        fix = "say it: --camera WxH"
        raise FileError(str(path), "does not say how many pixels the camera has", "a file of `data events`", fix)
    times = held.columns["t"]
    stretch = int(np.floor(times.min())), int(np.ceil(times.max()))
    if not 0 <= stretch[0] <= stretch[1] <= LATEST:
        raise FileError(str(path), f"times from {stretch[0]} to {stretch[1]}", f"whole µs from 0 to {LATEST}")
    return Filmed(_records(held, camera, stretch), camera, stretch)


def _opened(path: Path) -> tuple[About | None, Callable[[], Events]]:
    """What a file of ours says of itself, none for another; and what gives the events."""
    if not path.is_file():
        found = "is no plain file" if path.exists() else "there is no such file"
        raise FileError(str(path), found, "the events of this recording", "make them: spikeport data events")
    if path.suffix in HDF5:
        held = contents_of(path, attributes=True)
        said = bytes(held.values.get("@about", np.bytes_()))
        about = about_in(said)
        if said and about is None:
            raise FileError(str(path), "says of itself what is not ours", "a file of `data events`, or of a camera")
        return about, partial(in_contents, held)
    about = about_file(path) if path.suffix == ".npz" and _says(path) else None
    return about, partial(from_events if path.suffix in EVENTS else _in_arrays, path)


def _says(path: Path) -> bool:
    """Whether a `.npz` file says something of itself."""
    try:
        with zipfile.ZipFile(path) as packed:
            return ABOUT in packed.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def _in_arrays(path: Path) -> Events:
    found = from_arrays(path, arrays_in(path), PICTURE)
    if found is None:
        raise FileError(str(path), "no events", "columns x, y, t and p")
    return found


def _whole(path: Path, about: About, name: str, least: int, most: int) -> tuple[int, int]:
    """Two whole numbers that the file says of itself."""
    match about.get(name):
        case [int(a), int(b)] if least <= min(a, b) <= max(a, b) <= most and (name == "size" or a < b):
            return a, b
        case other:
            raise FileError(str(path), f"{name} {str(other)[:60]}", "two whole numbers", "make it again")


def _records(held: Events, size: Size, stretch: tuple[int, int]) -> Array:
    """Events as records, once all of them lie in the camera's picture and in the stretch of time."""
    missing = [name for name in EVENT.names or () if name not in held.columns]
    if missing:
        raise FileError(held.file, f"events without {missing[0]}", "columns x, y, t and p")
    columns = held.columns
    for name, least, most in (("x", 0, size[0] - 1), ("y", 0, size[1] - 1), ("t", *stretch), ("p", -1, 1)):
        good = (columns[name] >= least) & (columns[name] <= most)
        need(held.file, good, name, columns[name], f"{least} to {most}")
    made = np.empty(len(held), EVENT)
    made["t"] = np.ceil(columns["t"])
    made["x"], made["y"], made["p"] = columns["x"], columns["y"], columns["p"] > 0
    return made


def event_files(folder: Path) -> list[Path]:
    """The files of events in a folder and those below; hidden files are the system's."""
    named = (file for file in folder.rglob("*") if file.suffix in SUFFIXES and not file.name.startswith("."))
    return sorted(file for file in named if file.is_file() and not is_extra(file))


def files_for(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """The file of events of each of these recordings, NAME.h5 or .npz, with or without `_rgb` behind the name.

    Those that have none get the path where it should be.

    Raises:
        FileError: when there is no such folder, none of them has one, or one has several.
    """
    if not folder.is_dir():
        found = "is no folder" if folder.exists() else "there is no such folder"
        raise FileError(str(folder), found, "a folder of events", "make it: spikeport data events VIDEO… -o DIR")
    held: dict[str, Path] = {}
    for file in event_files(folder):
        name = file.stem.removesuffix(COLOUR)
        if name in held:
            raise FileError(str(file), f"events of {name}, as {held[name]}", "one file for a recording")
        held[name] = file
    wanted = {name: held.get(name, folder / f"{name}.h5") for name in names}
    if held.keys().isdisjoint(wanted):
        found = f"{len(held):,} files of events, none called as a recording is"
        raise FileError(str(folder), found, f"such as {next(iter(wanted), 'NAME')}.h5", "rename them")
    return wanted


__all__ = ["Filmed", "Seen", "event_files", "files_for", "filmed"]
