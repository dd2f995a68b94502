"""Convolutions and transposed convolutions, and windows over a signal, in one, two or three dimensions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..signal import GRADED, Signal
from .base import Array, ArrayLike, Node, State, array, check_size, int_pairs, ints, need, shown
from .linear import check_bias

Pairs = tuple[tuple[int, int], ...]


def spread(value: Any, dims: int, where: str, least: int) -> tuple[int, ...]:
    """One integer for each of `dims` dimensions, from one for all or one for each."""
    numbers = ints(value, where, least)
    if len(numbers) == 1:
        numbers *= dims
    need(len(numbers) == dims, where, f"{value}", f"one integer, or {dims}")
    return numbers


def pairs(value: Any, dims: int) -> Pairs:
    """(before, after) for each dimension, from one integer, one for each, or pairs."""
    each = tuple(value) if isinstance(value, Iterable) else (value,)
    if any(isinstance(pair, Iterable) for pair in each):
        widths = int_pairs(each, "padding")
        need(len(widths) == dims, "padding", f"{value!r}", f"{dims} pairs")
        return widths
    return tuple((n, n) for n in spread(each, dims, "padding", 0))


def same(kernel: Sequence[int], dilation: Sequence[int]) -> Pairs:
    """The padding that 'same' stands for, with the odd zero at the end, as torch puts it."""
    around = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    return tuple((n // 2, n - n // 2) for n in around)


def windowed(
    shape: Sequence[int], kernel: Sequence[int], stride: Sequence[int], padding: Pairs, dilation: Sequence[int]
) -> tuple[int, ...]:
    """How many windows fit along each dimension: ⌊(n + before + after − d·(k − 1) − 1) / s⌋ + 1."""
    out = []
    for n, k, s, (before, after), d in zip(shape, kernel, stride, padding, dilation, strict=True):
        room = n + before + after - d * (k - 1) - 1
        need(
            room >= 0,
            "input",
            f"shape {shown(shape)}",
            f"room for a kernel of {shown(kernel)}, dilation {shown(dilation)}",
        )
        out.append(room // s + 1)
    check_size(tuple(n + sum(pair) for n, pair in zip(shape, padding, strict=True)), "padding")
    return tuple(out)


def windows(x: Array, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> Array:
    """A view [batch, channels, *places, *kernel] of every window of a padded input."""
    dims = len(kernel)
    around = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    view = sliding_window_view(x, around, axis=tuple(range(2, 2 + dims)))
    index = (
        (slice(None),) * 2 + tuple(slice(None, None, s) for s in stride) + tuple(slice(None, None, d) for d in dilation)
    )
    return view[index]


def channels_of(shape: tuple[int, ...], dims: int, channels: int | None) -> None:
    """A signal is (channels, *space) with `dims` dimensions of space."""
    ok = len(shape) == dims + 1 and (channels is None or shape[0] == channels)
    space = f"{dims} dimension{'s' * (dims > 1)} of space"
    need(ok, "input", f"shape {shown(shape)}", f"{'' if channels is None else f'{channels} '}channels and {space}")


@dataclass(frozen=True, eq=False)
class Conv(Node):
    """y[o, p] = Σ_{i,k} W[o, i, k] · x̂[i, p·s + k·d] + b[o], x̂ = x padded with zeros: torch's cross-correlation.

    Args:
        weight: W, (out, in/groups, *kernel); its rank says how many dimensions.
        bias: b, (out,), or none.
        stride: s, for each dimension.
        padding: (before, after) for each dimension.
        dilation: d, for each dimension.
        groups: channels are split into as many independent groups.
    """

    weight: ArrayLike = array()
    bias: ArrayLike | None = array(default=None)
    stride: Any = 1
    padding: Any = 0
    dilation: Any = 1
    groups: int = 1

    def check(self) -> None:
        """Everything fits the weight."""
        need(
            3 <= self.weight.ndim <= 5,
            "weight",
            f"shape {shown(self.weight.shape)}",
            "(out, in/groups, 1 to 3 of kernel)",
        )
        dims = self.weight.ndim - 2
        self._set("stride", spread(self.stride, dims, "stride", 1))
        self._set("dilation", spread(self.dilation, dims, "dilation", 1))
        if isinstance(self.padding, str):
            need(self.padding == "same", "padding", f"'{self.padding}'", "widths, or 'same'")
            need(max(self.stride) == 1, "padding", f"'same' with stride {shown(self.stride)}", "widths, or stride 1")
            self._set("padding", same(self.kernel, self.dilation))
        self._set("padding", pairs(self.padding, dims))
        ints(self.groups, "groups", 1)
        need(
            self.weight.shape[0] % self.groups == 0, "groups", f"{self.groups}", f"a divisor of {self.weight.shape[0]}"
        )
        need(min(self.weight.shape) >= 1, "weight", f"shape {shown(self.weight.shape)}", "no empty axis")
        check_bias(self.bias, self.weight.shape[0])

    @property
    def kernel(self) -> tuple[int, ...]:
        """The kernel's size in each dimension."""
        return tuple(self.weight.shape[2:])

    @property
    def width(self) -> tuple[int, int] | None:
        """The first axis is the channels."""
        return 0, self.weight.shape[1] * self.groups

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """One value for each output channel and window."""
        shape = inputs[0].shape
        channels_of(shape, len(self.kernel), self.weight.shape[1] * self.groups)
        places = windowed(shape[1:], self.kernel, self.stride, self.padding, self.dilation)
        check_size((self.weight.shape[0], *places), "output")
        return Signal((self.weight.shape[0], *places), GRADED)

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Every window against every kernel, group by group."""
        x, dims = inputs[0], len(self.kernel)
        seen = windows(np.pad(x, ((0, 0), (0, 0), *self.padding)), self.kernel, self.stride, self.dilation)
        weights = np.split(self.weight.astype(x.dtype), self.groups)
        parts = []
        for view, weight in zip(np.split(seen, self.groups, axis=1), weights, strict=True):
            kernel_axes = tuple(range(view.ndim - dims, view.ndim))
            y = np.tensordot(view, weight, axes=((1, *kernel_axes), tuple(range(1, weight.ndim))))
            parts.append(np.moveaxis(y, -1, 1))
        y = np.concatenate(parts, axis=1)
        return (y if self.bias is None else y + self.bias.astype(x.dtype).reshape(-1, *([1] * dims))), state


@dataclass(frozen=True, eq=False)
class ConvTranspose(Node):
    """y[o, p·s + k·d − before] += W[i, o, k] · x[i, p], plus b[o]: the transpose of Conv.

    Args:
        weight: W, (in, out/groups, *kernel).
        bias: b, (out,), or none.
        stride: s, for each dimension.
        padding: (before, after) cut off the output in each dimension.
        output_padding: values added at each dimension's end.
        dilation: d, for each dimension.
        groups: channels are split into as many independent groups.
    """

    weight: ArrayLike = array()
    bias: ArrayLike | None = array(default=None)
    stride: Any = 1
    padding: Any = 0
    output_padding: Any = 0
    dilation: Any = 1
    groups: int = 1

    def check(self) -> None:
        """Everything fits the weight."""
        need(
            3 <= self.weight.ndim <= 5,
            "weight",
            f"shape {shown(self.weight.shape)}",
            "(in, out/groups, 1 to 3 of kernel)",
        )
        dims = self.weight.ndim - 2
        self._set("stride", spread(self.stride, dims, "stride", 1))
        self._set("dilation", spread(self.dilation, dims, "dilation", 1))
        self._set("output_padding", spread(self.output_padding, dims, "output_padding", 0))
        self._set("padding", pairs(self.padding, dims))
        extra = self.output_padding
        fits = all(n < max(s, d) for n, s, d in zip(extra, self.stride, self.dilation, strict=True))
        need(fits, "output_padding", shown(extra), "less than the stride or the dilation")
        ints(self.groups, "groups", 1)
        need(
            self.weight.shape[0] % self.groups == 0, "groups", f"{self.groups}", f"a divisor of {self.weight.shape[0]}"
        )
        need(min(self.weight.shape) >= 1, "weight", f"shape {shown(self.weight.shape)}", "no empty axis")
        check_bias(self.bias, self.weight.shape[1] * self.groups)

    @property
    def kernel(self) -> tuple[int, ...]:
        """The kernel's size in each dimension."""
        return tuple(self.weight.shape[2:])

    def _full(self, space: Sequence[int]) -> tuple[int, ...]:
        return tuple(
            (n - 1) * s + d * (k - 1) + 1
            for n, s, d, k in zip(space, self.stride, self.dilation, self.kernel, strict=True)
        )

    @property
    def width(self) -> tuple[int, int] | None:
        """The first axis is the channels."""
        return 0, self.weight.shape[0]

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """(n − 1)·s − before − after + d·(k − 1) + output_padding + 1 in each dimension."""
        shape = inputs[0].shape
        channels_of(shape, len(self.kernel), self.weight.shape[0])
        full, extra = self._full(shape[1:]), self.output_padding
        places = tuple(n - sum(pair) + more for n, pair, more in zip(full, self.padding, extra, strict=True))
        need(min(places) >= 1, "padding", f"{self.padding}", f"less than what {shown(full)} leaves")
        check_size((self.weight.shape[1] * self.groups, *places), "output")
        return Signal((self.weight.shape[1] * self.groups, *places), GRADED)

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Every input value puts its kernel down."""
        x = inputs[0]
        batch, space = x.shape[0], x.shape[2:]
        outs = self.weight.shape[1]
        full = tuple(n + more for n, more in zip(self._full(space), self.output_padding, strict=True))
        y = np.zeros((batch, outs * self.groups, *full), x.dtype)
        weights = np.split(self.weight.astype(x.dtype), self.groups)
        for group, (part, weight) in enumerate(zip(np.split(x, self.groups, axis=1), weights, strict=True)):
            for k in np.ndindex(*self.kernel):
                places = tuple(
                    slice(i * d, i * d + (n - 1) * s + 1, s)
                    for i, d, n, s in zip(k, self.dilation, space, self.stride, strict=True)
                )
                put = np.moveaxis(np.tensordot(part, weight[(slice(None), slice(None), *k)], axes=((1,), (0,))), -1, 1)
                y[(slice(None), slice(group * outs, (group + 1) * outs), *places)] += put
        cut = tuple(slice(before, n - after) for n, (before, after) in zip(full, self.padding, strict=True))
        y = y[(slice(None), slice(None), *cut)]
        return (y if self.bias is None else y + self.bias.astype(x.dtype).reshape(-1, *([1] * len(space)))), state
