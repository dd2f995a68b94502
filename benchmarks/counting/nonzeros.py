"""How many values of a tensor are not 0, and what they reach: read in the order of its memory, without a copy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...toolchain.errors import SimulationError
from ...toolchain.graph.signal import GRADED, SPIKES, Carries, integers
from ...toolchain.kernels.meeting import columns, rows
from ...toolchain.kernels.reach import EVENTS, NANS, TOTAL, reach
from .fanout import Fanout
from .sums import Sums

Array = npt.NDArray[Any]
ROWS = 64
"""Rows that a tensor is read in, at least, where its axes allow it: work for several threads."""


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
        values = f"{sums[NANS]} values that are no numbers (NaN)"
        raise SimulationError(where, values, "numbers", "look for the layer before it that makes them")
    return sums


def _channels_last(x: Tensor, features: int) -> bool:
    return x.ndim == features + 1 and not x.is_contiguous() and x.movedim(1, -1).is_contiguous()


def _rows(x: Tensor) -> Array:
    """x as a matrix, its axes in the order of its memory."""
    strides = x.stride()
    order = sorted(range(x.ndim), key=lambda dim: (-strides[dim], dim))
    dense = x if x.is_contiguous() else x.permute(order).contiguous()
    count = 1
    for size in dense.shape:
        if count >= ROWS:
            break
        count *= size
    return array_of(dense).reshape(count, -1)


def array_of(x: Tensor) -> Array:
    """A tensor's numbers as an array that shares its memory where it can."""
    x = x.detach().resolve_conj().resolve_neg()
    if x.is_complex():
        x = x.abs()
    if x.dtype in (torch.bfloat16, torch.float16):
        x = x.float()
    array: Array = x.cpu().numpy()
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
    if x.dtype is torch.bool:
        return SPIKES
    low, high = (float(each) for each in torch.aminmax(x.detach()))
    if low >= 0 and high <= 1:
        seen = look(x, "inputs", whole=True)  # a magnitude between 0 and 1 is cut to 0
        return SPIKES if seen.total == seen.events else GRADED
    whole = not x.is_floating_point() or bool((x.detach() == x.detach().round()).all())
    return integers(low, high) if whole else GRADED
