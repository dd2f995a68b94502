"""Takes parts of a signal along an axis: slices where they do, else a product with zeros and ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...toolchain.graph.nodes import Concat, Contract, Slice
from ...toolchain.graph.nodes.base import Array, need
from .call import LETTERS, Call
from .values import Signal

MOST_RUNS = 64
"""The most slices that are put together again."""


def picked(call: Call, x: Signal, axis: int, index: Sequence[int], part: str = "") -> Signal:
    """y[…, k, …] = x[…, index[k], …] along an axis of the file's tensor."""
    axis = x.layout.axis(axis)
    size = x.layout.sizes[axis]
    runs = [index] if isinstance(index, range) and index.step > 0 else _runs(call, index)
    if runs == [range(size)] and axis != x.layout.batch:
        return x
    place = x.layout.place(axis, "a choice of values")
    need(len(index) > 0, "result", "without values", "at least one value")
    if len(runs) > MOST_RUNS:
        return _selected(call, x, axis, place, index, part)
    parts = []
    for number, run in enumerate(runs):
        if len(run) == size:
            parts.append(x)
            continue
        node = Slice(place, run.start, run[-1] + 1, run.step)
        name = part if len(runs) == 1 else f"{part}.{number}".lstrip(".")
        parts.append(call.emit(node, x, layout=x.layout.with_size(axis, len(run)), part=name))
    if len(parts) == 1:
        return parts[0]
    return call.emit(Concat(place), *parts, layout=x.layout.with_size(axis, len(index)), part=part)


def _runs(call: Call, index: Sequence[int]) -> list[range]:
    """The indices as rows of equal steps upwards, each as long as it can be."""
    call.building.afford([len(index)], 64)
    runs: list[range] = []
    for k in index:
        last = runs[-1] if runs else None
        if last is not None and len(last) == 1 and k > last[0]:
            runs[-1] = range(last[0], k + 1, k - last[0])
        elif last is not None and len(last) > 1 and k == last[-1] + last.step:
            runs[-1] = range(last.start, k + 1, last.step)
        else:
            runs.append(range(k, k + 1))
    return runs


def _selected(call: Call, x: Signal, axis: int, place: int, index: Sequence[int], part: str) -> Signal:
    size = x.layout.sizes[axis]
    call.building.afford((size, len(index)))
    matrix = np.zeros((size, len(index)), np.float32)
    matrix[list(index), np.arange(len(index))] = 1
    return mapped_along(call, x, axis, place, matrix, part)


def mapped_along(call: Call, x: Signal, axis: int, place: int, matrix: Array, part: str = "") -> Signal:
    """y[…, k, …] = Σ_j x[…, j, …]·M[j, k] along one axis."""
    own = LETTERS[: len(x.layout.sample)]
    old, new = own[place], LETTERS[len(own)]
    node = Contract(f"{own},{old}{new}->{own.replace(old, new)}", matrix)
    return call.emit(node, x, layout=x.layout.with_size(axis, matrix.shape[1]), part=part)
