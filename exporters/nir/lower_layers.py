"""Layers in the words that NIR has: each rule exchanges one node by nodes that say the same.

BatchNorm        y = s·x + c, once nothing near takes it up
AveragePool      SumPool2d and a Scale by 1/n, where padding makes it a question what n is
SumPool, 1-D     a convolution with weights 1; likewise where a window hangs over the end
MaxPool          of spikes: max = (Σ > 0)
Sum, Mean        a pool as large as the axes, or a convolution with weights 1 over the channels
Pad, Slice       zeros and ones as a convolution, or the padding of the next one
Concat           Σ_k of each part with zeros around it, or the next layer's columns apart: [A B]·[x; y] = A·x + B·y
TemporalKernel   Σ_k W_k · x[t − k]: delays, layers, a sum
Reshape          Flattens, where it only makes neighbouring axes one
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...toolchain.graph import Node, Wire
from ...toolchain.graph.nodes import (
    Activation,
    Add,
    Affine,
    AveragePool,
    BatchNorm,
    Concat,
    Contract,
    Conv,
    ConvTranspose,
    Flatten,
    MaxPool,
    Mean,
    Pad,
    Reshape,
    Scale,
    Slice,
    Sum,
    SumPool,
    TemporalKernel,
)
from ...toolchain.passes.base import Change, one
from ...toolchain.passes.draft import Draft
from ...toolchain.passes.lower_contract import LowerContract
from ...toolchain.passes.lower_convtranspose import LowerConvtranspose
from .channels import each_channel
from .lower_shapes import concatenated, moved, over_time, padded, sliced
from .windows import square, symmetric

Shape = tuple[int, ...]


def layers(draft: Draft, name: str, kind: Any) -> Change | None:
    """One layer in NIR's words."""
    node = draft.nodes[name]
    rule = RULES.get(type(node))
    return rule(draft, name, node, kind) if rule is not None else None


def _normalised(draft: Draft, name: str, node: BatchNorm, _: Any) -> Change:
    sides = (-1, *([1] * (len(draft.signals[name].shape) - 1)))
    scale, shift = (part.astype(node.mean.dtype).reshape(sides) for part in node.affine())
    draft.replace(name, Scale(scale, shift))
    return Change((name,), f"wrote {name}, a BatchNorm, as y = s·x + c")


def _average(draft: Draft, name: str, node: AveragePool, kind: Any) -> Change | None:
    shape = draft.received(name)[0].shape
    if len(node.window) == 2 and not node.ceil and not any(map(any, node.padding)):
        return None
    sums = draft.insert(
        f"{name}_sum", SumPool(node.window, node.stride, node.padding, node.ceil), *draft.wires[name], before=name
    )
    draft.replace(name, Scale((1 / node.divisors(shape)).astype(kind)[None]), sums)
    return Change((name,), f"wrote {name}, an AveragePool, as a SumPool and a Scale for each place")


def _sum_pool(draft: Draft, name: str, node: SumPool, kind: Any) -> Change | None:
    shape = draft.received(name)[0].shape
    counts, hanging = node.places(shape)
    floor = all(
        (n + b + a - k) // s + 1 == c
        for n, k, s, (b, a), c in zip(shape[1:], node.window, node.stride, node.padding, counts, strict=True)
    )
    if node.ceil and floor:
        draft.replace(name, replace(node, ceil=False))
        return Change((name,), f"wrote {name} without ceil, which adds no window")
    if len(node.window) == 2 and not node.ceil and all(a == b for a, b in node.padding):
        return None
    if len(node.window) == 3:
        return None
    conv = each_channel(np.ones(node.window, kind), shape[0], stride=node.stride, padding=hanging)
    draft.replace(name, conv)
    return Change((name,), f"wrote {name}, a SumPool, as a Conv with weights 1")


def _max_pool(draft: Draft, name: str, node: MaxPool, _: Any) -> Change | None:
    if not draft.received(name)[0].carries.binary:
        return None
    pool = SumPool(node.window, node.stride, node.padding, node.ceil)
    sums = draft.insert(f"{name}_sum", pool, *draft.wires[name], before=name)
    draft.replace(name, Activation("step", {"threshold": 0.0}), sums)
    return Change((name,), f"wrote {name}, a MaxPool of spikes, as a SumPool and a step above 0")


