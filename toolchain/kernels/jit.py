"""How every kernel is compiled: no GIL, strict IEEE arithmetic, kept on disk between runs.

Multiplications and additions are never contracted to fused multiply-adds and never reordered, so a kernel's float32
result is the one that the written equation has in numpy or torch, and the backward pass meets the spikes of the forward
pass again. A kernel whose results nobody compares bit by bit may say that its sums can be reordered (`summing_kernel`).

Parameters reach a kernel as a tuple of seven scalars that all neurons share, or as an array [7, F] in which neuron n
has the column n mod F. The two types give two compilations of one source: the scalars stay in registers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np
from numba import types
from numba.core.caching import FunctionCache
from numba.extending import overload

Function = TypeVar("Function", bound=Callable[..., object])

OPTIONS = {"nogil": True, "error_model": "numpy"}
REORDERED = {"reassoc", "contract"}
"""What a kernel of sums allows besides: sums in another order, and fused multiply-adds. NaN and infinity stay."""


@cache
def sources() -> str:
    """A hash of every file in this folder."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return blake2b(b"".join(file.read_bytes() for file in files)).hexdigest()


class _Kept(FunctionCache):  # type: ignore[misc]
    """Numba's cache on disk, which alone would only notice a change in the file of the kernel itself.

    Kernels take pieces from their neighbours' files, so the whole folder is a part of the key.
    """

    def _index_key(self, *args: Any) -> tuple[Any, ...]:
        return (*super()._index_key(*args), sources())


def kernel(function: Function) -> Function:
    """The function compiled on its first call; a machine without a writable cache folder compiles in every process."""
    return _kept(function, OPTIONS)


def summing_kernel(function: Function) -> Function:
    """As `kernel`; sums over vectors may be reordered, so that they are vector instructions."""
    return _kept(function, {**OPTIONS, "fastmath": REORDERED})


def _kept(function: Function, options: Mapping[str, Any]) -> Function:
    dispatcher = numba.njit(**options)(function)
    with suppress(RuntimeError):  # numba found no folder it may write to
        dispatcher._cache = _Kept(function)
    return dispatcher  # type: ignore[no-any-return]


def inlined(function: Function) -> Function:
    """A piece of a kernel: compiled into whatever kernel calls it."""
    return numba.njit(**OPTIONS)(function)  # type: ignore[no-any-return]


def summing_inlined(function: Function) -> Function:
    """A piece of a `summing_kernel`."""
    return numba.njit(**OPTIONS, fastmath=REORDERED)(function)  # type: ignore[no-any-return]


def at(params: Any, name: int, neuron: int) -> Any:
    """One parameter of one neuron of a block, in compiled code: the scalar, or the element of its row."""
    raise NotImplementedError


def block_of(params: Any, first: int, count: int) -> Any:
    """The parameters of neurons first .. first + count, in compiled code: the scalars, or seven contiguous rows."""
    raise NotImplementedError


@overload(at, inline="always", strict=False)  # type: ignore[untyped-decorator]
def _at(params: Any, name: Any, neuron: Any) -> Callable[..., Any]:
    if isinstance(params[0], types.Array):
        return lambda params, name, neuron: params[name][neuron]
    return lambda params, name, neuron: params[name]


@overload(block_of, strict=False)  # type: ignore[untyped-decorator]
def _block_of(params: Any, first: Any, count: Any) -> Callable[..., Any]:
    if not isinstance(params, types.Array):
        return lambda params, first, count: params

    def gather(params: Any, first: int, count: int) -> Any:
        rows = np.empty((7, count), params.dtype)
        features = params.shape[1]
        for name in range(7):
            column = first % features
            for neuron in range(count):
                rows[name, neuron] = params[name, column]
                column += 1
                if column == features:
                    column = 0
        return rows[0], rows[1], rows[2], rows[3], rows[4], rows[5], rows[6]

    return gather
