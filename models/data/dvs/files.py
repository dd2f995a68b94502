"""Files of events: written in pieces, so that a recording may be longer than the memory holds.

`.h5` holds the group `events` with one column for each of x, y, t and p, `frame_times` (both times in µs) and the
attribute `about`, in JSON; `.npz` holds the same columns and `frame_times` and `about` in `about.json`. Whatever reads
columns x, y, t, p reads them, `spikeport run --input` among others.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from ....toolchain.errors import FileError
from ....toolchain.inputs import ABOUT
from .emulator import EVENT

Array = npt.NDArray[Any]
About = Mapping[str, Any]

FORMAT = "spikeport events 1"
CHUNK = 1 << 16
"""Events that are compressed, and read again, at once."""
LIGHT = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
LONGEST = 1 << 24
"""Characters of an account of a file."""
EXTRAS = ("frames", "voxels")
"""What may lie beside a file of events."""


class Recording:
    """An HDF5 file of events that grows.

    Args:
        path: the file; made anew.
    """

    def __init__(self, path: Path) -> None:
        self._file = h5py.File(path, "w", rdcc_nbytes=0)  # whole chunks come and go: to keep some only costs memory
        group = self._file.create_group("events")
        self._columns = {
            name: group.create_dataset(name, (0,), EVENT[name], maxshape=(None,), chunks=(CHUNK,), **LIGHT)
            for name in EVENT.names or ()
        }
        self._waiting = np.empty(CHUNK, EVENT)
        self._filled = 0
        self.count = 0
        self.on = 0

    def append(self, events: Array) -> None:
        """More events, later than those before."""
        self.on += int(events["p"].sum())
        while len(events):
            taken = events[: len(self._waiting) - self._filled]
            self._waiting[self._filled : self._filled + len(taken)] = taken
            self._filled += len(taken)
            events = events[len(taken) :]
            if self._filled == len(self._waiting):
                self._write()

    def _write(self) -> None:
        """What waits goes into the file."""
        for name, column in self._columns.items():
            column.resize(self.count + self._filled, axis=0)
            column[self.count :] = self._waiting[name][: self._filled]
        self.count, self._filled = self.count + self._filled, 0

    def finish(self, times: Sequence[int]) -> None:
        """No more events; the times of the pictures that they are from."""
        self._write()
        self._file.create_dataset("frame_times", data=np.asarray(times, np.int64), **LIGHT)

    def tell(self, about: About) -> None:
        """What they are."""
        self._file.attrs["about"] = json.dumps(about, ensure_ascii=False)

    def pieces(self) -> Iterator[Array]:
        """The events that are written, piece by piece."""
        for start in range(0, self.count, CHUNK):
            piece = np.empty(min(CHUNK, self.count - start), EVENT)
            for name, column in self._columns.items():
                piece[name] = column[start : start + CHUNK]
            yield piece

    def column(self, name: str) -> Iterator[Array]:
        """One column, piece by piece."""
        return (self._columns[name][start : start + CHUNK] for start in range(0, self.count, CHUNK))

    def close(self) -> None:
        """No more of it."""
        self._file.close()


def write_npz(path: Path, recording: Recording, about: About, times: Sequence[int]) -> None:
    """A finished recording as a .npz file."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, allowZip64=True, compresslevel=1) as packed:
        for name in EVENT.names or ():
            with packed.open(f"{name}.npy", "w", force_zip64=True) as member:
                form = {"descr": EVENT[name].str, "fortran_order": False, "shape": (recording.count,)}
                np.lib.format.write_array_header_2_0(member, form)
                for piece in recording.column(name):
                    member.write(piece.tobytes())
        with packed.open(ABOUT, "w") as member:  # unlike `writestr` without the time of day
            member.write(json.dumps({**about, "frame_times": list(times)}, ensure_ascii=False).encode())


def extra(target: Path, kind: str) -> Path:
    """The file of frames or voxels beside a file of events."""
    return target.with_name(f"{target.stem}.{kind}.npz")


def is_extra(file: Path) -> bool:
    """Whether a file is called as what lies beside a file of events."""
    return any(file.name.endswith(f".{kind}.npz") for kind in EXTRAS)


def about_in(text: str | bytes) -> About | None:
    """What the account of a file says, if it is one of ours."""
    try:
        about = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return about if isinstance(about, dict) and about.get("format") == FORMAT else None


def about_file(path: Path) -> About:
    """What a file of events says of itself.

    Raises:
        FileError: when it is none.
    """
    try:
        about = about_in(_about_npz(path) if path.suffix == ".npz" else _about_h5(path))
    except (OSError, KeyError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile):
        about = None
    if about is None:
        raise FileError(str(path), "is there and holds no events of ours", fix="move it away, or choose another folder")
    return about


def _about_h5(path: Path) -> str:
    with h5py.File(path, "r") as file:
        return str(file.attrs["about"])


def _about_npz(path: Path) -> str:
    with zipfile.ZipFile(path) as packed, packed.open(ABOUT) as member:
        return member.read(LONGEST).decode()


def load_events(path: Path) -> tuple[Array, About]:
    """All events of a file, and what it says of itself."""
    about = about_file(path)
    if path.suffix == ".npz":
        with np.load(path) as held:
            columns = {name: held[name] for name in EVENT.names or ()}
    else:
        with h5py.File(path, "r") as file:
            columns = {name: file["events"][name][:] for name in EVENT.names or ()}
    events = np.empty(len(columns["t"]), EVENT)
    for name, values in columns.items():
        events[name] = values
    return events, about
