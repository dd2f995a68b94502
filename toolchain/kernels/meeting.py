"""How many values of each column of a matrix are not 0: where two signals meet, c[i, j] = Σ_k a[i, k] · b[k, j] has

    Σ_k (values of a[:, k] that are not 0) · (values of b[k, :] that are not 0)

pairs in which neither is 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .jit import kernel
from .threads import on_cores

Array = npt.NDArray[Any]


@kernel
def columns_range(x: Any, whole: bool, found: Any, nans: Any, start: int, stop: int) -> None:
    """found[b, c] = Σ_r [x[b, r, c] ≠ 0], or Σ_r |x[b, r, c]|, for the matrices start .. stop; both begin as 0."""
    for b in range(start, stop):
        counts, strange = found[b], np.int64(0)
        for r in range(x.shape[1]):
            row = x[b, r]
            if whole:
                for c in range(row.size):
                    counts[c] += abs(np.int64(row[c]))
            else:
                for c in range(row.size):
                    counts[c] += np.int64(row[c] != 0)
            for c in range(row.size):
                strange += np.int64(row[c] != row[c])
        nans[b] = strange


def columns(x: Array, *, whole: bool = False) -> tuple[Array, int]:
    """Values of x [B, R, C] that are not 0 by matrix and column, [B, C]; and how many are no numbers.

    Args:
        x: a batch of matrices, in C order.
        whole: sum the magnitudes of whole numbers instead.
    """
    values = x.view(np.uint8) if x.dtype == np.bool_ else x
    found, nans = np.zeros((len(x), x.shape[2]), np.int64), np.zeros(len(x), np.int64)
    work = x.shape[1] * x.shape[2]
    on_cores(lambda start, stop: columns_range(values, whole, found, nans, start, stop), len(x), work)
    return found, int(nans.sum())
