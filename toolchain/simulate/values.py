"""Nodes that work value by value or only move values, on a batch [n, *shape], with torch where it is faster."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence

import torch
from torch.nn import functional

from ..graph.nodes import Activation, Add, Concat, Multiply, Pad, Scale
from ..graph.nodes.base import axis_of
from .layers import DType, Shapes, flat_padding
from .tensors import Operation, Tensor, constant, optional


def _quantised(x: Tensor, scale: float, zero: float, low: float, high: float) -> Tensor:
    """A division, never a product with 1/scale: what lies halfway has to stay there."""
    return torch.clamp(torch.round(x / x.new_tensor(scale)) + zero, low, high)


FUNCTIONS: Mapping[str, Callable[..., Tensor]] = {
    "relu": torch.relu,
    "clip": lambda x, low, high: torch.clamp(x, low, high),
    "leaky_relu": lambda x, slope: torch.where(x >= 0, x, x * slope),
    "gelu": functional.gelu,
    "gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "silu": functional.silu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "erf": torch.erf,
    "abs": torch.abs,
    "square": torch.square,
    "step": lambda x, threshold: (x > threshold).to(x.dtype),
    "step_or_equal": lambda x, threshold: (x >= threshold).to(x.dtype),
    "quantise": _quantised,
}
"""Activations that torch computes alike and faster; the others run as the node defines them."""

EXACT = ("relu", "clip", "leaky_relu", "abs", "square", "step", "step_or_equal", "quantise")
"""Activations whose bits cannot depend on how many values are computed at once."""


def activation(node: Activation, _: Shapes, dtype: DType) -> Operation | None:
    """f of the table above."""
    del dtype
    found = FUNCTIONS.get(node.function)
    return functools.partial(found, **(node.parameters or {})) if found is not None else None


def scale(node: Scale, _: Shapes, dtype: DType) -> Operation:
    """One product, one sum, never made one."""
    factor, shift = constant(node.scale, dtype), optional(node.shift, dtype)
    return lambda x: x * factor if shift is None else torch.mul(x, factor).add_(shift)


def _lifted(shapes: Shapes) -> list[Callable[[Tensor], Tensor]]:
    """Axes of size one behind the batch, so that batches broadcast as samples do."""
    rank = max(map(len, shapes))

    def lift(missing: int) -> Callable[[Tensor], Tensor]:
        return lambda x: x.reshape(x.shape[0], *([1] * missing), *x.shape[1:]) if missing else x

    return [lift(rank - len(shape)) for shape in shapes]


def _folded(combine: Callable[[Tensor, Tensor], Tensor], shapes: Shapes) -> Operation:
    lifts = _lifted(shapes)

    def operation(*inputs: Tensor) -> Tensor:
        return functools.reduce(combine, (lift(x) for lift, x in zip(lifts, inputs, strict=True)))

    return operation


def add(_: Add, shapes: Shapes, __: DType) -> Operation:
    """A sum from the first input to the last."""
    return _folded(torch.add, shapes)


def multiply(_: Multiply, shapes: Shapes, __: DType) -> Operation:
    """A product from the first input to the last."""
    return _folded(torch.mul, shapes)


def concat(node: Concat, shapes: Shapes, _: DType) -> Operation:
    """One concatenation."""
    axis = axis_of(node.axis, len(shapes[0]), "axis") + 1

    def operation(*inputs: Tensor) -> Tensor:
        return torch.cat(inputs, axis)

    return operation


def pad(node: Pad, _: Shapes, __: DType) -> Operation:
    """Zeros around."""
    around: Sequence[int] = flat_padding(node.widths)
    return lambda x: functional.pad(x, list(around))
