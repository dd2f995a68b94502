"""Pools: one value for each window of each channel, in one, two or three dimensions."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..signal import GRADED, Signal, repeated
from .base import Array, Node, State, check_size, ints, need, shown
from .window import Pairs, channels_of, pairs, spread, windows

WIDEST = 1 << 16
"""The widest window of a pool: one that hangs over the end asks for memory of its own size."""


@dataclass(frozen=True, eq=False)
class _Pool(Node):
    """A window that moves over space, the same for every channel; `ceil` lets the last window hang over the end.

    Args:
        window: the window's size in each dimension.
        stride: how far it moves, for each dimension.
        padding: (before, after) for each dimension.
        ceil: round the number of windows up, as long as a window starts inside.
    """

    window: Any
    stride: Any = None
    padding: Any = 0
    ceil: bool = False

    def check(self) -> None:
        """Everything fits the window."""
        self._set("window", ints(self.window, "window", 1))
        dims = len(self.window)
        need(1 <= dims <= 3, "window", shown(self.window), "one to three dimensions")
        need(max(self.window) <= WIDEST, "window", shown(self.window), f"at most {WIDEST} in each dimension")
        self._set("stride", self.window if self.stride is None else spread(self.stride, dims, "stride", 1))
        self._set("padding", pairs(self.padding, dims))

    def half_at_most(self) -> None:
        """Padding of at most half the window, as torch asks: then no window is all padding."""
        fits = all(max(pair) <= k // 2 for k, pair in zip(self.window, self.padding, strict=True))
        need(fits, "padding", f"{self.padding}", f"at most half the window {shown(self.window)}")

    def places(self, shape: tuple[int, ...]) -> tuple[tuple[int, ...], Pairs]:
        """How many windows along each dimension, and the padding with what hangs over."""
        channels_of(shape, len(self.window), None)
        counts, padding = [], []
        for n, k, s, (before, after) in zip(shape[1:], self.window, self.stride, self.padding, strict=True):
            count = (n + before + after - k + (s - 1 if self.ceil else 0)) // s + 1
            if self.ceil and (count - 1) * s >= n + before:
                count -= 1
            need(count >= 1, "input", f"shape {shown(shape)}", f"room for a window of {shown(self.window)}")
            counts.append(count)
            padding.append((before, max(after, (count - 1) * s + k - n - before)))
        check_size(tuple(n + sum(pair) for n, pair in zip(shape[1:], padding, strict=True)), "padding")
        return tuple(counts), tuple(padding)

    def seen(self, x: Array, fill: float) -> Array:
        """Every window of a batch, [batch, channels, *places, *window], with `fill` outside."""
        counts, padding = self.places(x.shape[1:])
        ones = (1,) * len(self.window)
        view = windows(np.pad(x, ((0, 0), (0, 0), *padding), constant_values=fill), self.window, self.stride, ones)
        return view[(slice(None), slice(None), *(slice(n) for n in counts))]

    def _over(self, x: Array) -> tuple[int, ...]:
        return tuple(range(x.ndim, x.ndim + len(self.window)))


@dataclass(frozen=True, eq=False)
class SumPool(_Pool):
    """y[c, p] = Σ_k x̂[c, p·s + k], x̂ = x padded with zeros.

    Args:
        window: the window's size in each dimension.
        stride: s, for each dimension; the window's size by default.
        padding: (before, after) for each dimension.
        ceil: round the number of windows up.
    """

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """Spikes become counts."""
        counts, _ = self.places(inputs[0].shape)
        return Signal((inputs[0].shape[0], *counts), repeated(inputs[0].carries, math.prod(self.window)))

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Sum over each window."""
        return self.seen(inputs[0], 0).sum(self._over(inputs[0])), state


@dataclass(frozen=True, eq=False)
class AveragePool(_Pool):
    """y[c, p] = Σ_k x̂[c, p·s + k] / n, n the window's size, or the values of it that are not padding.

    Args:
        window: the window's size in each dimension.
        stride: s, for each dimension; the window's size by default.
        padding: (before, after) for each dimension.
        ceil: round the number of windows up.
        count_padding: whether padding counts in n; what hangs over the padded end never does.
    """

    count_padding: bool = True

    def check(self) -> None:
        """No window is all padding."""
        super().check()
        self.half_at_most()

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """Real values."""
        counts, _ = self.places(inputs[0].shape)
        return Signal((inputs[0].shape[0], *counts), GRADED)

    def divisors(self, shape: tuple[int, ...]) -> Array:
        """n for each place of a signal of `shape`."""
        counts, _ = self.places(shape)
        sides = []
        for n, k, s, (before, after), count in zip(
            shape[1:], self.window, self.stride, self.padding, counts, strict=True
        ):
            first = np.arange(count) * s - before
            low, high = (-before, n + after) if self.count_padding else (0, n)
            sides.append((np.minimum(first + k, high) - np.maximum(first, low)).astype(np.float64))
        return functools.reduce(np.multiply.outer, sides)

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Sum over each window, by n."""
        x = inputs[0]
        return self.seen(x, 0).sum(self._over(x)) / self.divisors(x.shape[1:]).astype(x.dtype), state


@dataclass(frozen=True, eq=False)
class MaxPool(_Pool):
    """y[c, p] = max_k x̂[c, p·s + k], x̂ = x padded with −∞.

    Args:
        window: the window's size in each dimension.
        stride: s, for each dimension; the window's size by default.
        padding: (before, after) for each dimension.
        ceil: round the number of windows up.
    """

    def check(self) -> None:
        """No window is all padding."""
        super().check()
        self.half_at_most()

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The values that come in."""
        counts, _ = self.places(inputs[0].shape)
        return Signal((inputs[0].shape[0], *counts), inputs[0].carries)

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Maximum over each window."""
        return self.seen(inputs[0], -np.inf).max(self._over(inputs[0])), state
