"""Indices: steps taken out of time, slices of features, the parts of a split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...graph.nodes import Reshape, Slice
from ..operation import AXES, MIXES, Cannot, Operation, Row, features
from ..values import PARTIAL, Tracked, Value
from .steps import read_back, time_first

INDEX = "an index that is a tensor or a list"


@dataclass
class _Cut:
    """A value on its way through an index, axis by axis."""

    op: Operation
    value: Value
    alone: bool
    dim: int = 0
    dropped: bool = False

    def take(self, index: Any, size: int) -> None:
        """Apply one item of the index to the current axis."""
        role = self.value.axes[self.dim]
        if isinstance(index, slice) and index.indices(size) == (0, size, 1):
            self.dim += 1
        elif role == "f":
            self._feature(index, size)
        elif role == "T" and isinstance(index, int) and not self.value.readout:
            axes = self.value.axes[: self.dim] + self.value.axes[self.dim + 1 :]
            self.value = replace(self.value, axes=axes, step=index % size)
        else:
            if role == "B" and isinstance(index, int) and self.alone and self.dim == 0:
                time_first(self.op)
            found = f"the index {index} on the {AXES[role]}" if isinstance(index, (int, slice)) else INDEX
            raise Cannot(found, "all of it, or one step of time", MIXES[role])

    def _feature(self, index: Any, size: int) -> None:
        whole = isinstance(index, int) and not isinstance(index, bool)
        if not whole and not isinstance(index, slice):
            raise Cannot(INDEX, "integers and slices", "use fixed slices")
        start, stop, stride = (index % size, index % size + 1, 1) if whole else index.indices(size)
        if stride < 1 or start >= stop:
            raise Cannot(f"the index {index} of {size}", "a forward slice that holds something")
        axis = self.value.axes[: self.dim].count("f")
        self.value = self.op.send(
            Slice(axis, start, stop, stride), [self.value], self.value.axes, name=f"{self.op.label}_slice"
        )
        self.dropped |= whole
        self.dim += 1


def getitem(op: Operation, input: Any, index: Any) -> Tracked:
    """Integers, slices, None and ... on features; one integer on time takes one step."""
    value = op.value(input)
    if value.state == PARTIAL:
        return read_back(op, input, index)
    items = _items(index, len(value.axes))
    alone = all(isinstance(item, slice) for item in items[1:])
    cut, source, axes = _Cut(op, value, alone), 0, ""
    for item in items:
        if item is None:
            axes += "f"
            continue
        role = cut.value.axes[cut.dim] if cut.dim < len(cut.value.axes) else "f"
        cut.take(item, input.shape[source])
        source += 1
        axes += "" if isinstance(item, int) else role
    if cut.dropped or any(item is None for item in items):
        return op.emit(Reshape(features(op.result.shape, axes)), [cut.value], axes=axes)
    return op.same(cut.value, axes)


def _items(index: Any, rank: int) -> list[Any]:
    """An index as one item for each axis, and None for each new one."""
    items = [_number(item) for item in (index if isinstance(index, tuple) else (index,))]
    named = sum(1 for item in items if item is not None and item is not Ellipsis)
    at = next((i for i, item in enumerate(items) if item is Ellipsis), len(items))
    return [*items[:at], *[slice(None)] * (rank - named), *items[at + 1 :]]


def _number(item: Any) -> Any:
    """A constant 0-d tensor or a numpy integer as an integer."""
    if isinstance(item, Tensor) and not isinstance(item, Tracked) and item.ndim == 0 and item.dtype in INTEGERS:
        return int(item)
    return int(item) if isinstance(item, np.integer) else item


INTEGERS = (torch.int64, torch.int32, torch.int16, torch.uint8)


def select(op: Operation, input: Any, dim: int, index: int) -> Any:
    """One index of one axis."""
    return getitem(op, input, (*[slice(None)] * (dim % input.ndim), index))


def narrow(op: Operation, input: Any, dim: int, start: int, length: int) -> Any:
    """A slice of one axis."""
    return getitem(op, input, (*[slice(None)] * (dim % input.ndim), slice(start, start + length)))


def unbind(op: Operation, input: Any, dim: int = 0) -> tuple[Any, ...]:
    """Every index of one axis; of time, its steps."""
    value = op.value(input)
    dim = op.dim(value, dim)
    if value.axes[dim] == "B" and dim == 0:
        time_first(op)
    parts = op.result
    return tuple(getitem(replace(op, result=part), input, (*[slice(None)] * dim, i)) for i, part in enumerate(parts))


def parts(op: Operation, input: Any, sizes: Any, dim: int = 0) -> tuple[Any, ...]:  # noqa: ARG001
    """chunk and split: slices of one axis, one after the other."""
    start, out = 0, []
    for part in op.result:
        stop = start + part.shape[dim]
        out.append(getitem(replace(op, result=part), input, (*[slice(None)] * (dim % input.ndim), slice(start, stop))))
        start = stop
    return tuple(out)


ROWS: Mapping[str, Row] = {
    "getitem": getitem,
    "select": select,
    "narrow": narrow,
    "unbind": unbind,
    **dict.fromkeys(("chunk", "split", "split_with_sizes", "tensor_split"), parts),
}
"""A function or method by its bare name."""
