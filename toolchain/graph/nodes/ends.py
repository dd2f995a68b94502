"""Where signals come in and go out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from ..signal import Carries, Signal, carries
from .base import Array, Node, State, check_size, ints, need

Readout = Literal["steps", "last", "sum", "mean", "max"]


@dataclass(frozen=True, eq=False)
class Input(Node):
    """y[t] = the graph's input at step t.

    Args:
        shape: the shape of one step of one sample.
        carries: what the input promises to carry: spikes, int[low,high] or graded.
    """

    shape: tuple[int, ...]
    carries: str = "graded"

    arity: ClassVar[tuple[int, int | None]] = (0, 0)

    def check(self) -> None:
        """The shape has values, and the promise can be read."""
        self._set("shape", ints(self.shape, "shape", 1))
        check_size(self.shape, "shape")
        self._set("carries", str(carries(self.carries)))

    @property
    def values(self) -> Carries:
        """The promise as a value."""
        return carries(self.carries)

    def signal(self, inputs: Sequence[Signal]) -> Signal:  # noqa: ARG002
        """What was promised."""
        return Signal(self.shape, self.values)

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """The input itself, which the simulator hands in."""
        return inputs[0], state


@dataclass(frozen=True, eq=False)
class Output(Node):
    """y[t] = x[t]; and over a run of T steps: every step, the last, Σ_t x[t], Σ_t x[t] / T, or max_t x[t].

    Args:
        readout: what of the run is the network's answer.
    """

    readout: Readout = "steps"

    def check(self) -> None:
        """The readout is one there is."""
        need(self.readout in get_args(Readout), "readout", f"'{self.readout}'", " or ".join(get_args(Readout)))

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """What comes in."""
        return inputs[0]

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Hand the input through."""
        return inputs[0], state
