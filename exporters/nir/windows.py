"""Convolutions in the form that NIR has: the same padding on both sides, and sizes that nir's own check gets right.

before ≠ after   zeros as taps of the kernel, |before − after| of them on one side; or another `after` that leaves
                 as many windows
kernel h ≠ w     the nir package takes h for both: zeros as taps around the shorter side, where the count is even
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...toolchain.graph.nodes import Array, Conv

Sizes = tuple[int, ...]
MOST_GROWTH = 4
"""A kernel grows by no more than this factor for the sake of a check."""


def symmetric(conv: Conv, space: Sizes) -> Conv:
    """The same map with as much padding before as after, for an input of this size."""
    for axis, (before, after) in enumerate(conv.padding):
        if before != after:
            conv = _symmetric_along(conv, axis, space)
    return conv


def _symmetric_along(conv: Conv, axis: int, space: Sizes) -> Conv:
    before, after = conv.padding[axis]
    evened = replace(conv, padding=_with(conv.padding, axis, (before, before)))
    if _count(evened, space) == _count(conv, space):
        return evened
    apart = abs(before - after)
    if apart % conv.dilation[axis]:
        conv = _without_dilation(conv, axis)
    taps = apart // conv.dilation[axis]
    zeros = (taps, 0) if before < after else (0, taps)
    most = max(before, after)
    return replace(conv, weight=_padded(conv.weight, axis, zeros), padding=_with(conv.padding, axis, (most, most)))


def square(conv: Conv, space: Sizes) -> Conv:
    """The same map with a kernel that nir's check gets right, where zeros around it do that; else as it is."""
    sent = _count(conv, space)
    if len(space) != 2 or conv.groups > 1 or checked_by_nir(conv, space, sent):
        return conv
    longest = max(conv.kernel)
    missing = [longest - n for n in conv.kernel]
    grown = longest**2 / (conv.kernel[0] * conv.kernel[1])
    if any(n % 2 for n in missing) or grown > MOST_GROWTH:
        return conv
    weight, padding = conv.weight, conv.padding
    for axis, n in enumerate(missing):
        weight = _padded(weight, axis, (n // 2, n // 2))
        more = n // 2 * conv.dilation[axis]
        padding = _with(padding, axis, (padding[axis][0] + more, padding[axis][1] + more))
    return replace(conv, weight=weight, padding=padding)


def checked_by_nir(conv: Conv, space: Sizes, sent: Sizes) -> bool:
    """Whether the check in nir 1.0.8 agrees: it takes the kernel's first side for all, and knows no groups."""
    if conv.groups > 1:
        return False
    reach = [d * (conv.kernel[0] - 1) + 1 for d in conv.dilation]
    sides = zip(space, conv.padding, reach, conv.stride, strict=True)
    return tuple((n + 2 * pair[0] - r) // s + 1 for n, pair, r, s in sides) == tuple(sent)


def _count(conv: Conv, space: Sizes) -> Sizes:
    reach = [d * (k - 1) + 1 for k, d in zip(conv.kernel, conv.dilation, strict=True)]
    sides = zip(space, conv.padding, reach, conv.stride, strict=True)
    return tuple((n + before + after - r) // s + 1 for n, (before, after), r, s in sides)


def _with(pairs: tuple[tuple[int, int], ...], axis: int, pair: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    return (*pairs[:axis], pair, *pairs[axis + 1 :])


def _padded(weight: Array, axis: int, zeros: tuple[int, int]) -> Array:
    widths = [(0, 0)] * weight.ndim
    widths[axis + 2] = zeros
    return np.pad(weight, widths)


def _without_dilation(conv: Conv, axis: int) -> Conv:
    """Dilation along one axis as zeros between the taps."""
    step, size = conv.dilation[axis], conv.kernel[axis]
    shape = list(conv.weight.shape)
    shape[axis + 2] = step * (size - 1) + 1
    weight = np.zeros(shape, conv.weight.dtype)
    at: list[slice] = [slice(None)] * weight.ndim
    at[axis + 2] = slice(None, None, step)
    weight[tuple(at)] = conv.weight
    return replace(conv, weight=weight, dilation=(*conv.dilation[:axis], 1, *conv.dilation[axis + 1 :]))
