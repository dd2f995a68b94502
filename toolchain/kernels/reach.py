"""What values that are not 0 reach: sums of a table over them, row by row, in one pass over the memory.

events = Σ_p [x_p ≠ 0]     nans = Σ_p [x_p ≠ x_p]     total = Σ_p |x_p|
charge = Σ_p |x_p| · t_0p  reached_k = Σ_p [x_p ≠ 0] · t_kp
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from .jit import inlined, kernel
from .threads import on_reading_cores

Array = npt.NDArray[Any]

CHUNK = 4096
"""Values that are looked at once for all sums, while they are in the first cache."""
NARROW = 1 << 16
"""Tables of numbers below this one are kept in 16 bits, and summed in 32, chunk by chunk."""
COMPILED = ("float32", "float64", "uint8", "bool", "int64", "int32")
"""The types that the kernel takes; values of any other type are counted by the definition."""
BLOCK = 1 << 18
"""Values that `tally` counts at a time: rows that threads may share."""
EVENTS, NANS, TOTAL, CHARGE, REACHED = range(5)
"""Columns of what is found; one column for each table from the last on."""


@inlined
def _events(x: Any) -> Any:
    """How many values are not 0, and how many are no numbers."""
    events, nans = np.int32(0), np.int32(0)
    for i in range(x.size):
        events = np.int32(events + np.int32(x[i] != 0))
        nans = np.int32(nans + np.int32(x[i] != x[i]))
    return events, nans


@inlined
def _ones(x: Any) -> Any:
    """How many values are not 0, and how many are neither 0 nor 1."""
    events, others = np.int32(0), np.int32(0)
    for i in range(x.size):
        events = np.int32(events + np.int32(x[i] != 0))
        others = np.int32(others + np.int32((x[i] != 0) & (x[i] != 1)))
    return events, others


@inlined
def _events_reached(x: Any, table: Any, sums: Any) -> Any:
    """The same, and what the events reach, all in one go; `sums` is an array of the type to sum up in."""
    events, nans, count = np.int32(0), np.int32(0), sums.dtype.type(0)
    for i in range(x.size):
        events = np.int32(events + np.int32(x[i] != 0))
        nans = np.int32(nans + np.int32(x[i] != x[i]))
        count = sums.dtype.type(count + (table[i] if x[i] != 0 else table.dtype.type(0)))
    return events, nans, count


@inlined
def _reached(x: Any, table: Any, sums: Any) -> Any:
    count = sums.dtype.type(0)
    for i in range(x.size):
        count = sums.dtype.type(count + (table[i] if x[i] != 0 else table.dtype.type(0)))
    return count


@inlined
def _total(x: Any) -> Any:
    count = np.int64(0)
    for i in range(x.size):
        count += abs(np.int64(x[i]))
    return count


@inlined
def _charge(x: Any, table: Any) -> Any:
    count = np.int64(0)
    for i in range(x.size):
        count += abs(np.int64(x[i])) * np.int64(table[i])
    return count


@kernel
def reach_range(x: Any, tables: Any, sums: Any, whole: bool, found: Any, start: int, stop: int) -> None:
    """found[r] = events, nans, total, charge, reached_0, … of the rows start .. stop of x [R, P]; it begins as 0.

    `tables` is [K, Q], and `sums` an array of the type that a chunk is summed up in; total and charge are summed where
    x holds whole numbers only.
    """
    length = tables.shape[1]
    for r in range(start, stop):
        row = found[r]
        for block in range(0, x.shape[1], length):
            line = x[r, block : block + length]
            for first in range(0, length, CHUNK):
                part = line[first : first + CHUNK]
                if tables.shape[0] == 0:
                    events, nans = _events(part)
                else:
                    events, nans, reached = _events_reached(part, tables[0, first : first + CHUNK], sums)
                    row[4] += reached
                row[0] += events
                row[1] += nans
                for k in range(1, tables.shape[0]):
                    row[4 + k] += _reached(part, tables[k, first : first + CHUNK], sums)
                if whole:
                    row[2] += _total(part)
                    if tables.shape[0] > 0:
                        row[3] += _charge(part, tables[0, first : first + CHUNK])


@kernel
def tally_range(x: Any, ones: bool, found: Any, start: int, stop: int) -> None:
    """found[r] = events and nans, or events and values other than 0 and 1, of the blocks start .. stop of x."""
    for r in range(start, stop):
        block = x[r * BLOCK : (r + 1) * BLOCK]
        for first in range(0, block.size, CHUNK):
            part = block[first : first + CHUNK]
            if ones:
                events, others = _ones(part)
            else:
                events, others = _events(part)
            found[r, 0] += events
            found[r, 1] += others


def tally(x: Array, *, ones: bool = False) -> tuple[int, int]:
    """How many values are not 0, and how many are no numbers; or, if asked for `ones`, neither 0 nor 1.

    Args:
        x: [P], in C order.
        ones: what to ask for.
    """
    if x.dtype.name not in COMPILED:
        return int(np.count_nonzero(x)), int(((x != 0) & (x != 1) if ones else x != x).sum())
    values = x.view(np.uint8) if x.dtype == np.bool_ else x
    found = np.zeros((-(-x.size // BLOCK), 2), np.int64)
    on_reading_cores(partial(tally_range, values, ones, found), len(found), BLOCK)
    events, others = found[0] if len(found) == 1 else found.sum(0)
    return int(events), int(others)


def packed(tables: Array) -> Array:
    """Tables [K, Q] as the kernel likes them: small, so that they stay in the caches."""
    narrow = tables.size == 0 or int(tables.max()) < NARROW
    return np.ascontiguousarray(tables, np.uint16 if narrow else np.int64)


def reach(x: Array, tables: Array | None = None, *, whole: bool = False) -> Array:
    """The sums at the head of this module, [R, 4 + K] of int64.

    Args:
        x: [R, P], in C order: R rows of values.
        tables: [K, Q], from `packed`: Q divides P, and the table begins again after Q values; none of its numbers is
            negative.
        whole: whether x holds whole numbers, whose magnitudes are summed up.
    """
    known = np.zeros((0, x.shape[1]), np.uint16) if tables is None else tables
    if x.dtype.name not in COMPILED:
        return reach_defined(x, known, whole=whole)
    found = np.zeros((len(x), REACHED + len(known)), np.int64)
    values = x.view(np.uint8) if x.dtype == np.bool_ else x
    sums = np.zeros(1, np.int32 if known.dtype == np.uint16 else np.int64)
    task = partial(reach_range, values, known, sums, whole, found)
    on_reading_cores(task, len(x), x.shape[1])
    return found


def reach_defined(x: Array, tables: Array, *, whole: bool = False) -> Array:
    """The definition of `reach`, in numpy."""
    events, nans = x != 0, x != x  # NaN alone differs from itself
    size = np.abs(x).astype(np.int64) if whole else np.zeros(x.shape, np.int64)
    full = [np.tile(table.astype(np.int64), x.shape[1] // tables.shape[1]) for table in tables]
    charge = size @ full[0] if full else np.zeros(len(x), np.int64)
    return np.stack([events.sum(1), nans.sum(1), size.sum(1), charge, *(events @ each for each in full)], axis=1)
