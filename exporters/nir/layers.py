"""The node of NIR that a layer is, for every kind of node that is no neuron."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...toolchain.graph import Node
from ...toolchain.graph.nodes import (
    Activation,
    Affine,
    Array,
    AveragePool,
    Conv,
    Delay,
    Flatten,
    Input,
    Output,
    Scale,
    SumPool,
)
from ...toolchain.graph.nodes.base import need, shown
from .tree import Leaf

Shape = tuple[int, ...]
MOST = 2**24
"""The most values of a weight that is written once for each place of a signal."""


@dataclass(frozen=True)
class Place:
    """Where a node stands.

    Args:
        received: the shape of what it receives.
        sent: the shape of what it sends.
        dt: the length of a step in seconds.
        batched: whether Flatten counts the batch among its axes.
    """

    received: Shape
    sent: Shape
    dt: float
    batched: bool = False


def leaf_of(node: Node, place: Place) -> tuple[Leaf, str]:
    """The node of NIR, and what it is where NIR has another word for it; a GraphError where there is none."""
    rule = RULES.get(type(node))
    if rule is None:
        need(False, "kind", node.kind, "a kind that NIR has", FIXES.get(node.kind, CUT))
        raise TypeError(node.kind)
    return rule(node, place)


CUT = "cut it out, into a folder of parts: --to nir-parts"
FIXES: Mapping[str, str] = {
    "MaxPool": "train with average pools, put it behind spikes, or cut it out: --to nir-parts",
    "Multiply": "NIR only adds: take a Scale for a constant, or cut it out: --to nir-parts",
}


def _end(node: Any, place: Place) -> tuple[Leaf, str]:
    kind = "Input" if isinstance(node, Input) else "Output"
    return Leaf(kind, {"shape": np.array(place.sent, np.int64)}), ""


def _affine(node: Any, place: Place) -> tuple[Leaf, str]:
    lead = place.sent[:-1]
    weight = _repeated(node.weight, lead, "weight")
    if node.bias is None:
        return Leaf("Linear", {"weight": weight}), "Affine" if lead else ""
    return Leaf("Affine", {"weight": weight, "bias": _repeated(node.bias, lead, "bias")}), "Affine" if lead else ""


def _repeated(values: Array, lead: Shape, where: str) -> Array:
    """The array once for each place of the leading axes, as a view."""
    if not lead:
        return values
    size = math.prod(lead) * values.size
    need(size <= MOST, where, f"{size} values, once for each place of {shown(lead)}", f"at most {MOST}", CUT)
    return np.broadcast_to(values, (*lead, *values.shape))


def _scale(node: Any, place: Place) -> tuple[Leaf, str]:
    scale = np.broadcast_to(node.scale, place.sent)
    if node.shift is None:
        return Leaf("Scale", {"scale": scale}), ""
    *lead, width = place.sent
    size = math.prod(place.sent) * width
    need(size <= MOST, "shift", f"a matrix of {size} values for y = s·x + c", f"at most {MOST}", CUT)
    weight = np.zeros((*lead, width, width), scale.dtype)
    weight[..., np.arange(width), np.arange(width)] = scale
    return Leaf("Affine", {"weight": weight, "bias": np.broadcast_to(node.shift, place.sent)}), "Scale"


def _conv(node: Any, place: Place) -> tuple[Leaf, str]:
    dims = len(node.kernel)
    need(dims <= 2, "weight", f"{dims} dimensions of space", "one or two, as NIR's convolutions have", CUT)
    need(all(a == b for a, b in node.padding), "padding", f"{node.padding}", "the same on both sides", CUT)
    bias = np.zeros(node.weight.shape[0], node.weight.dtype) if node.bias is None else node.bias
    pads = tuple(a for a, _ in node.padding)
    sizes = {"input_shape": place.received[1:], "stride": node.stride, "padding": pads, "dilation": node.dilation}
    whole = {name: np.array(value if dims == 2 else value[0], np.int64) for name, value in sizes.items()}
    return Leaf(f"Conv{dims}d", {**whole, "weight": node.weight, "groups": np.array(node.groups), "bias": bias}), ""


def _pool(node: Any, _: Place) -> tuple[Leaf, str]:
    dims = len(node.window)
    need(dims == 2, "window", f"{dims} dimensions of space", "two, as NIR's pools have", CUT)
    symmetric = all(a == b for a, b in node.padding)
    need(symmetric and not node.ceil, "padding", "not the same on both sides", "the same, and no ceil", CUT)
    values = {"kernel_size": node.window, "stride": node.stride, "padding": [a for a, _ in node.padding]}
    kind = "SumPool2d" if isinstance(node, SumPool) else "AvgPool2d"
    return Leaf(kind, {name: np.array(value, np.int64) for name, value in values.items()}), ""


def _flatten(node: Any, place: Place) -> tuple[Leaf, str]:
    rank = len(place.received)
    more = 1 if place.batched else 0
    ends = {"start_dim": node.start_axis % rank + more, "end_dim": node.end_axis % rank + more}
    shape = {"input_type": np.array(place.received, np.int64)}
    return Leaf("Flatten", {**shape, **{name: np.array(value) for name, value in ends.items()}}), ""


def _delay(node: Any, place: Place) -> tuple[Leaf, str]:
    steps = np.array(node.steps, np.float64)
    along = steps.reshape(-1, *([1] * (len(place.sent) - 1)))
    return Leaf("Delay", {"delay": np.broadcast_to(along * place.dt, place.sent)}), ""


def _threshold(node: Any, place: Place) -> tuple[Leaf, str]:
    steps = node.function in ("step", "step_or_equal")
    need(steps, "function", f"'{node.function}'", "step: NIR has no other function", CUT)
    level = np.full(place.sent, node.parameters["threshold"])
    return Leaf("Threshold", {"threshold": level}), "" if node.function == "step" else node.function


RULES: Mapping[type[Node], Callable[[Any, Place], tuple[Leaf, str]]] = {
    Input: _end,
    Output: _end,
    Affine: _affine,
    Scale: _scale,
    Conv: _conv,
    SumPool: _pool,
    AveragePool: _pool,
    Flatten: _flatten,
    Delay: _delay,
    Activation: _threshold,
}
"""For each kind that NIR can say, the rule."""
