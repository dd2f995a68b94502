"""From numpy to torch and back, without a copy wherever there can be none."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from ..graph.nodes.base import Array

Tensor = torch.Tensor
Operation = Callable[..., Tensor]
"""A function of tensors [n, *shape] whose rows do not mix."""

TYPES = {np.dtype(np.float32): torch.float32, np.dtype(np.float64): torch.float64}


def tensor(array: Array) -> Tensor:
    """The array as a tensor over the same memory; a copy where it is read-only."""
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def constant(array: Array, dtype: np.dtype[Any]) -> Tensor:
    """A node's parameter as a tensor of its own."""
    return torch.from_numpy(np.array(array, dtype, order="C", copy=True))


LARGE = 1 << 20
"""Weights of more bytes are not held a second time."""


def weights(array: Array, dtype: np.dtype[Any]) -> Callable[[], Tensor]:
    """A layer's weights as a tensor that is only read.

    Large ones share the node's memory where it is of that type, and are widened anew for every window where it is not:
    a network of some hundred megabytes is then held once, and a layer of it twice.
    """
    if array.nbytes <= LARGE:
        held = constant(array, dtype)
        return lambda: held
    if array.dtype == dtype:
        shared = _shared(array)
        return lambda: shared
    return lambda: torch.from_numpy(array.astype(dtype))


def _shared(array: Array) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writ", UserWarning)
        return torch.from_numpy(array)


def optional(array: Array | None, dtype: np.dtype[Any]) -> Tensor | None:
    """The same for a parameter that may be missing."""
    return None if array is None else constant(array, dtype)


def on_arrays(operation: Operation) -> Callable[..., Array]:
    """The operation as a function of numpy arrays."""

    def run(*inputs: Array) -> Array:
        found: Array = operation(*[tensor(x) for x in inputs]).numpy()
        return found

    return run


@contextmanager
def one_thread() -> Iterator[None]:
    """torch computes in the calling thread alone.

    Its helpers wait for their next job by spinning, and all of them for the last: on a machine that has other work to
    do, products of a few microseconds then take a hundred times as long.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
