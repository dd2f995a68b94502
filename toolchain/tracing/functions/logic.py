"""Comparisons, choices and logic of true and false: 1 and 0 on the wires."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...graph.nodes import Activation, Add, Multiply, Scale
from ..operation import Cannot, Operation, Row
from ..values import Tracked, Value


def comparison(function: str, sign: float) -> Row:
    """A row for a comparison with a constant or a signal: step(sign · (a − b)), true at 0 or not."""

    def row(op: Operation, input: Any, other: Any) -> Tracked:
        if not isinstance(input, Tracked):
            return _compared(op, other, input, function, -sign)
        return _compared(op, input, other, function, sign)

    return row


def _compared(op: Operation, input: Any, other: Any, function: str, sign: float) -> Tracked:
    above = _difference(op, input, other, sign, function)
    if isinstance(above, Tracked):
        return above
    return op.emit(Activation(function, {"threshold": 0.0}), [above], axes=op.widest([above], op.result.ndim))


def _difference(op: Operation, input: Any, other: Any, sign: float, function: str) -> Value | Tracked:
    """sign · (a − b), or the answer itself where one node tells."""
    value = op.value(input)
    if isinstance(other, Tracked):
        op.suffix(value, other.value)
        first, second = (value, other.value) if sign == 1 else (other.value, value)
        minus = op.scaled(second, -1.0, "minus")
        return op.send(Add(), [first, minus], op.widest([first, minus], op.result.ndim), name=f"{op.label}_difference")
    level = op.across(value, other)
    if level.ndim == 0 and sign == 1:
        return op.emit(Activation(function, {"threshold": float(level)}), [value])
    return op.send(Scale(np.asarray(sign), -sign * level), [value], value.axes, name=f"{op.label}_level")


def equal(op: Operation, input: Any, other: Any) -> Tracked:
    """[a = b] = [a − b ≥ 0]·[b − a ≥ 0]."""
    return op.emit(Multiply(), _bounds(op, input, other))


def unequal(op: Operation, input: Any, other: Any) -> Tracked:
    """1 − [a = b]."""
    bounds = _bounds(op, input, other)
    same = op.send(Multiply(), bounds, op.widest(bounds, op.result.ndim), name=f"{op.label}_equal")
    return _negated(op, same)


def _bounds(op: Operation, input: Any, other: Any) -> list[Value]:
    """[a − b ≥ 0] and [b − a ≥ 0]."""
    signal, reference = (input, other) if isinstance(input, Tracked) else (other, input)
    value, label = op.value(signal), op.label
    if isinstance(reference, Tracked):
        op.suffix(value, reference.value)
        minus = op.scaled(reference.value, -1.0, "minus")
        axes = op.widest([value, minus], op.result.ndim)
        apart = op.send(Add(), [value, minus], axes, name=f"{label}_difference")
    else:
        level = op.across(value, reference)
        apart = op.send(Scale(np.asarray(1.0), -level), [value], value.axes, name=f"{label}_difference")
    turned = op.scaled(apart, -1.0, "turned")
    step = Activation("step_or_equal", {"threshold": 0.0})
    return [
        op.send(step, [each], each.axes, name=f"{label}_{bound}")
        for each, bound in ((apart, "least"), (turned, "most"))
    ]


def _negated(op: Operation, value: Value) -> Tracked:
    """1 − a for a of 0 and 1, as [−a ≥ 0], which is a spike again."""
    return op.emit(Activation("step_or_equal", {"threshold": 0.0}), [op.scaled(value, -1.0, "minus")], axes=value.axes)


def heaviside(op: Operation, input: Any, values: Tensor) -> Tracked:
    """1 above 0, `values` at 0."""
    at_zero = float(op.constant(values, "values").reshape(-1)[0])
    if at_zero not in (0.0, 1.0) or values.numel() != 1:
        raise Cannot("heaviside with other values at 0 than one 0 or 1", "0 or 1 there")
    return op.emit(Activation("step_or_equal" if at_zero else "step", {"threshold": 0.0}), [op.value(input)])


def sign(op: Operation, input: Any) -> Tracked:
    """[x > 0] − [−x > 0]."""
    value, label = op.value(input), op.label
    step = Activation("step", {"threshold": 0.0})
    above = op.send(step, [value], value.axes, name=f"{label}_above")
    turned = op.scaled(value, -1.0, "turned")
    below = op.send(step, [turned], value.axes, name=f"{label}_below")
    return op.emit(Add(), [above, op.scaled(below, -1.0, "minus")])


def logical_not(op: Operation, input: Any) -> Tracked:
    """1 − a."""
    return _negated(op, _truth(op, input))


def bitwise_not(op: Operation, input: Any) -> Tracked:
    """1 − a, of true and false alone: ~1 is −2."""
    if input.dtype is not torch.bool:
        raise Cannot(f"~ of {input.dtype}", "true and false", "write 1 - x")
    return logical_not(op, input)


def logical_and(op: Operation, input: Any, other: Any) -> Tracked:
    """a·b."""
    return op.emit(Multiply(), _two(op, input, other))


def logical_or(op: Operation, input: Any, other: Any) -> Tracked:
    """[a + b > 0]."""
    values = _two(op, input, other)
    total = op.send(Add(), values, op.widest(values, op.result.ndim), name=f"{op.label}_sum")
    return op.emit(Activation("step", {"threshold": 0.0}), [total])


def logical_xor(op: Operation, input: Any, other: Any) -> Tracked:
    """(a − b)²."""
    first, second = _two(op, input, other)
    minus = op.scaled(second, -1.0, "minus")
    axes = op.widest([first, minus], op.result.ndim)
    apart = op.send(Add(), [first, minus], axes, name=f"{op.label}_difference")
    return op.emit(Activation("square"), [apart], axes=axes)


def _two(op: Operation, input: Any, other: Any) -> list[Value]:
    values = [_truth(op, input), _truth(op, other)]
    op.suffix(*values)
    return values


def _truth(op: Operation, input: Any) -> Value:
    value = op.value(input)
    if input.dtype is not torch.bool and not op.recorder.carries(value).binary:
        raise Cannot(f"{op.name} of numbers", "true and false, or spikes", "compare the numbers first")
    return value


def where(op: Operation, condition: Any, input: Any = None, other: Any = None, **names: Any) -> Tracked:
    """c·a + (1 − c)·b, which is a where c is 1 and b where it is 0."""
    input = names.get("self", input)
    if input is None or other is None:
        raise Cannot("where without a choice of two", "where(condition, a, b)")
    kinds = [each.dtype is torch.bool if isinstance(each, Tensor) else None for each in (condition, input)]
    if kinds == [False, True]:
        condition, input = input, condition
    if kinds == [True, True]:
        raise Cannot("where with true and false to choose from", "numbers", "use logical_and and logical_or")
    if isinstance(condition, Tracked):
        return _chosen(op, _truth(op, condition), input, other)
    return _masked(op, condition, input, other)


def masked_fill(op: Operation, input: Any, mask: Any, value: Any) -> Tracked:
    """The value where the mask is true."""
    return where(op, mask, value, input)


def _chosen(op: Operation, condition: Value, input: Any, other: Any) -> Tracked:
    label = op.label
    step = Activation("step_or_equal", {"threshold": 0.0})
    against = op.send(step, [op.scaled(condition, -1.0, "minus")], condition.axes, name=f"{label}_not")
    parts = [_part(op, condition, input, f"{label}_then"), _part(op, against, other, f"{label}_else")]
    kept = [part for part in parts if part is not None]
    if not kept:
        return op.emit(Scale(np.asarray(0.0)), [condition])
    if len(kept) == 1:
        return op.emit(Scale(np.asarray(1.0)), kept)
    return op.emit(Add(), kept)


def _part(op: Operation, condition: Value, choice: Any, label: str) -> Value | None:
    """condition · choice; none for a choice of 0."""
    if isinstance(choice, Tracked):
        op.suffix(condition, choice.value)
        both = [condition, choice.value]
        rank = max(len(condition.axes), len(choice.value.axes))
        return op.send(Multiply(), both, op.widest(both, rank), name=label)
    gain = op.across(condition, choice)
    return op.send(Scale(gain), [condition], condition.axes, name=label) if gain.any() else None


def _masked(op: Operation, mask: Any, input: Any, other: Any) -> Tracked:
    """A choice by a constant mask."""
    signals = [each.value for each in (input, other) if isinstance(each, Tracked)]
    keep = op.across(signals[0], mask.to(torch.float64) if isinstance(mask, Tensor) else mask)
    parts, shift = [], np.asarray(0.0)
    for share, choice, label in ((keep, input, "then"), (1.0 - keep, other, "else")):
        if isinstance(choice, Tracked):
            value = choice.value
            parts.append(op.send(Scale(share), [value], value.axes, name=f"{op.label}_{label}"))
        else:
            shift = shift + share * op.across(signals[0], choice)
    if len(parts) == 1:
        return op.emit(Scale(np.asarray(1.0), shift), parts)
    op.suffix(*signals)
    return op.emit(Add(), parts)


ROWS: Mapping[str, Row] = {
    **dict.fromkeys(("gt", "greater"), comparison("step", 1.0)),
    **dict.fromkeys(("ge", "greater_equal"), comparison("step_or_equal", 1.0)),
    **dict.fromkeys(("lt", "less"), comparison("step", -1.0)),
    **dict.fromkeys(("le", "less_equal"), comparison("step_or_equal", -1.0)),
    "eq": equal,
    **dict.fromkeys(("ne", "not_equal"), unequal),
    "heaviside": heaviside,
    **dict.fromkeys(("sign", "sgn"), sign),
    "logical_not": logical_not,
    **dict.fromkeys(("bitwise_not", "invert"), bitwise_not),
    **dict.fromkeys(("logical_and", "bitwise_and", "and"), logical_and),
    **dict.fromkeys(("logical_or", "bitwise_or", "or"), logical_or),
    **dict.fromkeys(("logical_xor", "bitwise_xor", "xor"), logical_xor),
    "where": where,
    "masked_fill": masked_fill,
}
