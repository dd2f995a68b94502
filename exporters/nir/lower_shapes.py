"""Nodes that move values, put them together or mix time, in the words that NIR has; rules of lower_layers.

Pad, Slice       zeros and ones as a convolution, or the padding of the next one
Concat           Σ_k of each part with zeros around it, or the next layer's columns apart: [A B]·[x; y] = A·x + B·y
TemporalKernel   Σ_k W_k · x[t − k]: delays, layers, a sum
Reshape          Flattens, where it only makes neighbouring axes one
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...toolchain.graph import Wire
from ...toolchain.graph.nodes import Add, Affine, Concat, Conv, Delay, Flatten, Pad, Reshape, Slice, TemporalKernel
from ...toolchain.passes.base import Change
from ...toolchain.passes.draft import Draft
from ...toolchain.passes.neighbours import only_reader
from .channels import each_channel

Shape = tuple[int, ...]


def padded(draft: Draft, name: str, node: Pad, kind: Any) -> Change | None:
    """A Pad."""
    shape = draft.received(name)[0].shape
    if len(shape) not in (2, 3):
        return None
    reader = only_reader(draft, name)
    after = draft.nodes[reader] if isinstance(reader, str) else None
    if isinstance(after, Conv) and isinstance(reader, str) and not any(node.widths[0]):
        padding = tuple((a + c, b + d) for (a, b), (c, d) in zip(after.padding, node.widths[1:], strict=True))
        draft.bypass(name)
        draft.replace(reader, replace(after, padding=padding))
        return Change((name, reader), f"put the zeros of {name} into the padding of {reader}")
    before, behind = node.widths[0]
    eye = np.eye(shape[0] + before + behind, shape[0], -before, kind)
    weight = eye.reshape(*eye.shape, *([1] * (len(shape) - 1)))
    draft.replace(name, Conv(weight, padding=node.widths[1:]))
    return Change((name,), f"wrote {name}, a Pad, as a Conv with weights 0 and 1")


def sliced(draft: Draft, name: str, node: Slice, kind: Any) -> Change | None:
    """A Slice."""
    shape, sent = draft.received(name)[0].shape, draft.signals[name].shape
    axis = node.axis % len(shape)
    if len(shape) not in (2, 3):
        return None
    picked = np.arange(node.start_index, node.stop_index, node.stride)
    if axis == 0:
        weight = np.zeros((sent[0], shape[0], *([1] * (len(shape) - 1))), kind)
        weight[np.arange(sent[0]), picked] = 1
        conv = Conv(weight)
    else:
        stride = [node.stride if at == axis and sent[axis] > 1 else 1 for at in range(1, len(shape))]
        reach = shape[axis] - (sent[axis] - 1) * stride[axis - 1]
        taps = np.zeros([reach if at == axis else 1 for at in range(1, len(shape))], kind)
        taps[tuple(node.start_index if at == axis else 0 for at in range(1, len(shape)))] = 1
        conv = each_channel(taps, shape[0], stride=tuple(stride))
    draft.replace(name, conv)
    return Change((name,), f"wrote {name}, a Slice, as a Conv with weights 0 and 1")


def concatenated(draft: Draft, name: str, node: Concat, _: Any) -> Change:
    """A Concat."""
    shapes = [signal.shape for signal in draft.received(name)]
    axis = node.axis % len(shapes[0])
    reader = only_reader(draft, name)
    after = draft.nodes[reader] if isinstance(reader, str) else None
    last = isinstance(after, Affine) and axis == len(shapes[0]) - 1
    channels = isinstance(after, Conv) and axis == 0 and after.groups == 1
    if isinstance(reader, str) and isinstance(after, (Affine, Conv)) and (last or channels):
        return _split(draft, name, reader, after, [shape[axis] for shape in shapes])
    whole = draft.signals[name].shape
    parts, at = [], 0
    for index, (wire, shape) in enumerate(zip(draft.wires[name], shapes, strict=True)):
        widths = [(0, 0)] * len(shape)
        widths[axis] = (at, whole[axis] - at - shape[axis])
        parts.append(draft.insert(f"{name}_{index}", Pad(tuple(widths)), wire, before=name))
        at += shape[axis]
    draft.replace(name, Add(), *parts)
    return Change((name,), f"wrote {name}, a Concat, as a sum of parts with zeros around them")


def _split(draft: Draft, name: str, reader: str, after: Affine | Conv, sizes: list[int]) -> Change:
    """The layer behind a Concat as a sum of layers, one for each part."""
    parts, at = [], 0
    for index, (wire, size) in enumerate(zip(draft.wires[name], sizes, strict=True)):
        weight, bias = after.weight[:, at : at + size], after.bias if index == 0 else None
        part = replace(after, weight=weight, bias=bias)
        parts.append(draft.insert(f"{reader}_{index}", part, wire, before=reader))
        at += size
    draft.replace(reader, Add(), *parts)
    draft.remove(name)
    return Change((name, reader), f"wrote {reader} behind {name}, a Concat, as a sum of {len(parts)} layers")


def over_time(draft: Draft, name: str, node: TemporalKernel, _: Any) -> Change | None:
    """A TemporalKernel."""
    rank = len(draft.signals[name].shape)
    if rank > 3:
        return None
    taps = [k for k in range(len(node.weight)) if k == 0 or node.weight[k].any()]
    parts = []
    for k in taps:
        weight, bias = node.weight[k], node.bias if k == 0 else None
        layer = Affine(weight, bias) if rank == 1 else Conv(weight.reshape(*weight.shape, *([1] * (rank - 1))), bias)
        sources = draft.wires[name]
        if k:
            sources = (Wire(draft.insert(f"{name}_delay{k}", Delay((k,)), *sources, before=name)),)
        if len(taps) == 1:
            draft.replace(name, layer, *sources)
        else:
            parts.append(draft.insert(f"{name}_tap{k}", layer, *sources, before=name))
    if parts:
        draft.replace(name, Add(), *parts)
    return Change((name,), f"wrote {name}, a TemporalKernel, as delays and {len(taps)} layers")


def merges(shape: Shape, sent: Shape) -> list[tuple[int, int]] | None:
    """The neighbouring axes that become one, last first; none where the new shape is not made that way."""
    found, at = [], 0
    for size in sent:
        first, product = at, 1
        while at < len(shape) and (product < size or at == first):
            product *= shape[at]
            at += 1
        if product != size or at == first:
            return None
        found.append((first, at - 1))
    if any(n != 1 for n in shape[at:]) or not found:
        return None
    found[-1] = (found[-1][0], len(shape) - 1)
    return [pair for pair in reversed(found) if pair[0] < pair[1]]


def moved(draft: Draft, name: str, node: Reshape | Flatten, _: Any) -> Change | None:
    """A Reshape or a Flatten."""
    shape, sent = draft.received(name)[0].shape, draft.signals[name].shape
    pairs = merges(shape, sent) if sent else None
    if not pairs or (isinstance(node, Flatten) and len(pairs) == 1):
        return None
    draft.replace_by(name, [(f"flat{index}", Flatten(*pair)) for index, pair in enumerate(pairs)])
    return Change((name,), f"wrote {name}, a {node.kind}, as {len(pairs)} Flatten")
