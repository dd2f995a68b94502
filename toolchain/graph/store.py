"""One file for a network: a safetensors file whose one metadata entry is the network's text form.

    8 bytes   the header's length, little-endian
    header    JSON: {"__metadata__": {"spikeport": TEXT}, HASH: {"dtype", "shape", "data_offsets"}, …}, then blanks
    data      the arrays, one behind the other, little-endian, in C order

TEXT is a line `spikeport-graph 1 digest=… text=…` and the text form, whose first word says what the network is; digest
is the network's content hash, text the hash of the text form itself. An array is called by the hash that the text
names it by, so equal arrays are stored once, and a change anywhere in the file is found out. safetensors has no
complex numbers: a complex array is an array of reals with a last axis of two, real and imaginary part, and is called
HASH.complex. Integers are kept in the narrowest type that holds them, so that a network of 8-bit weights is a file of
bytes. Wider numbers come before narrower ones, each width in the order of its hashes, and the data starts at a
multiple of 64 bytes. So equal networks give equal bytes, and real arrays can be used where they lie: loading maps the
file into memory and copies none of them.
"""

from __future__ import annotations

import hashlib
import json
import math
import mmap
import os
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from ..errors import FileError, GraphError
from ..writing import written_whole
from .content import SHORT
from .graph import Graph
from .network import Network
from .nodes.base import MOST_AXES, Array
from .parser import GRAPHS, Form, N_co, read
from .text import arrays_of, digest, to_text

KEY = "spikeport"
"""The name of the metadata entry."""
VERSION = 1
ALIGNMENT = 64
LONGEST_HEADER = 1 << 24
"""The most bytes of a header: the text of some hundred thousand nodes."""
COMPLEX = ".complex"
_DTYPES: Mapping[str, str] = {"F32": "<f4", "F64": "<f8", "I8": "<i1", "I16": "<i2", "I32": "<i4", "I64": "<i8"}
_NAMES: Mapping[str, str] = {dtype[1:]: name for name, dtype in _DTYPES.items()} | {"c8": "F32", "c16": "F64"}
_FIRST = re.compile(r"spikeport-graph (\d{1,9}) digest=([0-9a-f]{64}) text=([0-9a-f]{16})")
_CALLED = re.compile(rf"[0-9a-f]{{{SHORT}}}(?:{re.escape(COMPLEX)})?")
AGAIN = "get the file anew, or save the graph again"


def save(graph: Network, path: str | os.PathLike[str]) -> None:
    """Write a network to a file, whole or not at all.

    Args:
        graph: the graph, or a network of another class.
        path: the file, by custom with the suffix `.graph`.

    Raises:
        FileError: when the file cannot be written.
    """
    arrays = {_called(name, array): _narrow(array) for name, array in arrays_of(graph).items()}
    arrays = dict(sorted(arrays.items(), key=lambda item: (-item[1].real.itemsize, item[0])))
    head = _header(_signed(graph), arrays)
    if len(head) > LONGEST_HEADER:
        raise FileError(str(path), f"a header of {len(head)} bytes", f"at most {LONGEST_HEADER}", "shorten the notes")
    with written_whole(path) as draft, draft.open("wb") as file:
        file.write(struct.pack("<Q", len(head)) + head)
        for array in arrays.values():
            file.write(array.astype(array.dtype.newbyteorder("<"), copy=False).reshape(-1).data)


def load(path: str | os.PathLike[str]) -> Graph:
    """Read a graph from a file that `save` wrote; `load_any` with graphs alone."""
    return load_any(path, (GRAPHS,))


def load_any(path: str | os.PathLike[str], forms: Sequence[Form[N_co]]) -> N_co:
    """Read a network from a file that `save` wrote; its real arrays are read-only views of the file.

    Args:
        path: the file.
        forms: what the network may be.

    Raises:
        FileError: for any other file, with what was found in it and what was expected.
    """
    file = _File(str(path), _mapped(path))
    text, entries = file.header()
    try:
        graph = read(text.partition("\n")[2], file.arrays(entries), forms)
    except GraphError as error:
        raise FileError(file.name, f"{error.where}: {error.found}", error.expected, error.fix or AGAIN) from None
    file.check(graph, text, entries)
    return graph


def _called(name: str, array: Array) -> str:
    return name + COMPLEX if array.dtype.kind == "c" else name


def _narrow(array: Array) -> Array:
    """An array of integers in the narrowest type that holds them; any other as it is."""
    if array.dtype.kind != "i":
        return array
    low, high = int(array.min()), int(array.max())
    return array.astype(next(t for t in ("i1", "i2", "i4", "i8") if np.iinfo(t).min <= low and high <= np.iinfo(t).max))


def _signed(graph: Network) -> str:
    text = to_text(graph)
    return f"spikeport-graph {VERSION} digest={digest(graph)} text={_short(text)}\n{text}"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:SHORT]


def _header(text: str, arrays: Mapping[str, Array]) -> bytes:
    """The JSON of the header, blanks behind it so that the data is aligned."""
    header: dict[str, Any] = {"__metadata__": {KEY: text}}
    at = 0
    for name, array in arrays.items():
        shape = [*array.shape, 2] if array.dtype.kind == "c" else list(array.shape)
        offsets = [at, at + array.nbytes]
        header[name] = {"dtype": _NAMES[array.dtype.str[1:]], "shape": shape, "data_offsets": offsets}
        at += array.nbytes
    head = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    return head + b" " * (-(8 + len(head)) % ALIGNMENT)


