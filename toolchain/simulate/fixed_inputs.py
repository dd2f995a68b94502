"""What comes into a chip graph: whole numbers of any type, checked against the promise of the input, as floats."""

from __future__ import annotations

import math

import numpy as np

from ..graph.nodes.base import Array
from ..kernels.fixed_inputs import take_range
from ..kernels.threads import on_cores
from ..loihi.processes import ChipInput
from .fixed_windows import Windows
from .inputs import broken_promise
from .layout import behind, channels_lie_last

TAKEN = ("bool", "uint8", "int8", "int32", "int64", "float32", "float64")
"""The types that the kernel reads; others are made float64 first."""


def taken(name: str, node: ChipInput, rows: Array, windows: Windows, first: int) -> Array:
    """A window of an input, where its readers want it; a SimulationError for what it did not promise.

    Args:
        name: the input.
        node: its process.
        rows: the window as it came in.
        windows: where it goes.
        first: the number of its first step.
    """
    given = rows if rows.dtype.name in TAKEN and rows.dtype.isnative else rows.astype(np.float64)
    out = windows.room(name, last=len(node.shape) == 3)
    last = channels_lie_last(out)
    count, channels = rows.shape[0] * rows.shape[1], node.shape[0] if last else 1
    pixels = math.prod(node.shape) // channels
    read = np.ascontiguousarray(given).reshape(count, channels, pixels)
    written = (behind(out) if last else out).reshape(count, pixels, channels)
    low, high = node.values.bounds
    bad: list[int] = []

    def piece(start: int, stop: int) -> None:
        bad.append(take_range(read, written, low, high, start, stop))

    on_cores(piece, count, channels * pixels)
    if sum(bad):
        raise broken_promise(name, node.values, rows, given, first, windows.sample)
    return out
