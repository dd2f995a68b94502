"""Parts with a loop: step by step, because what a node gets depends on what it sent in the step before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..graph.nodes.base import Array, State
from .kinds import Roll
from .parts import Part
from .plan import Plan

Step = Callable[[Sequence[Array]], Array]


@dataclass(frozen=True, eq=False)
class _Source:
    """Where an input comes from in a step: from this step or the last inside the loop, or from outside.

    Args:
        name: the node it comes from.
        delayed: whether one step later.
        inside: whether that node is in the loop.
    """

    name: str
    delayed: bool
    inside: bool


class Loop:
    """A part with a loop, ready to run windows of a run."""

    def __init__(
        self,
        plan: Plan,
        part: Part,
        watched: frozenset[str],
        states: Mapping[str, State],
        held: Mapping[str, Array],
        keep: Mapping[str, frozenset[str]],
    ) -> None:
        """Sorts out where everything comes from.

        Args:
            plan: the network.
            part: the loop's nodes.
            watched: nodes that have to be shown what they send.
            states: the state of every node, which moves on in place.
            held: what the sources of delayed wires sent before the window.
            keep: what is kept of neurons beside what they send.
        """
        self.plan, self.part, self.states, self.held, self.keep = plan, part, states, held, keep
        inside = set(part.names)
        self.sources = {
            name: [_Source(w.source, w.delayed, w.source in inside) for w in plan.wires[name]] for name in part.names
        }
        read = {w.source for name, wires in plan.wires.items() if name not in inside for w in wires}
        self.shown = [name for name in part.names if name in read or name in watched]
        self.returned = [name for name in part.names if name in plan.delayed]

    def run(
        self, outer: Mapping[tuple[str, bool], Array], last: dict[str, Array]
    ) -> dict[str, tuple[Array, Mapping[str, Array]]]:
        """A window of what each shown node sends and of what is kept of it.

        Args:
            outer: what the wires from outside hand on.
            last: gets what the sources of delayed wires sent in the last step.
        """
        rows: dict[str, list[Array]] = {name: [] for name in self.shown}
        kept: dict[str, list[Mapping[str, Array]]] = {name: [] for name in self.shown}
        before = {name: self.held[name] for name in self.returned}
        for t in range(len(next(iter(outer.values())))):
            now: dict[str, Array] = {}
            for name in self.part.names:
                inputs = [
                    outer[source.name, source.delayed][t]
                    if not source.inside
                    else (before if source.delayed else now)[source.name]
                    for source in self.sources[name]
                ]
                now[name], aside = self._step(name, inputs)
                if name in rows:
                    rows[name].append(now[name])
                    kept[name].append(aside)
            before = {name: now[name] for name in self.returned}
        last.update(before)
        return {
            name: (np.stack(rows[name]), {what: np.stack([k[what] for k in kept[name]]) for what in self.keep[name]})
            for name in self.shown
        }

    def _step(self, name: str, inputs: Sequence[Array]) -> tuple[Array, Mapping[str, Array]]:
        roll: Roll | None = self.plan.rolls.get(name)
        if roll is None:
            return self.plan.folds[name].run(*inputs), {}
        sent, kept = roll(self.states[name], [x[None] for x in inputs], self.keep[name])
        return sent[0], {what: values[0] for what, values in kept.items()}
