"""One step of a network as operations, every node in the order in which a step runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..graph import Graph
from ..graph.nodes import Input
from .memory import SENT, Memory
from .parts import Op, Ops, Sheet
from .rows import ROWS

BEFORE, AFTER = "state.", "next."
"""How the values of what is remembered are called before and after the step."""


@dataclass(frozen=True)
class Step:
    """One step.

    Args:
        ops: its operations.
        sent: the value that each node sends.
        received: the values that each node receives.
    """

    ops: tuple[Op, ...]
    sent: Mapping[str, str]
    received: Mapping[str, tuple[str, ...]]


def step_of(graph: Graph, sheet: Sheet, kept: Sequence[Memory], called: Callable[[str], str]) -> Step:
    """One step of a graph without sub-graphs.

    Args:
        graph: the network.
        sheet: where constants go.
        kept: what the network remembers.
        called: the value that a node sends, by the node's name.
    """
    keys: dict[str, list[str]] = {}
    for each in kept:
        keys.setdefault(each.node, []).append(each.key)
    every: list[Op] = []
    sent: dict[str, str] = {}
    received: dict[str, tuple[str, ...]] = {}
    for name in graph.order:
        node, sent[name] = graph.nodes[name], called(name)
        received[name] = tuple(f"{BEFORE}{w.source}.{SENT}" if w.delayed else sent[w.source] for w in graph.wires[name])
        if not isinstance(node, Input):
            own = [key for key in keys.get(name, ()) if key != SENT]
            shapes = [signal.shape for signal in graph.received(name)]
            state = {key: f"{BEFORE}{name}.{key}" for key in own}
            ops = Ops(name, sheet, shapes, graph.signals[name].shape, state)
            value = ROWS[type(node)](node, ops, received[name])
            every += ops.finish(value, {key: f"{AFTER}{name}.{key}" for key in own}, sent[name])
        if SENT in keys.get(name, ()):
            every.append(Op("Identity", f"{name}/keep_{SENT}", (sent[name],), (f"{AFTER}{name}.{SENT}",), {}))
    return Step(tuple(every), sent, received)
