"""Synapses and joins of a chip over a window, as sums in floating point that cannot round.

Each sum is made in float32 or float64, whichever holds the largest sum of magnitudes there can be; then any order of
summation gives the same integer. Where neither does, or Lava's 32 bits wrap in the middle, the process' own `step`
runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ..graph.nodes.base import Array, State
from ..kernels.events import events_range
from ..kernels.threads import cut, run_pieces, thread_count
from ..loihi.arithmetic import INT32, int32, modulo24
from ..loihi.processes import (
    ChipOutput,
    Conv,
    ConvInTime,
    DelayDense,
    DelaySparse,
    Dense,
    Joined,
    Port,
    Process,
    Shaped,
    Sparse,
)
from .fixed_bounds import EXACT64, HALF, WIDE, DType, conv_sum, format_of, matrix_sum, shifted, taps_sum
from .tensors import TYPES, Operation, Tensor, constant, empty, on_arrays

Window = Callable[..., Array]
"""Windows [W, B, *shape] of the inputs to one of what is sent."""
Roll = Callable[[State, Sequence[Array], Collection[str], Array], Mapping[str, Array]]
"""(state, inputs, states to keep, where to write what is sent) → what was kept; the state moves on in place."""
Most = Sequence[int]
LARGEST = 2 << 20
"""Bytes of weights that stay in a core's own cache; with more of them torch's product is faster."""
SPARED = 32
"""A product by events does about so many weights in the time in which another kernel does one value."""


def _seen(node: Process, dtype: DType, binary: bool) -> Operation:
    """What a synapse sees of what was sent, in the type of its sums."""
    kind = TYPES[dtype]
    if getattr(node, "message_bits", 0) or binary:
        return lambda x: x.to(kind)
    return lambda x: (x != 0).to(kind)


def _rounded(exponent: int) -> Operation:
    return torch.floor if exponent < 0 else (lambda y: y)


def matrix(node: Dense | Sparse, most: Most, binary: bool) -> Window | None:
    """One product; the exponent is in the weights."""
    total = matrix_sum(node, most[0])
    if max(total, shifted(total, node.exponent)) >= WIDE:
        return None
    weight = (node.held.T * 2.0**node.exponent).astype(format_of(total))
    product = _by_events if weight.nbytes <= LARGEST else _by_torch
    run = product(np.ascontiguousarray(weight), payload=node.message_bits > 0 and not binary)
    out = format_of(shifted(total, node.exponent))

    def window(x: Array) -> Array:
        y = run(x.reshape(-1, x.shape[2]))
        if node.exponent < 0:
            np.floor(y, y)
        return y.astype(out, copy=False).reshape(*x.shape[:2], -1)

    return window


def _by_events(weight: Array, *, payload: bool) -> Callable[[Array], Array]:
    """x · W by the kernel that looks at nothing but spikes."""

    def product(x: Array) -> Array:
        x = np.ascontiguousarray(x)
        y = empty((len(x), weight.shape[1]), weight.dtype)
        threads = thread_count()
        pieces = cut(len(x), (x.shape[1] + weight.size) // SPARED, 1, threads)
        run_pieces(lambda start, stop: events_range(x, weight, y, payload, start, stop), pieces, threads)
        return y

    return product


def _by_torch(weight: Array, *, payload: bool) -> Callable[[Array], Array]:
    """x · W by torch, for more weights than stay in a core's own cache."""
    matrix = torch.from_numpy(weight)
    return on_arrays(lambda x: torch.matmul(x.to(matrix.dtype) if payload else (x != 0).to(matrix.dtype), matrix))


def conv(node: Conv, most: Most, binary: bool) -> Window | None:
    """torch's cross-correlation, images pixel by pixel; 24 bits wrap where they can be left."""
    total = conv_sum(node, most[0])
    if total >= EXACT64:
        return None
    dtype = format_of(total)
    lie = torch.channels_last if dtype == np.float32 else torch.contiguous_format
    weight = constant(node.weight, dtype).contiguous(memory_format=lie)
    seen = _seen(node, dtype, binary)

    def operation(x: Tensor) -> Tensor:
        images = seen(x).contiguous(memory_format=lie)
        y = torch.conv2d(images, weight, None, node.stride, node.padding, node.dilation, node.groups)
        return y if total < HALF else _wrapped24(y)

    return _folded(operation)


def _wrapped24(y: Tensor) -> Tensor:
    """y modulo 2²⁴; Lava's cast to 32 bits leaves 0 of what is larger."""
    kept = torch.where(y.abs() > INT32, 0, y).numpy()
    return torch.from_numpy(modulo24(kept.astype(np.int64)).astype(np.float32))


