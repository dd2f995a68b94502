"""Constant tensors as a graph's arrays: each becomes one array, whoever reads it, in float32 where that is exact."""

from __future__ import annotations

import hashlib
import weakref

import numpy as np
import torch
from torch import Tensor, nn

from ..graph.nodes.base import Array, frozen
from .memory import storage, version

SMALL = 16
"""Up to so many values an array is told from others by its values, a larger one by its identity."""


class Constants:
    """The arrays of a run.

    Args:
        module: the copy of a module that the run is about; its weights belong to the graph and are not copied again.
    """

    def __init__(self, module: nn.Module) -> None:
        self._mine = {storage(each) for each in (*module.parameters(), *module.buffers())}
        self._held: dict[int, tuple[weakref.ref[Tensor], int, Array]] = {}
        self._same: dict[bytes, Array] = {}
        self._turned: dict[int, tuple[Array, Array]] = {}
        self._read: dict[int, str] = {}
        self._written: set[int] = set()

    def array(self, tensor: Tensor, what: str) -> Array:
        """The array of a tensor: the same tensor, or one with the same values, always gives the same array."""
        held = self._held.get(id(tensor))
        if held is not None and held[0]() is tensor and held[1] == version(tensor):
            return held[2]
        array = self._shared(tensor, what) if storage(tensor) in self._mine else self._copied(tensor, what)
        self._held[id(tensor)] = (weakref.ref(tensor), version(tensor), array)
        return array

    def turned(self, matrix: Array) -> Array:
        """A matrix transposed; the same matrix always gives the same array."""
        if id(matrix) not in self._turned:
            self._turned[id(matrix)] = (matrix, frozen(matrix.T, "matrix"))
        return self._turned[id(matrix)][1]

    def write(self, tensor: Tensor) -> None:
        """Note that a tensor was changed in place, through whatever view of it."""
        self._written.add(storage(tensor))

    def changed(self) -> list[str]:
        """The weights that were read, and changed in place."""
        return [what for place, what in self._read.items() if place in self._written]

    def _shared(self, tensor: Tensor, what: str) -> Array:
        values = numbers(tensor)
        values.flags.writeable = False
        self._read[storage(tensor)] = what
        return frozen(narrow(values), what)

    def _copied(self, tensor: Tensor, what: str) -> Array:
        values = numbers(tensor)
        if values.size <= SMALL:
            return frozen(narrow(values), what)
        digest = hashlib.blake2b(f"{values.shape}{values.dtype}".encode(), digest_size=16)
        digest.update(np.ascontiguousarray(values).data)
        key = digest.digest()
        if key not in self._same:
            self._same[key] = frozen(narrow(values), what)
        return self._same[key]


def narrow(values: Array) -> Array:
    """The same numbers in float32, where float32 holds them exactly."""
    if values.dtype != np.float64:
        return values
    with np.errstate(over="ignore"):
        small = values.astype(np.float32)
    if not np.array_equal(small, values):
        return values
    small.flags.writeable = False
    return small


def numbers(tensor: Tensor) -> Array:
    """A tensor as an array, in its own memory where numpy has its type."""
    with torch._C.DisableTorchFunction():
        data = tensor.detach()
        if data.dtype in (torch.bfloat16, torch.float16):
            data = data.float()
        array: Array = data.resolve_conj().resolve_neg().cpu().numpy()
    return array
