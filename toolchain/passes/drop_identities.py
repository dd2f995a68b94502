"""Drop nodes that hand on exactly what they receive: y[t] = x[t].

Scale s = 1, c = 0 · Permute, Reshape, Flatten, Slice, Pad that change nothing · Delay 0 · Mean and Sum over axes of
size one that are kept · a pool with a window of one value · an Activation that its input's values pass unchanged
(relu and abs of counts, a step of spikes, a clip wider than its input).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..graph import Node, Signal
from ..graph.nodes import (
    Activation,
    AveragePool,
    Delay,
    Flatten,
    MaxPool,
    Mean,
    Pad,
    Permute,
    Reshape,
    Scale,
    Slice,
    Sum,
    SumPool,
)
from .base import Change, NodePass, Refusal
from .draft import Draft


@dataclass(frozen=True)
class DropIdentities(NodePass):
    """Drop nodes that change nothing. Inputs, outputs and the wires' delays stay."""

    name: ClassVar[str] = "drop_identities"
    exact: ClassVar[bool] = True

    def at(self, draft: Draft, name: str) -> Change | Refusal | None:
        """Let the readers read what the node reads."""
        found = identity(draft.nodes[name], draft.received(name))
        if found is None:
            return None
        if draft.wires[name][0].delayed and any(edge.delayed for edge in draft.readers(name)):
            return Refusal(name, "the wires on both sides of it are delayed, and one wire holds a single step")
        draft.bypass(name)
        return Change((name,), f"dropped {name}, {found}")


def identity(node: Node, received: tuple[Signal, ...]) -> str | None:
    """Why a node that receives this hands it on unchanged; none where it does not."""
    rule = IDENTITIES.get(type(node))
    return rule(node, received[0]) if rule is not None else None


def _scale(node: Any, _: Signal) -> str | None:
    unit = bool((node.scale == 1).all()) and (node.shift is None or not node.shift.any())
    return "a scale of 1" if unit else None


def _moved(node: Any, x: Signal) -> str | None:
    kept = node.signal((x,)).shape == x.shape
    return f"a {node.kind} to the shape it had" if kept else None


def _permuted(node: Any, _: Signal) -> str | None:
    return "axes in the order they had" if node.axes == tuple(range(len(node.axes))) else None


def _sliced(node: Any, x: Signal) -> str | None:
    return "a slice of everything" if node.signal((x,)).shape == x.shape else None


def _padded(node: Any, _: Signal) -> str | None:
    return "a pad of nothing" if not any(map(any, node.widths)) else None


def _delayed(node: Any, _: Signal) -> str | None:
    return "a delay of 0" if not any(node.steps) else None


def _reduced(node: Any, x: Signal) -> str | None:
    single = node.keep and all(x.shape[axis] == 1 for axis in node.axes)
    return f"a {node.kind} over single values" if single else None


def _pooled(node: Any, _: Signal) -> str | None:
    ones = set(node.window) == {1} == set(node.stride) and not any(map(any, node.padding))
    return "a window of one value" if ones else None


def _activated(node: Any, x: Signal) -> str | None:
    low, high = x.carries.bounds
    numbers = node.parameters
    passes = {
        "relu": low >= 0,
        "abs": low >= 0,
        "clip": numbers.get("low", 0) <= low and high <= numbers.get("high", 0),
        "step": x.carries.binary and 0 <= numbers.get("threshold", -1) < 1,
        "step_or_equal": x.carries.binary and 0 < numbers.get("threshold", -1) <= 1,
    }
    return f"{node.function} of {x.carries}" if passes.get(node.function, False) else None


IDENTITIES: Mapping[type[Node], Callable[[Any, Signal], str | None]] = {
    Scale: _scale,
    Reshape: _moved,
    Flatten: _moved,
    Permute: _permuted,
    Slice: _sliced,
    Pad: _padded,
    Delay: _delayed,
    Mean: _reduced,
    Sum: _reduced,
    SumPool: _pooled,
    AveragePool: _pooled,
    MaxPool: _pooled,
    Activation: _activated,
}
"""For each kind that can be an identity, the rule that says when it is."""
