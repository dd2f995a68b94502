"""Pools: windows over space, the same for every channel."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...toolchain.graph.nodes import (
    Activation,
    AveragePool,
    Conv,
    Host,
    MaxPool,
    Mean,
    Node,
    Scale,
    Slice,
    Sum,
    SumPool,
)
from ...toolchain.graph.nodes.base import Array, need, shown
from .call import Call
from .images import image, padding, restored, spatial
from .operators_joining import padded
from .operators_reducing import largest, over_axes
from .operators_values import HALF, of_two, scaled
from .values import Signal, Value

Row = Callable[[Call], Signal | list[Value]]
Pairs = tuple[tuple[int, int], ...]


class Window:
    """The window that a call describes, over a signal (channels, *space)."""

    def __init__(self, call: Call, x: Signal) -> None:
        kernel = call.ints("kernel_shape")
        need(kernel is not None and 1 <= len(kernel) <= 3, "kernel_shape", f"{kernel}", "one to three sizes")
        self.kernel = kernel or ()
        dims = len(self.kernel)
        self.x = image(call, x, dims)
        self.strides, self.dilations = spatial(call, "strides", dims), spatial(call, "dilations", dims)
        self.ceil = call.flag("ceil_mode")
        self.space = self.x.layout.sample[1:]
        least = min((*self.kernel, *self.strides, *self.dilations))
        need(least >= 1, "kernel_shape, strides, dilations", f"{least}", "at least 1")
        self.pads = padding(call, self.space, self.kernel, self.strides, self.dilations)
        fits = all(
            0 <= p < d * (k - 1) + 1
            for pair, k, d in zip(self.pads, self.kernel, self.dilations, strict=True)
            for p in pair
        )
        need(fits, "pads", f"{self.pads}", f"at least 0, and less than the window {shown(self.kernel)}")

    @property
    def plain(self) -> bool:
        """Whether the graph's pools take it as it is."""
        halves = all(max(pair) <= k // 2 for pair, k in zip(self.pads, self.kernel, strict=True))
        return halves and max(self.dilations) == 1

    def whole(self) -> Pairs:
        """The padding with what the last window hangs over the end."""
        found = []
        for n, k, s, d, (before, after) in zip(
            self.space, self.kernel, self.strides, self.dilations, self.pads, strict=True
        ):
            reach = d * (k - 1) + 1
            count = (n + before + after - reach + (s - 1 if self.ceil else 0)) // s + 1
            if self.ceil and (count - 1) * s >= n + before:
                count -= 1
            need(count >= 1, "input", shown(self.space), f"room for a window of {shown(self.kernel)}")
            found.append((before, max(after, (count - 1) * s + reach - n - before)))
        return tuple(found)

    def counts(self, *, with_padding: bool) -> Array:
        """How many values count in each window."""
        sides = []
        for n, k, s, d, pads, whole in zip(
            self.space, self.kernel, self.strides, self.dilations, self.pads, self.whole(), strict=True
        ):
            low, high = (-pads[0], n + pads[1]) if with_padding else (0, n)
            places = (n + sum(whole) - d * (k - 1) - 1) // s + 1
            seen = np.arange(places)[:, None] * s - whole[0] + np.arange(k) * d
            sides.append(((seen >= low) & (seen < high)).sum(1))
        return functools.reduce(np.multiply.outer, sides)


def pooled(call: Call, window: Window, node: Node, x: Signal | None = None, part: str = "") -> Signal:
    """One pool."""
    x = window.x if x is None else x
    out = node.signal([call.building.sent[x.node]]).shape
    return call.emit(node, x, layout=replace(x.layout, sizes=(x.layout.sizes[0], *out)), part=part)


def max_pool(call: Call) -> list[Value]:
    """The largest value of each window; where it lies is not said."""
    call.ignore("storage_order")
    window = Window(call, call.signal())
    if window.plain:
        node = MaxPool(window.kernel, window.strides, window.pads, window.ceil)
        return [restored(call, call.signal(), pooled(call, window, node))]
    return [restored(call, call.signal(), _by_axes(call, window))]


def _by_axes(call: Call, window: Window) -> Signal:
    """Windows with gaps or much padding: the largest of slices, axis by axis, with very small numbers around."""
    y = padded(call, window.x, [(0, 0), (0, 0), *window.whole()], -HALF, "around")
    for k, (size, stride, gap) in enumerate(zip(window.kernel, window.strides, window.dilations, strict=True)):
        n, best = y.layout.sizes[k + 2], None
        count = (n - gap * (size - 1) - 1) // stride + 1
        for tap in range(size):
            node = Slice(k + 1, tap * gap, tap * gap + (count - 1) * stride + 1, stride)
            one = call.emit(node, y, layout=y.layout.with_size(k + 2, count), part=f"axis{k}.tap{tap}")
            best = one if best is None else of_two(call, "maximum", best, one, f"axis{k}.best{tap}")
        y = best or y
    return y


def average_pool(call: Call) -> Signal:
    """The mean of each window, padding counted or not."""
    count, window = call.flag("count_include_pad"), Window(call, call.real())
    if window.plain:
        node = AveragePool(window.kernel, window.strides, window.pads, window.ceil, count)
        return restored(call, call.real(), pooled(call, window, node))
    total = sums(call, window, window.x, "sums")
    shares = 1.0 / window.counts(with_padding=count)
    return restored(call, call.real(), call.emit(Scale(shares), total))


def sums(call: Call, window: Window, x: Signal, part: str) -> Signal:
    """The sum of each window; one with gaps is a convolution with ones."""
    if max(window.dilations) == 1:
        return pooled(call, window, SumPool(window.kernel, window.strides, window.pads, window.ceil), x, part)
    channels = x.layout.sample[0]
    ones = call.building.ones((channels, 1, *window.kernel))
    node = Conv(ones, None, window.strides, window.whole(), window.dilations, channels)
    return pooled(call, window, node, x, part)


def lp_pool(call: Call) -> Signal:
    """(Σ |x|ᵖ)^(1/p) of each window."""
    p, window = call.whole("p", 2), Window(call, call.real())
    need(p >= 1, "p", f"{p}", "at least 1")
    total = sums(call, window, powered(call, window.x, p), "sums" if p > 1 else "")
    return restored(call, call.real(), rooted(call, total, p))


def powered(call: Call, x: Signal, p: int) -> Signal:
    """|x|ᵖ."""
    if p == 2:
        return call.emit(Activation("square"), x, part="square")
    size = call.emit(Activation("abs"), x, part="abs")
    return size if p == 1 else call.emit(Host("power", {"exponent": p}), size, part="power")


def rooted(call: Call, x: Signal, p: int, part: str = "") -> Signal:
    """x^(1/p)."""
    if p == 1:
        return x
    return call.emit(Host("sqrt") if p == 2 else Host("power", {"exponent": 1 / p}), x, part=part)


def _space(x: Signal) -> Sequence[int]:
    need(x.layout.rank >= 3, "input", f"{x.layout}", "[N, channels, space…]")
    return range(2, x.layout.rank)


def global_average(call: Call) -> Signal:
    """The mean over all of space."""
    return over_axes(call, call.real(), _space(call.real()), Mean, keep=True)


def global_max(call: Call) -> Signal:
    """The largest value of all of space."""
    x = call.real()
    places = tuple(_space(x))
    alone = x.layout.batch == 0 and not x.layout.folded and len(places) <= 3 and max(x.layout.sizes[2:]) < 1 << 16
    if not alone:
        return largest(call, x, places, most=True, keep=True)
    layout = replace(x.layout, sizes=(*x.layout.sizes[:2], *[1] * len(places)))
    return call.emit(MaxPool(x.layout.sizes[2:]), x, layout=layout)


def global_lp(call: Call) -> Signal:
    """(Σ |x|ᵖ)^(1/p) over all of space."""
    p, x = call.whole("p", 2), call.real()
    need(p >= 1, "p", f"{p}", "at least 1")
    return rooted(call, over_axes(call, powered(call, x, p), _space(x), Sum, keep=True, part="total"), p)


def local_response(call: Call) -> Signal:
    """x / (k + α/n·Σ x²)^β, the sum over n neighbouring channels."""
    n, alpha = call.whole("size"), call.amount("alpha", 1e-4)
    beta, bias = call.amount("beta", 0.75), call.amount("bias", 1.0)
    need(n >= 1, "size", f"{n}", "at least 1")
    x = image(call, call.real(), None)
    channels, rest = x.layout.sizes[1], int(np.prod(x.layout.sizes[2:]))
    flat = replace(x.layout, sizes=(1, 1, channels, rest))
    square = call.reshaped(call.emit(Activation("square"), x, part="square"), flat, "rows")
    before = (n - 1) // 2
    near = call.emit(SumPool((n, 1), 1, ((before, n - 1 - before), (0, 0))), square, part="near")
    whole = call.reshaped(near, x.layout, "whole")
    divisor = call.emit(
        Host("power", {"exponent": beta}), scaled(call, whole, alpha / n, np.asarray(bias), "sum"), part="power"
    )
    return restored(call, call.real(), of_two(call, "divide", x, divisor))


OPERATORS: Mapping[str, Row] = {
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "LpPool": lp_pool,
    "GlobalAveragePool": global_average,
    "GlobalMaxPool": global_max,
    "GlobalLpPool": global_lp,
    "LRN": local_response,
}
