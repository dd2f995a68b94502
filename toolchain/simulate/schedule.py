"""How a plan runs on a batch: how many steps make a window, and when what was sent can be let go."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np

from ..graph import Node, Signal, Wire, nodes
from ..graph.nodes.base import Array
from .parts import Part

DType = np.dtype[Any]

BUDGET = 24 << 20
"""Bytes that what is alive in one window may take, so that it stays in the caches and away from fresh pages."""
LONGEST = 1024
"""The most steps in a window."""
BUSY = 64_000_000
"""Operations in one call that make its overhead small."""
WIDEST = 16
"""The most steps in one call of a fixed size."""


@dataclass(frozen=True, eq=False)
class Fold:
    """A node without state, ready to run.

    Args:
        run: takes a batch of each input, [n, *shape], and gives a batch.
        exact: whether every value is moved, compared, or the result of a few sums and products: then its bits cannot
            depend on how many rows there are; sums over many values and functions such as exp may.
    """

    run: Callable[..., Array]
    exact: bool


class Planned(Protocol):
    """What scheduling, recording and the care for memory ask of a plan, whatever it is a plan of."""

    @property
    def nodes(self) -> Mapping[str, Node]:
        """The nodes by name, in an order in which one step can run."""

    @property
    def wires(self) -> Mapping[str, tuple[Wire, ...]]:
        """The inputs of each node."""

    @property
    def signals(self) -> Mapping[str, Signal]:
        """What each node sends."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """What runs together, in order."""

    @property
    def folds(self) -> Mapping[str, Fold]:
        """The nodes without state."""

    @property
    def dtype(self) -> DType:
        """What is computed in, or kept."""

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The outputs by name, in order; each has a readout."""

    def received(self, name: str) -> tuple[Signal, ...]:
        """What a node receives."""


@dataclass(frozen=True, eq=False)
class Schedule:
    """How a plan runs on a batch. It depends on nothing else, so the same steps always go through the same calls.

    Args:
        window: steps in a window.
        groups: for each node whose bits may depend on how many rows it gets, how many steps one call takes.
        live: bytes of what is alive at once, for each step of a window.
        last_read: for each part, the nodes that nobody reads after it.
    """

    window: int
    groups: Mapping[str, int]
    live: int
    last_read: tuple[tuple[str, ...], ...]


_SCHEDULES: WeakKeyDictionary[Planned, dict[int, Schedule]] = WeakKeyDictionary()


def schedule(plan: Planned, batch: int) -> Schedule:
    """The schedule of a plan for a batch of samples: made at the first call, kept as long as the plan is."""
    made = _SCHEDULES.setdefault(plan, {})
    if batch not in made:
        made[batch] = _schedule(plan, batch)
    return made[batch]


def _schedule(plan: Planned, batch: int) -> Schedule:
    last_read = _last_read(plan)
    live = _live(plan, last_read) * batch * plan.dtype.itemsize
    window = min(LONGEST, 1 << max(0, math.floor(math.log2(BUDGET / live))))
    groups = {
        name: min(window, WIDEST, 1 << max(0, math.ceil(math.log2(BUSY / (batch * work(plan, name))))))
        for name, fold in plan.folds.items()
        if not fold.exact
    }
    return Schedule(window, groups, live, last_read)


def _last_read(plan: Planned) -> tuple[tuple[str, ...], ...]:
    last = {}
    for index, part in enumerate(plan.parts):
        for name in part.names:
            last[name] = index
            last.update({wire.source: index for wire in plan.wires[name]})
    return tuple(
        tuple(name for name, place in last.items() if place == index) for index in range(len(plan.parts))
    )  # fmt: skip


def _live(plan: Planned, last_read: tuple[tuple[str, ...], ...]) -> int:
    """The most values of one sample and step that are alive at once; a delayed wire holds a copy."""
    most = held = 0
    for part, dead in zip(plan.parts, last_read, strict=True):
        held += sum(plan.signals[name].size for name in part.names)
        moved = sum(plan.signals[w.source].size for name in part.names for w in plan.wires[name] if w.delayed)
        most = max(most, held + moved)
        held -= sum(plan.signals[name].size for name in dead)
    return most


def work(plan: Planned, name: str) -> int:
    """About how many multiplications or additions a layer does for one sample and step."""
    node, size = plan.nodes[name], plan.signals[name].size
    if isinstance(node, nodes.Conv):
        return size * int(math.prod(node.weight.shape[1:]))
    if isinstance(node, nodes.ConvTranspose):
        return plan.received(name)[0].size * int(math.prod(node.weight.shape[1:]))
    if isinstance(node, nodes.Affine):
        return size * int(node.weight.shape[1])
    if isinstance(node, nodes.Contract):
        return size * int(node.constant.size)
    return size + plan.received(name)[0].size
