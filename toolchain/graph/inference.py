"""What follows from nodes and wires: an order in which one step can run, and the signal on every edge.

A delayed wire hands on what was sent in the step before, so it does not count for the order. Its signal is not known
until its source's is; the rules are applied again and again, unknown inputs left out where a node can do without,
until nothing changes, and then once more with everything known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Protocol

from ..errors import GraphError
from .nodes.base import Node
from .signal import GRADED, Signal

PATIENCE = 8
"""After so many rounds an integer range that still grows is taken as graded."""


class _Wire(Protocol):
    @property
    def source(self) -> str: ...
    @property
    def delayed(self) -> bool: ...


Wires = Mapping[str, Sequence[_Wire]]


def order_of(nodes: Mapping[str, Node], wires: Wires) -> tuple[str, ...]:
    """The nodes in an order that keeps sources before readers; a GraphError for a loop without a delay."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name in nodes:
        sorter.add(name, *(wire.source for wire in wires[name] if not wire.delayed))
    try:
        return tuple(sorter.static_order())
    except CycleError as error:
        loop = " -> ".join(reversed(error.args[1]))
        raise GraphError(
            "wires",
            f"a loop without a delay, {loop}",
            "one delayed wire in every loop",
            "mark the wire that closes it with later(...)",
        ) from None


def infer(nodes: Mapping[str, Node], wires: Wires, order: Sequence[str]) -> dict[str, Signal]:
    """The signal that each node sends; a GraphError that names the node where something does not fit."""
    known: dict[str, Signal] = {}
    for turn in range(len(nodes) + PATIENCE + 2):
        before = dict(known)
        for name in order:
            _update(name, nodes[name], wires[name], known, widen=turn >= PATIENCE)
        if known == before:
            break
    for name in order:
        missing = [wire.source for wire in wires[name] if wire.source not in known]
        if missing:
            raise GraphError(
                name, f"unknown shape of its input '{missing[0]}'", "a loop with a node that knows its shape"
            )
        found = _apply(name, nodes[name], [_carried(wire, known) for wire in wires[name]])
        if found.shape != known[name].shape:
            raise GraphError(
                name, f"an output of {found} that changes {known[name]} on its way round a loop", "one shape"
            )
    return {name: known[name] for name in nodes}


def _update(name: str, node: Node, wires: Sequence[_Wire], known: dict[str, Signal], *, widen: bool) -> None:
    present = [_carried(wire, known) for wire in wires if wire.source in known]
    complete = len(present) == len(wires)
    if not complete and not present:
        return
    try:
        found = _apply(name, node, present)
    except GraphError:
        if complete:
            raise
        return
    if widen and name in known and known[name] != found:
        found = replace(found, carries=GRADED)
    known[name] = found


def _carried(wire: _Wire, known: Mapping[str, Signal]) -> Signal:
    signal = known[wire.source]
    return replace(signal, carries=signal.carries.or_zero()) if wire.delayed else signal


def _apply(name: str, node: Node, inputs: Sequence[Signal]) -> Signal:
    try:
        return node.signal(inputs)
    except GraphError as error:
        raise error.inside(f"{name} ({node.kind})") from None
