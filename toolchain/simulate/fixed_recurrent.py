"""Neurons of a chip that hear themselves through a matrix: neuron(x + back(neuron)), by one kernel over a window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..graph import Signal, Wire
from ..graph.nodes.base import Array, State
from ..kernels.fixed_recurrent import recurrent_range
from ..kernels.threads import on_cores
from ..loihi.processes import LIF, Dense, LIFReset, Port, Process, Sparse, TernaryLIF
from .fixed_bounds import WIDE, DType, matrix_sum, shifted
from .fixed_neurons import Clock, clock_of, membrane, packed
from .parts import Part


@dataclass(frozen=True, eq=False)
class Recurrence:
    """The three processes, ready to run.

    Args:
        neuron: the neuron's name.
        joined: the port's name.
        back: the name of the synapse that takes the spikes back.
        outer: the source of what else comes into the port.
        weight: the synapse's weights, a row for each neuron that spikes.
        down: by how many bits their sums are shifted down.
        params: the neuron's parameters.
        ternary: whether the neuron has a lower threshold.
        clock: when it starts again.
        formats: the type in which what each of the three sends travels.
    """

    neuron: str
    joined: str
    back: str
    outer: str
    weight: Array
    down: int
    params: object
    ternary: bool
    clock: Clock
    formats: Mapping[str, DType]

    def run(
        self, x: Array, state: State, before: Array, shown: Sequence[str], keep: frozenset[str], spikes: Array
    ) -> dict[str, tuple[Array, Mapping[str, Array]]]:
        """A window of the processes that are shown; the state moves on in place.

        Args:
            x: what comes in from outside, [W, B, N].
            state: the neuron's state.
            before: what the neuron sent in the step before.
            shown: the processes whose windows are asked for.
            keep: the states of the neuron that are kept.
            spikes: where to write what the neuron sends.
        """
        x = np.ascontiguousarray(x)
        asked = {"u": "u" in keep, "v": "v" in keep, "joined": self.joined in shown, "back": self.back in shown}
        record = {name: np.empty(x.shape if yes else (0, 0, 0), np.int32) for name, yes in asked.items()}
        countdown = self.clock.countdown(state)

        def piece(start: int, stop: int) -> None:
            recurrent_range(
                x, spikes, self.weight, self.down, self.params, state["u"], state["v"], before,
                record["u"], record["v"], record["joined"], record["back"],
                self.ternary, self.clock.interval, countdown, start, stop,
            )  # fmt: skip

        on_cores(piece, x.shape[1], len(x) * x.shape[2])
        if "t" in state:
            state["t"] = state["t"] + len(x)
        found: dict[str, tuple[Array, Mapping[str, Array]]] = {
            self.neuron: (spikes, {name: record[name] for name in keep})
        }
        for name, made in ((self.joined, "joined"), (self.back, "back")):
            if name in shown:
                found[name] = (record[made].astype(self.formats[name]), {})
        return found


def recurrence_of(
    part: Part,
    nodes: Mapping[str, Process],
    wires: Mapping[str, Sequence[Wire]],
    signals: Mapping[str, Signal],
    formats: Mapping[str, DType],
) -> Recurrence | None:
    """The three processes, if the part is just these and the sum of its weights stays within 32 bits."""
    found = {type(nodes[name]): name for name in part.names}
    fired = next((name for name in part.names if isinstance(nodes[name], (LIF, LIFReset, TernaryLIF))), None)
    back = found.get(Dense) or found.get(Sparse)
    if len(part.names) != 3 or fired is None or back is None or Port not in found:
        return None
    joined, cell, layer = found[Port], nodes[fired], nodes[back]
    outer = [wire.source for wire in wires[joined] if wire.source != back]
    if len(outer) != 1 or len(wires[joined]) != 2 or len(signals[fired].shape) != 1:
        return None
    if not (isinstance(cell, (LIF, LIFReset, TernaryLIF)) and isinstance(layer, (Dense, Sparse))) or _payload(
        cell, layer
    ):
        return None
    weight = np.ascontiguousarray(layer.held.T << max(layer.exponent, 0)).astype(np.int32)
    params = packed(membrane(cell), signals[fired].shape)
    own = {name: formats[name] for name in part.names}
    down, ternary = max(-layer.exponent, 0), isinstance(cell, TernaryLIF)
    return Recurrence(fired, joined, back, outer[0], weight, down, params, ternary, clock_of(cell), own)


def _payload(cell: LIF | LIFReset | TernaryLIF, layer: Dense | Sparse) -> bool:
    """Whether the synapse sees more than spikes, or its sums leave 32 bits."""
    signed = layer.message_bits > 0 and isinstance(cell, TernaryLIF)
    total = matrix_sum(layer, 1)
    return signed or max(total, shifted(total, layer.exponent)) >= WIDE
