"""The .npz files of the published codes: x_train, y_train, x_test, y_test.

    x: [N, L, M·V·3], zeros behind a recording's last frame          y: [N, classes], one 1 in each row; or labels [N]

Where a recording has one person, the published preparation writes him twice; so he is read.

Such a file unpacks to many gigabytes, so its rows are read one after the other.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from ....toolchain.errors import FileError
from ....toolchain.simulate.memory import amount
from .layouts import NTU, UCLA, Layout
from .recordings import Array
from .sources import Item, Source, check_count, checked, names_for

WIDTHS: Mapping[int, tuple[Layout, int]] = {150: (NTU, 2), 75: (NTU, 1), 60: (UCLA, 1)}
"""Layout and number of persons by the values of a frame."""
LARGEST_ROW, LARGEST_LABELS = 256 << 20, 1 << 30
_EXPECTED = "a .npz file with x_train, y_train, x_test and y_test"
_PARTS = ("train", "test")


def packed_source(path: Path) -> Source:
    """The recordings in such a file; its own split."""
    with _explained(path):
        packed = zipfile.ZipFile(path)
        try:
            rows = {part: _Rows(path, packed, f"x_{part}") for part in _PARTS}
            labels = {part: _labels(path, packed, f"y_{part}", len(rows[part])) for part in _PARTS}
            layout, persons = _layout(path, rows)
        except BaseException:
            packed.close()
            raise
    classes = max(count for _, count in labels.values())
    items = [
        Item(f"x_{part}[{n}]", int(label), part == "train", None, partial(rows[part].poses, n, layout, persons))
        for part in _PARTS
        for n, label in enumerate(labels[part][0])
    ]
    about = f"{path.name}, its own split"
    return Source(items, layout, persons, names_for(classes, layout), about, close=packed.close)


def _layout(path: Path, rows: Mapping[str, _Rows]) -> tuple[Layout, int]:
    widths = {each.shape[2] for each in rows.values()}
    if len(widths) > 1 or min(widths) not in WIDTHS:
        found = f"{' and '.join(map(str, sorted(widths)))} values in a frame"
        expected = ", ".join(f"{width} ({persons} × {each.name})" for width, (each, persons) in WIDTHS.items())
        raise FileError(str(path), found, f"one of {expected}")
    return WIDTHS[min(widths)]


class _Rows:
    """The rows of an array in an .npz file, read forwards."""

    def __init__(self, path: Path, packed: zipfile.ZipFile, name: str) -> None:
        self.path, self.packed, self.name = path, packed, name
        self.stream, self.shape, self.dtype = _opened(path, packed, name)
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise FileError(str(path), f"{name} of shape {list(self.shape)}", "[recordings, frames, values]")
        check_count(f"{path}, {name}", self.shape[0])
        self.size = self.shape[1] * self.shape[2] * self.dtype.itemsize
        if self.size > LARGEST_ROW:
            raise FileError(str(path), f"{name} with {amount(self.size)} for a recording", amount(LARGEST_ROW))
        self.next = 0

    def __len__(self) -> int:
        return self.shape[0]

    def poses(self, index: int, layout: Layout, persons: int) -> Array:
        """The poses of a recording, [L, 3, V, M]; those before it are passed over."""
        with _explained(self.path):
            if index < self.next:
                self.next, self.stream = 0, _opened(self.path, self.packed, self.name)[0]
            while self.next <= index:
                data = self.stream.read(self.size)
                self.next += 1
                if len(data) < self.size:
                    raise FileError(str(self.path), f"{self.name} ends in row {self.next} of {len(self)}", _EXPECTED)
        row = np.frombuffer(data, self.dtype).reshape(-1, persons, len(layout.joints), 3)
        return checked(f"{self.path}, {self.name}[{index}]", row.transpose(0, 3, 2, 1))


def _opened(path: Path, packed: zipfile.ZipFile, name: str) -> tuple[IO[bytes], tuple[int, ...], np.dtype[Any]]:
    """The values of an array as a stream, behind its header."""
    if f"{name}.npy" not in packed.namelist():
        raise FileError(str(path), f"no {name} in it", _EXPECTED)
    stream = packed.open(f"{name}.npy")
    version = npy.read_magic(stream)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, columns, dtype = read(stream)
    if dtype.kind not in "biuf" or (columns and len(shape) > 1):
        raise FileError(
            str(path), f"{name} of type {dtype}{', column by column' * columns}", "real numbers, row by row"
        )
    return stream, shape, dtype


def _labels(path: Path, packed: zipfile.ZipFile, name: str, rows: int) -> tuple[Array, int]:
    """Labels, and the number of classes."""
    stream, shape, dtype = _opened(path, packed, name)
    expected = f"[{rows}] or [{rows}, classes]"
    size = int(np.prod(shape, dtype=np.float64)) * dtype.itemsize
    if len(shape) not in (1, 2) or shape[0] != rows or size > LARGEST_LABELS or shape[-1] == 0:
        raise FileError(str(path), f"{name} of shape {list(shape)}", expected)
    values = np.frombuffer(stream.read(size), dtype).reshape(shape)
    if values.ndim == 2 and not ((values != 0).sum(axis=1) == 1).all():
        raise FileError(str(path), f"{name} has a row without exactly one class", "one 1 in each row")
    if values.ndim == 2:
        return (values != 0).argmax(axis=1), shape[1]
    if not ((values >= 0) & (values < 10_000) & (values == np.round(values))).all():
        raise FileError(str(path), f"{name} has values that are no labels", "whole numbers from 0 on")
    return values.astype(np.int64), int(values.max()) + 1


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FileError(str(path), f"cannot be read ({error.strerror or error})", _EXPECTED) from error
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        first = str(error).split("\n")[0][:100]
        raise FileError(str(path), f"a broken file ({first})", _EXPECTED) from error
