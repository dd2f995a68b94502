"""Event files: text with four columns or a header, arrays (structured, by name, or four columns), groups of HDF5."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

import numpy as np

from .errors import FileError
from .events import CALLED, COLUMNS, Events, named, plain
from .graph.nodes.base import Array
from .hdf5_open import Contents, Limits, open_hdf5
from .opening import Wanted
from .simulate.memory import amount, available

TEXT = (".csv", ".txt")
HDF5 = (".h5", ".hdf5")
EVENTS = (*TEXT, *HDF5)
"""Suffixes of files that hold events and no values in steps."""
LONGEST_LINE = 4096
LEAD = 1000
"""So many comments and empty lines may stand before the first event."""
BLOW_UP = 8
"""So many times its size a text takes in memory while it is read, at most."""


WANTED = Wanted("events", "HDF5's library", "an HDF5 file with a group of columns x, y, t, p", "see what wrote it")
MOST_BYTES = 4 << 30
"""What the columns of a file may take together; in memory they take up to `BLOW_UP` times as much."""


def from_events(path: Path) -> Events:
    """Events from a file that holds nothing else, text or HDF5."""
    return from_text(path) if path.suffix in TEXT else from_hdf5(path)


def from_hdf5(path: Path) -> Events:
    """Events from the one group of a file, or the file itself, that has columns for x and t; what lies beside is not.

    In the group every column is taken by its name. A table of several columns without names says not which is which.
    """
    return in_contents(contents_of(path))


def contents_of(path: Path, *, attributes: bool = False) -> Contents:
    """All that an HDF5 file of events holds; the attributes of its groups too where they are asked for."""
    free = available()
    size = MOST_BYTES if free is None else min(MOST_BYTES, free // BLOW_UP)
    limits = Limits(depth=3, objects=1000, size=size, word="a file of events", attributes=attributes)
    return open_hdf5(path, WANTED, limits)


def in_contents(held: Contents) -> Events:
    """The events of a file that is open; see `from_hdf5`."""
    groups = {group: _columns(held, group) for group in ("", *sorted(held.groups))}
    with_events = [group for group, columns in groups.items() if {"x", "t"} <= {CALLED[each] for each in columns}]
    if len(with_events) != 1:
        found = f"{len(with_events)} groups with columns x and t: {', '.join(sorted(held.values))[:120] or 'nothing'}"
        raise FileError(held.name, found, "one group with columns x, y, t and p")
    return named(held.name, groups[with_events[0]])


def _columns(held: Contents, group: str) -> dict[str, Array]:
    """What in a group is called as columns of events are."""
    paths = {below.lower(): f"{group}/{below}" for below in held.below(group) if below.lower() in CALLED}
    return {name: held.values[path] for name, path in paths.items() if path in held.values}


def from_text(path: Path) -> Events:
    """Events from lines of numbers with commas, semicolons or blanks between; a header may name the columns."""
    name = str(path)
    free = available()
    if free is not None and path.stat().st_size * BLOW_UP > free:
        raise FileError(name, f"{amount(path.stat().st_size)} of text", f"at most {amount(free // BLOW_UP)} here")
    try:
        with path.open(encoding="utf-8") as lines:
            skipped, first = _first(name, lines)
        delimiter = next((mark for mark in ",;\t" if mark in first), None)
        header = _header(first.lstrip("#").split(delimiter))
        skip = skipped + bool(header)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a header and nothing behind it
            rows = np.loadtxt(path, delimiter=delimiter, skiprows=skip, ndmin=2, encoding="utf-8", comments="#")
    except (ValueError, OSError, UserWarning) as error:
        raise FileError(name, f"cannot be read ({str(error)[:120]})", "four columns of numbers: x, y, t, p") from error
    if not header:
        return plain(name, rows)
    if len(header) != rows.shape[1]:
        raise FileError(name, f"{len(header)} names and {rows.shape[1]} columns", "as many of each")
    return named(name, {title: rows[:, index] for index, title in enumerate(header)})


def _first(name: str, lines: TextIO) -> tuple[int, str]:
    """How many lines stand before the first that is an event or a header, and that line."""
    for index, line in enumerate(lines.readline(LONGEST_LINE + 1) for _ in range(LEAD)):
        if len(line) > LONGEST_LINE:
            raise FileError(name, f"a line of over {LONGEST_LINE} characters", "a line for each event")
        bare = line.strip()
        words = re.split(r"[,;\s]+", bare.lstrip("#").strip().lower())
        if bare and (not bare.startswith("#") or set(words) <= set(CALLED)):
            return index, bare
    raise FileError(name, "no events", "a line for each event: x, y, t, p")


def _header(words: list[str]) -> list[str]:
    """The names of columns, if these words are names."""
    bare = [word.strip().strip('"') for word in words if word.strip()]
    names = any(word.lower() in CALLED for word in bare) or not any(map(_number, bare))
    return bare if names else []


def _number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def from_arrays(path: Path, arrays: Mapping[str, Array], shape: tuple[int, ...]) -> Events | None:
    """The events that arrays are, or nothing when they are values [T, B, *shape] of an input."""
    if len(arrays) == 1:
        (only,) = arrays.values()
        if only.dtype.names is not None:
            return named(str(path), {name: only[name].reshape(-1) for name in only.dtype.names})
        # Two axes are too few for values, but of an input of four values somebody may have forgotten the batch.
        rows = only.ndim == 2 and only.shape[1] == len(COLUMNS) and shape not in ((), (len(COLUMNS),))
        return plain(str(path), only) if rows else None
    columns = {CALLED.get(name.lower()) for name in arrays}
    return named(str(path), arrays) if {"x", "t"} <= columns else None