def _mapped(path: str | os.PathLike[str]) -> mmap.mmap:
    """The whole file in memory, read-only, without reading it."""
    try:
        if not Path(path).is_file():
            found = "is no plain file" if Path(path).exists() else "is not there"
            raise FileError(str(path), found, "a .graph file")
        with Path(path).open("rb") as file:
            if os.fstat(file.fileno()).st_size < 8:
                raise FileError(str(path), "too short for a graph", "at least 8 bytes", AGAIN)
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise FileError(str(path), f"cannot be read: {error}") from None


@dataclass(frozen=True)
class _Entry:
    """Where an array lies in the data."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class _File:
    """A mapped file; every method either finds what has to be there or raises a FileError."""

    name: str
    content: mmap.mmap

    def fail(self, found: str, expected: str, fix: str = AGAIN) -> NoReturn:
        raise FileError(self.name, found, expected, fix)

    def start(self) -> int:
        """Where the data starts."""
        (length,) = struct.unpack_from("<Q", self.content)
        room = min(len(self.content) - 8, LONGEST_HEADER)
        if length > room:
            self.fail(f"a header of {length} bytes", f"at most {room}")
        return 8 + int(length)

    def header(self) -> tuple[str, list[_Entry]]:
        """The metadata's text, and where the arrays lie."""
        header = self._json()
        metadata = header.pop("__metadata__", None)
        if not isinstance(metadata, dict) or set(metadata) != {KEY} or not isinstance(metadata[KEY], str):
            self.fail("no graph in its metadata", f"one entry '{KEY}' with the text of a graph", "give a .graph file")
        text: str = metadata[KEY]
        first = _FIRST.fullmatch(text.partition("\n")[0])
        if first is None:
            self.fail(f"metadata that begins '{text[:40]}'", f"'spikeport-graph {VERSION} digest=… text=…'")
        if int(first[1]) != VERSION:
            self.fail(f"version {int(first[1])}", f"version {VERSION}", "read it with the Spikeport that wrote it")
        return text, sorted((self._entry(n, e) for n, e in header.items()), key=lambda each: (each.begin, each.end))

    def _json(self) -> dict[str, Any]:
        try:
            header = json.loads(
                self.content[8 : self.start()].decode(), object_pairs_hook=_once, parse_constant=_no_constant
            )
        except (ValueError, RecursionError) as error:
            self.fail(f"a header that cannot be read ({type(error).__name__}: {str(error)[:80]})", "JSON in UTF-8")
        if not isinstance(header, dict):
            self.fail("a header that is no JSON object", "names and arrays")
        return header

    def _entry(self, name: str, entry: Any) -> _Entry:
        shown = name[:60]
        if not _CALLED.fullmatch(name):
            self.fail(f"an array called '{shown}'", "a hash of 16 digits")
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            self.fail(f"array {shown} without its fields", "dtype, shape and data_offsets")
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not isinstance(dtype, str) or dtype not in _DTYPES:
            self.fail(f"array {shown} of type {str(dtype)[:40]}", " or ".join(_DTYPES))
        if not _counts(shape) or not _counts(offsets) or len(offsets) != 2 or len(shape) > MOST_AXES + 1:
            self.fail(f"array {shown} of shape {str(shape)[:80]} at {str(offsets)[:80]}", "counts")
        size = math.prod(shape) * np.dtype(_DTYPES[dtype]).itemsize
        if offsets[1] - offsets[0] != size or size == 0:
            self.fail(
                f"array {shown} of {size} bytes at {offsets[0]} to {offsets[1]}", "as many bytes as its shape has"
            )
        if name.endswith(COMPLEX) and (shape[-1:] != [2] or not dtype.startswith("F")):
            self.fail(f"array {shown} of {dtype} with shape {shape}", "reals with a last axis of 2, real and imaginary")
        return _Entry(name, dtype, tuple(shape), offsets[0], offsets[1])

    def arrays(self, entries: list[_Entry]) -> dict[str, Array]:
        """Every array as a view of the file; together they fill the data, without gaps and without sharing."""
        at, start = 0, self.start()
        for entry in entries:
            if entry.begin != at:
                self.fail(f"array {entry.name} at {entry.begin}", f"offset {at}, right behind the one before it")
            at = entry.end
        if start + at != len(self.content):
            self.fail(f"{len(self.content) - start} bytes of data", f"{at}, as the header says")
        found = {entry.name[:SHORT]: self._view(entry, start) for entry in entries}
        if len(found) != len(entries):
            self.fail("two arrays of one hash", "each array once")
        return found

    def _view(self, entry: _Entry, start: int) -> Array:
        flat = np.frombuffer(self.content, _DTYPES[entry.dtype], math.prod(entry.shape), start + entry.begin)
        if entry.name.endswith(COMPLEX):
            flat = flat.view("<c8" if entry.dtype == "F32" else "<c16")
            return flat.reshape(entry.shape[:-1])
        return flat.reshape(entry.shape)

    def check(self, graph: Network, text: str, entries: list[_Entry]) -> None:
        """The file holds what its hashes say, and nothing that the graph does not use."""
        line, _, rest = text.partition("\n")
        first = _FIRST.fullmatch(line)
        used = arrays_of(graph)
        spare = [entry.name for entry in entries if entry.name[:SHORT] not in used]
        if spare:
            self.fail(f"array {spare[0]}, which no node uses", "only the graph's arrays")
        if first is None or first[3] != _short(rest):
            self.fail("a text of another hash than is written before it", "the text that was saved")
        if first[2] != digest(graph):
            self.fail("a graph of another digest than is written before it", f"digest {digest(graph)}")


def _counts(values: Any) -> bool:
    return isinstance(values, list) and all(type(n) is int and n >= 0 for n in values)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key that is there twice")
    return found


def _no_constant(name: str) -> Iterator[None]:
    raise ValueError(f"{name} is no JSON")
