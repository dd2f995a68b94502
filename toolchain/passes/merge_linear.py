"""Merge two linear maps in a row where that saves multiplications: B(A x + a) + b = (B A) x + (B a + b).

    Affine, Affine · Contract, Contract (and an Affine without bias) · Conv, Conv · a pool and a Conv, either way
    Scale and BatchNorm, one behind the other, to one Scale
    AveragePool and Mean hand their 1/n to a linear layer near by, and only sum

Multiplications are counted as if every value arrived. What would take as many or more is refused with the counts. A
Scale next to a layer goes into it by fold_batchnorm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..errors import GraphError
from ..graph import Node
from ..graph.nodes import AveragePool, Integrating, Mean, Sum, SumPool
from .base import Change, NodePass, Refusal, Stays
from .compose import Composed, compose
from .draft import Draft
from .multiplies import multiplies
from .neighbours import Taken, only_reader, rounding, taken_after, taken_before
from .rescale import Rescale, tight


@dataclass(frozen=True)
class MergeLinear(NodePass):
    """Merge linear maps where that saves multiplications."""

    name: ClassVar[str] = "merge_linear"
    exact: ClassVar[bool] = False

    def at(self, draft: Draft, name: str) -> Change | Refusal | None:
        """Merge a node into the one that reads it, or hand on what it divides by."""
        outcome = _merge(draft, name)
        node = draft.nodes.get(name)
        if isinstance(outcome, Change) or not isinstance(node, (AveragePool, Mean)):
            return outcome
        divided = _divide_elsewhere(draft, name, node)
        return divided if isinstance(divided, Change) else outcome or divided


def _merge(draft: Draft, name: str) -> Change | Refusal | None:
    pairs = [(edge.target, _composed(draft, name, edge.target)) for edge in draft.readers(name)]
    possible = [(target, found) for target, found in pairs if found is not None]
    if not possible:
        return None
    reader = only_reader(draft, name)
    if isinstance(reader, Stays):
        return Refusal(name, reader.why)
    _, found = possible[0]
    if isinstance(found, Stays):
        return Refusal(name, f"with {reader}: {found.why}")
    before, after = _count(draft, name) + _count(draft, reader), found.multiplies
    if after >= before:
        return Refusal(name, f"with {reader} it would take {after} multiplies instead of {before}")
    merged = _made(found)
    if isinstance(merged, Stays):
        return Refusal(name, f"with {reader}: {merged.why}")
    words = rounding(merged, draft.nodes[name], draft.nodes[reader])
    draft.bypass(name)
    draft.replace(reader, merged)
    return Change((name, reader), f"merged {name} into {reader}, {after} multiplies instead of {before}{words}")


def _composed(draft: Draft, name: str, reader: str) -> Composed | Stays | None:
    if len(draft.wires[name]) != 1 or len(draft.wires[reader]) != 1:
        return None
    shapes = (draft.received(name)[0].shape, draft.signals[name].shape, draft.signals[reader].shape)
    return compose(draft.nodes[name], draft.nodes[reader], shapes)


def _count(draft: Draft, name: str) -> int:
    return multiplies(draft.nodes[name], draft.received(name)[0].shape, draft.signals[name].shape)


def _made(found: Composed) -> Node | Stays:
    try:
        with np.errstate(over="ignore"):
            return found.make()
    except GraphError:
        return Stays("the weights would no longer be finite")


def _divide_elsewhere(draft: Draft, name: str, node: AveragePool | Mean) -> Change | Refusal | None:
    """AveragePool = SumPool / n and Mean = Sum / n, with 1/n in a linear layer after it or before it."""
    divisor = _divisor(node, draft.received(name)[0].shape)
    if divisor is None:
        return Refusal(name, "its windows hold different numbers of values, and one weight cannot divide by all")
    if divisor == 1:
        return None
    found = _taker(draft, name, divisor)
    if isinstance(found, Stays):
        return Refusal(name, found.why)
    count = math.prod(draft.signals[name].shape)
    words = found.put(draft)
    draft.replace(name, _summing(node))
    text = f"put the 1/{divisor:g} of {name} into {found.layer}, {count} multiplies fewer{words}"
    return Change((name, found.layer), text)


def _divisor(node: AveragePool | Mean, received: tuple[int, ...]) -> float | None:
    """n, if it is the same everywhere."""
    if isinstance(node, Mean):
        return float(math.prod(received[axis] for axis in node.axes))
    counts = tight(node.divisors(received))
    return float(counts.flat[0]) if counts.size == 1 else None


def _summing(node: AveragePool | Mean) -> Node:
    if isinstance(node, Mean):
        return Sum(node.axes, node.keep)
    return SumPool(node.window, node.stride, node.padding, node.ceil)


def _taker(draft: Draft, name: str, divisor: float) -> Taken | Stays:
    """The linear layer that takes 1/n; a neuron's gain would only move the product, not save it."""
    after = taken_after(draft, name, _uniform(1 / divisor, len(draft.signals[name].shape)), None)
    if isinstance(after, Taken) and not isinstance(after.node, Integrating):
        return after
    before = taken_before(draft, name, _uniform(1 / divisor, len(draft.received(name)[0].shape)), None)
    if isinstance(before, Taken):
        return before
    why = after.why if isinstance(after, Stays) else f"{after.layer} is a neuron, whose gain is a product as well"
    return Stays("; ".join(dict.fromkeys([before.why, why])))


def _uniform(scale: float, rank: int) -> Rescale:
    return Rescale(np.full((1,) * rank, scale), np.zeros((1,) * rank))
