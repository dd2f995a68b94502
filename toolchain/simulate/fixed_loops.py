"""Parts of a chip graph with a loop: step by step, or as one kernel where they are a recurrent layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..graph import Wire
from ..graph.nodes.base import Array, State
from .fixed_plan import FixedPlan
from .fixed_windows import Windows
from .parts import Part

if TYPE_CHECKING:
    from .fixed_recurrent import Recurrence

Keep = Mapping[str, frozenset[str]]
Found = Mapping[str, tuple[Array, Mapping[str, Array]]]
Loop = Callable[[Windows, Mapping[str, State]], Found]
"""A part with a loop in one run: windows of what is shown, and what was kept of states, which move on in place."""


def loop_of(plan: FixedPlan, part: Part, watched: frozenset[str], keep: Keep) -> Loop:
    """The loop, ready to run.

    Args:
        plan: the network.
        part: the loop's processes.
        watched: processes that have to be shown what they send.
        keep: what is kept of the states of neurons.
    """
    inside = set(part.names)
    read = {wire.source for name, wires in plan.wires.items() if name not in inside for wire in wires}
    asked = {*read, *watched, *(name for name, parts in keep.items() if parts), *plan.delayed}
    shown = [name for name in part.names if name in asked]
    recurrence = plan.recurrences.get(part)
    if recurrence is None:
        return _Steps(plan, part, shown, keep)
    return _Kernel(recurrence, shown, keep[recurrence.neuron])


@dataclass(frozen=True)
class _Kernel:
    """The recurrent layer: see `fixed_recurrent.py`."""

    recurrence: Recurrence
    shown: Sequence[str]
    keep: frozenset[str]

    def __call__(self, windows: Windows, states: Mapping[str, State]) -> Found:
        """One call of the kernel."""
        name = self.recurrence.neuron
        out, before = windows.room(name), windows.held[name]
        x = windows.wire(Wire(self.recurrence.outer))
        return self.recurrence.run(x, states[name], before, self.shown, self.keep, out)


class _Steps:
    """Any loop: process by process in every step."""

    def __init__(self, plan: FixedPlan, part: Part, shown: Sequence[str], keep: Keep) -> None:
        """Sorts out what runs; the arguments are those of `loop_of`."""
        self.plan, self.names, self.shown, self.keep = plan, part.names, shown, keep
        self.inside = set(part.names)

    def __call__(self, windows: Windows, states: Mapping[str, State]) -> Found:
        """Every step of the window."""
        plan, batch = self.plan, windows.batch
        out = {n: np.empty((windows.steps, batch, *plan.signals[n].shape), plan.formats[n]) for n in self.names}
        kept: dict[str, list[Mapping[str, Array]]] = {name: [] for name in self.names}
        for t in range(windows.steps):
            for name in self.names:
                received = [self._received(wire, windows, out, t) for wire in plan.wires[name]]
                if name in plan.folds:
                    out[name][t : t + 1] = plan.folds[name].run(*received)
                else:
                    kept[name].append(plan.rolls[name](states[name], received, self.keep[name], out[name][t : t + 1]))
        joined = {
            name: {what: np.concatenate([each[what] for each in kept[name]]) for what in self.keep[name]}
            for name in self.shown
        }
        return {name: (out[name], joined[name]) for name in self.shown}

    def _received(self, wire: Wire, windows: Windows, out: Mapping[str, Array], t: int) -> Array:
        """One step of what a wire hands on, [1, B, *shape]."""
        if wire.source not in self.inside:
            return windows.wire(wire)[t : t + 1]
        if not wire.delayed:
            return out[wire.source][t : t + 1]
        return out[wire.source][t - 1 : t] if t else windows.held[wire.source][None]
