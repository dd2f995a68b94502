"""exp(x) for x ≤ 0 over a row, in loops that become vector instructions; the library's exp is called one by one.

    x = k·ln 2 + r, k an integer, |r| ≤ ln 2 / 2;   exp(x) = 2^k · Σ r^i / i!

k comes from adding a number so large that only whole numbers are left beside it: it then stands in the lowest bits of
the sum, and from there it moves to where a float keeps its exponent. Errors stay under 3 in the last place. Below -87
(float32) and -708 (float64) the result is that of the bound, about 1e-38 and 1e-308.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from .jit import inlined

LOG2_E = math.log2(math.e)
LN2 = math.log(2)
LN2_HIGH = {4: 0.693359375, 8: 0.693147180369123816490}
"""ln 2 in so few bits that a product with k is exact; the rest is LN2_LOW."""

LN2_LOW = {4: LN2 - LN2_HIGH[4], 8: 1.90821492927058770002e-10}


def constants(row: Any) -> Any:
    """Lower bound, the large number, both parts of ln 2, log2 e; exponent bias and place; terms of the series."""
    raise NotImplementedError


def bits(row: Any) -> Any:
    """The same memory as integers, in compiled code."""
    raise NotImplementedError


@overload(constants, strict=False)  # type: ignore[untyped-decorator]
def _constants(row: Any) -> Callable[..., Any]:
    if row.dtype == types.float32:
        single = tuple(np.float32(value) for value in (-87.0, 1.5 * 2**23, LN2_HIGH[4], LN2_LOW[4], LOG2_E))
        return lambda row: (single, np.int32(127), np.int32(23), 7)
    double = (-708.0, 1.5 * 2**52, LN2_HIGH[8], LN2_LOW[8], LOG2_E)
    return lambda row: (double, np.int64(1023), np.int64(52), 13)


@overload(bits, strict=False)  # type: ignore[untyped-decorator]
def _bits(row: Any) -> Callable[..., Any]:
    if row.dtype == types.float32:
        return lambda row: row.view(np.int32)
    return lambda row: row.view(np.int64)


FACTORS = tuple(1 / math.factorial(i) for i in range(14))


@inlined
def exponential(x: Any) -> None:
    """Replaces every x ≤ 0 by exp(x)."""
    (low, large, high_part, low_part, log2_e), bias, place, terms = constants(x)
    scale = np.empty(x.size, x.dtype)
    exponents = bits(scale)
    for j in range(x.size):
        y = max(x[j], low)
        shifted = y * log2_e + large
        k = shifted - large
        scale[j] = shifted
        x[j] = (y - k * high_part) - k * low_part
    for j in range(x.size):
        exponents[j] = (exponents[j] + bias) << place
    one, series = x.dtype.type(1), np.zeros(x.size, x.dtype)
    for i in range(terms, 0, -1):
        factor = x.dtype.type(FACTORS[i])
        for j in range(x.size):
            series[j] = series[j] * x[j] + factor
    for j in range(x.size):
        x[j] = (series[j] * x[j] + one) * scale[j]
