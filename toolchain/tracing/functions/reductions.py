"""Sums and means: over features a node, over time what the network answers with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from ...graph.nodes import Host, Mean, Node, Sum
from ..operation import MIXES, Cannot, Operation, Row
from ..values import POSITIONS, Tracked, Value
from .activations import maximum, minimum
from .hosts import allowed


def reduction(kind: Callable[[tuple[int, ...], bool], Node], readout: str) -> Row:
    """A row for a mean or a sum."""

    def row(op: Operation, input: Any, dim: Any = None, keepdim: bool = False, **names: Any) -> Tracked:
        if input.is_floating_point() and not op.result.is_floating_point():
            raise Cannot(f"a {op.name} of real values as integers", "floating point")
        dim, keepdim = names.get("axis", dim), names.get("keepdims", keepdim)
        value = op.value(input)
        dims = _dims(op, value, dim)
        over = tuple(value.axes[:d].count("f") for d in dims if value.axes[d] == "f")
        axes = "".join(role for d, role in enumerate(value.axes) if keepdim or d not in dims or role == "T")
        if over:
            value = op.send(kind(over, keepdim), [value], axes)
        if any(op.value(input).axes[d] == "T" for d in dims):
            return _over_time(op, value, readout, keepdim=keepdim)
        return op.same(value)

    return row


def _dims(op: Operation, value: Value, dim: Any) -> list[int]:
    named = range(len(value.axes)) if dim is None else dim if isinstance(dim, (list, tuple)) else (dim,)
    dims = sorted({op.dim(value, d) for d in named})
    for d in dims:
        if value.axes[d] in "BFG":
            raise Cannot(f"a {op.name} over samples", "one over features or time", MIXES[value.axes[d]])
    return dims


def _over_time(op: Operation, value: Value, readout: str, *, keepdim: bool) -> Tracked:
    if value.readout:
        raise Cannot(f"a {op.name} over time of a {value.readout} over time", "one of them")
    if keepdim:
        raise Cannot(f"a {op.name} over time that keeps its axis", "keepdim=False")
    return op.same(replace(value, axes=value.axes.replace("T", ""), readout=readout))


def largest(op: Operation, input: Any, dim: Any = None, keepdim: bool = False, **names: Any) -> Any:
    """The largest value over time, or over one feature axis on the host."""
    return _extreme(op, input, names.get("axis", dim), keepdim=keepdim, most=True)


def smallest(op: Operation, input: Any, dim: Any = None, keepdim: bool = False, **names: Any) -> Any:
    """The smallest value over one feature axis, on the host."""
    return _extreme(op, input, names.get("axis", dim), keepdim=keepdim, most=False)


def _extreme(op: Operation, input: Any, dim: Any, *, keepdim: bool, most: bool) -> Any:
    if isinstance(dim, Tensor):
        return maximum(op, input, dim) if most else minimum(op, input, dim)
    value = op.value(input)
    single: Sequence[int] = dim if isinstance(dim, (list, tuple)) else (dim,) if dim is not None else ()
    if len(single) != 1 or keepdim:
        raise Cannot(f"{op.name} over several axes", "over one, without keepdim")
    at = op.dim(value, single[0])
    if isinstance(op.result, Tensor):
        return _extreme_along(op, value, at, most=most)
    values, positions = op.result
    largest = _extreme_along(replace(op, result=values), value, at, most=most)
    return type(op.result)([largest, op.recorder.wrap(positions, replace(largest.value, state=POSITIONS))])


def _extreme_along(op: Operation, value: Value, at: int, *, most: bool) -> Tracked:
    if value.axes[at] == "T" and most:
        return _over_time(op, value, "max", keepdim=False)
    axis = op.feature(value, at)
    allowed(op)
    node = Host("extreme", {"axis": axis, "largest": float(most)})
    return op.emit(node, [value], axes=value.axes[:at] + value.axes[at + 1 :])


ROWS: Mapping[str, Row] = {
    "mean": reduction(lambda axes, keep: Mean(axes, keep), "mean"),
    "sum": reduction(lambda axes, keep: Sum(axes, keep), "sum"),
    "amax": largest,
    "max": largest,
    "amin": smallest,
    "min": smallest,
}
