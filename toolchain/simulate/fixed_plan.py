"""A chip graph made ready to run once, for all runs: how large values get, and what runs every process."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar
from weakref import WeakKeyDictionary

import numpy as np

from ..errors import GraphError
from ..graph import Signal, Wire
from ..graph.nodes.base import Array, State
from ..loihi.chip_graph import ChipGraph
from ..loihi.processes import ChipInput, ChipOutput, Process
from .fixed_bounds import DType, bounds_of, format_of
from .fixed_neurons import NEURONS, neuron
from .fixed_recording import counted
from .fixed_recurrent import Recurrence, recurrence_of
from .fixed_synapses import FOLDS, ROLLS, Roll, Window
from .parts import Part, parts_of
from .schedule import Fold


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


_PLANS: WeakKeyDictionary[ChipGraph, FixedPlan] = WeakKeyDictionary()


def fixed_plan(graph: ChipGraph) -> FixedPlan:
    """The plan of a chip graph: made at the first call, kept as long as the graph is."""
    if graph not in _PLANS:
        _PLANS[graph] = _plan(graph)
    return _PLANS[graph]


def _plan(graph: ChipGraph) -> FixedPlan:
    bounds = bounds_of(graph)
    formats = {name: format_of(bound) for name, bound in bounds.items()}
    folds: dict[str, Fold] = {}
    rolls: dict[str, Roll] = {}
    for name, node in graph.nodes.items():
        if isinstance(node, ChipInput):
            continue
        received = graph.received(name)
        most = [bounds[wire.source] for wire in graph.wires[name]]
        if node.stateful or type(node) in (*NEURONS, *ROLLS):
            rolls[name] = _roll(name, node, received, most)
        else:
            folds[name] = Fold(_fold(name, node, received, most, formats[name]), exact=True)
    ordered = {name: graph.nodes[name] for name in graph.order}
    parts = parts_of(graph.order, graph.wires)
    found = {part: recurrence_of(part, ordered, graph.wires, graph.signals, formats) for part in parts if part.loops}
    recurrences = {part: recurrence for part, recurrence in found.items() if recurrence is not None}
    return FixedPlan(
        graph.name, graph.dt, ordered, dict(graph.wires), dict(graph.signals), counted(graph), parts, formats,
        folds, rolls, recurrences,
    )  # fmt: skip


def _roll(name: str, node: Process, received: Sequence[Signal], most: Sequence[int]) -> Roll:
    if type(node) in NEURONS:
        return neuron(node, [signal.shape for signal in received])
    made = ROLLS[type(node)](node, most, received[0].carries.binary) if type(node) in ROLLS else None
    return made or _step_by_step(name, node)


def _fold(name: str, node: Process, received: Sequence[Signal], most: Sequence[int], dtype: DType) -> Window:
    made = FOLDS[type(node)](node, most, received[0].carries.binary) if type(node) in FOLDS else None
    return made or _without_state(name, node, dtype)


@contextmanager
def _inside(name: str) -> Iterator[None]:
    """What a process refuses is said with its name."""
    try:
        yield
    except GraphError as error:
        raise error.inside(name) from None


def _without_state(name: str, node: Process, dtype: DType) -> Window:
    """The definition on a window folded into one batch, in 64-bit integers."""

    def run(*inputs: Array) -> Array:
        steps, batch = inputs[0].shape[:2]
        rows = [x.reshape(steps * batch, *x.shape[2:]).astype(np.int64) for x in inputs]
        with _inside(name):
            y = node.step({}, *rows)[0]
        return y.reshape(steps, batch, *y.shape[1:]).astype(dtype)

    return run


def _step_by_step(name: str, node: Process) -> Roll:
    """The definition, one step after the other, in 64-bit integers."""

    def run(state: State, inputs: Sequence[Array], keep: Collection[str], out: Array) -> Mapping[str, Array]:
        kept: dict[str, list[Array]] = {what: [] for what in keep}
        now = {key: value.astype(np.int64) for key, value in state.items()}
        for t, row in enumerate(zip(*inputs, strict=True)):
            with _inside(name):
                out[t], now = node.step(now, *(x.astype(np.int64) for x in row))
            for what, rows in kept.items():
                rows.append(now[what].astype(np.int32))
        state.update({key: value.astype(state[key].dtype) for key, value in now.items()})
        return {what: np.stack(rows) for what, rows in kept.items()}

    return run
