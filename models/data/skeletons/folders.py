"""Folders of recordings, one file for each, whose names say who does what: NTU RGB+D and NW-UCLA."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np

from ....toolchain.errors import FileError
from ....toolchain.tables import counted
from .bodies import Persons, read_poses
from .recordings import Array, content
from .sets import DataSet, Name, is_missing
from .sources import Item, Source, checked

LARGEST_JSON = 8 << 20


def read_ucla(path: str | Path) -> Array:
    """The poses [L, 3, 20, 1] in a .json file of NW-UCLA, {"skeletons": [L][20][3], …}, float32.

    Raises:
        FileError: when it is no such file.
    """
    expected = "a .json file of NW-UCLA with skeletons [frames][20][3]"
    data = content(Path(path), LARGEST_JSON, expected)
    try:
        held = json.loads(data)
        places = np.asarray(held["skeletons"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise FileError(str(path), f"no such file ({type(error).__name__})", expected) from error
    if places.ndim != 3 or places.shape[1:] != (20, 3) or places.dtype.kind not in "if":
        raise FileError(str(path), f"skeletons of shape {list(places.shape)}", expected)
    return checked(str(path), places.transpose(0, 2, 1)[..., None])


def folder_source(folder: Path, data: DataSet, split: str, persons: Persons) -> Source:
    """The recordings of a data set in a folder and the folders in it.

    Left out, and said: recordings of a larger set, and those that the authors of the set say to leave out.
    """
    trains = data.split(split)
    files = sorted(file for file in folder.rglob(f"*{data.suffix}") if file.is_file())
    if not files:
        raise FileError(str(folder), f"no {data.suffix} file in it", f"recordings of {data.name}, {data.form}")
    named, bad = _named(files, data)
    held = [(file, name) for file, name in named if data.holds(name)]
    kept = [(file, name) for file, name in held if not is_missing(name)]
    read = read_ucla if data.suffix == ".json" else partial(read_poses, persons=persons)
    items = [Item(name.text, data.label(name), trains(name), name.subject, partial(read, file)) for file, name in kept]
    count = 1 if data.suffix == ".json" else persons.count
    about = f"{data.name}, split {split}"
    return Source(items, data.layout, count, data.class_names, about, bad, _said(named, held, kept), apart=True)


Named = list[tuple[Path, Name]]


def _named(files: list[Path], data: DataSet) -> tuple[Named, tuple[FileError, ...]]:
    named: Named = []
    bad = []
    for file in files:
        try:
            named.append((file, data.named(file)))
        except FileError as error:
            bad.append(error)
    return named, tuple(bad)


def _said(named: Named, held: Named, kept: Named) -> tuple[str, ...]:
    others, missing = len(named) - len(held), len(held) - len(kept)
    said = [f"left out: {counted(others, 'recording')} of a larger set"] if others else []
    if missing:
        said.append(f"left out: {counted(missing, 'recording')} whose skeletons the authors of the set call incomplete")
    return tuple(said)
