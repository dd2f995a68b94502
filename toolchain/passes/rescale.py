"""The algebra of y = s · x + c, element by element, and how it passes nodes that move, sum or pick values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..graph import Node
from ..graph.nodes import (
    AveragePool,
    BatchNorm,
    Delay,
    Flatten,
    MaxPool,
    Mean,
    Pad,
    Permute,
    Reshape,
    Scale,
    Sum,
    SumPool,
)
from ..graph.nodes.base import Array
from .base import Stays

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Rescale:
    """y = s · x + c in float64; s and c have the signal's rank, with size one along axes where they do not vary.

    Args:
        scale: s.
        shift: c.
    """

    scale: Array
    shift: Array

    @property
    def shifts(self) -> bool:
        """Whether c is anything but 0."""
        return bool(self.shift.any())

    def both(self, change: Callable[[Array], Array]) -> Rescale:
        """The same change made to s and to c."""
        return Rescale(tight(change(self.scale)), tight(change(self.shift)))

    def varies(self) -> set[int]:
        """The axes along which s or c is not the same everywhere."""
        return {axis for part in (self.scale, self.shift) for axis, n in enumerate(part.shape) if n > 1}

    def vectors(self, axis: int, size: int) -> tuple[Array, Array] | Stays:
        """s and c as vectors along one axis, if they vary along no other."""
        other = sorted(self.varies() - {axis})
        if other:
            return Stays(f"it varies along axis {other[0]}, not only along axis {axis}")
        scale, shift = (np.broadcast_to(part.reshape(-1), (size,)) for part in (self.scale, self.shift))
        return scale, shift


def tight(values: Array) -> Array:
    """`values` in float64, with size one along every axis on which they do not vary."""
    values = np.asarray(values, np.float64)
    for axis, n in enumerate(values.shape):
        first = values.take([0], axis)
        if n > 1 and bool((values == first).all()):
            values = first
    return values


def rescale_of(node: Node, rank: int) -> Rescale | None:
    """A BatchNorm or a Scale of signals of this rank as a Rescale; none for other nodes."""
    if isinstance(node, BatchNorm):
        scale, shift = (part.reshape(-1, *([1] * (rank - 1))) for part in node.affine())
        return Rescale(tight(scale), tight(shift))
    if isinstance(node, Scale):
        shift = np.zeros(()) if node.shift is None else node.shift
        scale, shift = (part.reshape((*([1] * (rank - part.ndim)), *part.shape)) for part in (node.scale, shift))
        return Rescale(tight(scale), tight(shift))
    return None


def backward(node: Node, received: Shape, sent: Shape, r: Rescale) -> Rescale | Stays | None:
    """The r′ for which r(node(x)) = node(r′(x)); the reason where there is none; nothing for a node it cannot pass."""
    rule = RULES.get(type(node))
    return None if rule is None else rule[0](node, received, sent, r)


def forward(node: Node, received: Shape, sent: Shape, r: Rescale) -> Rescale | Stays | None:
    """The r′ for which node(r(x)) = r′(node(x)); the reason where there is none; nothing for a node it cannot pass."""
    rule = RULES.get(type(node))
    return None if rule is None else rule[1](node, received, sent, r)


def _reshape_back(_: Any, received: Shape, sent: Shape, r: Rescale) -> Rescale | Stays:
    return r.both(lambda part: np.broadcast_to(part, sent).reshape(received))


def _reshape_on(_: Any, received: Shape, sent: Shape, r: Rescale) -> Rescale | Stays:
    return r.both(lambda part: np.broadcast_to(part, received).reshape(sent))


def _permute_back(node: Any, _: Shape, __: Shape, r: Rescale) -> Rescale | Stays:
    return r.both(lambda part: part.transpose(np.argsort(node.axes)))


def _permute_on(node: Any, _: Shape, __: Shape, r: Rescale) -> Rescale | Stays:
    return r.both(lambda part: part.transpose(node.axes))


def _delay(_: Any, __: Shape, ___: Shape, r: Rescale) -> Rescale | Stays:
    return Stays("the steps before the first would miss the shift") if r.shifts else r


def _pad_back(node: Any, _: Shape, sent: Shape, r: Rescale) -> Rescale | Stays:
    if r.shifts:
        return Stays("the padding would miss the shift")
    inner = tuple(slice(before, n - after) for n, (before, after) in zip(sent, node.widths, strict=True))
    return r.both(lambda part: np.broadcast_to(part, sent)[inner] if part.any() else part)


def _pad_on(node: Any, received: Shape, sent: Shape, r: Rescale) -> Rescale | Stays:
    if r.shifts:
        return Stays("the padding would see the shift")
    scale = np.pad(np.broadcast_to(r.scale, received), node.widths or 0, mode="edge")
    return Rescale(tight(scale), np.zeros((1,) * len(sent)))


def _mixed(r: Rescale, axes: set[int]) -> Stays | None:
    mixed = sorted(r.varies() & axes)
    return Stays(f"it varies along axis {mixed[0]}, over which values are put together") if mixed else None


def _present(node: Any, received: Shape) -> Array:
    """How many values that are not padding each window of a pool holds, [1, *places]."""
    return np.asarray(node.seen(np.ones((1, 1, *received[1:])), 0).sum(tuple(range(-len(node.window), 0)))[0])


def _weights(node: Any, received: Shape) -> Array:
    """What a pool makes of ones, [1, *places]: 1 for an average that counts no padding."""
    present = _present(node, received)
    return present / node.divisors(received) if isinstance(node, AveragePool) else present


def _pool_back(node: Any, received: Shape, _: Shape, r: Rescale) -> Rescale | Stays:
    mixed = _mixed(r, set(range(1, len(received))))
    if mixed is not None or not r.shifts:
        return mixed or r
    ones = tight(_weights(node, received))
    if ones.size > 1:
        return Stays("windows at the border hold fewer values and would see another shift")
    return Rescale(r.scale, r.shift / ones)


def _pool_on(node: Any, received: Shape, _: Shape, r: Rescale) -> Rescale | Stays:
    mixed = _mixed(r, set(range(1, len(received))))
    return mixed or Rescale(r.scale, tight(r.shift * _weights(node, received)))


def _max(_: Any, received: Shape, __: Shape, r: Rescale) -> Rescale | Stays:
    mixed = _mixed(r, set(range(1, len(received))))
    if mixed is None and not bool((r.scale > 0).all()):
        return Stays("a scale that is not positive turns a maximum into a minimum")
    return mixed or r


def _over(node: Any, rank: int) -> tuple[int, ...]:
    return tuple(sorted(axis % rank for axis in node.axes))


def _reduce_back(node: Any, received: Shape, _: Shape, r: Rescale) -> Rescale | Stays:
    axes = _over(node, len(received))
    count = math.prod(received[axis] for axis in axes) if isinstance(node, Sum) else 1
    scale, shift = (part if node.keep else np.expand_dims(part, axes) for part in (r.scale, r.shift / count))
    return Rescale(scale, shift)


def _reduce_on(node: Any, received: Shape, _: Shape, r: Rescale) -> Rescale | Stays:
    axes = _over(node, len(received))
    count = math.prod(received[axis] for axis in axes) if isinstance(node, Sum) else 1
    mixed = _mixed(r, set(axes))
    return mixed or Rescale(r.scale, r.shift * count).both(lambda part: part if node.keep else part.squeeze(axes))


_Move = Callable[[Any, Shape, Shape, Rescale], Rescale | Stays]

RULES: Mapping[type[Node], tuple[_Move, _Move]] = {
    Flatten: (_reshape_back, _reshape_on),
    Reshape: (_reshape_back, _reshape_on),
    Permute: (_permute_back, _permute_on),
    Delay: (_delay, _delay),
    Pad: (_pad_back, _pad_on),
    AveragePool: (_pool_back, _pool_on),
    SumPool: (_pool_back, _pool_on),
    MaxPool: (_max, _max),
    Mean: (_reduce_back, _reduce_on),
    Sum: (_reduce_back, _reduce_on),
}
"""For each node that s · x + c can pass: how it goes from behind the node to before it, and the other way."""
