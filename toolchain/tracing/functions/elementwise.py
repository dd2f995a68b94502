"""Arithmetic, and changes of type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ...graph.nodes import Add, Multiply, Scale
from ..operation import Cannot, Operation, Row, wide
from ..values import Tracked, Value
from .hosts import divide
from .logic import unequal


def _sum(op: Operation, a: Any, b: Any, left: float, right: float) -> Tracked:
    """left·a + right·b."""
    if op.result.dtype is torch.bool:
        raise Cannot(f"{op.name} of true and false", "numbers, or logical_or", "call .float() on them")
    if isinstance(a, Tracked) and isinstance(b, Tracked):
        op.suffix(a.value, b.value)
        first = a.value if left == 1 else op.scaled(a.value, left, "left")
        second = b.value if right == 1 else op.scaled(b.value, right, "right")
        return op.emit(Add(), [first, second])
    signal, constant, gain, weight = (a, b, left, right) if isinstance(a, Tracked) else (b, a, right, left)
    value = op.value(signal)
    shift = weight * op.across(value, constant) if abs(weight) == 1 else weight * wide(op.across(value, constant))
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


def rdiv(op: Operation, input: Any, other: Any) -> Tracked:
    """other / input."""
    return divide(op, other, input)


def mul(op: Operation, input: Any, other: Any) -> Tracked:
    """input · other."""
    if isinstance(input, Tracked) and isinstance(other, Tracked):
        op.suffix(input.value, other.value)
        return op.emit(Multiply(), [input.value, other.value])
    signal, constant = (input, other) if isinstance(input, Tracked) else (other, input)
    value = op.value(signal)
    return op.emit(Scale(op.across(value, constant)), [value], axes=op.widest([value], op.result.ndim))


def div(op: Operation, input: Any, other: Any, *, rounding_mode: str | None = None) -> Tracked:
    """input / other; a signal below the line is work for a host."""
    if rounding_mode is not None:
        raise Cannot(f"division rounded to {rounding_mode}", "true division")
    if not isinstance(input, Tracked):
        return divide(op, input, other)
    value = op.value(input)
    divisor = wide(op.across(value, other, "divisor"))
    if not divisor.all():
        raise Cannot("a division by zero", "a divisor that is not 0")
    return op.emit(Scale(1.0 / divisor), [value], axes=op.widest([value], op.result.ndim))


def dropout(op: Operation, input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tracked:  # noqa: ARG001
    """Nothing, outside of training."""
    if training and p > 0:
        raise Cannot("dropout while training", "a module in eval()", "call module.eval() before tracing")
    return op.same(op.value(input))


def same(op: Operation, input: Any, *args: Any, **kwargs: Any) -> Tracked:  # noqa: ARG001
    """The numbers stay as they are, in another place or type."""
    value = op.value(input)
    _check_type(op, value, input.dtype, op.result.dtype)
    return op.same(value)


def _check_type(op: Operation, value: Value, old: torch.dtype, new: torch.dtype) -> None:
    """Refuse a change of type that changes numbers."""
    carries = op.recorder.carries(value)
    if new == old or (new in WIDE and not old.is_complex) or (new is torch.bool and carries.binary):
        return
    if new is torch.bool:
        raise Cannot("numbers made true and false", "a comparison", "write x != 0")
    whole = old is torch.bool or not (old.is_floating_point or carries.graded)
    if new in (torch.int32, torch.int64) and (whole or not carries.graded):
        return
    if not new.is_floating_point:
        raise Cannot(f"{op.name} makes {new} of real values", "floating point", "leave the values as they are")
    if not (whole or carries.binary):
        raise Cannot(f"{op.name} rounds to {new}", "float32 or float64", "leave half precision out of forward")


WIDE = (torch.float32, torch.float64)
"""The types that a graph computes in."""


def new_tensor(op: Operation, data: Any, **kwargs: Any) -> Tracked:
    """torch.tensor(x): a copy."""
    if not isinstance(data, Tracked):
        raise Cannot(f"{op.name} of a list of signals", "a signal", "use torch.stack")
    return same(op, data, **kwargs)


def as_boolean(op: Operation, input: Any) -> Tracked:
    """[x ≠ 0]; spikes stay as they are."""
    value = op.value(input)
    return op.same(value) if op.recorder.carries(value).binary else unequal(op, input, 0.0)


def lerp(op: Operation, input: Any, end: Any, weight: Any) -> Tracked:
    """a + w·(b − a), for a constant w."""
    if isinstance(weight, Tracked):
        raise Cannot("lerp with a weight that is a signal", "a constant weight", "write a + w * (b - a)")
    value = op.value(input if isinstance(input, Tracked) else end)
    share = wide(op.across(value, weight))
    return _weighted(op, [(input, 1.0 - share), (end, share)])


def addcmul(op: Operation, input: Any, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tracked:
    """a + value·b·c."""
    factors = [each for each in (tensor1, tensor2) if isinstance(each, Tracked)]
    if len(factors) == 2:
        a, b = (each.value for each in factors)
        op.suffix(a, b)
        product = op.send(
            Multiply(), [a, b], op.widest([a, b], max(len(a.axes), len(b.axes))), name=f"{op.label}_product"
        )
        scaled = product if value == 1 else op.scaled(product, float(value), "scale")
    elif len(factors) == 1:
        constant = tensor2 if factors[0] is tensor1 else tensor1
        gain = wide(op.across(factors[0].value, constant)) * float(value)
        scaled = op.send(Scale(gain), [factors[0].value], factors[0].value.axes, name=f"{op.label}_product")
    else:
        return _weighted(op, [(input, np.asarray(1.0)), (tensor1 * tensor2, np.asarray(float(value)))])
    if not isinstance(input, Tracked):
        return op.emit(Scale(np.asarray(1.0), op.across(scaled, input)), [scaled])
    op.suffix(input.value, scaled)
    return op.emit(Add(), [input.value, scaled])


def _weighted(op: Operation, terms: Sequence[tuple[Any, Any]]) -> Tracked:
    """Σ w·x, for signals and constants x."""
    signals = [each for each, _ in terms if isinstance(each, Tracked)]
    parts, shift = [], np.asarray(0.0)
    for place, (each, weight) in enumerate(terms):
        if isinstance(each, Tracked):
            parts.append(op.send(Scale(weight), [each.value], each.value.axes, name=f"{op.label}_part{place}"))
        else:
            shift = shift + weight * op.across(signals[0].value, each)
    if len(parts) == 1:
        return op.emit(Scale(np.asarray(1.0), shift), parts)
    op.suffix(*parts)
    return op.emit(Add(), parts)


ROWS: Mapping[str, Row] = {
    "add": add,
    **dict.fromkeys(("sub", "subtract"), sub),
    "rsub": rsub,
    **dict.fromkeys(("neg", "negative"), neg),
    **dict.fromkeys(("mul", "multiply"), mul),
    **dict.fromkeys(("div", "divide", "true_divide"), div),
    "rdiv": rdiv,
    "addcmul": addcmul,
    "lerp": lerp,
    **dict.fromkeys(("dropout", "dropout1d", "dropout2d", "dropout3d"), dropout),
    **dict.fromkeys(("alpha_dropout", "feature_alpha_dropout", "feature_dropout"), dropout),
    **dict.fromkeys(("contiguous", "clone", "detach", "data", "alias", "requires_grad", "deepcopy"), same),
    **dict.fromkeys(("float", "double", "half", "bfloat16", "int", "long", "to", "type", "type_as"), same),
    **dict.fromkeys(("cpu", "positive", "as_tensor", "asarray", "nan_to_num"), same),
    **dict.fromkeys(("tensor",), new_tensor),
    "bool": as_boolean,
}
"""A function or method by its bare name."""
