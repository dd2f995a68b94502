"""The contents of an HDF5 file, taken out by a process of its own: `python -I netx_tree.py FILE FOLDER`.

A file from a stranger may make HDF5's library crash, hang or take all memory, so another process than ours opens it,
with limits of its own; nothing here imports the rest of the package. It writes into FOLDER

    status.json     {"entries": [[path, "array"|"text"|"group"|reason why it was not read], …]} or {"error": text}
    values.npz      the value of entry k under the name k

Only links of a file to its own objects are followed, and only contents that are really in it are read: no external or
soft links, no virtual or external storage, no more values than `LARGEST` bytes hold, and none that a dataset without
compression declares beyond the size of the file.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

DEPTH = 5
"""How deep a netx file goes: /layer/3/weight/real, and one more for what should not be there."""
MOST = 20_000
"""The most objects a file may have."""
LARGEST = 1 << 30
"""The most bytes all values may take together."""
EASY, RATIO = 32 << 20, 1100
"""What a compressed dataset may declare: so many bytes, or so many times the bytes of the file, as deflate can do."""
MEMORY = 6 << 30
"""The most address space the process may take."""
SECONDS = 10
"""The most processor time it may take, and one more for every `SPEED` bytes of the file."""
SPEED = 20 << 20
SCALARS = "iubf"
"""The kinds of numbers that netx files hold."""


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
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.entries: list[tuple[str, str]] = []
        self.values: dict[str, Any] = {}
        self.taken = 0

    def take(self, group: Any, path: str, depth: int) -> None:
        """All that hangs below a group."""
        if depth > DEPTH:
            raise Unreadable(path, f"groups more than {DEPTH} deep")
        for name in self._names(group, path):
            self._take_one(group, name, f"{path}/{name}", depth)

    def _names(self, group: Any, path: str) -> Iterator[str]:
        if len(group) + len(self.entries) > MOST:
            raise Unreadable(path, f"more than {MOST} objects")
        yield from sorted(group.keys())

    def _take_one(self, group: Any, name: str, path: str, depth: int) -> None:
        if len(self.entries) > MOST:
            raise Unreadable(path, f"more than {MOST} objects")
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            kind = "a link into another file" if isinstance(link, h5py.ExternalLink) else "a soft link"
            raise Unreadable(path, kind)
        found = group[name]
        if isinstance(found, h5py.Group):
            self.entries.append((path, "group"))
            self.take(found, path, depth + 1)
        elif isinstance(found, h5py.Dataset):
            self._take_values(found, path)
        else:
            self.entries.append((path, "a named type"))

    def _take_values(self, dataset: Any, path: str) -> None:
        if dataset.is_virtual or dataset.external:
            raise Unreadable(path, "values that lie in another file")
        kind = _kind(dataset.dtype)
        if kind in ("array", "text"):
            self._check_size(dataset, path)
            value = _texts(dataset[()]) if kind == "text" else np.asarray(dataset[()])
            self.values[str(len(self.entries))] = value.astype(value.dtype.newbyteorder("="))
        self.entries.append((path, kind))

    def _check_size(self, dataset: Any, path: str) -> None:
        if dataset.shape is None:
            raise Unreadable(path, "no values at all")
        declared = int(np.prod([int(n) for n in dataset.shape], dtype=object)) * dataset.dtype.itemsize
        self.taken += declared
        if self.taken > LARGEST:
            raise Unreadable(path, f"shape {list(dataset.shape)}: more than {LARGEST >> 20} MB in all")
        plain = dataset.id.get_create_plist().get_nfilters() == 0
        if declared > (self.size if plain else max(EASY, RATIO * self.size)):
            raise Unreadable(path, f"shape {list(dataset.shape)}, which the file is too small to hold")


def _kind(dtype: Any) -> str:
    """array, text, or why it is neither."""
    if h5py.check_string_dtype(dtype) is not None:
        return "text"
    if dtype.kind in SCALARS and dtype.itemsize <= 8 and dtype.subdtype is None:
        return "array"
    return "references" if h5py.check_ref_dtype(dtype) else f"values of type {str(dtype)[:60]}"


def _texts(value: Any) -> Any:
    """Texts as bytes of one length."""
    texts = np.asarray(value)
    flat = [text if isinstance(text, bytes) else str(text).encode("utf-8", "replace") for text in texts.ravel()]
    return np.array(flat, dtype="S").reshape(texts.shape)


def contents(path: Path) -> Tree:
    """All that a file holds."""
    tree = Tree(path.stat().st_size)
    with h5py.File(path, "r", locking=False) as file:
        tree.take(file, "", 0)
    return tree


def told(path: Path, folder: Path) -> None:
    """Writes what a file holds, or why it cannot be read."""
    try:
        tree = contents(path)
        np.savez(folder / "values.npz", **tree.values)
        status: dict[str, Any] = {"entries": tree.entries}
    except Unreadable as error:
        status = {"where": error.where, "error": error.found}
    except MemoryError:
        status = {"where": "", "error": "it asks for more memory than a netx file needs"}
    except Exception as error:  # whatever HDF5's library says of a broken file
        status = {"where": "", "error": " ".join(str(error).split())[:300] or type(error).__name__}
    draft = folder / "status.draft"
    draft.write_text(json.dumps(status))
    draft.replace(folder / "status.json")


def main(path: str, folder: str) -> None:
    """The process."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    seconds = SECONDS + Path(path).stat().st_size // SPEED
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    told(Path(path), Path(folder))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
