"""Sums, means and maxima: over windows, and over axes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from torch import Tensor

from ...toolchain.graph.signal import GRADED, Carries, repeated
from .aten_calls import Call, Row, size
from .aten_synapses import small
from .book import Shape, pairs
from .fanout import Fanout, conv, pool, uniform
from .nonzeros import look
from .provenance import Origin, made


def of_windows(kind: str, dims: int) -> Row:
    """A row for a pool that moves a window over `dims` axes."""
    return Row(_kept if kind == "MaxPool" else real, lambda call: _windows(call, kind, dims))


def real(call: Call) -> Origin:
    """A mean is a real number."""
    return made(call.parts())


def _kept(call: Call) -> Origin:
    """The largest of some values is one of them."""
    return made(call.parts(), call.origin(call.args[0]).carries)


def _windows(call: Call, kind: str, dims: int) -> None:
    x, window = call.args[0], _each(call.args[1], dims)
    stride = _each(call.arg(2, "stride") or window, dims)
    before = _each(call.arg(3, "padding", 0), dims)
    dilation = _each(call.arg(4, "dilation", 1), dims) if kind == "MaxPool" else (1,) * dims
    received = tuple(x.shape[-dims - 1 :])
    sent = _result(call).shape[-dims - 1 :]
    fan = _fan(received, tuple(sent), window, stride, before, dilation)
    more = {"kernel": window, "stride": stride, "channels": (received[0], sent[0])}
    _pooled(call, Shape(kind, "pool", more, (window, stride)), fan)


def _result(call: Call) -> Tensor:
    out: Tensor = call.out[0] if isinstance(call.out, tuple) else call.out
    return out


@cache
def _fan(
    received: tuple[int, ...], sent: tuple[int, ...], window: Any, stride: Any, before: Any, dilation: tuple[int, ...]
) -> Fanout:
    if all(each == 1 for each in dilation):
        return pool(received, sent, window, stride, before)
    ones = np.ones((received[0], 1, *window))
    return conv(ones, received, sent, stride, before, dilation, received[0])


def adaptive(kind: str, dims: int) -> Row:
    """A row for a pool that is told its output's size: window i runs from ⌊i·n/m⌋ to ⌈(i + 1)·n/m⌉."""

    def count(call: Call) -> None:
        x, sent = call.args[0], tuple(_result(call).shape[-dims:])
        received = tuple(x.shape[-dims - 1 :])
        more = {"channels": (received[0], received[0])}
        _pooled(call, Shape(kind, "pool", more, (received, sent)), _adaptive_fan(received, sent))

    return Row(_kept if kind == "MaxPool" else real, count)


@cache
def _adaptive_fan(received: tuple[int, ...], sent: tuple[int, ...]) -> Fanout:
    every = np.array(1, np.int64)
    for n, m in zip(received[1:], sent, strict=True):
        seen = np.zeros(n, np.int64)
        for i in range(m):
            seen[i * n // m : -(-(i + 1) * n // m)] += 1
        every = np.multiply.outer(every, seen)
    dense = int(every.sum()) * received[0]
    return Fanout(received, every[None], every[None], dense)


def _pooled(call: Call, shape: Shape, fan: Fanout) -> None:
    """One pair for each value and each window that it is in; the division of a mean is a multiplication."""
    x = call.args[0]
    origin, batch = call.origin(x), x.numel() // max(math.prod(fan.shape), 1)
    entry = call.layer(shape, origin, values=_result(call).numel())
    if shape.kind == "MaxPool":
        entry.add(comparisons=fan.dense * batch, received=x.numel(), events=call.events(x))
        return
    if origin.carries.graded:
        entry.add(**pairs_of_dense(fan.dense * batch), received=x.numel(), events=call.events(x))
    else:
        sums = look(x, call.where(), fan, whole=small(origin))
        numbers = pairs(sums, fan.dense * batch, fan.padded * batch)
        entry.add(**numbers, received=sums.values, events=sums.events)
    entry.add(multiplies=_result(call).numel() if shape.kind in ("AveragePool", "Mean") else 0)


def pairs_of_dense(dense: int) -> dict[str, int]:
    """Sums of real numbers are additions, whatever the numbers are."""
    return {"dense": dense}


def over_axes(kind: str) -> Row:
    """A row for a sum or a mean over axes."""

    def sends(call: Call) -> Origin:
        origin = call.origin(call.args[0])
        many = _added(call.args[0], call.arg(1, "dim"))
        carries = repeated(origin.carries, many) if kind == "Sum" else GRADED
        return replace(made(call.parts(), carries), first=origin.first)

    def count(call: Call) -> None:
        _pooled(call, Shape(kind, "pool"), uniform((call.args[0].numel(),)))

    return Row(sends, count)


def _added(x: Tensor, dims: Any) -> int:
    """How many values one sum over these axes has."""
    single = [dims] if isinstance(dims, int) else dims
    return math.prod(x.shape[dim] for dim in single) if single else x.numel()


def extreme(call: Call) -> None:
    """The largest or smallest value along an axis: one comparison for each value."""
    x = call.args[0]
    if isinstance(call.arg(1), Tensor):
        return
    entry = call.layer(Shape("extreme", "pool"), call.origin(x), name=call.name, values=size(call.out))
    entry.add(comparisons=x.numel(), received=x.numel(), events=x.numel())


def found(call: Call) -> Origin:
    """True or false of all values, or a place."""
    return made(call.parts(), Carries(0, 1) if call.name in ("any", "all") else GRADED)


def _each(value: Any, dims: int) -> tuple[int, ...]:
    given = tuple(value) if isinstance(value, list | tuple) else (value,)
    return tuple(int(each) for each in (given * dims if len(given) == 1 else given))


ROWS: Mapping[str, Row] = {
    **{f"avg_pool{dims}d": of_windows("AveragePool", dims) for dims in (1, 2, 3)},
    **{f"max_pool{dims}d_with_indices": of_windows("MaxPool", dims) for dims in (2, 3)},
    **{f"max_pool{dims}d": of_windows("MaxPool", dims) for dims in (1, 2, 3)},
    **{f"mkldnn_max_pool{dims}d": of_windows("MaxPool", dims) for dims in (2, 3)},
    **{f"_adaptive_avg_pool{dims}d": adaptive("AveragePool", dims) for dims in (2, 3)},
    **{f"adaptive_max_pool{dims}d": adaptive("MaxPool", dims) for dims in (2, 3)},
    **dict.fromkeys(("sum", "nansum"), over_axes("Sum")),
    "mean": over_axes("Mean"),
    **dict.fromkeys(("amax", "amin", "aminmax"), Row(_kept, extreme)),
    **dict.fromkeys(("argmax", "argmin", "any", "all"), Row(found, extreme)),
}
"""An operation by its name; `max` and `min` are with the functions of two signals."""
