"""Nodes with several inputs, and reductions over axes."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...errors import GraphError
from ..signal import GRADED, Carries, Signal, join, product, repeated, total
from .base import Array, Node, State, axis_of, ints, need, shown


def broadcast(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape that signals of these shapes have together, by numpy's rule."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        found = " and ".join(shown(shape) for shape in shapes)
        raise GraphError("inputs", f"shapes {found}", "shapes that broadcast") from None


def aligned(inputs: Sequence[Array]) -> list[Array]:
    """Batched inputs with axes of size one put in behind the batch, so that they broadcast as samples do."""
    rank = max(x.ndim for x in inputs)
    return [x.reshape(x.shape[0], *([1] * (rank - x.ndim)), *x.shape[1:]) for x in inputs]


@dataclass(frozen=True, eq=False)
class Add(Node):
    """y[t] = Σ_k x_k[t], shapes broadcast."""

    arity: ClassVar[tuple[int, int | None]] = (2, None)

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """Counts add up: two spikes are an integer up to 2."""
        return Signal(broadcast([x.shape for x in inputs]), total(x.carries for x in inputs))

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """A sum from the first input to the last."""
        return functools.reduce(np.add, aligned(inputs)), state


@dataclass(frozen=True, eq=False)
class Multiply(Node):
    """y[t] = Π_k x_k[t], shapes broadcast."""

    arity: ClassVar[tuple[int, int | None]] = (2, None)

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """A product of spikes is a spike."""
        return Signal(broadcast([x.shape for x in inputs]), product(x.carries for x in inputs))

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """A product from the first input to the last."""
        return functools.reduce(np.multiply, aligned(inputs)), state


@dataclass(frozen=True, eq=False)
class Concat(Node):
    """y = x_0, x_1, … one after the other along one axis.

    Args:
        axis: the axis, counted without time and batch.
    """

    axis: int = 0

    arity: ClassVar[tuple[int, int | None]] = (2, None)

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The axis' sizes add up; the others agree."""
        shapes = [x.shape for x in inputs]
        rank = len(shapes[0])
        axis = axis_of(self.axis, rank, "axis")
        same = all(
            len(s) == rank and s[:axis] == shapes[0][:axis] and s[axis + 1 :] == shapes[0][axis + 1 :] for s in shapes
        )
        need(same, "inputs", " and ".join(map(shown, shapes)), f"shapes that agree but for axis {axis}")
        shape = (*shapes[0][:axis], sum(s[axis] for s in shapes), *shapes[0][axis + 1 :])
        return Signal(shape, join(x.carries for x in inputs))

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """One concatenation."""
        return np.concatenate(inputs, axis_of(self.axis, inputs[0].ndim - 1, "axis") + 1), state


@dataclass(frozen=True, eq=False)
class Mean(Node):
    """y = Σ_axes x / n, n the number of values over these axes.

    Args:
        axes: the axes, counted without time and batch.
        keep: keep them with size one.
    """

    axes: tuple[int, ...]
    keep: bool = False

    def check(self) -> None:
        """There are axes to go over."""
        self._set("axes", _axes(self.axes))

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The axes go."""
        return Signal(_reduced(inputs[0].shape, self.axes, keep=self.keep), GRADED)

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """One mean."""
        return inputs[0].mean(_batched(self.axes, inputs[0].ndim - 1), keepdims=self.keep), state


@dataclass(frozen=True, eq=False)
class Sum(Node):
    """y = Σ_axes x.

    Args:
        axes: the axes, counted without time and batch.
        keep: keep them with size one.
    """

    axes: tuple[int, ...]
    keep: bool = False

    def check(self) -> None:
        """There are axes to go over."""
        self._set("axes", _axes(self.axes))

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The axes go; spikes become counts."""
        shape = inputs[0].shape
        over = math.prod(shape[axis_of(axis, len(shape), "axes")] for axis in self.axes)
        return Signal(_reduced(shape, self.axes, keep=self.keep), _counted(inputs[0].carries, over))

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """One sum."""
        return inputs[0].sum(_batched(self.axes, inputs[0].ndim - 1), keepdims=self.keep), state


def _counted(values: Carries, over: int) -> Carries:
    return repeated(values, over)


def _axes(axes: tuple[int, ...]) -> tuple[int, ...]:
    found = ints(axes, "axes", -64)
    need(len(found) > 0, "axes", "none", "at least one axis")
    return found


def _reduced(shape: tuple[int, ...], axes: tuple[int, ...], *, keep: bool) -> tuple[int, ...]:
    over = [axis_of(axis, len(shape), "axes") for axis in axes]
    need(len(set(over)) == len(over), "axes", f"{axes}", "each axis once")
    if keep:
        return tuple(1 if axis in over else n for axis, n in enumerate(shape))
    return tuple(n for axis, n in enumerate(shape) if axis not in over)


def _batched(axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    return tuple(axis_of(axis, rank, "axes") + 1 for axis in axes)
