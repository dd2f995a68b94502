"""Adaptive neurons over a window, by their own fused kernel: bit for bit what `AdaptiveLIF.step` gives."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..graph.nodes import AdaptiveLIF
from ..graph.nodes.base import Array, State
from ..kernels.adaptive import NONE, SUBTRACT, VALUE, adaptive_range
from ..kernels.lif import BLOCK
from ..kernels.threads import cut, run_pieces, thread_count
from .aligned import empty

PARAMETERS = (
    "alpha", "beta", "gain", "bias", "threshold", "v_reset",
    "adapt_decay", "adapt_step", "refractory_decay", "refractory_gain",
)  # fmt: skip
"""In the order of the kernel's rows."""
STATE = ("u", "v", "s", "a", "r")
"""In the order of the kernel's rows; s is a state only where the reset waits for the next step."""
RESETS = {"value": VALUE, "subtract": SUBTRACT, "none": NONE}


@dataclass(frozen=True, eq=False)
class Adaptive:
    """An adaptive neuron ready to run.

    Args:
        node: the neuron.
        params: its parameters, a row for each of PARAMETERS, a column for each neuron of a sample.
    """

    node: AdaptiveLIF
    params: Array

    def __call__(self, state: State, inputs: Sequence[Array], keep: Collection[str]) -> tuple[Array, dict[str, Array]]:
        """The window that it sends, and its currents and voltages where they are kept; `state` moves on."""
        x = np.ascontiguousarray(inputs[0])
        rows = x.reshape(len(x), -1)
        none = np.empty((0, 0), x.dtype)
        emit = self.node.emit
        voltage = empty(rows.shape, x.dtype) if "voltage" in keep or emit == "voltage" else none
        current = empty(rows.shape, x.dtype) if "current" in keep else none
        charge = empty(rows.shape, x.dtype) if emit == "charge" else none
        spikes = empty(rows.shape, x.dtype)
        self._run(rows, spikes, state, (current, voltage, charge))
        sent = {"spikes": spikes, "voltage": voltage, "charge": charge}[emit].reshape(x.shape)
        every = {"current": current, "voltage": voltage}
        return sent, {name: every[name].reshape(x.shape) for name in keep}

    def _run(self, rows: Array, spikes: Array, state: State, record: tuple[Array, Array, Array]) -> None:
        """The kernel on all neurons, with the states side by side."""
        node, threads = self.node, thread_count()
        shape = state["v"].shape
        held = np.zeros((len(STATE), rows.shape[1]), rows.dtype)
        for row, name in enumerate(STATE):
            held[row] = state[name].reshape(-1) if name in state else 0

        def piece(start: int, stop: int) -> None:
            adaptive_range(
                rows, spikes, self.params, held, record[0], record[1], record[2],
                RESETS[node.reset], node.when == "next", node.at_least, start, stop, BLOCK,
            )  # fmt: skip

        run_pieces(piece, cut(rows.shape[1], len(rows), BLOCK, threads), threads)
        state.update({name: held[row].reshape(shape) for row, name in enumerate(STATE) if name in state})


def adaptive(node: AdaptiveLIF, shapes: Sequence[tuple[int, ...]], dtype: np.dtype[Any]) -> Adaptive:
    """An adaptive neuron of the graph as the kernel runs it."""
    rows = [np.broadcast_to(getattr(node, name), shapes[0]).reshape(-1) for name in PARAMETERS]
    return Adaptive(node, np.stack(rows).astype(dtype))
