"""Sums and delays as edges of NIR can say them.

(x + y) + z   three edges; also where x + y has other readers
z + (x + y)   likewise, as the first two terms of a sum may change places; a later term is handed on by a Scale of 1
~(x + y)      the sum is handed on by a Scale of 1, and that one step later
x + x         a Scale of 2; in a longer sum the second x comes by a Scale of 1, since an edge is there once
~x, no loop   a Delay of one step
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...toolchain.graph import Graph, Wire
from ...toolchain.graph.nodes import Add, Delay, Scale
from ...toolchain.passes.base import Change
from ...toolchain.passes.draft import Draft
from .wiring import loops_of


def with_plain_sums(graph: Graph, kind: Any) -> tuple[Graph, list[Change]]:
    """The graph with sums that edges can say, and delayed wires only in loops."""
    draft = Draft(graph)
    changes: list[Change] = []
    for name in draft.order():
        if isinstance(draft.nodes[name], Add):
            changes += _opened(draft, name, kind)
    changes += _delays(draft)
    for name in list(draft.nodes):
        changes += _sum_later(draft, name, kind)
    for name in list(draft.nodes):
        if isinstance(draft.nodes[name], Add):
            changes += _once(draft, name, kind)
    for name in [each for each, node in draft.nodes.items() if isinstance(node, Add)]:
        if not draft.readers(name):
            draft.remove(name)
    return (draft.build(), changes) if changes else (graph, [])


def _opened(draft: Draft, name: str, kind: Any) -> list[Change]:
    """The sums in a sum."""
    changes = []
    for wire in draft.wires[name][:2]:
        wires = draft.wires[name]
        inner = draft.nodes[wire.source]
        if isinstance(inner, Add) and not wire.delayed and _alike(draft, wire.source):
            place = wires.index(wire)
            draft.rewire(name, *draft.wires[wire.source], *wires[:place], *wires[place + 1 :])
            changes.append(Change((wire.source, name), f"took the terms of {wire.source} into {name}"))
            return [*changes, *_opened(draft, name, kind)]
    for port, wire in enumerate(draft.wires[name]):
        if isinstance(draft.nodes[wire.source], Add) and not wire.delayed:
            changes.append(_handed_on(draft, name, port, kind))
    return changes


def _alike(draft: Draft, name: str) -> bool:
    return all(draft.signals[wire.source].shape == draft.signals[name].shape for wire in draft.wires[name])


def _handed_on(draft: Draft, name: str, port: int, kind: Any, *, after: bool = False) -> Change:
    """A Scale of 1 in a wire, in front of the step that the wire waits, or behind it."""
    wires = list(draft.wires[name])
    wire = wires[port]
    source = Wire(wire.source) if after else wire
    scale = draft.insert(f"{wire.source}_again", Scale(np.ones((), kind)), source, before=name)
    wires[port] = Wire(scale, after)
    draft.rewire(name, *wires)
    return Change((wire.source, name), f"handed {wire.source} on to {name} by {scale}, a Scale of 1")


def _delays(draft: Draft) -> list[Change]:
    """Delayed wires outside of loops as nodes, one for all that read it."""
    changes: list[Change] = []
    within = {name: members for members in loops_of(draft.wires) for name in members}
    made: dict[str, str] = {}
    for name in list(draft.nodes):
        for port, wire in enumerate(draft.wires[name]):
            if not wire.delayed or name in within.get(wire.source, ()):
                continue
            if wire.source not in made:
                made[wire.source] = draft.insert(f"{wire.source}_later", Delay((1,)), wire.source, before=name)
                changes.append(Change((wire.source,), f"wrote the delayed wire from {wire.source} as a Delay"))
            wires = list(draft.wires[name])
            wires[port] = Wire(made[wire.source])
            draft.rewire(name, *wires)
    return changes


def _sum_later(draft: Draft, name: str, kind: Any) -> list[Change]:
    """Sums that are read one step later, in a loop."""
    ports = [port for port, w in enumerate(draft.wires[name]) if w.delayed and isinstance(draft.nodes[w.source], Add)]
    return [_handed_on(draft, name, port, kind, after=True) for port in ports]


def _once(draft: Draft, name: str, kind: Any) -> list[Change]:
    """A source that is several terms of a sum."""
    wires = draft.wires[name]
    if len(wires) == 2 and wires[0] == wires[1]:
        draft.replace(name, Scale(np.full((), 2, kind)), wires[0])
        return [Change((name,), f"wrote {name}, the sum of {wires[0].source} and itself, as a Scale of 2")]
    changes = []
    for port, wire in enumerate(wires):
        if wire.source in {each.source for each in wires[:port]}:
            changes.append(_handed_on(draft, name, port, kind))
    return changes
