"""Two convolutions in a row as one.

Place p of B reads place p·s_B + d_B·b of what is between, and that reads x at s_A times it plus d_A·a. So together

    W[o, i, s_A·d_B·b + d_A·a] = Σ_m B[o, m, b] · A[m, i, a],   stride s_A·s_B,   padding p_A + p_B

which is right as long as B pads nothing, or what A makes of the padding is 0: a kernel of one value, stride 1, no bias.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..graph.nodes import Conv
from ..graph.nodes.base import Array
from .base import Stays


@dataclass(frozen=True)
class Geometry:
    """The form of the one convolution.

    Args:
        kernel: its kernel's size in each dimension.
        dilation: its dilation.
        groups: its groups: what both can be split into.
    """

    kernel: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int


def geometry_of(a: Conv, b: Conv) -> Geometry | Stays:
    """The form of A and then B as one, or why there is none."""
    pads = any(map(any, b.padding))
    pointwise = {*a.kernel, *a.stride} == {1} and not any(map(any, a.padding))
    if pads and not pointwise:
        return Stays("the second pads what lies between with zeros, which is not what the first makes of zeros")
    if pads and a.bias is not None and a.bias.any():
        return Stays("the second pads what lies between with zeros, which the bias of the first would fill")
    taps = [
        (d, k, s * e, m) for d, k, s, e, m in zip(a.dilation, a.kernel, a.stride, b.dilation, b.kernel, strict=True)
    ]
    dilation = tuple(e if k == 1 else d if m == 1 else math.gcd(d, e) for d, k, e, m in taps)
    reach = [d * (k - 1) + e * (m - 1) for d, k, e, m in taps]
    kernel = tuple(n // d + 1 for n, d in zip(reach, dilation, strict=True))
    return Geometry(kernel, dilation, math.gcd(a.groups, b.groups))


def convolved(a: Conv, b: Conv, form: Geometry) -> Conv:
    """A and then B as one convolution of the given form, computed in float64."""
    first, second = blocks(a, form.groups), blocks(b, form.groups)
    weight = np.zeros((form.groups, second.shape[1], first.shape[2], *form.kernel))
    for tap in np.ndindex(*b.kernel):
        places = [
            slice(s * e * i // d, s * e * i // d + c * (k - 1) // d + 1, max(c // d, 1))
            for i, s, e, d, c, k in zip(tap, a.stride, b.dilation, form.dilation, a.dilation, a.kernel, strict=True)
        ]
        at = (slice(None), slice(None), slice(None), *tap)
        weight[(slice(None), slice(None), slice(None), *places)] += np.einsum("gom,gmi...->goi...", second[at], first)
    kind = np.result_type(a.weight, b.weight)
    padding = tuple((p + q, m + n) for (p, m), (q, n) in zip(a.padding, b.padding, strict=True))
    stride = tuple(s * m for s, m in zip(a.stride, b.stride, strict=True))
    rows = weight.reshape(-1, *weight.shape[2:]).astype(kind)
    return Conv(rows, _bias(a, b, second, kind), stride, padding, form.dilation, form.groups)


def blocks(conv: Conv, groups: int) -> Array:
    """A grouped weight as `groups` full ones, (groups, out/groups, in/groups, *kernel), zero where nothing connects."""
    out, inner, *kernel = conv.weight.shape
    within = conv.groups // groups
    full = np.zeros((groups, within, out // conv.groups, within, inner, *kernel))
    split = conv.weight.reshape(groups, within, out // conv.groups, inner, *kernel)
    for block in range(within):
        full[:, block, :, block] = split[:, block]
    return full.reshape(groups, out // groups, within * inner, *kernel)


def _bias(a: Conv, b: Conv, second: Array, kind: np.dtype[np.generic]) -> Array | None:
    if a.bias is None and b.bias is None:
        return None
    total = np.zeros(second.shape[0] * second.shape[1]) if b.bias is None else b.bias.astype(np.float64)
    if a.bias is not None:
        summed = second.sum(tuple(range(3, second.ndim)))
        total = total + np.einsum("gom,gm->go", summed, a.bias.reshape(second.shape[0], -1)).reshape(-1)
    return np.asarray(total.astype(kind))
