"""Arithmetic, activations and comparisons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from torch import Tensor

from ...graph.nodes import Activation, Add, Multiply, Scale
from ..operation import Cannot, Operation, Row
from ..values import Tracked, Value


def _scaled(op: Operation, value: Value, factor: float, label: str) -> Value:
    return op.send(Scale(np.asarray(factor)), [value], value.axes, name=f"{op.label}_{label}")


def _sum(op: Operation, a: Any, b: Any, left: float, right: float) -> Tracked:
    """left·a + right·b."""
    if isinstance(a, Tracked) and isinstance(b, Tracked):
        op.suffix(a.value, b.value)
        first = a.value if left == 1 else _scaled(op, a.value, left, "left")
        second = b.value if right == 1 else _scaled(op, b.value, right, "right")
        return op.emit(Add(), [first, second])
    signal, constant, gain, weight = (a, b, left, right) if isinstance(a, Tracked) else (b, a, right, left)
    value = op.value(signal)
    shift = op.across(value, constant) * weight
    return op.emit(Scale(np.asarray(float(gain)), shift), [value], axes=op.widest([value], op.result.ndim))


def add(op: Operation, input: Any, other: Any, *, alpha: float = 1) -> Tracked:
    """input + alpha·other."""
    return _sum(op, input, other, 1, float(alpha))


def sub(op: Operation, input: Any, other: Any, *, alpha: float = 1) -> Tracked:
    """input − alpha·other."""
    return _sum(op, input, other, 1, -float(alpha))


def rsub(op: Operation, input: Any, other: Any, *, alpha: float = 1) -> Tracked:
    """other − alpha·input."""
    return _sum(op, input, other, -float(alpha), 1)


def neg(op: Operation, input: Any) -> Tracked:
    """−input."""
    return op.emit(Scale(np.asarray(-1.0)), [op.value(input)])


def mul(op: Operation, input: Any, other: Any) -> Tracked:
    """input · other."""
    if isinstance(input, Tracked) and isinstance(other, Tracked):
        op.suffix(input.value, other.value)
        return op.emit(Multiply(), [input.value, other.value])
    signal, constant = (input, other) if isinstance(input, Tracked) else (other, input)
    value = op.value(signal)
    return op.emit(Scale(op.across(value, constant)), [value], axes=op.widest([value], op.result.ndim))


def div(op: Operation, input: Any, other: Any, *, rounding_mode: str | None = None) -> Tracked:
    """input / other, other a constant."""
    if rounding_mode is not None:
        raise Cannot(f"division rounded to {rounding_mode}", "true division")
    value = op.value(input)
    divisor = op.across(value, other, "divisor")
    if not divisor.all():
        raise Cannot("a division by zero", "a divisor that is not 0")
    return op.emit(Scale(1.0 / divisor), [value], axes=op.widest([value], op.result.ndim))


def activation(function: str, **fixed: float) -> Row:
    """A row for an activation without parameters of its own."""

    def row(op: Operation, input: Any, inplace: bool = False) -> Tracked:  # noqa: ARG001
        return op.emit(Activation(function, fixed), [op.value(input)])

    return row


def leaky_relu(op: Operation, input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Tracked:  # noqa: ARG001
    """A ReLU with a slope below 0."""
    return op.emit(Activation("leaky_relu", {"slope": negative_slope}), [op.value(input)])


def prelu(op: Operation, input: Any, weight: Tensor) -> Tracked:
    """A ReLU with a learnt slope, one for all channels."""
    slopes = op.constant(weight, "weight")
    if slopes.size != 1:
        raise Cannot(f"prelu with {slopes.size} slopes", "one for all channels", "use PReLU(num_parameters=1)")
    return op.emit(Activation("leaky_relu", {"slope": float(slopes.reshape(()))}), [op.value(input)])


def elu(op: Operation, input: Any, alpha: float = 1.0, inplace: bool = False) -> Tracked:  # noqa: ARG001
    """An exponential below 0."""
    return op.emit(Activation("elu", {"alpha": alpha}), [op.value(input)])


def gelu(op: Operation, input: Any, *, approximate: str = "none") -> Tracked:
    """x·Φ(x), or its form with tanh."""
    return op.emit(Activation("gelu_tanh" if approximate == "tanh" else "gelu"), [op.value(input)])


def softplus(op: Operation, input: Any, beta: float = 1, threshold: float = 20) -> Tracked:  # noqa: ARG001
    """log(1 + exp(x)); torch rounds it to x above its threshold."""
    if beta != 1:
        raise Cannot(f"softplus with beta {beta}", "beta 1")
    return op.emit(Activation("softplus"), [op.value(input)])


def hardtanh(op: Operation, input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tracked:  # noqa: ARG001
    """min(max(x, min_val), max_val)."""
    return op.emit(Activation("clip", {"low": min_val, "high": max_val}), [op.value(input)])


def clamp(op: Operation, input: Any, min: float | None = None, max: float | None = None) -> Tracked:
    """min(max(x, min), max); with one bound alone, a shifted ReLU."""
    value = op.value(input)
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        raise Cannot("clamp with tensors as bounds", "numbers as bounds")
    if min is not None and max is not None:
        return op.emit(Activation("clip", {"low": min, "high": max}), [value])
    bound, sign = (float(min), 1.0) if min is not None else (float(max or 0), -1.0)
    above = op.send(Scale(np.asarray(sign), np.asarray(-sign * bound)), [value], value.axes, name=f"{op.label}_shift")
    kept = op.send(Activation("relu"), [above], value.axes, name=f"{op.label}_relu")
    return op.emit(Scale(np.asarray(sign), np.asarray(bound)), [kept])


def clamp_min(op: Operation, input: Any, min: float) -> Tracked:
    """max(x, min)."""
    return clamp(op, input, min=min)


def clamp_max(op: Operation, input: Any, max: float) -> Tracked:
    """min(x, max)."""
    return clamp(op, input, max=max)


def comparison(function: str, sign: float) -> Row:
    """A row for a comparison with a constant: step(sign · (x − constant))."""

    def row(op: Operation, input: Any, other: Any) -> Tracked:
        if not isinstance(input, Tracked):
            raise Cannot(f"{op.name} of a constant with a signal", "the signal first")
        if isinstance(other, Tracked):
            raise Cannot(
                f"{op.name} of two signals", "a signal and a constant", "subtract one from the other, compare with 0"
            )
        value = input.value
        level = op.across(value, other)
        if level.ndim == 0 and sign == 1:
            return op.emit(Activation(function, {"threshold": float(level)}), [value])
        above = op.send(Scale(np.asarray(sign), -sign * level), [value], value.axes, name=f"{op.label}_level")
        return op.emit(Activation(function, {"threshold": 0.0}), [above])

    return row


def heaviside(op: Operation, input: Any, values: Tensor) -> Tracked:
    """1 above 0, `values` at 0."""
    at_zero = float(op.constant(values, "values").reshape(-1)[0])
    if at_zero not in (0.0, 1.0):
        raise Cannot(f"heaviside with {at_zero} at 0", "0 or 1 there")
    return op.emit(Activation("step_or_equal" if at_zero else "step", {"threshold": 0.0}), [op.value(input)])


def square(op: Operation, input: Any) -> Tracked:
    """x²."""
    return op.emit(Activation("square"), [op.value(input)])


def dropout(op: Operation, input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tracked:  # noqa: ARG001
    """Nothing, outside of training."""
    if training and p > 0:
        raise Cannot("dropout while training", "a module in eval()", "call module.eval() before tracing")
    return op.same(op.value(input))


def same(op: Operation, input: Any, *args: Any, **kwargs: Any) -> Tracked:  # noqa: ARG001
    """The numbers stay as they are."""
    value = op.value(input)
    if not (op.result.is_floating_point() or op.result.is_complex()) and input.is_floating_point():
        raise Cannot(
            f"{op.name} makes integers of real values", "floating point", "round with an activation, or on the host"
        )
    return op.same(value)


_GREATER, _AT_LEAST = comparison("step", 1.0), comparison("step_or_equal", 1.0)
_LESS, _AT_MOST = comparison("step", -1.0), comparison("step_or_equal", -1.0)

ROWS: Mapping[str, Callable[..., Any]] = {
    "add": add,
    "radd": add,
    "sub": sub,
    "subtract": sub,
    "rsub": rsub,
    "neg": neg,
    "negative": neg,
    "mul": mul,
    "rmul": mul,
    "multiply": mul,
    "div": div,
    "truediv": div,
    "divide": div,
    "relu": activation("relu"),
    "relu6": activation("clip", low=0.0, high=6.0),
    "leaky_relu": leaky_relu,
    "prelu": prelu,
    "elu": elu,
    "selu": activation("selu"),
    "gelu": gelu,
    "silu": activation("silu"),
    "mish": activation("mish"),
    "sigmoid": activation("sigmoid"),
    "hardsigmoid": activation("hard_sigmoid"),
    "hardswish": activation("hard_swish"),
    "tanh": activation("tanh"),
    "hardtanh": hardtanh,
    "softplus": softplus,
    "softsign": activation("softsign"),
    "abs": activation("abs"),
    "absolute": activation("abs"),
    "square": square,
    "clamp": clamp,
    "clip": clamp,
    "clamp_min": clamp_min,
    "clamp_max": clamp_max,
    "gt": _GREATER,
    "greater": _GREATER,
    "ge": _AT_LEAST,
    "greater_equal": _AT_LEAST,
    "lt": _LESS,
    "less": _LESS,
    "le": _AT_MOST,
    "less_equal": _AT_MOST,
    "heaviside": heaviside,
    "dropout": dropout,
    "dropout1d": dropout,
    "dropout2d": dropout,
    "dropout3d": dropout,
    "alpha_dropout": dropout,
    "feature_alpha_dropout": dropout,
    **dict.fromkeys(
        (
            "contiguous",
            "clone",
            "detach",
            "float",
            "double",
            "half",
            "to",
            "type_as",
            "cpu",
            "cuda",
            "data",
            "alias",
            "bfloat16",
        ),
        same,
    ),
}
