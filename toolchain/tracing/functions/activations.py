"""Activations, and what they are made of where they have no function of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from ...graph.nodes import Activation, Add, Multiply, Scale, Slice
from ..operation import Cannot, Operation, Row
from ..values import Tracked


def activation(function: str, **fixed: float) -> Row:
    """A row for an activation without parameters of its own."""

    def row(op: Operation, input: Any, inplace: bool = False) -> Tracked:  # noqa: ARG001
        return op.emit(Activation(function, fixed), [op.value(input)])

    return row


def leaky_relu(op: Operation, input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Tracked:  # noqa: ARG001
    """A ReLU with a slope below 0."""
    return op.emit(Activation("leaky_relu", {"slope": negative_slope}), [op.value(input)])


def prelu(op: Operation, input: Any, weight: Tensor) -> Tracked:
    """A ReLU with a learnt slope a, or one for each channel: relu(x) − a·relu(−x)."""
    slopes = op.constant(weight, "weight")
    if slopes.size == 1:
        return op.emit(Activation("leaky_relu", {"slope": float(slopes.reshape(()))}), [op.value(input)])
    value = op.ordered(input, most=1)
    sides = slopes.reshape(-1, *([1] * (value.axes.count("f") - 1)))
    above = op.send(Activation("relu"), [value], value.axes, name=f"{op.label}_above")
    turned = op.scaled(value, -1.0, "turned")
    below = op.send(Activation("relu"), [turned], value.axes, name=f"{op.label}_below")
    return op.emit(Add(), [above, op.scaled(below, -sides, "slopes")])


def elu(op: Operation, input: Any, alpha: float = 1.0, inplace: bool = False) -> Tracked:  # noqa: ARG001
    """An exponential below 0."""
    return op.emit(Activation("elu", {"alpha": alpha}), [op.value(input)])


def gelu(op: Operation, input: Any, *, approximate: str = "none") -> Tracked:
    """x·Φ(x), or its form with tanh."""
    return op.emit(Activation("gelu_tanh" if approximate == "tanh" else "gelu"), [op.value(input)])


def softplus(op: Operation, input: Any, beta: float = 1, threshold: float = 20) -> Tracked:
    """log(1 + exp(β·x)) / β; torch rounds it to x above its threshold."""
    if threshold < 20:
        raise Cannot(f"softplus that is cut off at {threshold}", "a threshold of at least 20")
    value = op.value(input)
    if beta == 1:
        return op.emit(Activation("softplus"), [value])
    soft = op.send(Activation("softplus"), [op.scaled(value, float(beta), "in")], value.axes, name=f"{op.label}_soft")
    return op.emit(Scale(np.asarray(1.0 / beta)), [soft])


def hardtanh(op: Operation, input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tracked:  # noqa: ARG001
    """min(max(x, min_val), max_val)."""
    return op.emit(Activation("clip", {"low": min_val, "high": max_val}), [op.value(input)])


def square(op: Operation, input: Any) -> Tracked:
    """x²."""
    return op.emit(Activation("square"), [op.value(input)])


def clamp(op: Operation, input: Any, min: Any = None, max: Any = None) -> Tracked:
    """min(max(x, min), max); with one bound alone, or with bounds for each feature, as shifted ReLUs."""
    value = op.value(input)
    low, high = (None if bound is None else op.across(value, bound, "bound") for bound in (min, max))
    if low is not None and high is not None and low.ndim == 0 and high.ndim == 0:
        return op.emit(Activation("clip", {"low": float(low), "high": float(high)}), [value])
    for sign, bound, label in ((1.0, low, "low"), (-1.0, high, "high")):
        if bound is not None:
            name = f"{op.label}_{label}"
            above = op.send(Scale(np.asarray(sign), -sign * bound), [value], value.axes, name=name)
            kept = op.send(Activation("relu"), [above], value.axes, name=f"{name}_relu")
            value = op.send(Scale(np.asarray(sign), bound), [kept], value.axes, name=f"{name}_back")
    return op.same(value)


def clamp_min(op: Operation, input: Any, min: Any) -> Tracked:
    """max(x, min)."""
    return clamp(op, input, min=min)


def clamp_max(op: Operation, input: Any, max: Any) -> Tracked:
    """min(x, max)."""
    return clamp(op, input, max=max)


def maximum(op: Operation, input: Any, other: Any) -> Tracked:
    """max(x, c), c a constant."""
    return clamp(op, input, min=other) if isinstance(input, Tracked) else clamp(op, other, min=input)


def minimum(op: Operation, input: Any, other: Any) -> Tracked:
    """min(x, c), c a constant."""
    return clamp(op, input, max=other) if isinstance(input, Tracked) else clamp(op, other, max=input)


def threshold(op: Operation, input: Any, threshold: float, value: float, inplace: bool = False) -> Tracked:  # noqa: ARG001
    """x where it is above the threshold, else the value."""
    source, label = op.value(input), op.label
    above = op.send(Activation("step", {"threshold": float(threshold)}), [source], source.axes, name=f"{label}_above")
    kept = op.send(Multiply(), [source, above], source.axes, name=f"{label}_kept")
    return op.emit(Add(), [kept, op.scaled(above, -float(value), "value", float(value))])


def hardshrink(op: Operation, input: Any, lambd: float = 0.5) -> Tracked:
    """x where |x| is above λ, else 0."""
    value, label = op.value(input), op.label
    size = op.send(Activation("abs"), [value], value.axes, name=f"{label}_abs")
    above = op.send(Activation("step", {"threshold": float(lambd)}), [size], value.axes, name=f"{label}_above")
    return op.emit(Multiply(), [value, above])


def glu(op: Operation, input: Any, dim: int = -1) -> Tracked:
    """a·σ(b), for the two halves a and b of an axis."""
    value = op.value(input)
    axis, half = op.feature(value, dim), input.shape[dim] // 2
    first = op.send(Slice(axis, 0, half), [value], value.axes, name=f"{op.label}_a")
    second = op.send(Slice(axis, half, 2 * half), [value], value.axes, name=f"{op.label}_b")
    return op.emit(Multiply(), [first, op.send(Activation("sigmoid"), [second], value.axes, name=f"{op.label}_gate")])


def logsigmoid(op: Operation, input: Any) -> Tracked:
    """−softplus(−x)."""
    value = op.value(input)
    turned = op.scaled(value, -1.0, "turned")
    soft = op.send(Activation("softplus"), [turned], value.axes, name=f"{op.label}_softplus")
    return op.emit(Scale(np.asarray(-1.0)), [soft])


def tanhshrink(op: Operation, input: Any) -> Tracked:
    """x − tanh(x)."""
    value = op.value(input)
    tanh = op.send(Activation("tanh"), [value], value.axes, name=f"{op.label}_tanh")
    return op.emit(Add(), [value, op.scaled(tanh, -1.0, "minus")])


def softshrink(op: Operation, input: Any, lambd: float = 0.5) -> Tracked:
    """relu(x − λ) − relu(−x − λ)."""
    value, label = op.value(input), op.label
    parts = []
    for sign, side in ((1.0, "above"), (-1.0, "below")):
        shifted = op.send(Scale(np.asarray(sign), np.asarray(-lambd)), [value], value.axes, name=f"{label}_{side}")
        kept = op.send(Activation("relu"), [shifted], value.axes, name=f"{label}_{side}_relu")
        parts.append(kept if sign == 1 else op.scaled(kept, -1.0, "minus"))
    return op.emit(Add(), parts)


def celu(op: Operation, input: Any, alpha: float = 1.0, inplace: bool = False) -> Tracked:  # noqa: ARG001
    """α·elu(x/α)."""
    value = op.value(input)
    inner = op.send(Activation("elu", {"alpha": 1.0}), [op.scaled(value, 1 / alpha, "in")], value.axes, name=op.label)
    return op.emit(Scale(np.asarray(alpha)), [inner])


ROWS: Mapping[str, Row] = {
    "relu": activation("relu"),
    "relu6": activation("clip", low=0.0, high=6.0),
    "leaky_relu": leaky_relu,
    "prelu": prelu,
    "elu": elu,
    "celu": celu,
    "selu": activation("selu"),
    "gelu": gelu,
    "silu": activation("silu"),
    "mish": activation("mish"),
    "glu": glu,
    "sigmoid": activation("sigmoid"),
    "log_sigmoid": logsigmoid,
    "hardsigmoid": activation("hard_sigmoid"),
    "hardswish": activation("hard_swish"),
    "tanh": activation("tanh"),
    "hardtanh": hardtanh,
    "softplus": softplus,
    "softsign": activation("softsign"),
    "softshrink": softshrink,
    "tanhshrink": tanhshrink,
    **dict.fromkeys(("abs", "absolute"), activation("abs")),
    "square": square,
    **dict.fromkeys(("clamp", "clip"), clamp),
    "clamp_min": clamp_min,
    "clamp_max": clamp_max,
    **dict.fromkeys(("maximum", "fmax"), maximum),
    **dict.fromkeys(("minimum", "fmin"), minimum),
    "threshold": threshold,
    "hardshrink": hardshrink,
}
"""A function or method by its bare name."""
