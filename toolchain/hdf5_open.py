"""What an HDF5 file holds, as plain arrays: another process has read it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .graph.arrays import NARROW
from .graph.nodes.base import Array, frozen_integers
from .opening import Wanted, opened, status_of

READER = Path(__file__).with_name("hdf5_tree.py")


@dataclass(frozen=True)
class Limits:
    """What a file may ask for.

    Args:
        depth: how deep its groups go.
        objects: the most groups and values it may have.
        size: the most bytes all values may take together.
        word: what it is, for the message when it asks for more.
        seconds: the most processor time that it may take, and one more for every 20 MB of it.
        attributes: whether the attributes of groups are values too, of the path `group@name`.
    """

    depth: int
    objects: int
    size: int
    word: str
    seconds: int = 10
    attributes: bool = False

    def text(self) -> str:
        """As the process takes it."""
        return json.dumps(vars(self))


@dataclass(frozen=True, eq=False)
class Contents:
    """What a file holds.

    Args:
        name: of the file, for messages.
        values: numbers and texts by path; texts are arrays of bytes.
        groups: the paths of groups.
        others: the paths of what is neither, and what it is.
        attributes: which of the values are attributes of a group, `group@name`.
        children: (derived) the names in each group.
    """

    name: str
    values: Mapping[str, Array]
    groups: frozenset[str]
    others: Mapping[str, str] = field(default_factory=dict)
    attributes: frozenset[str] = frozenset()
    children: Mapping[str, tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        held: dict[str, list[str]] = {}
        for path in sorted((*self.values, *self.groups, *self.others)):
            group, _, name = path.rpartition("/")
            if path not in self.attributes:
                held.setdefault(group, []).append(name)
        object.__setattr__(self, "children", {group: tuple(names) for group, names in held.items()})

    def below(self, group: str) -> tuple[str, ...]:
        """The names in a group."""
        return self.children.get(group, ())


def open_hdf5(path: str | Path, wanted: Wanted, limits: Limits) -> Contents:
    """All that an HDF5 file holds.

    Raises:
        FileError: when it is no such file, or must not be read.
    """
    with opened(path, READER, wanted, limits.text()) as (folder, status):
        return _taken(folder, str(path), status)


def contents_in(folder: Path, name: str, wanted: Wanted) -> Contents:
    """What the process has left in its folder.

    Raises:
        FileError: when that is an error.
    """
    return _taken(folder, name, status_of(folder, name, wanted))


def _taken(folder: Path, name: str, status: Mapping[str, Any]) -> Contents:
    values: dict[str, Array] = {}
    groups, others, attributes = [], {}, []
    with (folder / "values.bin").open("rb") as stream:
        for path, kind, *form in status["entries"]:
            if kind.startswith("@"):
                attributes.append(path)
            if form:
                values[path] = _read(stream, *form)
            elif kind == "group":
                groups.append(path)
            else:
                others[path] = kind
    return Contents(name, values, frozenset(groups), others, frozenset(attributes))


def _read(stream: Any, dtype: str, shape: list[int]) -> Array:
    """The next array of the file; read-only, so that a node holds it without a copy, and large integers as it does."""
    flat = np.fromfile(stream, np.dtype(dtype), math.prod(shape))
    if flat.dtype.kind == "i" and flat.size > MANY:
        flat = frozen_integers(flat, types=NARROW)
    flat.flags.writeable = False
    return flat.reshape(shape)


MANY = 1 << 12
"""So many integers are held in as few bytes as a network of integers holds them in."""
