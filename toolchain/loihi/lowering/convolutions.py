"""Linear maps on images as one convolution, with everything that a path does folded in.

Each map of the table is a convolution: a pool has weights 1 or 1/n, a Scale by channel or a slice of channels has a
kernel of one value, a pad is a kernel of one value with padding. Two in a row are one (passes/convolve.py) where what
lies between is 0 outside of its border, which is where the second looks when it pads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...graph import Node
from ...graph.nodes import AveragePool, BatchNorm, Conv, Pad, Scale, Slice, SumPool
from ...graph.nodes.base import Array
from ...passes.base import Stays
from ...passes.convolve import blocks, convolved, geometry_of
from ...passes.lower_pooling import as_conv as pool_as_conv
from ...passes.rescale import rescale_of
from .paths import Op, Shape

MOST_GROUPS = 127
"""Lava keeps a convolution's groups in eight bits."""


@dataclass(frozen=True, eq=False)
class Convolution:
    """One convolution of images (channels, height, width) as the chip has it.

    Args:
        weight: (out, in/groups, height, width), float64.
        stride: (height, width).
        padding: (height, width).
        dilation: (height, width).
        groups: independent groups of channels.
        received: the image it receives.
        sent: the image it sends.
    """

    weight: Array
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int
    received: Shape
    sent: Shape


def convolution(ops: tuple[Op, ...]) -> Convolution | None:
    """The maps as one convolution; nothing where they are none."""
    if not ops or not 2 <= len(ops[0].received) <= 3:
        return None
    total: Conv | None = None
    for op in ops:
        conv = _as_conv(op)
        if conv is None:
            return None
        conv = conv if len(ops) == 1 else replace(conv, weight=conv.weight.astype(np.float64))
        total = conv if total is None else _joined(total, conv, ops[0].received, op)
        if total is None:
            return None
    return None if total is None else _symmetric(_plane(total), ops)


def _as_conv(op: Op) -> Conv | None:
    rule = RULES.get(type(op.node)) if op.node is not None else None
    found = rule(op.node, op.received, op.sent) if rule is not None else None
    if found is None or found.weight.ndim != len(op.received) + 1:
        return None
    return replace(found, bias=None)


def _conv(node: Any, _: Shape, __: Shape) -> Conv | None:
    return node if isinstance(node, Conv) else None


def _pool(node: Any, received: Shape, _: Shape) -> Conv | None:
    found = pool_as_conv(node, received)
    return None if isinstance(found, Stays) else found


def _scale(node: Any, received: Shape, _: Shape) -> Conv | None:
    rescale = rescale_of(node, len(received))
    found = None if rescale is None else rescale.vectors(0, received[0])
    if found is None or isinstance(found, Stays):
        return None
    return Conv(_pointwise(found[0], len(received) - 1), groups=received[0])


def _pointwise(values: Array, dims: int) -> Array:
    return np.ascontiguousarray(values).reshape(-1, 1, *([1] * dims))


def _pad(node: Any, received: Shape, sent: Shape) -> Conv | None:
    (before, _), *space = node.widths
    if sent[0] == received[0]:
        return Conv(_pointwise(np.ones(sent[0]), len(space)), padding=tuple(space), groups=sent[0])
    weight = np.eye(sent[0], received[0], -before)
    return Conv(weight.reshape(*weight.shape, *([1] * len(space))), padding=tuple(space))


def _slice(node: Any, received: Shape, _: Shape) -> Conv | None:
    if node.axis % len(received):
        return None
    picked = np.arange(received[0])[node.start_index : node.stop_index : node.stride]
    weight = np.eye(received[0])[picked]
    return Conv(weight.reshape(*weight.shape, *([1] * (len(received) - 1))))


RULES: Mapping[type[Node], Callable[[Any, Shape, Shape], Conv | None]] = {
    Conv: _conv,
    SumPool: _pool,
    AveragePool: _pool,
    Scale: _scale,
    BatchNorm: _scale,
    Pad: _pad,
    Slice: _slice,
}
"""For each kind that may be a convolution, which one."""


