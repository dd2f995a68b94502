"""Nodes that only move values: flatten, reshape, permute, slice, pad."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..signal import Signal
from .base import Array, Node, State, axis_of, check_size, int_pairs, ints, need, shown


@dataclass(frozen=True, eq=False)
class Flatten(Node):
    """y = x with the axes start_axis..end_axis made one, in C order.

    Args:
        start_axis: the first axis, counted without time and batch.
        end_axis: the last axis.
    """

    start_axis: int = 0
    end_axis: int = -1

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The axes between become one."""
        shape = inputs[0].shape
        first, last = self._axes(len(shape))
        return replace(inputs[0], shape=(*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))

    def _axes(self, rank: int) -> tuple[int, int]:
        first, last = axis_of(self.start_axis, rank, "start_axis"), axis_of(self.end_axis, rank, "end_axis")
        need(first <= last, "end_axis", f"{self.end_axis} before start_axis {self.start_axis}", "the later axis")
        return first, last

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """One reshape."""
        x = inputs[0]
        first, last = self._axes(x.ndim - 1)
        return x.reshape(*x.shape[: first + 1], -1, *x.shape[last + 2 :]), state


@dataclass(frozen=True, eq=False)
class Reshape(Node):
    """y = x with another shape, in C order.

    Args:
        shape: the new shape; one size may be -1.
    """

    shape: tuple[int, ...]

    def check(self) -> None:
        """At most one size is left open."""
        self._set("shape", ints(self.shape, "shape", -1))
        need(self.shape.count(-1) <= 1 and 0 not in self.shape, "shape", shown(self.shape), "at most one -1 and no 0")

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The shape with its open size filled in."""
        known = math.prod(n for n in self.shape if n != -1)
        size = inputs[0].size
        fits = size % known == 0 if -1 in self.shape else size == known
        need(fits, "shape", shown(self.shape), f"{size} values, as in {shown(inputs[0].shape)}")
        return replace(inputs[0], shape=tuple(size // known if n == -1 else n for n in self.shape))

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """One reshape."""
        x = inputs[0]
        return x.reshape(x.shape[0], *self.shape), state


@dataclass(frozen=True, eq=False)
class Permute(Node):
    """y[i_axes] = x[i]: the axes in another order.

    Args:
        axes: which axis of the input each axis of the output is.
    """

    axes: tuple[int, ...]

    def check(self) -> None:
        """Each axis occurs once."""
        self._set("axes", ints(self.axes, "axes"))
        need(sorted(self.axes) == list(range(len(self.axes))), "axes", shown(self.axes), "each axis once")

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The shape in the new order."""
        shape = inputs[0].shape
        need(len(shape) == len(self.axes), "axes", shown(self.axes), f"{len(shape)} axes, as in {shown(shape)}")
        return replace(inputs[0], shape=tuple(shape[axis] for axis in self.axes))

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """One transpose."""
        return inputs[0].transpose(0, *(axis + 1 for axis in self.axes)), state


@dataclass(frozen=True, eq=False)
class Slice(Node):
    """y[i] = x[start_index + i·stride] along one axis, for start_index + i·stride < stop_index.

    Args:
        axis: the axis.
        start_index: the first index.
        stop_index: the index after the last.
        stride: the step from one index to the next.
    """

    axis: int
    start_index: int
    stop_index: int
    stride: int = 1

    def check(self) -> None:
        """The slice goes forward and holds something."""
        ints((self.start_index, self.stop_index), "start_index, stop_index")
        ints(self.stride, "stride", 1)
        need(self.start_index < self.stop_index, "stop_index", f"{self.stop_index}", f"more than {self.start_index}")

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The axis becomes shorter."""
        shape = list(inputs[0].shape)
        axis = axis_of(self.axis, len(shape), "axis")
        need(self.stop_index <= shape[axis], "stop_index", f"{self.stop_index}", f"at most {shape[axis]}")
        shape[axis] = len(range(self.start_index, self.stop_index, self.stride))
        return replace(inputs[0], shape=tuple(shape))

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """One basic slice."""
        x = inputs[0]
        index = [slice(None)] * x.ndim
        index[axis_of(self.axis, x.ndim - 1, "axis") + 1] = slice(self.start_index, self.stop_index, self.stride)
        return x[tuple(index)], state


@dataclass(frozen=True, eq=False)
class Pad(Node):
    """y = x with zeros put before and after it.

    Args:
        widths: (before, after) for each axis.
    """

    widths: tuple[tuple[int, int], ...]

    def check(self) -> None:
        """Widths are pairs of counts."""
        self._set("widths", int_pairs(self.widths, "widths"))

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """Each axis grows by its pair."""
        shape = inputs[0].shape
        need(
            len(shape) == len(self.widths), "widths", f"{len(self.widths)} pairs", f"{len(shape)}, as in {shown(shape)}"
        )
        grown = tuple(n + before + after for n, (before, after) in zip(shape, self.widths, strict=True))
        check_size(grown, "widths")
        return Signal(grown, inputs[0].carries.or_zero())

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Zeros around."""
        return np.pad(inputs[0], ((0, 0), *self.widths)), state
