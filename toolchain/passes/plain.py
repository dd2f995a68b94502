"""The plain form of a node's fields: of all the ways to write the same node, one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..graph import Node, Signal
from ..graph.nodes import (
    IF,
    LIF,
    AdaptiveLIF,
    Affine,
    AveragePool,
    BatchNorm,
    Concat,
    Conv,
    ConvTranspose,
    CubaIntegrator,
    CubaLIF,
    Delay,
    Delta,
    Flatten,
    Integrator,
    LeakyIntegrator,
    Mean,
    Reshape,
    ResonateFire,
    Scale,
    SigmaDelta,
    Slice,
    Sum,
    TemporalKernel,
)
from ..graph.nodes.base import Array
from .rescale import Shape


def plain(node: Node, received: tuple[Signal, ...]) -> Node | None:
    """The node in its plain form, or nothing where it has it already."""
    rule = RULES.get(type(node))
    return rule(node, received[0].shape) if rule is not None else None


def _moved(node: Any, shape: Shape) -> Node | None:
    """A Flatten where neighbouring axes become one, a Reshape with every size otherwise."""
    sent = node.signal((Signal(shape),)).shape
    rank = len(shape)
    spans = ((first, last) for first in range(rank) for last in range(first, rank))
    fits = (s for s in spans if (*shape[: s[0]], math.prod(shape[s[0] : s[1] + 1]), *shape[s[1] + 1 :]) == sent)
    span = next(fits, None)
    if span is None:
        return None if isinstance(node, Reshape) and node.shape == sent else Reshape(sent)
    return None if isinstance(node, Flatten) and (node.start_axis, node.end_axis) == span else Flatten(*span)


def _sliced(node: Any, shape: Shape) -> Node | None:
    count = len(range(node.start_index, node.stop_index, node.stride))
    stride = node.stride if count > 1 else 1
    best = (node.axis % len(shape), node.start_index, node.start_index + (count - 1) * stride + 1, stride)
    return Slice(*best) if best != (node.axis, node.start_index, node.stop_index, node.stride) else None


def _reduced(node: Any, shape: Shape) -> Node | None:
    axes = tuple(sorted(axis % len(shape) for axis in node.axes))
    return replace(node, axes=axes) if axes != node.axes else None


def _concatenated(node: Any, shape: Shape) -> Node | None:
    return Concat(node.axis % len(shape)) if node.axis < 0 else None


def _delayed(node: Any, _: Shape) -> Node | None:
    return Delay(node.steps[:1]) if len(node.steps) > 1 == len(set(node.steps)) else None


def _biased(node: Any, _: Shape) -> Node | None:
    return replace(node, bias=None) if node.bias is not None and not node.bias.any() else None


def _normalised(node: Any, _: Shape) -> Node | None:
    ones = node.weight is not None and bool((node.weight == 1).all())
    changed = replace(node, weight=None) if ones else node
    return _biased(changed, _) or (changed if ones else None)


def _scaled(node: Any, _: Shape) -> Node | None:
    shift = None if node.shift is None or not node.shift.any() else small(node.shift)
    scale = small(node.scale)
    kept = scale is node.scale and shift is node.shift
    return None if kept else Scale(scale, shift)


def _averaged(node: Any, _: Shape) -> Node | None:
    return None if node.count_padding or any(map(any, node.padding)) else replace(node, count_padding=True)


def _neurons(node: Any, _: Shape) -> Node | None:
    best = {name: (value, parameter(value)) for name, value in node.arrays().items()}
    changed = {name: new for name, (old, new) in best.items() if new is not old}
    return replace(node, **changed) if changed else None


def parameter(values: Array) -> Array:
    """A neuron's parameter no larger than it varies, and a plain number where it does not; itself if it is that."""
    found = small(values)
    return found.astype(np.float64) if found.ndim == 0 and found.dtype == np.float32 else found


def small(values: Array) -> Array:
    """`values` with size one along axes on which they do not vary, and no axes of size one in front; itself if so."""
    found = values
    for axis, n in enumerate(values.shape):
        first = found.take([0], axis)
        if n > 1 and bool((found == first).all()):
            found = first
    while found.ndim and found.shape[0] == 1:
        found = found[0]
    return np.asarray(found) if found is not values else values


RULES: Mapping[type[Node], Callable[[Any, Shape], Node | None]] = {
    Flatten: _moved,
    Reshape: _moved,
    Slice: _sliced,
    Mean: _reduced,
    Sum: _reduced,
    Concat: _concatenated,
    Delay: _delayed,
    Affine: _biased,
    Conv: _biased,
    ConvTranspose: _biased,
    TemporalKernel: _biased,
    BatchNorm: _normalised,
    Scale: _scaled,
    AveragePool: _averaged,
    **dict.fromkeys((IF, LIF, CubaLIF, AdaptiveLIF, Integrator, LeakyIntegrator, CubaIntegrator), _neurons),
    **dict.fromkeys((ResonateFire, Delta, SigmaDelta), _neurons),
}
"""For each kind that can be written in several ways, the rule for the one."""
