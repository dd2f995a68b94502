"""Softmax, and normalisations with statistics of the sample itself: work of a host."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...toolchain.graph.nodes import Activation, Host, Mean, Scale, Sum
from ...toolchain.graph.nodes.base import Array, need, shown
from .call import Call
from .images import image, restored
from .operators_pooling import powered, rooted
from .operators_reducing import over_axes
from .operators_values import added, of_two, scaled
from .values import Signal, Value

Row = Callable[[Call], Signal | list[Value]]


def softmax(operation: str) -> Row:
    """Along an axis; before opset 13 over that axis and all behind it."""

    def row(call: Call) -> Signal:
        x = call.real()
        axis = x.layout.axis(call.whole("axis", -1 if call.version >= 13 else 1))
        if call.version >= 13 or axis == x.layout.rank - 1:
            return call.emit(Host(operation, {"axis": x.layout.place(axis, operation)}), x)
        for k in range(axis, x.layout.rank):
            x.layout.place(k, operation)
        rows = replace(x.layout, sizes=(*x.layout.sizes[:axis], math.prod(x.layout.sizes[axis:])))
        flat = call.reshaped(x, rows, "rows")
        y = call.emit(Host(operation, {"axis": flat.layout.place(axis)}), flat, part="of_rows")
        return call.reshaped(y, x.layout, "")

    return row


def _last(call: Call, x: Signal) -> tuple[int, int]:
    """The first axis that is normalised over, and how many there are; the batch lies before them."""
    axis = x.layout.axis(call.whole("axis", -1))
    for k in range(axis, x.layout.rank):
        x.layout.place(k, "a normalisation")
    return axis, x.layout.rank - axis


def layer_norm(call: Call) -> list[Value]:
    """(x − mean)/√(variance + ε)·γ + b over the last axes; and the mean and 1/√(variance + ε) where they are read."""
    call.ignore("stash_type")
    x = call.real()
    axis, count = _last(call, x)
    shape = x.layout.sizes[axis:]
    weight = _beside(call, 1, shape)
    bias = _beside(call, 2, shape) if call.given(2) else None
    epsilon = call.amount("epsilon", 1e-5)
    y = call.emit(Host("layer_norm", {"axes": count, "epsilon": epsilon}), x, part="normalised")
    found: list[Value] = [scaled(call, y, weight, bias)]
    return found + _statistics(call, x, range(axis, x.layout.rank), epsilon) if any(call.wanted[1:]) else found


def _statistics(call: Call, x: Signal, axes: Sequence[int], epsilon: float) -> list[Value]:
    """The mean, and 1/√(variance + ε)."""
    mean = over_axes(call, x, axes, Mean, keep=True, part="mean")
    centred = added(call, [x, scaled(call, mean, -1.0, None, "minus")], "centred")
    square = call.emit(Activation("square"), centred, part="square")
    variance = over_axes(call, square, axes, Mean, keep=True, part="variance")
    root = call.emit(Host("sqrt"), scaled(call, variance, 1.0, np.asarray(epsilon), "above"), part="deviation")
    return [mean, call.emit(Host("reciprocal"), root, part="by_deviation")]


def _beside(call: Call, index: int, shape: tuple[int, ...]) -> Array:
    value = call.constant(index)
    need(
        value.size == 1 or value.ndim <= len(shape),
        f"input {index}",
        shown(value.shape),
        f"what broadcasts to {shown(shape)}",
    )
    return value.reshape(()) if value.size == 1 else value


def rms_norm(call: Call) -> Signal:
    """x/√(mean x² + ε)·γ over the last axes."""
    call.ignore("stash_type")
    x = call.real()
    axis, _ = _last(call, x)
    weight = _beside(call, 1, x.layout.sizes[axis:])
    square = call.emit(Activation("square"), x, part="square")
    power = over_axes(call, square, range(axis, x.layout.rank), Mean, keep=True, part="mean")
    size = call.emit(
        Host("sqrt"), scaled(call, power, 1.0, np.asarray(call.amount("epsilon", 1e-5)), "above"), part="root"
    )
    return scaled(call, of_two(call, "divide", x, size, "normalised"), weight)


def _groups(call: Call, groups: int | None) -> Signal:
    """(x − mean)/√(variance + ε) in groups of channels, then a scale and a shift for each channel."""
    call.ignore("stash_type")
    x = image(call, call.real(), None)
    channels = x.layout.sizes[1]
    count = channels if groups is None else groups
    need(count >= 1 and channels % count == 0, "num_groups", f"{count}", f"a divisor of {channels}")
    epsilon = call.amount("epsilon", 1e-5)
    y = call.emit(Host("group_norm", {"groups": count, "epsilon": epsilon}), x, part="normalised")
    both = []
    for index, name in ((1, "scale"), (2, "bias")):
        value = call.constant(index, name)
        if groups is not None and call.version < 21 and value.size == count:
            value = np.repeat(value, channels // count)
        need(value.shape == (channels,), name, shown(value.shape), f"[{channels}]")
        both.append(value.reshape(channels, *[1] * (x.layout.rank - 2)))
    return restored(call, call.real(), call.emit(Scale(*both), y))


def lp_norm(call: Call) -> Signal:
    """x/(Σ |x|ᵖ)^(1/p) along an axis; 0 where that is 0."""
    p, x = call.whole("p", 2), call.real()
    need(p in (1, 2), "p", f"{p}", "1 or 2")
    axis = x.layout.axis(call.whole("axis", -1))
    total = over_axes(call, powered(call, x, p), (axis,), Sum, keep=True, part="total")
    size = rooted(call, total, p, "root")
    tiny = float(np.finfo(np.float32).tiny)
    above = call.emit(Activation("clip", {"low": tiny, "high": float(np.finfo(np.float32).max)}), size, part="above")
    return of_two(call, "divide", x, above)


OPERATORS: Mapping[str, Row] = {
    "Softmax": softmax("softmax"),
    "LogSoftmax": softmax("log_softmax"),
    "LayerNormalization": layer_norm,
    "RMSNormalization": rms_norm,
    "GroupNormalization": lambda call: _groups(call, call.whole("num_groups")),
    "InstanceNormalization": lambda call: _groups(call, None),
    "LpNormalization": lp_norm,
}
