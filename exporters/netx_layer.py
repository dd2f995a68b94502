"""One layer of a netx file: its values as lava-dl's loader reads them, and what the loader does to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from ..toolchain.errors import FileError, GraphError
from ..toolchain.graph.arrays import NARROW
from ..toolchain.graph.nodes.base import Array, shown
from .netx_open import Contents

CRASH = "lava-dl's loader fails on it"


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer, or one of its groups.

    Args:
        contents: of the file.
        path: of the group.
        label: what messages call it.
        remarks: what there is to say about it; grows.
    """

    contents: Contents
    path: str
    label: str
    remarks: list[str] = field(default_factory=list)

    @property
    def keys(self) -> tuple[str, ...]:
        """The names in it."""
        return self.contents.below(self.path)

    def has(self, key: str) -> bool:
        """Whether there is such a key."""
        path = f"{self.path}/{key}"
        return path in self.contents.values or path in self.contents.groups or path in self.contents.others

    def group(self, key: str) -> Layer:
        """A group in it, whose remarks go to the same list."""
        return Layer(self.contents, f"{self.path}/{key}", self.label, self.remarks)

    def remark(self, key: str, text: str) -> None:
        """Say something about a key."""
        self.remarks.append(f"{self.label}, {key}: {text}" if key else f"{self.label}: {text}")

    def error(self, key: str, found: str, expected: str = "", fix: str = "") -> FileError:
        """The error about a key, or about the whole layer."""
        where = f"{self.contents.name}, {self.label}" + (f", {key}" if key else "")
        return FileError(where, found, expected, fix)

    def crash(self, key: str, found: str, expected: str = "") -> FileError:
        """The error about what makes the loader fail."""
        return self.error(key, f"{found}; {CRASH}", expected)

    def text(self, key: str) -> str:
        """The first of the texts of a key."""
        value = self._value(key)
        if value.dtype.kind != "S" or not value.size:
            raise self.crash(key, f"{_sort(value)} of shape {shown(value.shape)}", "a text")
        try:
            return bytes(value.ravel()[0]).decode("ascii")
        except UnicodeDecodeError:
            raise self.crash(key, "a text that is not ASCII", "a text") from None

    def whole(self, key: str) -> Array:
        """Numbers with their fractions cut off, as the loader does."""
        value = self.numbers(key)
        if value.dtype.kind != "f":
            return value if value.dtype in NARROW else value.astype(np.int64)
        if not np.isfinite(value).all() or np.abs(value).max(initial=0) >= 2.0**62:
            raise self.error(key, "values that are no numbers, or no integers", "integers")
        cut = np.trunc(value)
        if not np.array_equal(cut, value):
            where = tuple(int(i) for i in np.argwhere(cut != value)[0])
            count = int(np.sum(cut != value))
            told = f"{count} fractions cut off, the first {value[where]:g} at {list(where)}"
            self.remark(key, f"{told}: the loader reads integers alone")
        return cut.astype(np.int64)

    def raw(self, key: str) -> Array:
        """Integers as they are; the loader fails later on other numbers."""
        value = self.numbers(key)
        if value.dtype.kind == "f":
            raise self.crash(key, f"numbers of type {value.dtype}", "integers")
        return value.astype(np.int64)

    def one(self, key: str) -> int:
        """One integer, where the loader takes no more."""
        value = self.raw(key)
        if value.size != 1:
            raise self.crash(key, f"{value.size} values", "one")
        return int(value.ravel()[0])

    def numbers(self, key: str) -> Array:
        """Numbers of any type, as they are."""
        value = self._value(key)
        if value.dtype.kind not in "iubf" or not value.size:
            raise self.crash(key, f"{_sort(value)} of shape {shown(value.shape)}", "numbers")
        if value.dtype.kind == "u" and value.dtype.itemsize == 8 and int(value.max()) >= 1 << 62:
            raise self.error(key, f"{int(value.max())}", "integers of at most 62 bits")
        return value

    def _value(self, key: str) -> Array:
        path = f"{self.path}/{key}"
        if path in self.contents.values:
            return self.contents.values[path]
        found = "a group" if path in self.contents.groups else self.contents.others.get(path, "missing")
        raise self.crash(key, found, "a dataset")

    @contextmanager
    def building(self, key: str = "") -> Iterator[None]:
        """Turns what a node says of its fields into a message about the file."""
        try:
            yield
        except GraphError as error:
            where = f"{key}, {error.where}" if key else error.where
            raise self.error(where, error.found, error.expected, error.fix) from error


def _sort(value: Array) -> str:
    return {"S": "texts", "f": "numbers", "b": "truth values"}.get(value.dtype.kind, "integers")
