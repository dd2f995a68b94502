"""Who can take up a rescaling: the search along the wires, before a node and after it, and words for what is met."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..graph import Node
from ..graph.nodes import Activation, Add, Concat, Host, Multiply
from ..graph.nodes.base import Array
from .absorb import absorb
from .base import Stays
from .draft import Draft
from .rescale import Rescale, backward, forward


@dataclass(frozen=True)
class Taken:
    """A layer that takes a rescaling up.

    Args:
        layer: its name.
        node: the layer with the rescaling in it.
        passed: the nodes between.
    """

    layer: str
    node: Node
    passed: tuple[str, ...]

    def put(self, draft: Draft) -> str:
        """Put the layer into the draft; how it went, for a change's sentence."""
        past = f", past {' and '.join(self.passed)}" if self.passed else ""
        words = past + rounding(self.node, draft.nodes[self.layer]) + unshared(draft, self.layer, self.node)
        draft.replace(self.layer, self.node)
        return words


def taken_before(draft: Draft, name: str, r: Rescale, dtype: str | None) -> Taken | Stays:
    """The layer before a node that takes up r, which is applied where the node's input arrives."""
    place = name
    passed: tuple[str, ...] = ()
    while True:
        wire = draft.wires[place][0]
        if wire.delayed:
            return Stays(f"the wire from {wire.source} to {place} is delayed")
        others = [edge.target for edge in draft.readers(wire.source) if edge.target != place]
        if others:
            return Stays(f"{wire.source} also feeds {', '.join(dict.fromkeys(others))}")
        place = wire.source
        node, sent = draft.nodes[place], draft.signals[place].shape
        found = _ask(place, absorb(node, sent, r, ahead=False, dtype=dtype), passed)
        if found is not None:
            return found
        single = len(draft.wires[place]) == 1
        moved = backward(node, draft.received(place)[0].shape, sent, r) if single else None
        if not isinstance(moved, Rescale):
            return Stays(f"before it, {place} is {described(node)}" if moved is None else f"{place}: {moved.why}")
        r, passed = moved, (*passed, place)


def taken_after(draft: Draft, name: str, r: Rescale, dtype: str | None) -> Taken | Stays:
    """The layer or neuron after a node that takes up r, which is applied to what the node sends."""
    place = name
    passed: tuple[str, ...] = ()
    while True:
        reader = only_reader(draft, place)
        if isinstance(reader, Stays):
            return reader
        place = reader
        node, received = draft.nodes[place], draft.received(place)[0].shape
        found = _ask(place, absorb(node, received, r, ahead=True, dtype=dtype), passed)
        if found is not None:
            return found
        single = len(draft.wires[place]) == 1
        moved = forward(node, received, draft.signals[place].shape, r) if single else None
        if not isinstance(moved, Rescale):
            return Stays(f"after it, {place} is {described(node)}" if moved is None else f"{place}: {moved.why}")
        r, passed = moved, (*passed, place)


def _ask(place: str, answer: Node | Stays | None, passed: tuple[str, ...]) -> Taken | Stays | None:
    if isinstance(answer, Stays):
        return Stays(f"{place}: {answer.why}")
    return None if answer is None else Taken(place, answer, passed)


def only_reader(draft: Draft, name: str) -> str | Stays:
    """The one node that reads another, by a wire without delay."""
    edges = draft.readers(name)
    if len(edges) != 1:
        targets = list(dict.fromkeys(edge.target for edge in edges)) or ["nothing"]
        twice = " more than once" if len(targets) == 1 < len(edges) else ""
        return Stays(f"{name} feeds {', '.join(targets)}{twice}")
    if edges[0].delayed:
        return Stays(f"the wire from {name} to {edges[0].target} is delayed")
    return edges[0].target


def described(node: Node) -> str:
    """What stands in the way, in the words of a refusal."""
    if isinstance(node, (Activation, Host)):
        return f"{node.kind}, which is not linear"
    if isinstance(node, (Add, Concat, Multiply)):
        return f"{node.kind}, which reads other signals too"
    return f"{node.kind}, which takes up no scale"


def rounding(new: Node, *old: Node) -> str:
    """What became of the numbers, for a change's sentence."""
    before = [value for node in old for value in node.arrays().values()]
    new_ones = [value for value in new.arrays().values() if not any(value is each for each in before)]
    kinds = sorted({value.dtype.name for value in new_ones} - {"float64", "complex128"})
    return f", computed in float64 and rounded to {' and '.join(kinds)}" if kinds else ""


def unshared(draft: Draft, name: str, new: Node) -> str:
    """Which nodes a changed layer no longer shares its arrays with, for a change's sentence."""
    lost = [value for field, value in draft.nodes[name].arrays().items() if new.arrays().get(field) is not value]
    others = [
        other
        for other, node in draft.nodes.items()
        if other != name and any(same(value, mine) for value in node.arrays().values() for mine in lost)
    ]
    return f"; it no longer shares its weights with {', '.join(others)}" if others else ""


def same(a: Array, b: Array) -> bool:
    """Whether two arrays are the same memory. Single numbers are mostly defaults, and shared by nobody's intent."""
    return a.size > 1 and a.shape == b.shape and bool(np.may_share_memory(a, b))
