"""Lower ConvTranspose to zeros put between the values, and a Conv with the kernel turned round.

    y = Conv(x̃),  x̃[i, p·s] = x[i, p] and 0 elsewhere;  W′[o, i, k] = W[i, o, K − 1 − k],  padded by d·(K − 1) − before

The zeros come from Reshape (.., n, 1), Pad by s − 1 behind, and Reshape (.., n·s); a Slice takes what is too much at
the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..graph import Node
from ..graph.nodes import Conv, ConvTranspose, Pad, Reshape, Slice
from ..graph.nodes.base import Array
from .base import Change, NodePass, Refusal
from .draft import Draft
from .rescale import Shape


@dataclass(frozen=True)
class LowerConvtranspose(NodePass):
    """Lower transposed convolutions for targets that only have the usual ones."""

    name: ClassVar[str] = "lower_convtranspose"
    exact: ClassVar[bool] = False

    def at(self, draft: Draft, name: str) -> Change | Refusal | None:
        """Exchange one transposed convolution."""
        node = draft.nodes[name]
        if not isinstance(node, ConvTranspose):
            return None
        shape = draft.received(name)[0].shape
        reach = [d * (k - 1) for d, k in zip(node.dilation, node.kernel, strict=True)]
        before = [n - pair[0] for n, pair in zip(reach, node.padding, strict=True)]
        after = [n + more - p[1] for n, more, p in zip(reach, node.output_padding, node.padding, strict=True)]
        if min(*before, *after) < 0:
            return Refusal(name, f"its padding {node.padding} cuts off more than its kernel reaches")
        zeros = [s - 1 if n > 1 else 0 for n, s in zip(shape[1:], node.stride, strict=True)]
        left = [n - z for n, z in zip(after, zeros, strict=True)]
        padding = tuple((n, max(m, 0)) for n, m in zip(before, left, strict=True))
        conv = Conv(turned(node), node.bias, 1, padding, node.dilation, node.groups)
        draft.replace_by(name, [*_spread(shape, zeros, left), ("conv", conv)])
        between = f" with {' and '.join(map(str, zeros))} zeros between values" if any(zeros) else ""
        return Change((name,), f"lowered {name}, a ConvTranspose, to a Conv{between}")


def turned(node: ConvTranspose) -> Array:
    """W (in, out/groups, *kernel) as a Conv has it, (out, in/groups, *kernel), and every kernel turned round."""
    inner, outer, *kernel = node.weight.shape
    by_group = node.weight.reshape(node.groups, inner // node.groups, outer, *kernel).swapaxes(1, 2)
    flipped = np.flip(by_group, tuple(range(3, 3 + len(kernel))))
    return np.reshape(flipped, (outer * node.groups, inner // node.groups, *kernel))


def _spread(shape: Shape, zeros: list[int], left: list[int]) -> list[tuple[str, Node]]:
    """The nodes that put zeros behind each value, and cut off those that the padding does not need."""
    if not any(zeros):
        return []
    channels, *space = shape
    apart = [side for n in space for side in (n, 1)]
    widths = [pair for z in zeros for pair in ((0, 0), (0, z))]
    whole = [n * (z + 1) for n, z in zip(space, zeros, strict=True)]
    cuts = [(axis + 1, n + m) for axis, (n, m) in enumerate(zip(whole, left, strict=True)) if m < 0]
    return [
        ("apart", Reshape((channels, *apart))),
        ("zeros", Pad(((0, 0), *widths))),
        ("spread", Reshape((channels, *whole))),
        *(("cut", Slice(axis, 0, end)) for axis, end in cuts),
    ]
