"""What is written into tensors: copies, fills, and the steps of a run put one by one into a tensor made for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...graph.nodes import Add, Pad, Reshape, Scale
from ..operation import Cannot, Operation, Row, features
from ..values import Tracked, Value
from .logic import where
from .steps import put

CAT = "put the parts together with torch.cat or torch.stack"


def copy(op: Operation, input: Any, src: Any, non_blocking: bool = False) -> Any:  # noqa: ARG001
    """What was copied; a constant where that was one."""
    if not isinstance(src, Tracked):
        return op.result.clone()
    if not input.dtype.is_floating_point and src.dtype.is_floating_point:
        raise Cannot("a copy of real values into integers", "floating point")
    if input.shape != src.shape:
        raise Cannot(f"a copy of {list(src.shape)} into {list(input.shape)}", "the same shape", CAT)
    return op.same(src.value)


def constant(op: Operation, *_: Any, **__: Any) -> Tensor:
    """A constant from here on."""
    made: Tensor = op.result.clone()
    return made


def setitem(op: Operation, target: Any, index: Any, source: Any) -> Any:
    """x[index] = y: a step of the run, a choice by a mask, or a range of features."""
    op = replace(op, result=target.detach().as_subclass(Tensor))
    if isinstance(index, Tensor):
        if isinstance(index, Tracked) and index.dtype is torch.bool:
            return where(op, index, source, target)
        raise Cannot("a write at positions of a tensor", "integers and slices", CAT)
    items = _items(index, target.ndim)
    time = _step_of(op, target, items, source)
    if time is not None:
        return put(op, target, time, source)
    return _into_features(op, target, items, source)


def _items(index: Any, rank: int) -> list[Any]:
    items = list(index) if isinstance(index, tuple) else [index]
    if any(isinstance(item, bool) or not (item is Ellipsis or isinstance(item, (int, slice))) for item in items):
        raise Cannot("a write at positions of a tensor or a list", "integers and slices", CAT)
    if Ellipsis in items:
        at = items.index(Ellipsis)
        items[at : at + 1] = [slice(None)] * (rank - len(items) + 1)
    return items + [slice(None)] * (rank - len(items))


def _step_of(op: Operation, target: Any, items: Sequence[Any], source: Any) -> int | None:
    """The axis of time, where the write puts one step of the run in its place."""
    if not isinstance(source, Tracked) or source.value.step is None:
        return None
    single = [d for d, item in enumerate(items) if isinstance(item, int)]
    whole = all(item == slice(None) for item in items if isinstance(item, slice))
    if len(single) != 1 or not whole or source.ndim != target.ndim - 1:
        return None
    length = target.shape[single[0]]
    steps = op.recorder.steps or length
    return single[0] if length == steps and items[single[0]] % length == source.value.step else None


def _into_features(op: Operation, target: Any, items: Sequence[Any], source: Any) -> Tracked:
    """x·(1 − m) + y put where the mask m is 1."""
    like = target if isinstance(target, Tracked) else source
    value: Value = like.value
    axes = value.axes if like is target else _axes_with(value.axes, items, target.ndim)
    if any(role != "f" and item != slice(None) for role, item in zip(axes, items, strict=True)):
        raise Cannot(f"a write into part of the axes {axes}", "ranges of features", CAT)
    mask = np.zeros(features(target.shape, axes))
    ranges = tuple(_range(item, n) for item, n, role in zip(items, target.shape, axes, strict=True) if role == "f")
    mask[ranges] = 1.0
    parts = []
    if isinstance(target, Tracked):
        parts.append(op.send(Scale(1.0 - mask), [value], axes, name=f"{op.label}_kept"))
    if isinstance(source, Tracked):
        parts.append(_put(op, source, axes, ranges, mask.shape))
        shift = None if isinstance(target, Tracked) else _around(op, replace(value, axes=axes), items)
    else:
        shift = mask * op.across(value, source)
    if len(parts) == 2:
        return op.emit(Add(), parts, axes=axes)
    return op.emit(Scale(np.asarray(1.0), shift), parts, axes=axes)


def _around(op: Operation, value: Value, items: Sequence[Any]) -> Any:
    """The constant that is written into, with zeros where it was."""
    constant = op.result.clone()
    constant[tuple(items)] = 0
    return op.across(value, constant)


def _axes_with(axes: str, items: Sequence[Any], rank: int) -> str:
    """The axes of the tensor written to: those of what is written, and one more for each integer."""
    roles = iter(axes)
    if len(axes) + sum(isinstance(item, int) for item in items) != rank:
        raise Cannot("a write of fewer axes than there are", "a value for every place", CAT)
    return "".join("f" if isinstance(item, int) else next(roles) for item in items)


def _range(item: Any, size: int) -> slice:
    if isinstance(item, int):
        return slice(item % size, item % size + 1)
    start, stop, stride = item.indices(size)
    if stride != 1 or start >= stop:
        raise Cannot(f"a write at {item}", "a range without gaps", CAT)
    return slice(start, stop)


def _put(op: Operation, source: Any, axes: str, ranges: Sequence[slice], shape: tuple[int, ...]) -> Value:
    """What is written, with zeros around it."""
    sizes = tuple(each.stop - each.start for each in ranges)
    value: Value = source.value
    if features(source.shape, value.axes) != sizes:
        if int(np.prod(sizes)) != int(np.prod(features(source.shape, value.axes))):
            raise Cannot(f"a write of {list(source.shape)} into a larger part", "a value for every place", CAT)
        value = op.send(Reshape(sizes), [value], axes, name=f"{op.label}_shape")
    widths = tuple((each.start, n - each.stop) for each, n in zip(ranges, shape, strict=True))
    return op.send(Pad(widths), [value], axes, name=f"{op.label}_pad")


ROWS: Mapping[str, Row] = {
    "copy": copy,
    **dict.fromkeys(("zero", "fill"), constant),
    "setitem": setitem,
}
