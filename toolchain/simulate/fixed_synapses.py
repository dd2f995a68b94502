"""Synapses and joins of a chip over a window, as sums in floating point that cannot round.

Each sum is made in float32 or float64, whichever holds the largest sum of magnitudes there can be; then any order of
summation gives the same integer. Where neither does, or Lava's 32 bits wrap in the middle, the process' own `step`
runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from ..graph.nodes.base import Array, State
from ..kernels.events import events_range
from ..kernels.threads import on_cores
from ..loihi.arithmetic import INT32, int32
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
from ..loihi.processes.synapses import Synapse
from .fixed_bounds import EXACT64, WIDE, format_of, matrix_sum, shifted, taps_sum
from .fixed_defined import Roll, Window

Most = Sequence[int]
LARGEST = 2 << 20
"""Bytes of weights that stay in a core's own cache; with more, torch's product of what are no spikes is faster."""
SPARED = 32
"""A product by events does about so many weights in the time in which another kernel does one value."""


def matrix(node: Dense | Sparse, most: Most, binary: bool) -> Window | None:
    """One product; the exponent is in the weights."""
    total = matrix_sum(node, most[0])
    if max(total, shifted(total, node.exponent)) >= WIDE:
        return None
    weight = np.empty(node.weight.shape[::-1], format_of(total))
    for rows, held in node.held_rows():
        weight[:, rows] = held.T * 2.0**node.exponent
    payload = _payload(node, binary)
    run = product(weight, payload=payload, torch=_large(node, payload))
    out = format_of(shifted(total, node.exponent))

    def window(x: Array) -> Array:
        y = run(x.reshape(-1, x.shape[2]))
        if node.exponent < 0:
            np.floor(y, y)
        return y.astype(out, copy=False).reshape(*x.shape[:2], -1)

    return window


def product(weight: Array, *, payload: bool, torch: bool = False) -> Callable[[Array], Array]:
    """x · W by the kernel that looks at nothing but spikes, or by torch.

    Args:
        weight: W, (in, out), in the type of the sums.
        payload: whether x is more than spikes.
        torch: who multiplies.
    """
    weight = np.ascontiguousarray(weight)
    if torch:
        from .fixed_convs import multiplied

        return multiplied(weight)

    def run(x: Array) -> Array:
        x = np.ascontiguousarray(x)
        y = np.empty((len(x), weight.shape[1]), weight.dtype)

        def piece(start: int, stop: int) -> None:
            events_range(x, weight, y, payload, start, stop)

        on_cores(piece, len(x), (x.shape[1] + weight.size) // SPARED)
        return y

    return run


def _payload(node: Synapse, binary: bool) -> bool:
    return node.message_bits > 0 and not binary


def _large(node: Dense | Sparse, payload: bool) -> bool:
    return payload and node.weight.size * 4 > LARGEST


def torch_runs(node: Process, binary: bool) -> bool:
    """Whether torch takes part: in convolutions, and in large matrices on values that are more than spikes."""
    return isinstance(node, Conv) or (isinstance(node, (Dense, Sparse)) and _large(node, _payload(node, binary)))


def conv(node: Conv, most: Most, binary: bool) -> Window | None:
    """torch's cross-correlation."""
    from .fixed_convs import convolution

    return convolution(node, most[0], sees_all=node.message_bits > 0 or binary)


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


def delayed(node: DelayDense | DelaySparse, most: Most, binary: bool) -> Roll | None:
    """One product for each delay there is, added where it arrives."""
    total = matrix_sum(node, most[0])
    if max(total, shifted(total, node.exponent)) >= WIDE:
        return None
    dtype = format_of(total)
    delays = [int(d) for d in np.unique(node.delay)]
    payload = _payload(node, binary)
    weights = {d: np.where(node.delay == d, node.held, 0).T * 2.0**node.exponent for d in delays}
    runs = {d: product(weight.astype(dtype), payload=payload) for d, weight in weights.items()}
    return _Arriving(runs, rounds=node.exponent < 0, wraps=True)


def in_time(node: ConvInTime, most: Most, binary: bool) -> Roll | None:
    """One product for each tap."""
    total = taps_sum(node, most[0])
    if total >= EXACT64:
        return None
    dtype = format_of(total)
    payload = _payload(node, binary)
    runs = {d: product(taps.T.astype(dtype), payload=payload) for d, taps in enumerate(node.weight[::-1])}
    return _Arriving(runs, rounds=False, wraps=False)


class _Arriving:
    """a[t] = Σ_d W_d · x[t − d], over a window."""

    def __init__(self, products: Mapping[int, Callable[[Array], Array]], *, rounds: bool, wraps: bool) -> None:
        """What arrives when.

        Args:
            products: x · W_d, by delay.
            rounds: whether each product is rounded down.
            wraps: whether what is on its way has 32 bits.
        """
        self.products, self.rounds, self.wraps = products, rounds, wraps

    def __call__(self, state: State, inputs: Sequence[Array], _: Collection[str], out: Array) -> Mapping[str, Array]:
        """What was on its way, and every product at its place."""
        steps, batch, width = inputs[0].shape
        coming = state["coming"]
        line = np.zeros((len(coming) + steps, batch, out.shape[2]))
        line[: len(coming)] = coming
        rows = inputs[0].reshape(steps * batch, width)
        for delay, product in self.products.items():
            y = product(rows)
            if self.rounds:
                np.floor(y, y)
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
