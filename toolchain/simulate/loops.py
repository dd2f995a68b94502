"""Parts with a loop: step by step, because what a node gets depends on what it sent in the step before.

The usual loop, spiking neurons that hear themselves through weights, runs as one kernel over the whole window.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..graph.nodes.base import Array, State
from .kinds import Roll
from .parts import Part
from .plan import Plan
from .recurrent import Recurrence, run_recurrence
from .schedule import Fold

Keep = Mapping[str, frozenset[str]]
Windows = Mapping[str, tuple[Array, Mapping[str, Array]]]
"""What each node sends in a window, and what else was kept of it."""
Outer = Mapping[tuple[str, bool], Array]
"""What comes in over wires from outside, by source and whether it is delayed."""
Held = dict[str, Array]
"""What the sources of delayed wires sent last."""


class Loop(Protocol):
    """A part with a loop in one run: takes a window from outside, moves states and what is held on in place."""

    def __call__(self, outer: Outer, states: Mapping[str, State], held: Held) -> Windows:
        """A window of all nodes that are shown."""


def loop_of(plan: Plan, part: Part, watched: frozenset[str], keep: Keep) -> Loop:
    """The loop, ready to run.

    Args:
        plan: the network.
        part: the loop's nodes.
        watched: nodes that have to be shown what they send.
        keep: what is kept of neurons beside what they send.
    """
    inside = set(part.names)
    read = {wire.source for name, wires in plan.wires.items() if name not in inside for wire in wires}
    shown = [name for name in part.names if name in read or name in watched]
    recurrence = plan.recurrences.get(part)
    if recurrence is None:
        return _Steps(plan, part, shown, keep)
    return _Kernel(recurrence, shown, keep[recurrence.neuron])


@dataclass(frozen=True)
class _Kernel:
    """The usual loop: see `recurrent.py`."""

    recurrence: Recurrence
    shown: Sequence[str]
    keep: frozenset[str]

    def __call__(self, outer: Outer, states: Mapping[str, State], held: Held) -> Windows:
        """One call of the kernel."""
        return run_recurrence(self.recurrence, outer, states[self.recurrence.neuron], held, self.shown, self.keep)


@dataclass(frozen=True)
class _Place:
    """Where an input comes from in a step.

    Args:
        key: the source and whether the wire is delayed.
        inside: whether the source is in the loop.
    """

    key: tuple[str, bool]
    inside: bool


class _Steps:
    """Any loop: node by node in every step."""

    def __init__(self, plan: Plan, part: Part, shown: Sequence[str], keep: Keep) -> None:
        """Sorts out where everything comes from; the arguments are those of `loop_of`."""
        self.names, self.shown, self.keep = part.names, shown, keep
        self.runs: Mapping[str, Fold | Roll] = {**plan.folds, **plan.rolls}
        self.places = {
            name: [_Place((w.source, w.delayed), w.source in part.names) for w in plan.wires[name]]
            for name in part.names
        }
        self.returned = [name for name in part.names if name in plan.delayed]

    def __call__(self, outer: Outer, states: Mapping[str, State], held: Held) -> Windows:
        """Every step of the window."""
        program = [(name, self._step(name, states), self.places[name]) for name in self.names]
        rows: dict[str, list[Array]] = {name: [] for name in self.shown}
        kept: dict[str, list[Mapping[str, Array]]] = {name: [] for name in self.names}
        values = {(name, True): held[name] for name in self.returned}
        for t in range(len(next(iter(outer.values())))):
            for name, step, places in program:
                inputs = [values[place.key] if place.inside else outer[place.key][t] for place in places]
                values[name, False], aside = step(inputs)
                if name in rows:
                    rows[name].append(values[name, False])
                if aside:
                    kept[name].append(aside)
            for name in self.returned:
                values[name, True] = values[name, False]
        held.update({name: np.array(values[name, True]) for name in self.returned})
        asides = {name: {what: np.stack([k[what] for k in kept[name]]) for what in self.keep[name]} for name in rows}
        return {name: (np.stack(rows[name]), asides[name]) for name in rows}

    def _step(
        self, name: str, states: Mapping[str, State]
    ) -> Callable[[Sequence[Array]], tuple[Array, Mapping[str, Array]]]:
        """One step of one node."""
        run, nothing = self.runs[name], dict[str, Array]()
        if isinstance(run, Fold):
            operation = run.run
            return lambda inputs: (operation(*inputs), nothing)
        roll, state, keep = run, states[name], self.keep[name]

        def step(inputs: Sequence[Array]) -> tuple[Array, Mapping[str, Array]]:
            sent, kept = roll(state, [x[None] for x in inputs], keep)
            return sent[0], {what: values[0] for what, values in kept.items()} if kept else nothing

        return step
