"""What follows from nodes and wires: an order in which one step can run, and the signal on every edge.

A delayed wire hands on what was sent in the step before, so it does not count for the order. Its signal is not known
until its source's is. So nodes first guess what they send from the inputs that are known so far, again and again until
nothing changes; then every rule is applied once more with everything known, and this time errors count.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Protocol

from ..errors import GraphError
from .nodes.base import Node, check_size
from .signal import GRADED, Signal

PATIENCE = 8
"""After so many changes an integer range that still grows is graded, a shape is given up after twice as many."""
SHOWN = 8
"""How many nodes of a loop a message names."""


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
        around = list(reversed(error.args[1]))
        loop = " -> ".join(around if len(around) <= SHOWN else [*around[:SHOWN], "…"])
        raise GraphError(
            "wires",
            f"a loop without a delay, {loop}",
            "one delayed wire in every loop",
            "mark the wire that closes it with later(...)",
        ) from None


def infer(nodes: Mapping[str, Node], wires: Wires, order: Sequence[str]) -> dict[str, Signal]:
    """The signal that each node sends; a GraphError that names the node where something does not fit."""
    known = _settled(nodes, wires, order)
    found: dict[str, Signal] = {}
    for name in order:
        if all(wire.source in known for wire in wires[name]):
            found[name] = _apply(name, nodes[name], [_carried(wire, known) for wire in wires[name]])
    for name in order:
        if name not in found:
            missing = next(wire.source for wire in wires[name] if wire.source not in known)
            expected = "a loop with a node that knows its shape"
            raise GraphError(name, f"unknown shape of its input '{missing}'", expected)
        if name not in known or found[name].shape != known[name].shape:
            raise GraphError(name, f"an output of {found[name]} that changes on its way round a loop", "one shape")
    return {name: known[name] for name in nodes}


def _settled(nodes: Mapping[str, Node], wires: Wires, order: Sequence[str]) -> dict[str, Signal]:
    """What each node sends as far as one can tell: rules applied again where an input changed, until none does."""
    place = {name: index for index, name in enumerate(order)}
    readers: dict[str, list[int]] = {name: [] for name in order}
    for name in order:
        for source in {wire.source for wire in wires[name]}:
            readers[source].append(place[name])
    known: dict[str, Signal] = {}
    changes = dict.fromkeys(order, 0)
    waiting = list(range(len(order)))
    queued = set(waiting)
    while waiting:
        index = heapq.heappop(waiting)
        queued.discard(index)
        name = order[index]
        found = _guess(nodes[name], [_carried(wire, known) for wire in wires[name] if wire.source in known])
        if found is not None and changes[name] >= PATIENCE:
            found = replace(found, carries=GRADED)
        if found is None or found == known.get(name) or changes[name] >= 2 * PATIENCE:
            continue
        known[name] = found
        changes[name] += 1
        for reader in readers[name]:
            if reader not in queued:
                queued.add(reader)
                heapq.heappush(waiting, reader)
    return known


def _guess(node: Node, present: Sequence[Signal]) -> Signal | None:
    try:
        return node.guess(present)
    except GraphError:
        return None


def _carried(wire: _Wire, known: Mapping[str, Signal]) -> Signal:
    signal = known[wire.source]
    return replace(signal, carries=signal.carries.or_zero()) if wire.delayed else signal


def _apply(name: str, node: Node, inputs: Sequence[Signal]) -> Signal:
    try:
        signal = node.signal(inputs)
        check_size(signal.shape, "output")
    except GraphError as error:
        raise error.inside(f"{name} ({node.kind})") from None
    return signal