def _reduced(draft: Draft, name: str, node: Sum | Mean, kind: Any) -> Change | None:
    shape, sent = draft.received(name)[0].shape, draft.signals[name].shape
    axes = {axis % len(shape) for axis in node.axes}
    if not sent or len(shape) > 3:
        return None
    value = 1 / math.prod(shape[axis] for axis in axes) if isinstance(node, Mean) else 1.0
    window = tuple(n if axis in axes else 1 for axis, n in enumerate(shape))
    if len(shape) == 1:
        summed: Node = Affine(np.full((1, shape[0]), value, kind))
    elif 0 in axes:
        summed = Conv(np.full((1, *window), value, kind), stride=window[1:])
    else:
        summed = (AveragePool if isinstance(node, Mean) else SumPool)(window[1:])
    words = Change((name,), f"wrote {name}, a {node.kind}, as {one(summed)}")
    if summed.signal(draft.received(name)).shape == sent:
        draft.replace(name, summed)
        return words
    before = draft.insert(f"{name}_{node.kind.lower()}", summed, *draft.wires[name], before=name)
    draft.replace(name, Reshape(sent), before)
    return words


def _transposed(draft: Draft, name: str, node: ConvTranspose, _: Any) -> Change | None:
    shape = draft.received(name)[0].shape
    if len(shape) > 3 or any(s > 1 and n > 1 for s, n in zip(node.stride, shape[1:], strict=True)):
        return None
    found = LowerConvtranspose().at(draft, name)
    return found if isinstance(found, Change) else None


def contracted(draft: Draft, name: str, _: Any) -> Change | None:
    """A contraction that is no part of one matrix, as layers and moves."""
    found = LowerContract().at(draft, name) if isinstance(draft.nodes[name], Contract) else None
    return found if isinstance(found, Change) else None


def _convolved(draft: Draft, name: str, node: Conv, _: Any) -> Change | None:
    if len(node.kernel) > 2:
        return None
    space = draft.received(name)[0].shape[1:]
    even = symmetric(node, space)
    best = square(even, space)
    if best is node:
        return None
    draft.replace(name, best)
    what = "the same padding on both sides" if even is not node else "a square kernel"
    return Change((name,), f"gave {name} {what}, with taps of 0 where they are needed")


def _added(draft: Draft, name: str, _: Any, kind: Any) -> Change | None:
    """Terms of a sum that are smaller than it, repeated."""
    sent = draft.signals[name].shape
    for port, wire in enumerate(draft.wires[name]):
        shape = draft.signals[wire.source].shape
        layer = _repeated(shape, sent, kind) if shape != sent and len(shape) == len(sent) else None
        if layer is not None:
            repeated = draft.insert(f"{wire.source}_repeated", layer, wire, before=name)
            wires = draft.wires[name]
            draft.rewire(name, *wires[:port], Wire(repeated), *wires[port + 1 :])
            return Change((name, wire.source), f"repeated {wire.source} to the shape of {name}, by {one(layer)}")
    return None


def _repeated(shape: Shape, sent: Shape, kind: Any) -> Node | None:
    """The layer that repeats values along axes of size one."""
    if len(shape) == 1:
        return Affine(np.ones((sent[0], 1), kind))
    if len(shape) > 3:
        return None
    window = [m if n == 1 else 1 for n, m in zip(shape[1:], sent[1:], strict=True)]
    padding = tuple((k - 1, k - 1) for k in window)
    if shape[0] == sent[0]:
        return each_channel(np.ones(window, kind), shape[0], padding=padding)
    return Conv(np.ones((sent[0], 1, *window), kind), padding=padding)


RULES: Mapping[type[Node], Callable[[Draft, str, Any, Any], Change | None]] = {
    BatchNorm: _normalised,
    AveragePool: _average,
    SumPool: _sum_pool,
    MaxPool: _max_pool,
    Sum: _reduced,
    Mean: _reduced,
    Pad: padded,
    Slice: sliced,
    Concat: concatenated,
    TemporalKernel: over_time,
    ConvTranspose: _transposed,
    Reshape: moved,
    Flatten: moved,
    Conv: _convolved,
    Add: _added,
}
"""For each kind, the rule; a Contract is left to the rule for linear maps in a row first."""
