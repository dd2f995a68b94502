"""Reshapes, permutations, stacks: what moves numbers without changing them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ...graph.nodes import Concat, Flatten, Pad, Permute, Reshape
from ..operation import AXES, MIXES, Cannot, Operation, Row, features
from ..values import Tracked, Value
from .steps import held, timeline


def regrouped(op: Operation, input: Any, shape: Sequence[int]) -> Tracked:
    """A reshape that keeps time and batch in front, folded or unfolded."""
    value = op.ordered(input)
    lead = _lead(op, value, tuple(input.shape), tuple(shape))
    old = tuple(input.shape[value.lead :])
    new = tuple(shape[len(lead) :])
    axes = lead + "f" * len(new)
    if old == new:
        return op.same(value, axes=axes)
    node = Flatten() if len(new) == 1 and len(old) > 1 else Reshape(new)
    return op.emit(node, [value], axes=axes)


def _lead(op: Operation, value: Value, old: tuple[int, ...], new: tuple[int, ...]) -> str:
    lead = value.axes[: value.lead]
    sizes = old[: len(lead)]
    if new[: len(lead)] == sizes:
        return lead
    if len(lead) == 2 and new[:1] == (math.prod(sizes),):
        return FOLDED[lead]
    time, batch = op.recorder.length, op.recorder.batch
    for apart, folded in FOLDED.items():
        if lead == folded and new[:2] == ((time, batch) if apart == "TB" else (batch, time)):
            return apart
    found = f"{op.name} from {list(old)} to {list(new)}"
    raise Cannot(found, f"{_said(lead)} kept in front", "reshape the features alone")


FOLDED = {"TB": "F", "BT": "G"}
"""Time and batch apart, and made one."""


def _said(lead: str) -> str:
    return " and ".join(AXES[role] for role in lead)


def reshape(op: Operation, input: Any, *shape: Any) -> Tracked:  # noqa: ARG001
    """The shape that torch found."""
    return regrouped(op, input, op.result.shape)


def flatten(op: Operation, input: Any, start_dim: int = 0, end_dim: int = -1) -> Tracked:  # noqa: ARG001
    """Axes made one."""
    return regrouped(op, input, op.result.shape)


def unsqueeze(op: Operation, input: Any, dim: int) -> Tracked:
    """A new axis of size one."""
    value = op.value(input)
    dim = dim % (len(value.axes) + 1)
    axes = value.axes[:dim] + "f" + value.axes[dim:]
    return op.emit(Reshape(features(op.result.shape, axes)), [value], axes=axes)


def squeeze(op: Operation, input: Any, dim: Any = None) -> Tracked:
    """Axes of size one gone."""
    value = op.value(input)
    wanted = range(input.ndim) if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)
    gone = {d % input.ndim for d in wanted if input.shape[d] == 1}
    for d in gone:
        if value.axes[d] != "f":
            raise Cannot(f"squeeze of the {AXES[value.axes[d]]}", "named feature axes", "squeeze with dim=...")
    axes = "".join(role for d, role in enumerate(value.axes) if d not in gone)
    if axes == value.axes:
        return op.same(value)
    return op.emit(Reshape(features(op.result.shape, axes)), [value], axes=axes)


def permute(op: Operation, input: Any, *dims: Any) -> Tracked:
    """Axes in another order."""
    order = dims[0] if len(dims) == 1 and isinstance(dims[0], (tuple, list)) else dims
    return _permuted(op, input, [d % input.ndim for d in order])


def transpose(op: Operation, input: Any, dim0: int, dim1: int) -> Tracked:
    """Two axes exchanged."""
    order = list(range(input.ndim))
    order[dim0], order[dim1] = order[dim1], order[dim0]
    return _permuted(op, input, order)


def movedim(op: Operation, input: Any, source: Any, destination: Any) -> Tracked:
    """Axes moved."""
    moved, places = ((each,) if isinstance(each, int) else tuple(each) for each in (source, destination))
    taken = {place % input.ndim: dim % input.ndim for dim, place in zip(moved, places, strict=True)}
    rest = iter(dim for dim in range(input.ndim) if dim not in taken.values())
    return _permuted(op, input, [taken[place] if place in taken else next(rest) for place in range(input.ndim)])


def reversed_axes(op: Operation, input: Any) -> Tracked:
    """x.T of a matrix, x.mT."""
    return transpose(op, input, -2, -1)


def _permuted(op: Operation, input: Any, order: Sequence[int]) -> Tracked:
    value = op.value(input)
    axes = "".join(value.axes[d] for d in order)
    features = [value.axes[:d].count("f") for d in order if value.axes[d] == "f"]
    if features == sorted(features):
        return op.same(value, axes=axes)
    return op.emit(Permute(tuple(features)), [value], axes=axes)


def stack(op: Operation, tensors: Sequence[Any], dim: int = 0) -> Tracked:
    """The steps of a loop become time again, so does one signal put down many times; or signals get an axis."""
    values = [op.value(each) for each in tensors]
    axes = values[-1].axes
    dim = dim % (len(axes) + 1)
    steps = [value.step for value in values]
    over_time = axes[:dim] + "T" + axes[dim:]
    if steps == list(range(len(steps))):
        return op.same(timeline(op, values, over_time))
    if any(step != steps[0] for step in steps):
        raise Cannot(f"a stack of steps {steps}", "every step once, in order")
    if _static(op, dim, axes, len(values)) and all(value == values[0] for value in values):
        return op.same(held(op, values[0], over_time, len(values)))
    out = axes[:dim] + "f" + axes[dim:]
    shape = list(op.result.shape)
    shape[dim] = 1
    lifted = [op.send(Reshape(features(shape, out)), [value], out, name=f"{op.label}_axis") for value in values]
    if len(lifted) == 1:
        return op.same(lifted[0])
    return op.emit(Concat(out[:dim].count("f")), lifted, axes=out)


def _static(op: Operation, dim: int, axes: str, count: int) -> bool:
    """Whether many of a signal without time, along a new axis in front of the batch, are its steps."""
    return op.recorder.steps == 0 and count > 1 and dim == 0 and axes.startswith("B")


def cat(op: Operation, tensors: Sequence[Any], dim: int = 0) -> Tracked:
    """Signals one after the other along a feature axis."""
    values = [op.value(each) for each in tensors]
    if len({value.axes for value in values}) > 1:
        raise Cannot(f"{op.name} of axes {' and '.join(value.axes for value in values)}", "the same axes")
    if len(values) == 1:
        return op.same(values[0])
    return op.emit(Concat(op.feature(values[0], dim)), values)


def pad(op: Operation, input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tracked:
    """Zeros before and after the last axes."""
    source = op.value(input)
    if mode != "constant" or value not in (None, 0, 0.0):
        raise Cannot(f"padding by {mode} {value if mode == 'constant' else ''}".strip(), "padding with zeros")
    pairs = [(0, 0)] * input.ndim
    for i in range(len(pad) // 2):
        pairs[-1 - i] = (pad[2 * i], pad[2 * i + 1])
    if any(pair != (0, 0) and role != "f" for pair, role in zip(pairs, source.axes, strict=True)):
        raise Cannot("padding of time or batch", "padding of features", MIXES["T"])
    widths = tuple(pair for pair, role in zip(pairs, source.axes, strict=True) if role == "f")
    return op.emit(Pad(widths), [source], axes=source.axes)


def expand(op: Operation, input: Any, *sizes: Any) -> Tracked:  # noqa: ARG001
    """Axes of size one put down many times."""
    new = op.result.shape[: op.result.ndim - input.ndim]
    shape = op.result.shape[len(new) :]
    counts = [big // small for big, small in zip(shape, input.shape, strict=True)]
    return _put_down(op, op.value(input), input.shape, list(new), counts)


def repeat(op: Operation, input: Any, *sizes: Any) -> Tracked:
    """Axes put down many times, one after the other."""
    counts = list(sizes[0] if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes)
    more = max(0, len(counts) - input.ndim)
    return _put_down(op, op.value(input), input.shape, counts[:more], [1] * (input.ndim - len(counts)) + counts[more:])


def _put_down(op: Operation, value: Value, shape: Sequence[int], new: list[int], counts: list[int]) -> Tracked:
    """New axes in front, then each axis as often as its count says."""
    axes, sizes, counts = "f" * len(new) + value.axes, [1] * len(new) + list(shape), new + counts
    if new:
        value = op.send(Reshape(features(sizes, axes)), [value], axes, name=f"{op.label}_axis")
    for d, count in enumerate(counts):
        if count == 1:
            continue
        if sizes[d] == 1 and axes[d] == "f" and _static(op, d, axes[:d] + axes[d + 1 :], count):
            shape_now = features([n for i, n in enumerate(sizes) if i != d], axes[:d] + axes[d + 1 :])
            axes = axes[:d] + "T" + axes[d + 1 :]
            value = op.send(Reshape(shape_now), [value], axes, name=f"{op.label}_steps")
            value = held(op, value, axes, count)
            continue
        axis = op.feature(value.along(axes), d)
        value = op.send(Concat(axis), [value] * count, axes, name=op.label)
    return op.same(value, axes)


def pixel_shuffle(op: Operation, input: Any, upscale_factor: int) -> Tracked:
    """Channels c·r² become r×r places: y[c, h·r + i, w·r + j] = x[c·r² + i·r + j, h, w]."""
    value, r = op.ordered(input, most=1), upscale_factor
    if value.axes.count("f") != 3:
        raise Cannot(f"{op.name} on {value.axes.count('f')} feature axes", "channels, height and width")
    channels, height, width = input.shape[-3:]
    lead = value.axes[: value.lead]
    apart = Reshape((channels // r**2, r, r, height, width))
    split = op.send(apart, [value], lead + "f" * 5, name=f"{op.label}_split")
    order = op.send(Permute((0, 3, 1, 4, 2)), [split], lead + "f" * 5, name=f"{op.label}_order")
    return op.emit(Reshape((channels // r**2, height * r, width * r)), [order], axes=value.axes)


def channel_shuffle(op: Operation, input: Any, groups: int) -> Tracked:
    """Channels (g, c) become (c, g)."""
    value = op.ordered(input, most=1)
    channels, *space = features(input.shape, value.axes)
    lead, rank = value.axes[: value.lead], len(space)
    axes = lead + "f" * (rank + 2)
    split = op.send(Reshape((groups, channels // groups, *space)), [value], axes, name=f"{op.label}_split")
    order = op.send(Permute((1, 0, *range(2, rank + 2))), [split], axes, name=f"{op.label}_order")
    return op.emit(Reshape((channels, *space)), [order], axes=value.axes)


ROWS: Mapping[str, Row] = {
    "reshape": reshape,
    "view": reshape,
    "unflatten": reshape,
    "view_as": reshape,
    "reshape_as": reshape,
    "flatten": flatten,
    "unsqueeze": unsqueeze,
    "squeeze": squeeze,
    "permute": permute,
    "transpose": transpose,
    "swapaxes": transpose,
    "movedim": movedim,
    "t": reversed_axes,
    "T": reversed_axes,
    "mT": reversed_axes,
    "stack": stack,
    "cat": cat,
    "concat": cat,
    "concatenate": cat,
    "pad": pad,
    **dict.fromkeys(("expand", "expand_as", "broadcast_to"), expand),
    **dict.fromkeys(("repeat", "tile"), repeat),
    "pixel_shuffle": pixel_shuffle,
    "channel_shuffle": channel_shuffle,
}