def _joined(a: Conv, b: Conv, shape: Shape, op: Op) -> Conv | None:
    """a and then b as one, where what a makes of the zeros around its input is 0 wherever b pads."""
    if not all(map(_quiet, shape[1:], op.received[1:], _taps(a), b.padding)):
        return None
    first, second = (replace(each, padding=0) for each in (a, b))
    form = geometry_of(first, second)
    if isinstance(form, Stays):
        return None
    both = convolved(first, second, form)
    before = [p[0] + s * q[0] for p, q, s in zip(a.padding, b.padding, a.stride, strict=True)]
    reach = [d * (k - 1) + 1 for d, k in zip(both.dilation, both.kernel, strict=True)]
    needed = [(m - 1) * s + r for m, s, r in zip(op.sent[1:], both.stride, reach, strict=True)]
    after = [need - n - left for need, n, left in zip(needed, shape[1:], before, strict=True)]
    padding = tuple((left, max(right, 0)) for left, right in zip(before, after, strict=True))
    return replace(both, padding=padding)


def _taps(a: Conv) -> list[tuple[int, int, int, int]]:
    return [(p[0], s, d, k) for p, s, d, k in zip(a.padding, a.stride, a.dilation, a.kernel, strict=True)]


def _quiet(n: int, places: int, taps: tuple[int, int, int, int], pads: tuple[int, int]) -> bool:
    """Whether the windows just outside of a's places see nothing of the n values, where b looks at them."""
    before, stride, dilation, kernel = taps
    left = not pads[0] or dilation * (kernel - 1) < stride + before
    return left and (not pads[1] or places * stride - before >= n)


def _plane(conv: Conv) -> Conv:
    """A convolution in one dimension as one of images of height one."""
    if conv.weight.ndim == 4:
        return conv
    return Conv(
        conv.weight[:, :, None],
        None,
        (1, *conv.stride),
        ((0, 0), *conv.padding),
        (1, *conv.dilation),
        conv.groups,
    )


def _symmetric(conv: Conv, ops: tuple[Op, ...]) -> Convolution | None:
    """The same with as much padding before as after, and groups that eight bits hold."""
    received, sent = (image(shape) for shape in (ops[0].received, ops[-1].sent))
    weight, padding = conv.weight, []
    for axis, ((before, after), d) in enumerate(zip(conv.padding, conv.dilation, strict=True)):
        width, rest = max(before, after), divmod(abs(after - before), d)
        if rest[1] and before < after:
            return None
        if before != after:
            put = (rest[0], 0) if before < after else (0, rest[0] + (1 if rest[1] else 0))
            widths = [(0, 0)] * 4
            widths[axis + 2] = put
            weight = np.pad(weight, widths) if _changes(conv, axis, width, received, sent) else weight
        padding.append(width)
    groups = next(g for g in range(min(conv.groups, MOST_GROUPS), 0, -1) if conv.groups % g == 0)
    if groups != conv.groups:
        full = blocks(replace(conv, weight=weight, bias=None), groups)
        weight = full.reshape(-1, *full.shape[2:])
    found = Convolution(weight, conv.stride, tuple(padding), conv.dilation, groups, received, sent)
    return found if _fits(found) else None


def _changes(conv: Conv, axis: int, width: int, received: Shape, sent: Shape) -> bool:
    """Whether more padding on one side moves or adds windows."""
    if conv.padding[axis][0] != width:
        return True
    reach = conv.dilation[axis] * (conv.kernel[axis] - 1) + 1
    places = (received[axis + 1] + 2 * width - reach) // int(conv.stride[axis]) + 1
    return bool(places != sent[axis + 1])


def image(shape: Shape) -> Shape:
    """(channels, length) as an image of height one."""
    return shape if len(shape) == 3 else (shape[0], 1, shape[1])


def _fits(conv: Convolution) -> bool:
    """The chip's registers hold its sizes, and it sends what the path sends."""
    space = []
    for n, p, d, k, s in zip(
        conv.received[1:], conv.padding, conv.dilation, conv.weight.shape[2:], conv.stride, strict=True
    ):
        space.append((n + 2 * p - d * (k - 1) - 1) // s + 1)
    numbers = (*conv.padding, *conv.dilation, *conv.stride, *conv.weight.shape[2:])
    return bool(tuple(space) == conv.sent[1:] and max(numbers) <= MOST_GROUPS)
