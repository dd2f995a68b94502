"""Values in steps from a file: an array [T, B, *shape] of a .npy or a .npz, with labels or without.

Files are mapped into memory, not read: the arrays of a .npz that was not compressed too, where they lie in it. Nothing
is unpickled.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ...toolchain.errors import FileError
from ...toolchain.graph.nodes.base import BRIEF, Array, shown
from ...toolchain.graph.signal import Signal
from ...toolchain.simulate.memory import amount, available
from .sources import Stamp, classes_of, digest_of, file_digest, finite

LOCAL_HEADER = struct.Struct("<4s22xHH")
"""Of a member of a zip file: its mark, and the lengths of its name and of what stands behind that."""
MARK = b"PK\x03\x04"


@dataclass(frozen=True, eq=False)
class Values:
    """Samples of one array.

    Args:
        path: the file.
        values: [T, B, *shape].
        places: the class of each sample.
        class_names: what the classes are called.
        carries: what the values promise to be.
        count: how many samples are taken.
        stamp: of the file when it was opened.
        name: the input that they are for, where there are several.
    """

    path: Path
    values: Array
    places: Array | None
    class_names: tuple[str, ...]
    carries: str
    count: int
    stamp: Stamp
    name: str = ""

    @staticmethod
    def of(
        path: Path, values: Array, labels: Array | None, signal: Signal | None, samples: int | None, name: str = ""
    ) -> Values:
        """An array of a file, checked.

        Args:
            path: the file.
            values: the array.
            labels: of its samples, as the file has them.
            signal: what the network's input takes, where it is known.
            samples: how many of them; None: all.
            name: the input, where there are several.
        """
        where = _called(path, name)
        if values.dtype.kind not in "biuf":
            raise FileError(where, f"values of type {values.dtype}", "real numbers")
        if signal is not None:
            _check_shape(where, values, signal.shape)
        elif values.ndim < 2:
            raise FileError(where, f"values of shape {shown(values.shape)}", "[T,B,...]: steps, samples, shape")
        if 0 in values.shape:
            raise FileError(where, f"no samples: values of shape {shown(values.shape)}", "at least one")
        count = values.shape[1] if samples is None else min(samples, values.shape[1])
        places, names = (None, ()) if labels is None else classes_of(labels, values.shape[1], str(path))
        promise = "spikes" if values.dtype.kind == "b" else "graded" if signal is None else str(signal.carries)
        return Values(path, values, places, names, promise, count, Stamp.of(path), name)

    def __len__(self) -> int:
        return self.count

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one step of one sample."""
        return tuple(self.values.shape[2:])

    @cached_property
    def identity(self) -> str:
        """Of the whole content."""
        return digest_of("values", file_digest(self.path), self.count)

    @property
    def about(self) -> str:
        """In words."""
        part = "" if self.count == self.values.shape[1] else f"the first {self.count:,} of "
        return f"{self.path}, {part}{self.values.shape[1]:,} samples"

    @property
    def together(self) -> None:
        """All samples have the same number of steps."""

    @property
    def travels(self) -> bool:
        """Other machines need not have the file."""
        return False

    def batch(self, indices: Sequence[int]) -> tuple[Array, Array | None]:
        """Some samples, copied out of the file."""
        found = np.ascontiguousarray(self.values[:, list(indices)])
        finite(_called(self.path, self.name), found, indices)
        return found, None if self.places is None else self.places[list(indices)]

    def said(self, indices: Sequence[int]) -> tuple[str, ...]:  # noqa: ARG002 - as the protocol has it
        """Nothing is left out without being asked for."""
        return ()

    def check_unchanged(self) -> None:
        """The file is the one that was opened."""
        self.stamp.check()


def _called(path: Path, name: str) -> str:
    """What messages call an array."""
    return f"{path}, '{name}'" if name else str(path)


def _check_shape(where: str, values: Array, shape: tuple[int, ...]) -> None:
    if values.shape[2:] != shape or values.ndim < 2:
        expected = f"[T,B{''.join(f',{n}' for n in shape)}]"
        fix = "add an axis for the samples: x[:, None]" if values.shape[1:] == shape else ""
        raise FileError(where, f"values of shape {shown(values.shape)}", expected, fix)


def mapped(path: Path) -> dict[str, Array]:
    """The arrays of a .npy or .npz file by name, mapped where they can be; a FileError for any other file."""
    if not path.is_file():
        raise FileError(str(path), "there is no such file", "a .npy or .npz file")
    try:
        if path.suffix == ".npy":
            return {path.stem: np.load(path, mmap_mode="r", allow_pickle=False)}
        with path.open("rb") as handle, zipfile.ZipFile(handle) as packed:
            return {
                info.filename.removesuffix(".npy"): _member(path, handle, packed, info) for info in packed.infolist()
            }
    except FileError:
        raise
    except Exception as error:  # on a hostile file numpy's and zip's readers raise nearly everything there is
        why = str(error).split("\n")[0][:BRIEF] or type(error).__name__
        raise FileError(str(path), f"cannot be read ({why})", "a .npy or .npz file without pickles") from error


def _member(path: Path, handle: BinaryIO, packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> Array:
    if info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & 1:
        return _stored(path, handle, info)
    free = available()
    if free is not None and info.file_size > free:
        raise FileError(str(path), f"'{info.filename}' unpacks to {amount(info.file_size)}", f"at most {amount(free)}")
    with packed.open(info) as member:
        return np.asarray(np.lib.format.read_array(member, allow_pickle=False))


def _stored(path: Path, handle: BinaryIO, info: zipfile.ZipInfo) -> Array:
    """An array that lies in the file as it is."""
    handle.seek(info.header_offset)
    mark, name, extra = LOCAL_HEADER.unpack(handle.read(LOCAL_HEADER.size))
    start = info.header_offset + LOCAL_HEADER.size + name + extra
    handle.seek(start)
    version = np.lib.format.read_magic(handle)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(handle)
    size, behind = int(np.prod(shape, dtype=object)) * dtype.itemsize, start + info.file_size - handle.tell()
    if mark != MARK or dtype.hasobject or size != behind:
        raise FileError(str(path), f"'{info.filename}' is {shape} of {dtype} in {behind} bytes", "a plain array")
    if size == 0:
        return np.zeros(shape, dtype)
    return np.memmap(path, dtype, "r", handle.tell(), shape, "F" if fortran else "C")
