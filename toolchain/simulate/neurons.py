"""Neurons over a window [W, B, *shape]: one call of the fused kernel in place of W steps.

The kernel does what `Node.step` does, operation by operation in the same order, so results are equal bit for bit.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..graph.nodes import Firing, Integrating
from ..graph.nodes.base import Array, State
from ..kernels.forward import SILENT, forward_range
from ..kernels.lif import BLOCK, MODES, LifParams, packed_params
from ..kernels.threads import cut, run_pieces, thread_count
from .tensors import empty

Kept = dict[str, Array]


@dataclass(frozen=True, eq=False)
class Neuron:
    """A neuron ready to run.

    Args:
        packed: its parameters as the kernel takes them.
        mode: how and when it resets.
        has_current: whether it has a synaptic current.
        emit: what it sends.
        delayed: whether its reset waits for the next step.
        shape: of one sample.
    """

    packed: Any
    mode: int
    has_current: bool
    emit: str
    delayed: bool
    shape: tuple[int, ...]

    def __call__(self, state: State, inputs: Sequence[Array], keep: Collection[str]) -> tuple[Array, Kept]:
        """The window that it sends, and its currents and voltages where they are kept; `state` moves on in place."""
        x = np.ascontiguousarray(inputs[0])
        rows = x.reshape(len(x), -1)
        none = np.empty((0, 0), x.dtype)
        voltage = empty(rows.shape, x.dtype) if "voltage" in keep or self.emit == "voltage" else none
        current = empty(rows.shape, x.dtype) if "current" in keep and self.has_current else none
        charge = empty(rows.shape, x.dtype) if self.emit == "charge" else none
        spikes = none if self.mode == SILENT else empty(rows.shape, x.dtype)
        self._run(rows, spikes, state, (current, voltage, charge))
        sent = {"spikes": spikes, "voltage": voltage, "charge": charge}[self.emit].reshape(x.shape)
        every = {"current": current if self.has_current else x, "voltage": voltage}
        return sent, {name: every[name].reshape(x.shape) for name in keep}

    def _run(self, rows: Array, spikes: Array, state: State, record: tuple[Array, Array, Array]) -> None:
        """The kernel on all neurons; the state moves on in its own arrays, which a block reads before it writes."""
        count = rows.shape[1]
        none = np.empty(0, rows.dtype)
        v = state["v"].reshape(-1)
        u = state["u"].reshape(-1) if self.has_current else none
        s = state["s"].reshape(-1) if self.delayed else np.zeros(1, rows.dtype)
        u_start = u if self.has_current else s[:1]
        threads = thread_count()

        def piece(start: int, stop: int) -> None:
            forward_range(
                rows, spikes, self.packed, u_start, v, s, u, v, record[0], record[1], record[2],
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
    shape = shapes[0]
    alpha, beta = node.decays
    firing = node if isinstance(node, Firing) else None
    params = LifParams(
        alpha=None if alpha is None else _spread(alpha, shape),
        beta=1.0 if beta is None else _spread(beta, shape),
        gain=_spread(node.gain, shape),
        bias=_spread(node.bias, shape),
        threshold=1.0 if firing is None else _spread(firing.threshold, shape),
        v_reset=0.0 if firing is None else _spread(firing.v_reset, shape),
        reset="none" if firing is None else firing.reset,
        when="now" if firing is None else firing.when,
        inclusive=firing is not None and firing.at_least,
    )
    return Neuron(
        packed_params(params, dtype, int(np.prod(shape))),
        SILENT if firing is None else MODES[params.reset, params.when],
        alpha is not None,
        "voltage" if firing is None else firing.emit,
        firing is not None and firing.when == "next",
        shape,
    )


def _spread(value: Array, shape: tuple[int, ...]) -> float | Array:
    """One number where all neurons share it, else one for each neuron."""
    first = value.reshape(-1)[0]
    return float(first) if (value == first).all() else np.broadcast_to(value, shape).reshape(-1)
