"""What every process is: a node in integers, and whether it is a synapse, a neuron or a join of ports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from ...graph.arrays import NARROW
from ...graph.nodes import Node
from ...graph.nodes.base import Array, need, shown
from ...graph.signal import Signal

Role = Literal["end", "join", "synapse", "neuron"]


def whole(**kwargs: Any) -> Any:
    """A dataclass field that holds a read-only array of integers."""
    return field(metadata={"array": True, "integer": ()}, **kwargs)


WEIGHTS = NARROW
"""What weights are held in, the first that fits: they are by far the most of a network."""


def narrow_whole(**kwargs: Any) -> Any:
    """The same for weights. Whoever computes with them widens them first."""
    return field(metadata={"array": True, "integer": WEIGHTS}, **kwargs)


@dataclass(frozen=True, eq=False)
class Process(Node):
    """One process of Lava, or a join of ports, in integers.

    A synapse sends in a step what the spikes of the step before gave: its wires are delayed, and all others are not.
    """

    role: ClassVar[Role]

    @property
    def lava(self) -> str:
        """The name of Lava's process; empty for joins and ends, which are none."""
        return type(self).__name__ if self.role in ("synapse", "neuron") else ""


def within(values: Array | int, least: int, most: int, where: str, why: str = "") -> None:
    """Refuse integers outside of what a register holds."""
    array = np.asarray(values)
    if array.size:
        low, high = int(array.min()), int(array.max())
        need(least <= low and high <= most, where, f"{low}..{high}", f"{least}..{most}{why}")


def one_shape(inputs: Sequence[Signal]) -> tuple[int, ...]:
    """The shape that all inputs share."""
    shapes = {x.shape for x in inputs}
    need(len(shapes) == 1, "inputs", " and ".join(shown(x.shape) for x in inputs), "one shape")
    return inputs[0].shape
