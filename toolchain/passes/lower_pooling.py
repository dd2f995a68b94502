"""Lower pools to convolutions with constant weights, each channel a group of its own, for targets that have no pools.

    SumPool      y[c, p] = Σ_k x̂[c, p·s + k]       weight 1
    AveragePool  y[c, p] = Σ_k x̂[c, p·s + k] / n   weight 1/n; where n differs at the border, 1 and a Scale by 1/n
    Mean, Sum    over axes of space                 a window as large as these axes, and a Reshape
    MaxPool      of spikes: max = (Σ_k x̂ > 0)      weight 1 and a step above 0; of anything else it is refused

A convolution promises real values, so counts of spikes behind a SumPool are no longer known to be whole numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..graph import Signal
from ..graph.nodes import Activation, AveragePool, Conv, MaxPool, Mean, Reshape, Scale, Sum, SumPool
from ..graph.subgraph import SubGraph
from .base import Change, NodePass, Refusal, Stays, one
from .draft import Draft
from .rescale import Shape, tight


@dataclass(frozen=True)
class LowerPooling(NodePass):
    """Lower SumPool, AveragePool, MaxPool of spikes, and Mean and Sum over space, to Conv.

    Args:
        border_scale: allow a Scale behind an average whose windows at the border hold fewer values.
    """

    border_scale: bool = False

    name: ClassVar[str] = "lower_pooling"
    exact: ClassVar[bool] = False

    def at(self, draft: Draft, name: str) -> Change | Refusal | None:
        """Exchange one pool for its convolution."""
        node, x = draft.nodes[name], draft.received(name)[0] if draft.wires[name] else None
        if x is None:
            return None
        if isinstance(node, (SumPool, AveragePool)):
            return self._pool(draft, name, node, x)
        if isinstance(node, (Mean, Sum)):
            return _over_space(draft, name, node, x)
        return _maximum(draft, name, node, x) if isinstance(node, MaxPool) else None

    def _pool(self, draft: Draft, name: str, node: SumPool | AveragePool, x: Signal) -> Change | Refusal:
        kept = _counted_on(draft, name)
        if kept is not None:
            return kept
        conv = as_conv(node, x.shape)
        if isinstance(conv, Conv):
            draft.replace(name, conv)
            return Change((name,), f"lowered {name}, {one(node)}, to a Conv with weights {conv.weight.flat[0]:.6g}")
        if not self.border_scale or isinstance(node, SumPool):
            return Refusal(name, f"{conv.why}; border_scale=True puts a Scale behind it")
        sums = draft.insert(f"{name}_sum", _ones(node, x.shape, 1.0), *draft.wires[name], before=name)
        draft.replace(name, Scale(1 / node.divisors(x.shape)[None]), sums)
        return Change(
            (name, sums), f"lowered {name}, an AveragePool, to a Conv with weights 1 and a Scale for each place"
        )


def _counted_on(draft: Draft, name: str) -> Refusal | None:
    """An inner input may promise whole numbers, which a convolution does not."""
    carries = draft.signals[name].carries
    if carries.graded or not any(isinstance(node, SubGraph) for node in draft.nodes.values()):
        return None
    return Refusal(name, f"a sub-graph may count on its {carries}; inline_subgraphs opens it")


def as_conv(node: SumPool | AveragePool, shape: Shape) -> Conv | Stays:
    """A pool of signals of this shape as one convolution."""
    if isinstance(node, SumPool):
        return _ones(node, shape, 1.0)
    counts = tight(node.divisors(shape))
    if counts.size > 1:
        return Stays(f"its windows hold {counts.min():g} to {counts.max():g} values, and a Conv has one weight for all")
    return _ones(node, shape, 1 / float(counts.flat[0]))


def _ones(node: Any, shape: Shape, value: float) -> Conv:
    _, padding = node.places(shape)
    return Conv(np.full((shape[0], 1, *node.window), value), None, node.stride, padding, 1, shape[0])


def _over_space(draft: Draft, name: str, node: Mean | Sum, x: Signal) -> Change | Refusal | None:
    rank = len(x.shape)
    axes = {axis % rank for axis in node.axes}
    if 0 in axes or rank > 4:
        return None
    kept = _counted_on(draft, name)
    if kept is not None:
        return kept
    window = tuple(x.shape[axis] if axis in axes else 1 for axis in range(1, rank))
    value = 1 / math.prod(window) if isinstance(node, Mean) else 1.0
    conv = _ones(SumPool(window), x.shape, value)
    words = f"lowered {name}, a {node.kind} over space, to a Conv with weights {value:.6g}"
    if node.keep:
        draft.replace(name, conv)
        return Change((name,), words)
    summed = draft.insert(f"{name}_sum", conv, *draft.wires[name], before=name)
    draft.replace(name, Reshape(draft.signals[name].shape), summed)
    return Change((name, summed), f"{words} and a Reshape")


def _maximum(draft: Draft, name: str, node: MaxPool, x: Signal) -> Change | Refusal:
    if not x.carries.binary:
        return Refusal(name, f"a maximum of {x.carries} values is not linear; only of spikes it is a sum above 0")
    sums = _ones(node, x.shape, 1.0)
    summed = draft.insert(f"{name}_sum", sums, *draft.wires[name], before=name)
    draft.replace(name, Activation("step", {"threshold": 0.0}), summed)
    return Change((name, summed), f"lowered {name}, a MaxPool of spikes, to a Conv with weights 1 and a step above 0")
