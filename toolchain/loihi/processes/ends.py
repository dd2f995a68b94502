"""Where spikes come into a chip graph and where they are read; and the joins between ports, which take no time."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, get_args

import numpy as np

from ...graph.nodes.base import Array, State, check_size, ints, need, shown
from ...graph.nodes.merge import Concat
from ...graph.signal import Carries, Signal, carries, total
from ..arithmetic import INT32, int32
from .base import Process, Role, one_shape, within

Readout = Literal["steps", "last", "sum", "mean", "max"]


@dataclass(frozen=True, eq=False)
class ChipInput(Process):
    """y[t] = the integers handed in at step t.

    Args:
        shape: the shape of one step of one sample.
        carries: what the input promises to carry: spikes or int[low,high].
    """

    shape: tuple[int, ...]
    carries: str = "spikes"

    arity: ClassVar[tuple[int, int | None]] = (0, 0)
    role: ClassVar[Role] = "end"

    def check(self) -> None:
        """The shape has values, and the promise is one of integers."""
        self._set("shape", ints(self.shape, "shape", 1))
        check_size(self.shape, "shape")
        values = carries(self.carries)
        need(not values.graded, "carries", "graded values", "spikes or int[low,high]")
        self._set("carries", str(values))

    @property
    def values(self) -> Carries:
        """The promise as a value."""
        return carries(self.carries)

    def signal(self, inputs: Sequence[Signal]) -> Signal:  # noqa: ARG002 - the arguments that every process has
        """What was promised."""
        return Signal(self.shape, self.values)

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """The input itself, which the simulation hands in."""
        return inputs[0], state


@dataclass(frozen=True, eq=False)
class ChipOutput(Process):
    """y[t] = x[t]: read by the host; and over a run every step, or a readout of the steps from `after` on.

    The layers before it each answer a step late; `after` is how many steps that is for this output. Step counts start
    at 0. Handed out step by step, all steps are there, those before the answer too.

    Args:
        readout: what of the run is the network's answer.
        after: the first step that counts for the last, the sum, the mean and the maximum.
    """

    readout: Readout = "steps"
    after: int = 0

    role: ClassVar[Role] = "end"

    def check(self) -> None:
        """The readout is one there is."""
        need(self.readout in get_args(Readout), "readout", f"'{self.readout}'", " or ".join(get_args(Readout)))
        within(self.after, 0, INT32, "after", " steps")

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """What comes in."""
        return inputs[0]

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Hand the input through."""
        return inputs[0], state


@dataclass(frozen=True, eq=False)
class Port(Process):
    """y[t] = Σ_k x_k[t] in 32 bits: several connections into one port."""

    arity: ClassVar[tuple[int, int | None]] = (2, None)
    role: ClassVar[Role] = "join"

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """Counts add up."""
        return Signal(one_shape(inputs), total(x.carries for x in inputs))

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """A sum."""
        return int32(functools.reduce(np.add, inputs)), state


@dataclass(frozen=True, eq=False)
class Shaped(Process):
    """y[t] = x[t] with its axes in another order, and then another shape, in C order.

    Args:
        shape: the new shape.
        axes: which axis of the input each axis is before the reshape; none to leave them.
    """

    shape: tuple[int, ...]
    axes: tuple[int, ...] | None = None

    role: ClassVar[Role] = "join"

    def check(self) -> None:
        """Sizes are positive, each axis occurs once."""
        self._set("shape", ints(self.shape, "shape", 1))
        if self.axes is not None:
            self._set("axes", ints(self.axes, "axes"))
            need(sorted(self.axes) == list(range(len(self.axes))), "axes", shown(self.axes), "each axis once")

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The new shape."""
        size = inputs[0].size
        need(math.prod(self.shape) == size, "shape", shown(self.shape), f"{size} values")
        rank = len(inputs[0].shape)
        need(self.axes is None or len(self.axes) == rank, "axes", f"{self.axes}", f"{rank} axes")
        return replace(inputs[0], shape=self.shape)

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """A transpose and a reshape."""
        x = inputs[0] if self.axes is None else inputs[0].transpose(0, *(axis + 1 for axis in self.axes))
        return x.reshape(x.shape[0], *self.shape), state


@dataclass(frozen=True, eq=False)
class Joined(Process):
    """y = x_0, x_1, … one after the other along one axis.

    Args:
        axis: the axis.
    """

    axis: int = 0

    arity: ClassVar[tuple[int, int | None]] = (2, None)
    role: ClassVar[Role] = "join"

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The axis' sizes add up."""
        return Concat(self.axis).signal(inputs)

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """One concatenation."""
        return Concat(self.axis).step(state, *inputs)
