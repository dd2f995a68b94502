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
    size = math.prod(shape) * dtype.itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    first = -memory.__array_interface__["data"][0] % ALIGNMENT
    return memory[first : first + size].view(dtype).reshape(shape)


def zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """The same, filled with zeros."""
    found = empty(shape, dtype)
    found.fill(0)
    return found
