"""The contents of an HDF5 file, taken out by a process of its own: `python -I hdf5_tree.py FILE FOLDER LIMITS`.

A file from a stranger may make HDF5's library crash, hang or take all memory, so another process than ours opens it,
with limits of its own; nothing here imports the rest of the package. It writes into FOLDER

    status.json     {"entries": [[path, "array"|"text", type, shape] or [path, "group"|reason why it was not read], …]}
                    with an @ before the word where it is an attribute; or {"where": path, "error": text}
    values.bin      the bytes of every value, one after the other

Only links of a file to its own objects are followed, and only contents that are really in it are read: no external or
soft links, no virtual or external storage, no more values than the limit, and none that a dataset without compression
declares beyond the size of the file. Values are written one by one, so that never more than one is in memory.
"""

from __future__ import annotations

import json
import math
import resource
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np

EASY, RATIO = 32 << 20, 1100
"""What a compressed dataset may declare: so many bytes, or so many times the bytes of the file, as deflate can do."""
MEMORY = 6 << 30
"""The most address space the process may take."""
SPEED = 20 << 20
"""The bytes of the file for which it may take another second of processor time."""
TEXTS = 64 << 20
"""The most bytes that the texts of one value may take."""
SCALARS = "iubf"
"""The kinds of numbers that files hold."""


class Unreadable(Exception):
    """A file that must not or cannot be read.

    Args:
        where: the path in the file.
        found: what is wrong there.
    """

    def __init__(self, where: str, found: str) -> None:
        super().__init__(where, found)
        self.where = where
        self.found = found


class Tree:
    """The contents of a file, taken out step by step.

    Args:
        size: the bytes of the file.
        limits: depth, objects, size and attributes, as hdf5_open's Limits.
        values: where the values go.
    """

    def __init__(self, size: int, limits: dict[str, Any], values: BinaryIO) -> None:
        self.size = size
        self.limits = limits
        self.most = int(limits["objects"])
        self.largest = int(limits["size"])
        self.values = values
        self.entries: list[list[Any]] = []
        self.taken = 0

    def take(self, group: Any, path: str, depth: int) -> None:
        """All that hangs below a group."""
        if depth > self.limits["depth"]:
            raise Unreadable(path[:200], f"groups more than {self.limits['depth']} deep")
        if self.limits["attributes"]:
            self._take_attributes(group, path)
        for name in self._names(group, path):
            self._take_one(group, name, f"{path}/{name}", depth)

    def _names(self, group: Any, path: str) -> Iterator[str]:
        if len(group) + len(self.entries) > self.most:
            raise Unreadable(path, f"more than {self.most} objects")
        names = list(group.keys())
        if not all(isinstance(name, str) for name in names):
            raise Unreadable(path, "a name that is not UTF-8")
        yield from sorted(names)

    def _take_attributes(self, group: Any, path: str) -> None:
        if len(group.attrs) + len(self.entries) > self.most:
            raise Unreadable(path, f"more than {self.most} objects")
        for name in sorted(group.attrs.keys()):
            place = f"{path}@{name}"
            held = group.attrs.get_id(name)
            self._take_held(held, place, partial(group.attrs.__getitem__, name), most=self.size, mark="@")

    def _take_one(self, group: Any, name: str, path: str, depth: int) -> None:
        if len(self.entries) > self.most:
            raise Unreadable(path, f"more than {self.most} objects")
        link = group.id.links.get_info(name.encode()).type
        if link != h5py.h5l.TYPE_HARD:
            raise Unreadable(path, "a link into another file" if link == h5py.h5l.TYPE_EXTERNAL else "a soft link")
        found = h5py.h5o.open(group.id, name.encode())
        if isinstance(found, h5py.h5g.GroupID):
            self.entries.append([path, "group"])
            self.take(h5py.Group(found), path, depth + 1)
        elif isinstance(found, h5py.h5d.DatasetID):
            self._take_dataset(h5py.Dataset(found), path)
        else:
            self.entries.append([path, "a named type"])

    def _take_dataset(self, found: Any, path: str) -> None:
        made = found.id.get_create_plist()
        if made.get_layout() == h5py.h5d.VIRTUAL or made.get_external_count():
            raise Unreadable(path, "values that lie in another file")
        plain = made.get_nfilters() == 0
        self._take_held(found, path, lambda: found[()], most=self.size if plain else max(EASY, RATIO * self.size))

    def _take_held(self, held: Any, path: str, read: Callable[[], Any], *, most: int, mark: str = "") -> None:
        """A value of at most so many bytes."""
        dtype, shape = held.dtype, held.shape
        kind = _kind(dtype)
        if kind not in ("array", "text"):
            self.entries.append([path, mark + kind])
            return
        self._check_size(shape, dtype.itemsize, path, most)
        value = self._texts(read(), path) if kind == "text" else np.asarray(read())
        value = value.astype(value.dtype.newbyteorder("="), order="C", copy=False)
        self.values.write(value.reshape(-1).view(np.uint8).data if value.size else b"")
        self.entries.append([path, mark + kind, value.dtype.str, list(value.shape)])

    def _check_size(self, shape: Any, width: int, path: str, most: int) -> None:
        if shape is None:
            raise Unreadable(path, "no values at all")
        declared = math.prod(int(n) for n in shape) * width
        self.taken += declared
        if self.taken > self.largest:
            raise Unreadable(path, f"shape {list(shape)}: more than {self.largest >> 20} MB in all")
        if declared > most:
            raise Unreadable(path, f"shape {list(shape)}, which the file is too small to hold")

    def _texts(self, value: Any, path: str) -> Any:
        """Texts as bytes of one length."""
        texts = np.asarray(value)
        flat = [text if isinstance(text, bytes) else str(text).encode("utf-8", "replace") for text in texts.ravel()]
        widest = max((len(text) for text in flat), default=1)
        if widest * len(flat) > TEXTS:
            raise Unreadable(path, f"{len(flat)} texts of up to {widest} bytes")
        return np.array(flat, dtype=f"S{max(widest, 1)}").reshape(texts.shape)


def _kind(dtype: Any) -> str:
    """array, text, or why it is neither."""
    if h5py.check_string_dtype(dtype) is not None:
        return "text"
    if dtype.kind in SCALARS and dtype.itemsize <= 8 and dtype.subdtype is None:
        return "array"
    return "references" if h5py.check_ref_dtype(dtype) else f"values of type {str(dtype)[:60]}"


def told(path: Path, folder: Path, limits: dict[str, Any]) -> None:
    """Writes what a file holds, or why it cannot be read."""
    try:
        with (folder / "values.bin").open("wb") as values, h5py.File(path, "r", locking=False) as file:
            tree = Tree(path.stat().st_size, limits, values)
            tree.take(file, "", 0)
        status: dict[str, Any] = {"entries": tree.entries}
    except Unreadable as error:
        status = {"where": error.where, "error": error.found}
    except MemoryError:
        status = {"where": "", "error": f"it asks for more memory than {limits['word']} needs"}
    except Exception as error:  # whatever HDF5's library says of a broken file
        status = {"where": "", "error": " ".join(str(error).split())[:300] or type(error).__name__}
    draft = folder / "status.draft"
    draft.write_text(json.dumps(status))
    draft.replace(folder / "status.json")


def main(path: str, folder: str, limits: str) -> None:
    """The process."""
    allowed = json.loads(limits)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    seconds = int(allowed["seconds"]) + Path(path).stat().st_size // SPEED
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    told(Path(path), Path(folder), allowed)


if __name__ == "__main__":
    main(*sys.argv[1:4])
