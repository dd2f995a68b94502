"""What a chip cannot do: host nodes, when the caller allows them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from ...graph.nodes import Host, Multiply, Permute, Scale
from ..operation import Cannot, Operation, Row
from ..values import Tracked, Value


def allowed(op: Operation) -> None:
    """Give up unless the caller allows host nodes."""
    if not op.recorder.host:
        raise Cannot(
            f"{op.name}, which a chip cannot do", "nodes a chip has", "pass host=True to keep it as a host node"
        )


def _dim(op: Operation, value: Value, dim: int | None) -> int:
    if dim is None:
        raise Cannot(f"{op.name} without an axis", "an axis", "pass dim=...")
    return op.feature(value, dim)


def over_axis(operation: str) -> Row:
    """A row for an operation along one feature axis."""

    def row(op: Operation, input: Any, dim: int | None = None, *_: Any, **__: Any) -> Tracked:
        value = op.value(input)
        axis = _dim(op, value, dim)
        allowed(op)
        return op.emit(Host(operation, {"axis": axis}), [value], axes=value.axes)

    return row


def of_two(operation: str) -> Row:
    """A row for an operation of two signals."""

    def row(op: Operation, input: Any, other: Any) -> Tracked:
        allowed(op)
        a, b = op.value(input), op.value(other)
        op.suffix(a, b)
        return op.emit(Host(operation), [a, b])

    return row


def of_one(operation: str) -> Row:
    """A row for an operation element by element."""

    def row(op: Operation, input: Any) -> Tracked:
        allowed(op)
        return op.emit(Host(operation), [op.value(input)])

    return row


def matmul(op: Operation, input: Any, other: Any) -> Tracked:
    """The matrix product of two signals."""
    allowed(op)
    a, b = op.ordered(input), op.ordered(other)
    if a.axes.count("f") < 2 or b.axes.count("f") < 2:
        raise Cannot("a product of signals that are not matrices", "two feature axes on each")
    return op.emit(Host("matmul"), [a, b])


def divide(op: Operation, input: Any, other: Any, *, rounding_mode: str | None = None) -> Tracked:
    """A quotient by a signal."""
    allowed(op)
    if rounding_mode is not None:
        raise Cannot(f"division rounded to {rounding_mode}", "true division")
    below = op.value(other)
    if isinstance(input, Tracked):
        op.suffix(input.value, below)
        return op.emit(Host("divide"), [input.value, below])
    inverse = op.send(Host("reciprocal"), [below], below.axes, name=f"{op.label}_reciprocal")
    return op.emit(Scale(op.across(below, input)), [inverse], axes=below.axes)


def power(op: Operation, input: Any, exponent: Any) -> Tracked:
    """x to a constant power; x² is a product, which a chip can do."""
    value = op.value(input)
    if isinstance(exponent, Tensor):
        raise Cannot("a power with a tensor as exponent", "a number")
    if exponent == 2:
        return op.emit(Multiply(), [value, value])
    allowed(op)
    return op.emit(Host("power", {"exponent": float(exponent)}), [value])


def _affine(
    op: Operation, value: Value, weight: Tensor | None, bias: Tensor | None, side: Callable[[Any], Any]
) -> Tracked:
    """The weight and bias of a normalisation, behind it."""
    if weight is None and bias is None:
        return op.same(value)
    scale = np.asarray(1.0) if weight is None else side(op.constant(weight, "weight"))
    shift = None if bias is None else side(op.constant(bias, "bias"))
    return op.emit(Scale(scale, shift), [value], axes=value.axes, name=f"{op.label}_affine")


def layer_norm(
    op: Operation, input: Any, normalized_shape: Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Tracked:
    """Normalisation over the last axes."""
    allowed(op)
    value = op.ordered(input)
    node = Host("layer_norm", {"axes": len(normalized_shape), "epsilon": eps})
    return _affine(op, op.send(node, [value], value.axes), weight, bias, lambda array: array)


def group_norm(
    op: Operation, input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Tracked:
    """Normalisation over groups of channels and space."""
    allowed(op)
    value = op.ordered(input, most=1)
    sides = (-1, *([1] * (value.axes.count("f") - 1)))
    normal = op.send(Host("group_norm", {"groups": num_groups, "epsilon": eps}), [value], value.axes)
    return _affine(op, normal, weight, bias, lambda array: array.reshape(sides))


def scaled_dot_product_attention(
    op: Operation,
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tracked:
    """softmax(q·kᵀ·scale)·v, as three host nodes."""
    allowed(op)
    if attn_mask is not None or dropout_p or is_causal or enable_gqa:
        raise Cannot("attention with a mask, dropout or grouped heads", "none of them")
    q, k, v = (op.ordered(each) for each in (query, key, value))
    rank = k.axes.count("f")
    turned = op.send(Permute((*range(rank - 2), rank - 1, rank - 2)), [k], k.axes, name=f"{op.label}_turn")
    scores = op.send(Host("matmul"), [q, turned], q.axes, name=f"{op.label}_scores")
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scaled = op.send(Scale(np.asarray(factor)), [scores], q.axes, name=f"{op.label}_scale")
    shares = op.send(Host("softmax", {"axis": rank - 1}), [scaled], q.axes, name=f"{op.label}_softmax")
    return op.emit(Host("matmul"), [shares, v])


ROWS: Mapping[str, Row] = {
    "softmax": over_axis("softmax"),
    "log_softmax": over_axis("log_softmax"),
    "cumsum": over_axis("cumsum"),
    "exp": of_one("exp"),
    "log": of_one("log"),
    "sqrt": of_one("sqrt"),
    "reciprocal": of_one("reciprocal"),
    "sin": of_one("sin"),
    "cos": of_one("cos"),
    "pow": power,
    "layer_norm": layer_norm,
    "group_norm": group_norm,
    "scaled_dot_product_attention": scaled_dot_product_attention,
}

OF_TWO_SIGNALS: Mapping[str, Row] = {
    **dict.fromkeys(("matmul", "mm", "bmm"), matmul),
    **dict.fromkeys(("div", "divide", "true_divide"), divide),
    **dict.fromkeys(("maximum", "max", "fmax"), of_two("maximum")),
    **dict.fromkeys(("minimum", "min", "fmin"), of_two("minimum")),
}
"""What a function becomes where both of its arguments are signals."""
