"""A chip graph made ready to run once, for all runs: how large values get, and what runs every process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

import numpy as np

from ..graph import Signal, Wire
from ..graph.nodes.base import Array
from ..loihi.chip_graph import ChipGraph
from ..loihi.processes import ChipInput, ChipOutput, Process
from .fixed_bounds import DType, bounds_of, format_of
from .fixed_defined import Roll, step_by_step, taken, without_state
from .fixed_recording import counted
from .parts import Part, parts_of
from .schedule import Fold

if TYPE_CHECKING:
    from .fixed_recurrent import Recurrence

Take = Callable[[str, ChipInput, Array, Any, int], Array]
"""(input, its process, the window as it came in, the Windows, its first step) → the window, checked."""


@dataclass(frozen=True, eq=False)
class FixedPlan:
    """A chip graph, ready to run. It holds what the graph holds, not the graph.

    Args:
        name: the network's name.
        dt: the length of a step in seconds.
        nodes: the processes by name, in an order in which one step can run.
        wires: the inputs of each process.
        signals: what each process sends.
        counted: the processes whose values are counted.
        parts: what runs together, in order.
        formats: the type in which the values of each process travel.
        folds: processes without state that send what they make themselves.
        rolls: processes that write what they send where they are told to.
        recurrences: the parts that are recurrent layers.
        take: how a window of an input is checked, and put where its readers want it.
        within: what a run stands in: torch's settings where torch takes part.
    """

    name: str
    dt: float
    nodes: Mapping[str, Process]
    wires: Mapping[str, tuple[Wire, ...]]
    signals: Mapping[str, Signal]
    counted: tuple[str, ...]
    parts: tuple[Part, ...]
    formats: Mapping[str, DType]
    folds: Mapping[str, Fold]
    rolls: Mapping[str, Roll]
    recurrences: Mapping[Part, Recurrence]
    take: Take
    within: Callable[[], AbstractContextManager[None]]

    dtype: ClassVar[DType] = np.dtype(np.int32)

    @cached_property
    def inputs(self) -> Mapping[str, ChipInput]:
        """The inputs by name, in order."""
        return {name: node for name, node in self.nodes.items() if isinstance(node, ChipInput)}

    @cached_property
    def outputs(self) -> Mapping[str, ChipOutput]:
        """The outputs by name, in order."""
        return {name: node for name, node in self.nodes.items() if isinstance(node, ChipOutput)}

    @cached_property
    def delayed(self) -> frozenset[str]:
        """The sources of delayed wires."""
        return frozenset(wire.source for wires in self.wires.values() for wire in wires if wire.delayed)

    def received(self, name: str) -> tuple[Signal, ...]:
        """What a process receives."""
        return tuple(self.signals[wire.source] for wire in self.wires[name])


_PLANS: WeakKeyDictionary[ChipGraph, dict[bool, FixedPlan]] = WeakKeyDictionary()


def fixed_plan(graph: ChipGraph, *, compiled: bool = True) -> FixedPlan:
    """The plan of a chip graph: made at the first call, kept as long as the graph is.

    Args:
        graph: the network.
        compiled: whether processes run by kernels and by torch, where there are such, or all by their own `step`.
    """
    made = _PLANS.setdefault(graph, {})
    if compiled not in made:
        made[compiled] = import_module(".fixed_compiled", __package__).by_kernels(graph) if compiled else defined(graph)
    return made[compiled]


def forget(graph: ChipGraph) -> None:
    """Lets go of what was made for it."""
    _PLANS.pop(graph, None)


def defined(graph: ChipGraph) -> FixedPlan:
    """The plan by which everything runs by its own `step`."""
    formats = {name: format_of(bound) for name, bound in bounds_of(graph).items()}
    ordered = {name: graph.nodes[name] for name in graph.order}
    run = {name: node for name, node in ordered.items() if not isinstance(node, ChipInput)}
    rolls = {name: step_by_step(name, node) for name, node in run.items() if _remembers(graph, name)}
    folds = {name: Fold(without_state(name, run[name], formats[name]), exact=True) for name in run if name not in rolls}
    parts = parts_of(graph.order, graph.wires)
    return FixedPlan(
        graph.name, graph.dt, ordered, dict(graph.wires), dict(graph.signals), counted(graph), parts, formats,
        folds, rolls, {}, taken, nullcontext,
    )  # fmt: skip


def _remembers(graph: ChipGraph, name: str) -> bool:
    """Whether a process has a state, be it an empty one."""
    return bool(graph.nodes[name].start(graph.received(name)[0].shape, 1, np.int32))
