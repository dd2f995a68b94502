"""What clips are made of: labelled recordings, each read when it is its turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from ....toolchain.errors import FileError
from .layouts import Layout
from .recordings import FARTHEST, Array
from .sets import SETS

MOST_RECORDINGS = 1_000_000
"""Of one file; ten times the largest public set."""


@dataclass(frozen=True)
class Item:
    """One labelled recording.

    Args:
        name: of the recording.
        label: its class.
        training: on which side of the split it lies.
        subject: who does it; none where that is not known.
        read: gives its poses [L, 3, V, M], float32, or a FileError.
        events: the file of the events of the same moments, where they are wanted.
    """

    name: str
    label: int
    training: bool
    subject: int | None
    read: Callable[[], Array]
    events: Path | None = None


@dataclass(frozen=True)
class Source:
    """Recordings, to be read in their order.

    Args:
        items: the recordings.
        layout: of their skeletons.
        persons: how many there are in each.
        class_names: what the labels stand for.
        about: what they are, in a line.
        bad: files that are no recordings, by their names already.
        said: what was left out and why, in sentences.
        apart: whether every recording can be read by another process.
        close: ends the reading.
    """

    items: Sequence[Item]
    layout: Layout
    persons: int
    class_names: tuple[str, ...]
    about: str
    bad: tuple[FileError, ...] = ()
    said: tuple[str, ...] = ()
    apart: bool = False
    close: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def check_count(where: str, count: int) -> None:
    """Refuses a file that announces more recordings than there can be."""
    if count > MOST_RECORDINGS:
        raise FileError(where, f"{count:,} recordings", f"at most {MOST_RECORDINGS:,}")


def checked(where: str, poses: Array) -> Array:
    """Poses as float32; a FileError when they are not finite, too far away, or all zeros."""
    wide = poses.astype(np.float64)
    if not (np.abs(wide) <= FARTHEST).all():  # also when they are NaN
        raise FileError(where, "places that are not finite, or out of this world", "metres")
    if not wide.any():
        raise FileError(where, "nobody in any frame", "a skeleton", "leave it out")
    return wide.astype(np.float32, order="C")


def names_for(classes: int, layout: Layout, sample: str = "") -> tuple[str, ...]:
    """What labels stand for in a file that does not say it.

    Args:
        classes: how many there are, or so many that labels are below it.
        layout: of the skeletons.
        sample: the name of a recording: where it is one of a public set's, the labels are that set's.
    """
    for each in SETS.values():
        own = len(each.class_names)
        if (classes <= own and each.pattern.fullmatch(sample)) or (classes == own and layout is each.layout):
            return each.class_names
    return tuple(f"class {number}" for number in range(classes))
