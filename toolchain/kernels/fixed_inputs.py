"""What comes into a chip: put where its readers want it, and checked on the way."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import kernel


@kernel
def take_range(given: Any, out: Any, low: float, high: float, start: int, stop: int) -> int:
    """How many values of the rows start .. stop of [R, C, P] are no integers between low and high; NaN is none.

    All are copied into `out` [R, P, C], channels behind pixels.
    """
    bad = 0
    for row in range(start, stop):
        for c in range(given.shape[1]):
            for p in range(given.shape[2]):
                x = np.float64(given[row, c, p])
                bad += not (x >= low and x <= high and x == np.floor(x))
                out[row, p, c] = given[row, c, p]
    return bad
