"""A picture on a coarser grid: each new pixel is the mean of what lies under it.

out[r, c] = Σ_yx a_ry·b_cx·value[y, x],  a_ry the share of row y in the stretch [r·H/h, (r+1)·H/h], b_cx likewise
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from .jit import inlined, kernel
from .threads import on_cores

Array = npt.NDArray[Any]


@inlined
def _stretch(index: Any, old: Any, new: Any) -> Any:
    """Where the stretch of a new row begins and ends, in old rows."""
    return index * old / new, (index + 1) * old / new


@kernel
def area_range(values: Any, table: Any, out: Any, start: int, stop: int) -> None:
    """Rows start .. stop of out [h, w], from table[values], values [H, W] of whole numbers."""
    height, width = values.shape
    rows, columns = out.shape
    line = np.empty(width)
    for r in range(start, stop):
        top, bottom = _stretch(r, height, rows)
        line[:] = 0
        for y in range(int(top), min(height, math.ceil(bottom))):
            share = (min(bottom, y + 1.0) - max(top, float(y))) / (bottom - top)
            for x in range(width):
                line[x] += share * table[values[y, x]]
        for c in range(columns):
            left, right = _stretch(c, width, columns)
            total = 0.0
            for x in range(int(left), min(width, math.ceil(right))):
                total += (min(right, x + 1.0) - max(left, float(x))) * line[x]
            out[r, c] = total / (right - left)


def area_mean(values: Array, table: Array, size: tuple[int, int]) -> Array:
    """table[values] on a grid of this width and height, float64 [h, w]."""
    columns, rows = size
    out = np.empty((rows, columns))
    on_cores(partial(area_range, values, table, out), rows, max(1, values.size // rows))
    return out
