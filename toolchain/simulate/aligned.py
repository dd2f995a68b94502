"""Arrays at addresses that suit vector registers, as torch allocates them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..graph.nodes.base import Array

ALIGNMENT = 64
"""Bytes: a vector register and a cache line. Libraries may choose another order of summation for other addresses."""


def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Room without values, at an address that is a multiple of ALIGNMENT."""
    memory = np.empty(math.prod(shape) * dtype.itemsize + ALIGNMENT, np.uint8)
    return np.ndarray(shape, dtype, memory.data, -memory.ctypes.data % ALIGNMENT)


def zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """The same, filled with zeros."""
    found = empty(shape, dtype)
    found.fill(0)
    return found
