"""The plan of a chip graph by kernels, and by torch where it is faster; for all other processes by their own `step`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module

from ..graph import Signal
from ..loihi.chip_graph import ChipGraph
from ..loihi.processes import ChipInput, Process
from .fixed_bounds import DType, bounds_of
from .fixed_defined import Roll, Window, step_by_step, without_state
from .fixed_inputs import taken
from .fixed_neurons import NEURONS, neuron
from .fixed_plan import FixedPlan, defined
from .fixed_recurrent import recurrence_of
from .fixed_synapses import FOLDS, ROLLS, torch_runs
from .schedule import Fold


def by_kernels(graph: ChipGraph) -> FixedPlan:
    """The plan."""
    plan, bounds = defined(graph), bounds_of(graph)
    folds: dict[str, Fold] = {}
    rolls: dict[str, Roll] = {}
    torch = False
    for name, node in plan.nodes.items():
        if isinstance(node, ChipInput):
            continue
        received = plan.received(name)
        most = [bounds[wire.source] for wire in plan.wires[name]]
        torch = torch or torch_runs(node, received[0].carries.binary)
        if node.stateful or type(node) in (*NEURONS, *ROLLS):
            rolls[name] = _roll(name, node, received, most)
        else:
            folds[name] = Fold(_fold(name, node, received, most, plan.formats[name]), exact=True)
    loops = [part for part in plan.parts if part.loops]
    found = {part: recurrence_of(part, plan.nodes, plan.wires, plan.signals, plan.formats) for part in loops}
    recurrences = {part: recurrence for part, recurrence in found.items() if recurrence is not None}
    within = import_module(".fixed_convs", __package__).quiet if torch else plan.within
    return replace(plan, folds=folds, rolls=rolls, recurrences=recurrences, take=taken, within=within)


def _roll(name: str, node: Process, received: Sequence[Signal], most: Sequence[int]) -> Roll:
    if type(node) in NEURONS:
        return neuron(node, [signal.shape for signal in received])
    made = ROLLS[type(node)](node, most, received[0].carries.binary) if type(node) in ROLLS else None
    return made or step_by_step(name, node)


def _fold(name: str, node: Process, received: Sequence[Signal], most: Sequence[int], dtype: DType) -> Window:
    made = FOLDS[type(node)](node, most, received[0].carries.binary) if type(node) in FOLDS else None
    return made or without_state(name, node, dtype)
