"""Bring a graph into a fixed form, so that networks that are the same have the same text; no value changes.

    fields   axes counted from the front · Reshape with its full shape, and Flatten where it merges neighbouring axes ·
             no bias or shift of zeros, no factor of ones · parameters of a Scale or a neuron no larger than they
             vary, and those of a neuron that do not vary as plain numbers · one delay where all are the same · an
             average that counts its padding, where it has none
    in a row Permute and Permute · Reshape and Reshape · Pad and Pad · Delay and Delay, to one; none where they cancel
    sums     an Add that is the first or second term of an Add, to one (of whole numbers: anywhere); likewise Multiply;
             Concat in Concat · the first two terms by name (of whole numbers: all), since x + y = y + x, and no more
    order    inputs, then sources before readers, by name where that leaves a choice, then outputs

Weights stay as they are; so do names.
"""

from __future__ import annotations

import heapq
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from ..graph import Node, Wire
from ..graph.nodes import Add, Concat, Delay, Flatten, Input, Multiply, Output, Pad, Permute, Reshape
from ..graph.nodes.temporal import LONGEST
from .base import Change, NodePass, Refusal
from .draft import Draft
from .drop_identities import identity
from .plain import plain
from .rescale import Shape

EXACT = 2**24
"""Up to here sums of whole numbers come out the same in every order, in float32 too."""


@dataclass(frozen=True)
class Canonicalise(NodePass):
    """The fixed form above. What is in it already stays the very same graph."""

    name: ClassVar[str] = "canonicalise"
    exact: ClassVar[bool] = True

    def at(self, draft: Draft, name: str) -> Change | Refusal | None:
        """The first rule that applies."""
        for rule in RULES:
            change = rule(draft, name)
            if change is not None:
                return change
        return None

    def finish(self, draft: Draft) -> list[Change]:
        """Put the nodes in order."""
        order = ordered(draft)
        if order == list(draft.nodes):
            return []
        draft.nodes = {name: draft.nodes[name] for name in order}
        return [Change((), "put the nodes in order")]


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A name as people sort it: conv2 before conv10; the name itself decides between 01 and 1."""
    parts = re.findall(r"\d+|\D+", name)
    return (*((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts), (2, 0, name))


def ordered(draft: Draft) -> list[str]:
    """Inputs as they are, sources before readers, then outputs as they are."""
    ends = {name: node for name, node in draft.nodes.items() if isinstance(node, (Input, Output))}
    inner = {name for name in draft.nodes if name not in ends}
    waits = {name: {w.source for w in draft.wires[name] if not w.delayed and w.source in inner} for name in inner}
    ready = [(natural(name), name) for name in inner if not waits[name]]
    heapq.heapify(ready)
    found = []
    while ready:
        _, name = heapq.heappop(ready)
        found.append(name)
        for reader in {edge.target for edge in draft.readers(name) if not edge.delayed and edge.target in inner}:
            waits[reader].discard(name)
            if not waits[reader]:
                heapq.heappush(ready, (natural(reader), reader))
    inputs = [name for name, node in ends.items() if isinstance(node, Input)]
    return [*inputs, *found, *(name for name in ends if name not in inputs)]


def _fields(draft: Draft, name: str) -> Change | None:
    """A node's fields in their plain form."""
    node = draft.nodes[name]
    found = plain(node, draft.received(name))
    if found is None:
        return None
    draft.replace(name, found)
    return Change(
        (name,), f"wrote {name} plainly, as {found.kind}" if found.kind != node.kind else f"wrote {name} plainly"
    )


def _idle(draft: Draft, name: str) -> Change | None:
    """A node that moves nothing, as what is left of two that cancel."""
    node = draft.nodes[name]
    moves = isinstance(node, (Permute, Reshape, Flatten))
    if not moves or identity(node, draft.received(name)) is None or draft.wires[name][0].delayed:
        return None
    draft.bypass(name)
    return Change((name,), f"dropped {name}, which moves nothing")


