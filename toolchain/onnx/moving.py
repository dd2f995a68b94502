"""Nodes that move values, merge signals or reduce axes."""

from __future__ import annotations

from collections.abc import Sequence

from ..graph.nodes import Add, Concat, Flatten, Mean, Multiply, Output, Pad, Permute, Reshape, Slice, Sum
from ..graph.nodes.base import axis_of
from .parts import Ops
from .windows import ends


def output(_: Output, __: Ops, inputs: Sequence[str]) -> str:
    """What comes in."""
    return inputs[0]


def flatten(_: Flatten | Reshape, ops: Ops, inputs: Sequence[str]) -> str:
    """The shape that the node sends."""
    return ops.reshape(inputs[0], ops.shape)


def permute(node: Permute, ops: Ops, inputs: Sequence[str]) -> str:
    """The axes behind the batch in another order."""
    return ops("Transpose", inputs[0], perm=[0, *(axis + 1 for axis in node.axes)])


def cut(node: Slice, ops: Ops, inputs: Sequence[str]) -> str:
    """One slice along one axis."""
    axis, ints = axis_of(node.axis, len(ops.shapes[0]), "axis") + 1, ops.sheet.ints
    start, stop = ints([node.start_index]), ints([node.stop_index])
    return ops("Slice", inputs[0], start, stop, ints([axis]), ints([node.stride]))


def pad(node: Pad, ops: Ops, inputs: Sequence[str]) -> str:
    """Zeros around."""
    return ops("Pad", inputs[0], ops.sheet.ints(ends([(0, 0), *node.widths])))


def add(_: Add, ops: Ops, inputs: Sequence[str]) -> str:
    """A sum from the first input to the last."""
    return _chain(ops, "Add", inputs)


def multiply(_: Multiply, ops: Ops, inputs: Sequence[str]) -> str:
    """A product from the first input to the last."""
    return _chain(ops, "Mul", inputs)


def _chain(ops: Ops, kind: str, inputs: Sequence[str]) -> str:
    first, *others = ops.aligned(inputs)
    for other in others:
        first = ops(kind, first, other)
    return first


def concat(node: Concat, ops: Ops, inputs: Sequence[str]) -> str:
    """One concatenation."""
    return ops("Concat", *inputs, axis=axis_of(node.axis, len(ops.shapes[0]), "axis") + 1)


def mean(node: Mean, ops: Ops, inputs: Sequence[str]) -> str:
    """One mean."""
    return ops("ReduceMean", inputs[0], _axes(node, ops), keepdims=int(node.keep))


def total(node: Sum, ops: Ops, inputs: Sequence[str]) -> str:
    """One sum."""
    return ops("ReduceSum", inputs[0], _axes(node, ops), keepdims=int(node.keep))


def _axes(node: Mean | Sum, ops: Ops) -> str:
    return ops.sheet.ints(axis_of(axis, len(ops.shapes[0]), "axes") + 1 for axis in node.axes)
