"""A folder of event files: a sub-folder for each class, or all files side by side; each file is a sample. Or one file.

Files are .npy, .npz, .h5, .csv or .txt with x, y, t, p, read and counted into steps as `spikeport run --input` does it.
Samples have as many steps as their events need, unless it is said how many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from ...toolchain.errors import FileError
from ...toolchain.event_files import EVENTS, from_arrays, from_events
from ...toolchain.events import Binned, binned
from ...toolchain.graph.nodes.base import Array
from ...toolchain.graph.signal import Signal
from ...toolchain.inputs import Steps, arrays_in
from .sources import ARRAYS, Stamp, digest_of, file_digest

KINDS = (*ARRAYS, *EVENTS)
PARTS = ("train.npz", "validation.npz", "test.npz")
"""What a data folder holds, which networks are trained on."""


@dataclass(frozen=True, eq=False)
class EventFolder:
    """Samples that are files of events.

    Args:
        folder: where they lie.
        stamps: the files, in the order of their names.
        places: the class of each; None without classes.
        class_names: the names of the sub-folders.
        signal: what the network's input takes.
        dt: the length of a step in seconds.
        steps: what was said about steps.
        whole: how many files there are.
        notes: what was merged, capped or left out, by sample, of those that were read.
    """

    folder: Path
    stamps: tuple[Stamp, ...]
    places: Array | None
    class_names: tuple[str, ...]
    signal: Signal
    dt: float
    steps: Steps
    whole: int
    notes: dict[int, tuple[str, ...]] = field(default_factory=dict)

    @staticmethod
    def of(folder: Path, signal: Signal, dt: float, steps: Steps, samples: int | None) -> EventFolder:
        """The folder, looked through.

        Args:
            folder: the folder.
            signal: what the network's input takes.
            dt: the length of the network's step.
            steps: how events become steps.
            samples: how many of the files; None: all. Some are taken from all classes in turn.
        """
        if all((folder / part).is_file() for part in PARTS):
            raise FileError(str(folder), "is a data folder", "one of its files", f"name it: {folder / 'test.npz'}")
        classes = sorted(each for each in _shown(folder) if each.is_dir())
        files = [each for each in _shown(folder) if not each.is_dir()]
        if classes and files:
            raise FileError(
                str(folder), f"holds folders and '{files[0].name}'", "folders of event files, or such files"
            )
        held = [_files(each) for each in classes] if classes else [_files(folder)]
        found = [(path, place) for place, paths in enumerate(held) for path in paths]
        if not found:
            raise FileError(str(folder), "no samples", f"files that end in {', '.join(KINDS)}")
        taken = found if samples is None or samples >= len(found) else _in_turn(held, samples)
        stamps = tuple(Stamp.of(path) for path, _ in taken)
        places = np.array([place for _, place in taken], np.int64) if classes else None
        names = tuple(each.name for each in classes)
        return EventFolder(folder, stamps, places, names, signal, steps.dt or dt, steps, len(found))

    @staticmethod
    def one(path: Path, signal: Signal, dt: float, steps: Steps) -> EventFolder:
        """A single file, one sample."""
        return EventFolder(path.parent, (Stamp.of(path),), None, (), signal, steps.dt or dt, steps, 1)

    def __len__(self) -> int:
        return len(self.stamps)

    @property
    def shape(self) -> tuple[int, ...]:
        """What the network takes: events say only where they are."""
        return self.signal.shape

    @property
    def carries(self) -> str:
        """What the network's input promises: another count is refused, or capped and said."""
        return str(self.signal.carries)

    @cached_property
    def identity(self) -> str:
        """Of the names and the content of all files, and of what becomes of them."""
        names = (stamp.path.relative_to(self.folder).as_posix() for stamp in self.stamps)
        files = [f"{name} {file_digest(stamp.path)}" for name, stamp in zip(names, self.stamps, strict=True)]
        return digest_of("events", self.signal, self.dt, self.steps.unit, self.steps.count, *files)

    @property
    def about(self) -> str:
        """In words."""
        if self.whole == 1:
            return f"{self.stamps[0].path}, events"
        part = "" if len(self) == self.whole else f"{len(self):,} of "
        classes = f" in {len(self.class_names)} classes" if self.class_names else ""
        return f"{self.folder}, {part}{self.whole:,} event files{classes}"

    @property
    def together(self) -> int | None:
        """One, unless all have the steps that were asked for: padding would be counted as if it were a sample's."""
        return 1 if self.steps.count is None else None

    @property
    def travels(self) -> bool:
        """Other machines need not have the files."""
        return False

    def batch(self, indices: Sequence[int]) -> tuple[Array, Array | None]:
        """Some samples, counted into steps."""
        found = [np.concatenate(list(self._binned(index).windows())) for index in indices]
        return np.concatenate(found, axis=1), None if self.places is None else self.places[list(indices)]

    def _binned(self, index: int) -> Binned:
        path = self.stamps[index].path
        shape = self.signal.shape
        events = from_events(path) if path.suffix in EVENTS else from_arrays(path, arrays_in(path), shape)
        if events is None:
            raise FileError(str(path), "values, not events", "x, y, t and p, or x and t")
        found = binned(events, self.signal, dt=self.dt, unit=self.steps.unit or "us", steps=self.steps.count)
        self.notes[index] = tuple(f"{path.relative_to(self.folder)}: {text}" for text in found.said)
        return found

    def said(self, indices: Sequence[int]) -> tuple[str, ...]:
        """What was merged, capped or left out in some samples."""
        return tuple(text for index in indices for text in self.notes.get(index, ()))

    def check_unchanged(self) -> None:
        """All files are those that were opened."""
        for stamp in self.stamps:
            stamp.check()


def _shown(folder: Path) -> list[Path]:
    """What lies in a folder, in order; hidden files are the system's."""
    return sorted(each for each in folder.iterdir() if not each.name.startswith("."))


def _files(folder: Path) -> list[Path]:
    found = _shown(folder)
    for each in found:
        if each.suffix not in KINDS or not each.is_file():
            raise FileError(str(each), "is no event file", f"files that end in {', '.join(KINDS)}", "move it away")
    return found


def _in_turn(held: list[list[Path]], samples: int) -> list[tuple[Path, int]]:
    """The first samples of every class in turn, so that a part holds all classes."""
    turns = ((path, place) for turn in range(max(map(len, held))) for place, paths in enumerate(held)
             for path in paths[turn : turn + 1])  # fmt: skip
    return [each for each, _ in zip(turns, range(samples), strict=False)]
