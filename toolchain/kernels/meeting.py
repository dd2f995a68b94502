"""How many values of each row or column of a matrix are not 0.

Where two signals meet, c[i, j] = Σ_k a[i, k] · b[k, j] has

    Σ_k (values of a[:, k] that are not 0) · (values of b[k, :] that are not 0)

pairs in which neither is 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .jit import kernel
from .threads import on_reading_cores

Array = npt.NDArray[Any]


@kernel
def columns_range(x: Any, whole: bool, found: Any, nans: Any, start: int, stop: int) -> None:
    """found[b, c] = Σ_r [x[b, r, c] ≠ 0], or Σ_r |x[b, r, c]|, for the matrices start .. stop; all begin as 0."""
    counts, strange = np.zeros(x.shape[2], np.int32), np.zeros(x.shape[2], np.int32)
    for b in range(start, stop):
        out = found[b]
        counts[:] = 0
        strange[:] = 0
        for r in range(x.shape[1]):
            row = x[b, r]
            for c in range(row.size):
                counts[c] += np.int32(row[c] != 0)
                strange[c] += np.int32(row[c] != row[c])
            if whole:
                for c in range(row.size):
                    out[c] += abs(np.int64(row[c]))
        nans[b] = strange.sum()
        if not whole:
            for c in range(out.size):
                out[c] = counts[c]


@kernel
def rows_range(x: Any, whole: bool, found: Any, nans: Any, start: int, stop: int) -> None:
    """found[b, r] = Σ_c [x[b, r, c] ≠ 0], or Σ_c |x[b, r, c]|, for the matrices start .. stop; nans begins as 0."""
    for b in range(start, stop):
        strange = 0
        for r in range(x.shape[1]):
            row = x[b, r]
            count = odd = np.int32(0)
            for c in range(row.size):
                count = np.int32(count + np.int32(row[c] != 0))
                odd = np.int32(odd + np.int32(row[c] != row[c]))
            found[b, r] = count
            if whole:
                found[b, r] = 0
                for c in range(row.size):
                    found[b, r] += abs(np.int64(row[c]))
            strange += int(odd)
        nans[b] = strange


def columns(x: Array, *, whole: bool = False) -> tuple[Array, int]:
    """Values of x [B, R, C] that are not 0 by matrix and column, [B, C]; and how many are no numbers.

    Args:
        x: a batch of matrices, in C order.
        whole: sum the magnitudes of whole numbers instead.
    """
    return _counted(columns_range, x, x.shape[2], whole)


def rows(x: Array, *, whole: bool = False) -> tuple[Array, int]:
    """The same by matrix and row, [B, R]."""
    return _counted(rows_range, x, x.shape[1], whole)


def _counted(counting: Any, x: Array, size: int, whole: bool) -> tuple[Array, int]:
    values = x.view(np.uint8) if x.dtype == np.bool_ else x
    found, nans = np.zeros((len(x), size), np.int64), np.zeros(len(x), np.int64)
    work = x.shape[1] * x.shape[2]
    on_reading_cores(lambda start, stop: counting(values, whole, found, nans, start, stop), len(x), work)
    return found, int(nans.sum())
