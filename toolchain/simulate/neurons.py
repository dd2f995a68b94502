"""Neurons over a window [W, B, *shape]: one call of the fused kernel in place of W steps.

The kernel does what `Node.step` does, operation by operation in the same order, so results are equal bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..graph.nodes import Firing, Integrating
from ..graph.nodes.base import Array, State
from ..kernels.forward import SILENT, forward_range
from ..kernels.lif import BLOCK, MODES, LifParams, packed_params
from ..kernels.threads import cut, run_pieces, thread_count
from .aligned import empty
from .layout import IMAGES, before, behind, channels_lie_last, row_of

Kept = dict[str, Array]


@dataclass(frozen=True, eq=False)
class Neuron:
    """A neuron ready to run.

    Args:
        packed: its parameters as the kernel takes them.
        packed_last: the same for images whose channels lie behind their pixels.
        mode: how and when it resets.
        has_current: whether it has a synaptic current.
        emit: what it sends.
        delayed: whether its reset waits for the next step.
    """

    packed: Any
    packed_last: Any
    mode: int
    has_current: bool
    emit: str
    delayed: bool

    def __call__(self, state: State, inputs: Sequence[Array], keep: Collection[str]) -> tuple[Array, Kept]:
        """The window that it sends, and its currents and voltages where they are kept; `state` moves on in place."""
        last = channels_lie_last(inputs[0])
        x = behind(inputs[0]) if last else np.ascontiguousarray(inputs[0])
        rows = x.reshape(len(x), -1)
        none = np.empty((0, 0), x.dtype)
        voltage = empty(rows.shape, x.dtype) if "voltage" in keep or self.emit == "voltage" else none
        current = empty(rows.shape, x.dtype) if "current" in keep and self.has_current else none
        charge = empty(rows.shape, x.dtype) if self.emit == "charge" else none
        spikes = none if self.mode == SILENT else empty(rows.shape, x.dtype)
        self._run(rows, spikes, state, last, (current, voltage, charge))
        every = {"current": current if self.has_current else rows, "voltage": voltage}
        sent = {"spikes": spikes, "voltage": voltage, "charge": charge}[self.emit]
        found = [array.reshape(x.shape) for array in (sent, *(every[name] for name in keep))]
        shaped = [before(array) for array in found] if last else found
        return shaped[0], dict(zip(keep, shaped[1:], strict=True))

    def _run(self, rows: Array, spikes: Array, state: State, last: bool, record: tuple[Array, Array, Array]) -> None:
        """The kernel on all neurons; the state moves on in its own arrays, which a block reads before it writes."""
        count, packed, threads = rows.shape[1], self.packed_last if last else self.packed, thread_count()
        zero = np.zeros(1, rows.dtype)
        v = row_of(state, "v", last)
        u = row_of(state, "u", last) if self.has_current else zero[:0]
        s = row_of(state, "s", last) if self.delayed else zero
        u_start = u if self.has_current else zero

        def piece(start: int, stop: int) -> None:
            forward_range(
                rows, spikes, packed, u_start, v, s, u, v, record[0], record[1], record[2],
                self.has_current, self.mode, start, stop, BLOCK,
            )  # fmt: skip

        pieces = cut(count, len(rows), BLOCK, threads)
        if len(pieces) == 1:
            piece(*pieces[0])
        else:
            run_pieces(piece, pieces, threads)
        if self.delayed:
            s[:] = spikes[-1]


def neuron(node: Integrating, shapes: Sequence[tuple[int, ...]], dtype: np.dtype[Any]) -> Neuron:
    """An integrating neuron of the graph, spiking or not, as the kernel runs it."""
    firing = node if isinstance(node, Firing) else None
    size = math.prod(shapes[0])
    params = _params(node, shapes[0], lambda value: value)
    packed = packed_params(params, dtype, size)
    return Neuron(
        packed,
        packed if len(shapes[0]) != IMAGES - 2 else packed_params(_params(node, shapes[0], behind), dtype, size),
        SILENT if firing is None else MODES[params.reset, params.when],
        params.alpha is not None,
        "voltage" if firing is None else firing.emit,
        firing is not None and firing.when == "next",
    )


def _params(node: Integrating, shape: tuple[int, ...], ordered: Callable[[Array], Array]) -> LifParams:
    """The node's fields in the order in which its neurons lie in memory."""

    def spread(value: Array) -> float | Array:
        """One number where all neurons share it, else one for each neuron."""
        first = value.reshape(-1)[0]
        return float(first) if (value == first).all() else ordered(np.broadcast_to(value, shape)).reshape(-1)

    alpha, beta = node.decays
    firing = node if isinstance(node, Firing) else None
    return LifParams(
        alpha=None if alpha is None else spread(alpha),
        beta=1.0 if beta is None else spread(beta),
        gain=spread(node.gain),
        bias=spread(node.bias),
        threshold=1.0 if firing is None else spread(firing.threshold),
        v_reset=0.0 if firing is None else spread(firing.v_reset),
        reset="none" if firing is None else firing.reset,
        when="now" if firing is None else firing.when,
        inclusive=firing is not None and firing.at_least,
    )
