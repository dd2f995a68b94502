"""The counts of a few samples that were counted in one go, and the bytes that carry them: over a wire and in a journal.

    bytes   zlib( head in JSON · newline · numbers )      numbers: int64, little-endian, column by column

Bytes may come from strangers: what is wrong with them is one `FileError`, and they can take no more memory than `MOST`.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from ...toolchain.errors import FileError
from ...toolchain.graph.nodes.base import Array
from ..counts_json import Place, plain_facts, read_facts
from ..operations import Facts, Road
from .table import CALLS, MAPPINGS, NUMBERS, STEPS, VALUES, Column, Table, split

MOST = 1 << 28
"""Bytes that a chunk may unpack to."""
INTEGER = np.dtype("<i8")
OF_LAYERS = (*NUMBERS, *MAPPINGS)
"""The fields that only a layer has."""


@dataclass(frozen=True, eq=False)
class Chunk:
    """A few samples, counted.

    Args:
        table: their counts.
        labels: the class of each; None without classes.
        said: what was merged, capped or left out in them.
    """

    table: Table
    labels: Array | None
    said: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.table)


def packed(chunk: Chunk) -> bytes:
    """The bytes of a chunk."""
    table = chunk.table
    head = {
        "samples": len(table),
        "network": table.network,
        "road": table.road,
        "layers": [[name, plain_facts(facts)] for name, facts in table.facts.items()],
        "columns": [list(column) for column in table.columns],
        "seconds": table.seconds,
        "timed": [[*key, seconds] for key, seconds in table.timed.items()],
        "notes": list(table.notes),
        "labels": None if chunk.labels is None else chunk.labels.tolist(),
        "said": list(chunk.said),
    }
    text = json.dumps(head, separators=(",", ":"), allow_nan=False).encode()
    numbers = np.ascontiguousarray(table.rows().T, INTEGER).tobytes()
    return zlib.compress(text + b"\n" + numbers, 6)


def unpacked(data: bytes, file: str) -> Chunk:
    """The chunk of these bytes.

    Args:
        data: what `packed` gave.
        file: what they came from, for messages.
    """
    head, numbers = _parts(data, file)
    table = _table(head, numbers)
    labels = None
    if head["labels"].value is not None:
        labels = np.array([each.count() for each in head["labels"].items()], np.int64)
        if len(labels) != len(table):
            raise head["labels"].fail(f"{len(table)} labels")
    return Chunk(table, labels, tuple(each.text() for each in head["said"].items()))


def _parts(data: bytes, file: str) -> tuple[dict[str, Place], bytes]:
    unzip = zlib.decompressobj()
    try:
        whole = unzip.decompress(data, MOST)
        text, _, numbers = whole.partition(b"\n")
        head: Any = json.loads(text)
    except (zlib.error, ValueError, RecursionError) as error:
        raise FileError(file, f"counts that cannot be read ({str(error)[:80]})", "counts of samples") from None
    if not unzip.eof or unzip.unused_data:
        raise FileError(file, "counts that do not end where they should", f"at most {MOST} bytes")
    names = ("samples", "network", "road", "layers", "columns", "seconds", "timed", "notes", "labels", "said")
    return Place(file, "", head).named(names), numbers


def _table(head: dict[str, Place], numbers: bytes) -> Table:
    facts: dict[str, Facts] = {}
    for each in head["layers"].items():
        name, held = _several(each, 2)
        facts[name.text()] = read_facts(held)
    columns = tuple(_column(each, facts) for each in head["columns"].items())
    samples = head["samples"].count(least=1)
    if len(set(columns)) != len(columns) or len(facts) != len(head["layers"].items()):
        raise head["columns"].fail("each layer and each column once")
    if len(numbers) != samples * len(columns) * INTEGER.itemsize or STEPS not in columns:
        raise head["columns"].fail(f"{samples} numbers for each, and the steps among them")
    matrix = np.ascontiguousarray(np.frombuffer(numbers, INTEGER).reshape(len(columns), samples).T, np.int64)
    if (matrix < 0).any():
        raise head["columns"].fail("no number below 0")
    timed = {}
    for each in head["timed"].items():
        name, layer, seconds = _several(each, 3)
        timed[name.text(), layer.text()] = seconds.seconds()
    road: Any = head["road"].one_of(get_args(Road))
    notes = tuple(each.text() for each in head["notes"].items())
    seconds_ = head["seconds"].seconds()
    return Table(head["network"].text(), road, facts, columns, *split(matrix), seconds_, timed, notes)


def _column(place: Place, facts: dict[str, Facts]) -> Column:
    layer, name, key = (each.text() for each in _several(place, 3))
    known = layer in facts if name in OF_LAYERS else name in (CALLS, VALUES) or (layer, name, key) == STEPS
    if not known or (key and name in NUMBERS):
        raise place.fail("a layer, one of its fields, and a key")
    return layer, name, key


def _several(place: Place, count: int) -> list[Place]:
    found = place.items()
    if len(found) != count:
        raise place.fail(f"{count} entries")
    return found