def _in_a_row(draft: Draft, name: str) -> Change | None:
    """Two nodes of one sort, one behind the other, as one."""
    wire = draft.wires[name][0] if len(draft.wires[name]) == 1 else None
    if wire is None or wire.delayed:
        return None
    first, second = draft.nodes[wire.source], draft.nodes[name]
    both = _joined(first, second, draft.signals[name].shape)
    copies = isinstance(first, (Permute, Reshape, Flatten))
    if both is None or (len(draft.readers(wire.source)) > 1 and not copies):
        return None
    draft.replace(name, both, draft.wires[wire.source][0])
    if not draft.readers(wire.source):
        draft.remove(wire.source)
    return Change((wire.source, name), f"joined {wire.source} and {name}")


def _joined(first: Node, second: Node, sent: Shape) -> Node | None:
    match first, second:
        case Permute(), Permute():
            return Permute(tuple(first.axes[axis] for axis in second.axes))
        case ((Reshape() | Flatten()), (Reshape() | Flatten())):
            return Reshape(sent)
        case Pad(), Pad():
            pairs = zip(first.widths, second.widths, strict=True)
            return Pad(tuple((a + c, b + d) for (a, b), (c, d) in pairs))
        case Delay(), Delay():
            count = max(len(first.steps), len(second.steps))
            each = [steps * count if len(steps) == 1 else steps for steps in (first.steps, second.steps)]
            total = tuple(a + b for a, b in zip(*each, strict=True))
            return Delay(total) if max(total) <= LONGEST else None
    return None


def _terms(draft: Draft, name: str) -> Change | None:
    """A sum in a sum, a product in a product, a Concat in a Concat."""
    wires = draft.wires[name]
    for place, wire in enumerate(wires):
        if wire.delayed or not _same_sort(draft, wire.source, name) or len(draft.readers(wire.source)) > 1:
            continue
        inner, rest = draft.wires[wire.source], (*wires[:place], *wires[place + 1 :])
        if isinstance(draft.nodes[name], Concat):
            flat = (*wires[:place], *inner, *wires[place + 1 :])
        elif place < 2 or _whole(draft, name, (*inner, *rest)):
            flat = (*inner, *rest)
        else:
            continue
        draft.rewire(name, *flat)
        draft.remove(wire.source)
        return Change((wire.source, name), f"took the terms of {wire.source} into {name}")
    return None


def _sorted(draft: Draft, name: str) -> Change | None:
    """The first two terms of a sum or product by name, or all of them where they are whole numbers."""
    wires = draft.wires[name]
    if not isinstance(draft.nodes[name], (Add, Multiply)):
        return None
    free = len(wires) if _whole(draft, name, wires) else 2
    best = (*sorted(wires[:free], key=lambda wire: (natural(wire.source), wire.delayed)), *wires[free:])
    if best == wires:
        return None
    draft.rewire(name, *best)
    return Change((name,), f"put the terms of {name} in order")


def _same_sort(draft: Draft, first: str, second: str) -> bool:
    a, b = draft.nodes[first], draft.nodes[second]
    if isinstance(a, Concat) and isinstance(b, Concat):
        return (a.axis - b.axis) % len(draft.signals[first].shape) == 0
    return isinstance(b, (Add, Multiply)) and type(a) is type(b)


def _whole(draft: Draft, name: str, wires: tuple[Wire, ...]) -> bool:
    """Whether all terms are whole numbers, so few and small that every order of them is exact."""
    bounds = [max(map(abs, draft.carried(wire).carries.bounds)) for wire in wires]
    if isinstance(draft.nodes[name], Multiply):
        return math.prod(max(bound, 1) for bound in bounds) <= EXACT
    return sum(bounds) <= EXACT


RULES: tuple[Callable[[Draft, str], Change | None], ...] = (_fields, _idle, _in_a_row, _terms, _sorted)
"""What is looked for at a node, in this order."""
