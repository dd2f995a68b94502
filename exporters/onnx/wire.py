"""Protocol buffers as bytes: the fields of a message, one after the other, without a copy of what they hold.

A message is a row of fields, each a key (number · 8 + kind) and a value: a varint, four or eight bytes, or a length and
as many bytes. Nothing here makes more of a file than it is long: `Meter` counts what was taken out of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...toolchain.errors import FileError
from ...toolchain.graph.nodes.base import Array

VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5
FIELDS, MESSAGES = 1_000_000, 200_000
"""The most fields and messages that one file may have: large models have a few hundred thousand."""
EXPECTED = "an ONNX model"


@dataclass
class Meter:
    """Counts what was read of a file, so that many small parts cannot become much memory.

    Args:
        fields: read so far.
        messages: read so far.
    """

    fields: int = 0
    messages: int = 0

    def field(self) -> None:
        """One field more."""
        self.fields += 1
        if self.fields > FIELDS:
            raise FileError("its parts", f"more than {FIELDS} fields", EXPECTED)

    def message(self) -> None:
        """One message more."""
        self.messages += 1
        if self.messages > MESSAGES:
            raise FileError("its parts", f"more than {MESSAGES} nodes, attributes and tensors", EXPECTED)


def broken(found: str) -> FileError:
    """The error of bytes that are no message."""
    return FileError("its bytes", found, EXPECTED, "download or export it again")


def varint(data: memoryview, place: int) -> tuple[int, int]:
    """The number that begins at `place`, and the place behind it: seven bits a byte, the lowest first."""
    value = shift = 0
    while True:
        if place >= len(data) or shift > 63:
            raise broken("a number without an end")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, place
        shift += 7


def signed(value: int) -> int:
    """64 bits as a signed number."""
    return value - (1 << 64) if value >= 1 << 63 else value


def fields(data: memoryview, meter: Meter) -> Iterator[tuple[int, int, int, memoryview]]:
    """Each field: its number, its kind, its value where that is a varint, its bytes where it is none."""
    place, end = 0, len(data)
    while place < end:
        meter.field()
        key, place = varint(data, place)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise broken("a field without a number")
        if kind == VARINT:
            value, place = varint(data, place)
            yield number, kind, value, data[:0]
            continue
        if kind == BYTES:
            size, place = varint(data, place)
        elif kind in (EIGHT, FOUR):
            size = 8 if kind == EIGHT else 4
        else:
            raise broken(f"a field of kind {kind}")
        if size > end - place:
            raise broken("a part longer than what holds it")
        yield number, kind, 0, data[place : place + size]
        place += size


PIECE = 1 << 16


def varints(data: memoryview) -> Array:
    """A packed row of varints as int64, piece by piece so that nothing else of its size is made."""
    raw = np.frombuffer(data, np.uint8)
    if raw.size and raw[-1] >= 0x80:
        raise broken("a number without an end")
    found = np.empty(int(np.count_nonzero(raw < 0x80)), np.int64)
    place = done = 0
    while place < raw.size:
        ends = np.flatnonzero(raw[place : place + PIECE] < 0x80)
        if not ends.size:
            raise broken("a number without an end")
        found[done : done + ends.size] = _piece(raw[place : place + int(ends[-1]) + 1], ends)
        place, done = place + int(ends[-1]) + 1, done + ends.size
    return found


def _piece(raw: Array, ends: Array) -> Array:
    """The numbers that end at these places."""
    starts = np.concatenate([[0], ends[:-1] + 1])
    most = int((ends - starts).max())
    if most > 9:
        raise broken("a number without an end")
    value = np.zeros(len(ends), np.uint64)
    for k in range(most + 1):
        here = starts + k <= ends
        bits = raw[(starts + k)[here]] & np.uint8(0x7F)
        value[here] |= bits.astype(np.uint64) << np.uint64(7 * k)
    return value.view(np.int64)
