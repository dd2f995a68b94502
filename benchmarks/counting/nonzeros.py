"""How many values of a tensor are not 0, and what they reach: read in the order of its memory, without a copy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...toolchain.errors import SimulationError
from ...toolchain.graph.signal import GRADED, SPIKES, Carries, integers
from ...toolchain.kernels.meeting import columns, rows
from ...toolchain.kernels.reach import EVENTS, NANS, TOTAL, reach, tally
from .fanout import Fanout
from .sums import Sums

Array = npt.NDArray[Any]
ROWS = 64
"""Rows that a tensor is read in, at most: work for several threads."""


def count(x: Tensor, where: str) -> int:
    """How many values of x are not 0.

    Args:
        x: any tensor.
        where: the layer, for what is said about a value that is no number.
    """
    events, nans = tally(_flat(x))
    if nans:
        raise _no_number(nans, where)
    return events


def look(x: Tensor, where: str, fan: Fanout | None = None, *, whole: bool = False) -> Sums:
    """Count the values of x that are not 0, and the outputs that they reach.

    Args:
        x: any tensor; the last axes are those of the map.
        where: the layer, for what is said about a value that is no number.
        fan: whom the values reach.
        whole: whether the magnitudes are summed up, too; x holds whole numbers then.
    """
    if x.numel() == 0:
        return Sums()
    if fan is None or fan.constant:
        found = _refuse_nan(reach(_rows(x), whole=whole), where)
        ways, more = (0, 0) if fan is None else (int(fan.every.item()), int(fan.weighted.item()))
        events, total = int(found[EVENTS]), int(found[TOTAL])
        return Sums(x.numel(), events, total, total * ways, events * ways, events * more)
    turned = _channels_last(x, len(fan.shape))
    dense = x.movedim(1, -1) if turned else x.contiguous()
    tables = fan.tables_behind if turned else fan.tables
    found = _refuse_nan(reach(array_of(dense).reshape(-1, fan_size(fan)), tables, whole=whole), where)
    events, _, total, charge, *reached = map(int, found)
    return Sums(x.numel(), events, total, charge, reached[0], reached[-1])


def fan_size(fan: Fanout) -> int:
    """Values of one step of one sample."""
    return int(np.prod(fan.shape, dtype=np.int64))


def _refuse_nan(found: Array, where: str) -> Array:
    sums: Array = found.sum(0)
    if sums[NANS]:
        raise _no_number(int(sums[NANS]), where)
    return sums


def _no_number(nans: int, where: str) -> SimulationError:
    values = f"{nans} values that are no numbers (NaN)"
    return SimulationError(where, values, "numbers", "look for the layer before it that makes them")


def _channels_last(x: Tensor, features: int) -> bool:
    return x.ndim == features + 1 and not x.is_contiguous() and x.movedim(1, -1).is_contiguous()


def _flat(x: Tensor) -> Array:
    """The values of x in the order of its memory."""
    if not x.is_contiguous():
        strides = x.stride()
        x = x.permute(sorted(range(x.ndim), key=lambda dim: (-strides[dim], dim))).contiguous()
    return array_of(x).reshape(-1)


def _rows(x: Tensor) -> Array:
    """The same in rows, for threads to share."""
    flat = _flat(x)
    return flat.reshape(math.gcd(flat.size, ROWS), -1)


def array_of(x: Tensor) -> Array:
    """A tensor's numbers as an array that shares its memory where it can."""
    if x.is_complex():
        x = x.abs()
    if x.dtype in (torch.bfloat16, torch.float16):
        x = x.float()
    array: Array = x.numpy(force=True)
    return array


def along(x: Tensor, where: str, *, whole: bool = False) -> Array:
    """Values of a batch of matrices [b, r, c] that are not 0, for each column: [b, c]; or Σ |x| of whole numbers."""
    if x.numel() == 0:
        return np.zeros((x.shape[0], x.shape[2]), np.int64)
    if x.transpose(1, 2).is_contiguous():
        counts, nans = rows(array_of(x.transpose(1, 2)), whole=whole)
    else:
        counts, nans = columns(array_of(x.contiguous()), whole=whole)
    _refuse_nan(np.array([[0, nans]]), where)
    return counts


def both(a: Tensor, b: Tensor) -> int:
    """Values of a·b whose factors are both not 0."""
    return int(torch.count_nonzero((a != 0) & (b != 0)))


def looked_at(x: Tensor) -> Carries:
    """What the values of one tensor are, by looking at them: a guess from one batch."""
    if x.numel() == 0 or x.is_complex():
        return GRADED
    if x.dtype is torch.bool or not tally(_flat(x), ones=True)[1]:
        return SPIKES
    low, high = (float(each) for each in torch.aminmax(x.detach()))
    whole = not x.is_floating_point() or bool((x.detach() == x.detach().round()).all())
    return integers(low, high) if whole else GRADED