def port(_: Port, most: Most, __: bool) -> Window:
    """A sum that wraps at 32 bits."""
    total = sum(most)
    dtype = format_of(min(total, WIDE))

    def run(*inputs: Array) -> Array:
        y: Array = inputs[0].astype(dtype) + inputs[1]
        for x in inputs[2:]:
            y += x
        return y if total < WIDE else int32(y.astype(np.int64)).astype(dtype)

    return run


def shaped(node: Shaped, _: Most, __: bool) -> Window:
    """A transpose and a reshape."""
    axes = None if node.axes is None else (0, 1, *(axis + 2 for axis in node.axes))
    return lambda x: (x if axes is None else x.transpose(axes)).reshape(*x.shape[:2], *node.shape)


def joined(node: Joined, _: Most, __: bool) -> Window:
    """One concatenation."""
    axis = node.axis if node.axis < 0 else node.axis + 2
    return lambda *inputs: np.concatenate(inputs, axis)


def output(_: ChipOutput, __: Most, ___: bool) -> Window:
    """Handed through."""
    return lambda x: x


FOLDS: Mapping[type[Process], Callable[[Any, Most, bool], Window | None]] = {
    Dense: matrix,
    Sparse: matrix,
    Conv: conv,
    Port: port,
    Shaped: shaped,
    Joined: joined,
    ChipOutput: output,
}
"""Processes without state: (process, bounds of its inputs, whether the first is spikes) → a run, or None: by step."""


def _folded(operation: Operation) -> Window:
    """An operation on a batch, run on a window: steps and samples become one batch."""
    run = on_arrays(operation)

    def window(x: Array) -> Array:
        y = run(x.reshape(-1, *x.shape[2:]))
        return y.reshape(*x.shape[:2], *y.shape[1:])

    return window


def delayed(node: DelayDense | DelaySparse, most: Most, binary: bool) -> Roll | None:
    """One product for each delay there is, added where it arrives."""
    total = matrix_sum(node, most[0])
    if max(total, shifted(total, node.exponent)) >= WIDE:
        return None
    dtype = format_of(total)
    delays = [int(d) for d in np.unique(node.delay)]
    weights = {d: constant(np.where(node.delay == d, node.held, 0).T * 2.0**node.exponent, dtype) for d in delays}
    return _Arriving(weights, _seen(node, dtype, binary), _rounded(node.exponent), wraps=True)


def in_time(node: ConvInTime, most: Most, binary: bool) -> Roll | None:
    """One product for each tap."""
    total = taps_sum(node, most[0])
    if total >= EXACT64:
        return None
    dtype = format_of(total)
    weights = {d: constant(taps.T, dtype) for d, taps in enumerate(node.weight[::-1])}
    return _Arriving(weights, _seen(node, dtype, binary), _rounded(0), wraps=False)


class _Arriving:
    """a[t] = Σ_d W_d · x[t − d], over a window."""

    def __init__(self, weights: Mapping[int, Tensor], seen: Operation, rounded: Operation, *, wraps: bool) -> None:
        """What arrives when.

        Args:
            weights: by delay, (in, out).
            seen: what the synapse sees.
            rounded: what is done to each product.
            wraps: whether what is on its way has 32 bits.
        """
        self.weights, self.seen, self.rounded, self.wraps = weights, seen, rounded, wraps

    def __call__(self, state: State, inputs: Sequence[Array], _: Collection[str], out: Array) -> Mapping[str, Array]:
        """What was on its way, and every product at its place."""
        steps, batch, width = inputs[0].shape
        coming = state["coming"]
        line = np.zeros((len(coming) + steps, batch, out.shape[2]))
        line[: len(coming)] = coming
        rows = self.seen(torch.from_numpy(np.ascontiguousarray(inputs[0])).reshape(steps * batch, width))
        for delay, weight in self.weights.items():
            y = self.rounded(torch.matmul(rows, weight)).numpy()
            line[delay : delay + steps] += y.reshape(steps, batch, -1)
        whole = line.astype(np.int64)
        if self.wraps:
            whole = int32(whole)
        out[...] = np.where(np.abs(whole[:steps]) > INT32, -INT32 - 1, whole[:steps])
        state["coming"] = whole[steps:].astype(coming.dtype)
        return {}


ROLLS: Mapping[type[Process], Callable[[Any, Most, bool], Roll | None]] = {
    DelayDense: delayed,
    DelaySparse: delayed,
    ConvInTime: in_time,
}
"""Synapses with a memory: as FOLDS."""
