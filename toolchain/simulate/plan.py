"""A graph made ready to run once, for all runs in one dtype: parts in order, parameters converted, work counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ..graph import Graph, Node, Signal, Wire
from ..graph.inline import inline
from ..graph.nodes import Input, Output
from .kinds import Roll, fold_of, roll_of
from .parts import Part, parts_of
from .recurrent import Recurrence, recurrence_of
from .schedule import Fold

DType = np.dtype[Any]


@dataclass(frozen=True, eq=False)
class Plan:
    """A graph, ready to run. It holds what the graph holds, not the graph, so both can go when nobody needs them.

    Args:
        name: the network's name.
        dt: the length of a step in seconds.
        dtype: what is computed in.
        nodes: the nodes by name, in an order in which one step can run.
        wires: the inputs of each node.
        signals: what each node sends.
        parts: what runs together, in order.
        folds: the nodes without state; inputs are neither these nor those.
        rolls: the nodes with state.
        recurrences: the parts that are recurrent layers.
    """

    name: str
    dt: float
    dtype: DType
    nodes: Mapping[str, Node]
    wires: Mapping[str, tuple[Wire, ...]]
    signals: Mapping[str, Signal]
    parts: tuple[Part, ...]
    folds: Mapping[str, Fold]
    rolls: Mapping[str, Roll]
    recurrences: Mapping[Part, Recurrence]

    @cached_property
    def inputs(self) -> Mapping[str, Input]:
        """The inputs by name, in order."""
        return {name: node for name, node in self.nodes.items() if isinstance(node, Input)}

    @cached_property
    def outputs(self) -> Mapping[str, Output]:
        """The outputs by name, in order."""
        return {name: node for name, node in self.nodes.items() if isinstance(node, Output)}

    @cached_property
    def delayed(self) -> frozenset[str]:
        """The sources of delayed wires."""
        return frozenset(wire.source for wires in self.wires.values() for wire in wires if wire.delayed)

    def received(self, name: str) -> tuple[Signal, ...]:
        """What a node receives."""
        return tuple(self.signals[wire.source] for wire in self.wires[name])


_PLANS: WeakKeyDictionary[Graph, dict[str, Plan]] = WeakKeyDictionary()


def plan(graph: Graph, dtype: DType) -> Plan:
    """The plan of a graph in a dtype: made at the first call, kept as long as the graph is."""
    made = _PLANS.setdefault(graph, {})
    if dtype.name not in made:
        made[dtype.name] = _plan(inline(graph), dtype)
    return made[dtype.name]


def forget(graph: Graph) -> None:
    """Lets go of what was made for it."""
    _PLANS.pop(graph, None)


def _plan(graph: Graph, dtype: DType) -> Plan:
    folds: dict[str, Fold] = {}
    rolls: dict[str, Roll] = {}
    for name, node in graph.nodes.items():
        received = graph.received(name)
        if node.stateful:
            rolls[name] = roll_of(node, received, dtype)
        elif received:
            folds[name] = fold_of(name, node, received, dtype)
    ordered = {name: graph.nodes[name] for name in sorted(graph.nodes, key=graph.order.index)}
    parts = parts_of(graph.order, graph.wires)
    wires, signals = dict(graph.wires), dict(graph.signals)
    found = {part: recurrence_of(part, ordered, wires, signals, rolls, dtype) for part in parts if part.loops}
    recurrences = {part: recurrence for part, recurrence in found.items() if recurrence is not None}
    return Plan(graph.name, graph.dt, dtype, ordered, wires, signals, parts, folds, rolls, recurrences)
