"""How many outputs each input value reaches: one map for each layer, made once, from its geometry and its weights.

A convolution's output p sees, through the entry k of its kernel, the input i = p·s + k·d − before. So along each axis

    sees[k, i] = 1 where p = (i + before − k·d) / s is one of the places, else 0
    every[i]   = Cout/g · Π over axes Σ_k sees[k, i]
    weighted[c, i] = Σ_k (how many of W[o, c, k] over o are not 0) · Π over axes sees[k, i]

and a transposed convolution's input i lands, through k, on the output i·s + k·d − before. No data is convolved.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ...toolchain.graph import Node
from ...toolchain.graph.nodes import Affine, AveragePool, Contract, Conv, ConvTranspose, MaxPool, SumPool
from ...toolchain.kernels.reach import packed

Array = npt.NDArray[Any]
Shape = Sequence[int]


@dataclass(frozen=True, eq=False)
class Fanout:
    """Whom the values of one input of a layer reach, in one step of one sample.

    Args:
        shape: of the input.
        every: how many outputs each value is connected with; int64, broadcasts to the shape.
        weighted: with how many by a weight that is not 0; the same array as `every` where no weight is 0.
        padded: the pairs that a counter of shapes sees, padding among them.
    """

    shape: tuple[int, ...]
    every: Array
    weighted: Array
    padded: int

    @cached_property
    def dense(self) -> int:
        """The pairs there are."""
        return int(self.every.sum(dtype=np.int64)) * (math.prod(self.shape) // self.every.size)

    @property
    def constant(self) -> bool:
        """Whether all values reach alike: then no table is needed."""
        return self.every.size == 1 and self.weighted.size == 1

    @cached_property
    def tables(self) -> Array:
        """`every`, and `weighted` where it differs, [1 or 2, Q] for values in C order: what `reach` takes."""
        parts = [self._open(each) for each in self._distinct]
        length = max(part.size for part in parts)
        return packed(np.stack([np.resize(part, length) for part in parts]))

    @cached_property
    def tables_behind(self) -> Array:
        """The same for images whose channels lie behind the pixels."""
        parts = (np.moveaxis(np.broadcast_to(each, self.shape), 0, -1).ravel() for each in self._distinct)
        return packed(np.stack(list(parts)))

    @property
    def _distinct(self) -> tuple[Array, ...]:
        return (self.every,) if self.weighted is self.every else (self.every, self.weighted)

    def _open(self, values: Array) -> Array:
        """Values in C order, without the leading axes along which they are all the same."""
        lifted = values.reshape(*([1] * (len(self.shape) - values.ndim)), *values.shape)
        same = next((axis for axis, size in enumerate(lifted.shape) if size > 1), lifted.ndim)
        return np.broadcast_to(lifted[(0,) * same], self.shape[same:]).ravel()


def fanout(node: Node, received: Shape, sent: Shape) -> Fanout | None:
    """The map of a layer with weights or windows; none for any other node."""
    match node:
        case Affine():
            return matrix(node.weight, received)
        case Contract():
            return contraction(node, received, sent)
        case Conv():
            before = [first for first, _ in node.padding]
            return conv(node.weight, received, sent, node.stride, before, node.dilation, node.groups)
        case ConvTranspose():
            before = [first for first, _ in node.padding]
            return transposed(node.weight, received, sent, node.stride, before, node.dilation, node.groups)
        case SumPool() | AveragePool() | MaxPool():
            return pool(received, sent, node.window, node.stride, [first for first, _ in node.padding])
        case _:
            return None


def matrix(weight: Array, received: Shape) -> Fanout:
    """W (out, in) on the last axis."""
    shape, out = tuple(received), len(weight)
    return _fanout(shape, np.array(out), (weight != 0).sum(0), math.prod(shape) * out)


def uniform(received: Shape, outputs: int = 1) -> Fanout:
    """Every value reaches so many outputs: sums over axes, one value at a time."""
    shape = tuple(received)
    return _fanout(shape, np.array(outputs), np.array(outputs), math.prod(shape) * outputs)


def conv(
    weight: Array, received: Shape, sent: Shape, stride: Shape, before: Shape, dilation: Shape, groups: int = 1
) -> Fanout:
    """W (out, in/groups, *kernel) on (in, *space), with `before` zeros put before each axis."""
    out, inner, *kernel = weight.shape
    axes = [
        sees(*each) for each in zip(received[1:], sent[1:], kernel, stride, before, dilation, strict=True)
    ]  # fmt: skip
    alive = (weight != 0).reshape(groups, out // groups, inner, *kernel).sum(1).reshape(-1, *kernel)
    padded = math.prod(sent) * inner * math.prod(kernel)
    return _windowed(tuple(received), axes, out // groups, alive, padded)


def transposed(
    weight: Array, received: Shape, sent: Shape, stride: Shape, before: Shape, dilation: Shape, groups: int = 1
) -> Fanout:
    """W (in, out/groups, *kernel) on (in, *space), with `before` values cut off each axis of the output."""
    _, outs, *kernel = weight.shape
    axes = [
        lands(*each) for each in zip(received[1:], sent[1:], kernel, stride, before, dilation, strict=True)
    ]  # fmt: skip
    padded = math.prod(received) * outs * math.prod(kernel)
    del groups  # each input channel has its own weights, whatever group it is in
    return _windowed(tuple(received), axes, outs, (weight != 0).sum(1), padded)


def pool(received: Shape, sent: Shape, window: Shape, stride: Shape, before: Shape) -> Fanout:
    """A window that moves over each channel of (channels, *space)."""
    axes = [sees(*each, 1) for each in zip(received[1:], sent[1:], window, stride, before, strict=True)]
    return _windowed(tuple(received), axes, 1, None, math.prod(sent) * math.prod(window))


def contraction(node: Contract, received: Shape, sent: Shape) -> Fanout:
    """einsum of x and M: a value reaches as many outputs as the letters make that it does not have itself.

    Letters that M alone has are summed out of it first: between two values lies one weight.
    """
    x, m, y = node.terms
    sizes = dict(zip(y, sent, strict=True))
    free = [letter for letter in y if letter not in x]
    kept = [letter for letter in m if letter in x or letter in y]
    weights = np.einsum(f"{m}->{''.join(kept)}", node.constant) != 0
    shared = "".join(letter for letter in x if letter in m)
    reached = np.einsum(f"{''.join(kept)}->{shared}", weights.astype(np.int64))
    places = [sizes_of if letter in m else 1 for letter, sizes_of in zip(x, received, strict=True)]
    every = math.prod(sizes[letter] for letter in free)
    return _fanout(tuple(received), np.array(every), reached.reshape(places), math.prod(received) * every)


def sees(size: int, places: int, entries: int, stride: int, before: int, dilation: int) -> Array:
    """[entries, size]: whether the entry k of some window sees the value i."""
    from_first = np.arange(size) + before - dilation * np.arange(entries)[:, None]
    seen: Array = (from_first % stride == 0) & (from_first >= 0) & (from_first // stride < places)
    return seen


def lands(size: int, places: int, entries: int, stride: int, before: int, dilation: int) -> Array:
    """[entries, size]: whether the value i lands on one of the places through the entry k."""
    to = np.arange(size) * stride + dilation * np.arange(entries)[:, None] - before
    inside: Array = (to >= 0) & (to < places)
    return inside


def _windowed(shape: tuple[int, ...], axes: Sequence[Array], outs: int, alive: Array | None, padded: int) -> Fanout:
    """A map of windows: how often each place of each axis is seen, times outputs; `alive` is [channels, *kernel]."""
    every = np.array(outs, np.int64)
    for axis in axes:
        every = np.multiply.outer(every, axis.sum(0))
    if alive is None or (alive == outs).all():
        return _fanout(shape, every[None], every[None], padded)
    reached = alive.astype(np.float64)  # whole numbers far below 2⁵³, so the products of matrices are exact
    for axis in axes:
        reached = np.tensordot(reached, axis.astype(np.float64), axes=(1, 0))
    return _fanout(shape, every[None], reached.astype(np.int64), padded)


def _fanout(shape: tuple[int, ...], every: Array, weighted: Array, padded: int) -> Fanout:
    whole = every.astype(np.int64)
    same = bool((np.broadcast_to(whole, shape) == weighted).all())
    return Fanout(shape, whole, whole if same else weighted.astype(np.int64), padded)
