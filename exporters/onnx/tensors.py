"""Tensors of an ONNX file as arrays that look into the file: nothing is made before it is known to be there."""

from __future__ import annotations

import math
import mmap
import os
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import numpy as np

from ...toolchain.errors import FileError
from ...toolchain.graph.nodes.base import Array, brief, need, shown
from .messages import TensorPart

BFLOAT16 = 16
TYPES: Mapping[int, tuple[str, str, str]] = {
    # number: (its name, numpy's type, the row that holds it where it does not come as raw bytes)
    1: ("float32", "<f4", "floats"),
    2: ("uint8", "u1", "int32s"),
    3: ("int8", "i1", "int32s"),
    4: ("uint16", "<u2", "int32s"),
    5: ("int16", "<i2", "int32s"),
    6: ("int32", "<i4", "int32s"),
    7: ("int64", "<i8", "int64s"),
    9: ("bool", "?", "int32s"),
    10: ("float16", "<f2", "int32s"),
    11: ("float64", "<f8", "doubles"),
    12: ("uint32", "<u4", "uint64s"),
    13: ("uint64", "<u8", "uint64s"),
    BFLOAT16: ("bfloat16", "<u2", "int32s"),
}
"""The types of numbers that are read."""
OTHERS = {
    0: "none",
    8: "string",
    14: "complex64",
    15: "complex128",
    17: "float8e4m3fn",
    18: "float8e4m3fnuz",
    19: "float8e5m2",
    20: "float8e5m2fnuz",
    21: "uint4",
    22: "int4",
    23: "float4e2m1",
    24: "float8e8m0",
    25: "uint2",
    26: "int2",
}
"""The names of the types that are not."""
MOST_AXES = 32
LARGE = 1 << 20
"""Of a mapped file, more bytes than this are put back once they are copied."""


def type_name(number: int) -> str:
    """What a type is called."""
    return TYPES[number][0] if number in TYPES else OTHERS.get(number, f"type {number}")


class Folder:
    """The folder of a model, and the files beside it that hold its tensors.

    Args:
        path: of the model.
    """

    def __init__(self, path: Path) -> None:
        self.place = path.absolute().parent
        self._open: dict[str, memoryview] = {}

    def content(self, location: str) -> memoryview:
        """The bytes of a file beside the model."""
        if location not in self._open:
            self._open[location] = self._opened(location)
        return self._open[location]

    def _opened(self, location: str) -> memoryview:
        where = f"external data '{brief(location)}'"
        parts = PurePosixPath(location).parts
        inside = bool(parts) and not location.startswith(("/", "~")) and ".." not in parts and "\\" not in location
        need(inside and "\0" not in location, where, "a path that leaves the model's folder", "a file beside the model")
        at = self.place
        for part in parts:
            at = at / part
            need(not at.is_symlink(), where, "a symbolic link", "a file beside the model", "copy the file there")
        return mapped(at, where, "the file that holds the model's weights")


def mapped(path: Path, where: str, expected: str) -> memoryview:
    """A plain file's bytes, without reading them yet.

    Raises:
        FileError: when there is no such file, or it cannot be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        found = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        raise FileError(where, found, expected) from None
    try:
        kind = os.fstat(handle)
        if not stat.S_ISREG(kind.st_mode):
            raise FileError(where, "is a folder" if stat.S_ISDIR(kind.st_mode) else "is no plain file", expected)
        if kind.st_size == 0:
            return memoryview(b"")
        return memoryview(mmap.mmap(handle, 0, access=mmap.ACCESS_READ))
    finally:
        os.close(handle)


def array_of(tensor: TensorPart, folder: Folder) -> Array:
    """The tensor as an array that cannot be written to."""
    need(tensor.type in TYPES, "type", type_name(tensor.type), "real numbers, integers or true and false")
    need(tensor.segment is None, "segment", "a tensor in pieces", "a whole one")
    shape = tuple(tensor.dims.tolist())
    need(len(shape) <= MOST_AXES, "shape", f"{len(shape)} axes", f"at most {MOST_AXES}")
    need(all(n >= 0 for n in shape), "shape", shown(shape), "sizes of at least 0")
    name, dtype, row = TYPES[tensor.type]
    count, size = math.prod(shape), np.dtype(dtype).itemsize
    if tensor.location == 1:
        raw: memoryview | None = _external(tensor, folder, count * size)
    else:
        need(tensor.location == 0 and not tensor.external, "data", "in no known place", "in the file or beside it")
        raw = tensor.raw
    if raw is None:
        numbers: Array = getattr(tensor, row)
        flat = _typed(numbers, dtype, count, shape)
    else:
        found = f"{len(raw)} bytes for shape {shown(shape)} of {name}"
        need(len(raw) == count * size, "data", found, f"{count * size}, {size} each")
        flat = np.frombuffer(raw, dtype)
    made = _native(flat, tensor.type)
    if raw is not None and made is not flat:
        _put_back(raw)
    return made.reshape(shape)


def _put_back(raw: memoryview) -> None:
    """What was copied out of a mapped file need not stay in memory; whoever looks again reads it again."""
    whole = raw.obj
    if isinstance(whole, mmap.mmap) and len(raw) > LARGE:
        start = _address(raw) - _address(memoryview(whole))
        first = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
        whole.madvise(mmap.MADV_DONTNEED, first, start + len(raw) - first)


def _address(view: memoryview) -> int:
    return int(np.frombuffer(view, np.uint8).ctypes.data)


def _typed(row: Array, dtype: str, count: int, shape: tuple[int, ...]) -> Array:
    """Numbers from a row of the message; halves lie there as the integers of their bits."""
    need(row.size == count, "data", f"{row.size} numbers for shape {shown(shape)}", f"{count}")
    if dtype in ("<f4", "<f8"):
        return row
    if dtype == "<f2":
        return row.astype(np.uint16).view(np.float16)
    if dtype == "?":
        return np.asarray(row != 0)
    made = row.view(np.uint64) if dtype == "<u8" else row.astype(dtype)
    need(dtype == "<u8" or bool((made == row).all()), "data", "numbers beyond their type", f"what {dtype[-2:]} holds")
    return made


def _external(tensor: TensorPart, folder: Folder, size: int) -> memoryview:
    """The bytes of a tensor that lies in another file."""
    told = {entry.key: entry.value for entry in tensor.external}
    need("location" in told, "external data", "without a location", "a file beside the model")
    content = folder.content(told["location"])
    first = _count(told.get("offset", "0"), "offset")
    length = _count(told.get("length", str(size)), "length")
    where = f"external data '{brief(told['location'])}'"
    need(length == size, where, f"a length of {length} bytes", f"{size}, as the shape asks")
    found = f"{len(content)} bytes"
    need(first + length <= len(content), where, found, f"at least {first + length}", "copy the whole file beside it")
    return content[first : first + length]


def _count(text: str, where: str) -> int:
    fits = text.isascii() and text.isdigit() and len(text) < 20
    need(fits, f"external data, {where}", f"'{brief(text)}'", "a number of bytes")
    return int(text)


def _native(flat: Array, kind: int) -> Array:
    """As this machine computes with it: aligned in memory, and bfloat16 as float32, which holds it exactly."""
    if kind == BFLOAT16:
        flat = (flat.astype(np.uint32) << np.uint32(16)).view(np.float32)
    elif flat.dtype == np.bool_:
        flat = flat.view(np.uint8) != 0
    if not (flat.flags.aligned and flat.dtype.isnative):
        flat = np.array(flat, flat.dtype.newbyteorder("="))
    flat.flags.writeable = False
    return flat
