"""Spiking neurons that hear themselves through weights: neuron(x + back(neuron)), one delay before or behind `back`.

These three nodes are how a recurrent layer is written; one kernel runs them over a whole window, sample by sample, and
adds up the weights of those neurons alone that spike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..graph import Node, Signal, Wire
from ..graph.nodes import Add, Affine, Firing
from ..graph.nodes.base import Array, State
from ..kernels.recurrent import recurrent_range, send_back_range
from ..kernels.threads import cut, run_pieces, thread_count
from .aligned import empty
from .kinds import DType, Roll
from .neurons import Neuron
from .parts import Part

LARGEST = 2 << 20
"""Bytes of weights that stay in a core's own cache; with more of them a matrix product is faster."""


@dataclass(frozen=True, eq=False)
class Recurrence:
    """The three nodes, ready to run.

    Args:
        neuron: the neuron's name.
        joined: the sum's name.
        back: the name of the layer that takes the spikes back.
        outer: the wire that comes into the sum from outside: its source, and whether it is delayed.
        late: whether the delay lies behind `back`, not before it.
        weight: the layer's weights, a row for each neuron that spikes.
        constant: the layer's bias, or zeros.
        cell: the neuron as the kernels run it.
    """

    neuron: str
    joined: str
    back: str
    outer: tuple[str, bool]
    late: bool
    weight: Array
    constant: Array
    cell: Neuron


def recurrence_of(
    part: Part,
    nodes: Mapping[str, Node],
    wires: Mapping[str, Sequence[Wire]],
    signals: Mapping[str, Signal],
    rolls: Mapping[str, Roll],
    dtype: DType,
) -> Recurrence | None:
    """The three nodes, if the part is just these."""
    kinds = {type(nodes[name]): name for name in part.names}
    fired = next((name for name in part.names if isinstance(nodes[name], Firing)), None)
    if len(part.names) != 3 or fired is None or not {Add, Affine} <= set(kinds):
        return None
    joined, back = kinds[Add], kinds[Affine]
    layer, cell = nodes[back], rolls[fired]
    outer = [wire for wire in wires[joined] if wire.source != back]
    returning = [wire.delayed for wire in (*wires[joined], *wires[back]) if wire.source in (back, fired)]
    fits = len(wires[joined]) == 2 and len(outer) == 1 and sorted(returning) == [False, True]
    if not (fits and outer[0].source not in part.names and isinstance(layer, Affine) and isinstance(cell, Neuron)):
        return None
    shape = signals[fired].shape
    alike = len(shape) == 1 and signals[outer[0].source].shape == shape and not wires[fired][0].delayed
    if not alike or cell.emit != "spikes" or layer.weight.size * dtype.itemsize > LARGEST:
        return None
    weight = np.array(layer.weight.T, dtype, order="C")
    constant = np.zeros(shape, dtype) if layer.bias is None else layer.bias.astype(dtype)
    late = not next(wire.delayed for wire in wires[back])
    return Recurrence(fired, joined, back, (outer[0].source, outer[0].delayed), late, weight, constant, cell)


def run_recurrence(
    layer: Recurrence,
    outer: Mapping[tuple[str, bool], Array],
    state: State,
    held: dict[str, Array],
    shown: Sequence[str],
    keep: frozenset[str],
) -> dict[str, tuple[Array, Mapping[str, Array]]]:
    """A window of the nodes that are shown; the state and what is held move on in place.

    Args:
        layer: the three nodes.
        outer: what comes in from outside.
        state: the neuron's state.
        held: what the sources of delayed wires sent last.
        shown: the nodes whose windows are asked for.
        keep: what is kept of the neuron beside its spikes.
    """
    x = np.ascontiguousarray(outer[layer.outer])
    wanted = {
        "u": "current" in keep and layer.cell.has_current,
        "v": "voltage" in keep,
        "joined": layer.joined in shown or ("current" in keep and not layer.cell.has_current),
        "back": layer.back in shown,
    }
    record = {name: empty(x.shape if yes else (0, 0, 0), x.dtype) for name, yes in wanted.items()}
    spikes = empty(x.shape, x.dtype)
    start = _before_the_first_step(layer, held)
    end = start.copy()
    s = state["s"] if layer.cell.delayed else np.zeros(x.shape[1:], x.dtype)
    _run(layer, x, spikes, end, state, s, record)
    held.update({name: value for name, value in ((layer.neuron, spikes[-1].copy()), (layer.back, end)) if name in held})
    sent = {layer.neuron: spikes, layer.joined: record["joined"], layer.back: record["back"]}
    if layer.back in shown and not layer.late:  # it sends in a step what the spikes of the step before send back
        sent[layer.back] = np.concatenate([start[None], record["back"][:-1]])
    every = {"voltage": record["v"], "current": record["u"] if layer.cell.has_current else record["joined"]}
    kept = {layer.neuron: {name: every[name] for name in keep}}
    return {name: (sent[name], kept.get(name, {})) for name in shown}


def _before_the_first_step(layer: Recurrence, held: Mapping[str, Array]) -> Array:
    """What comes back in the first step of the window."""
    if layer.late:
        return held[layer.back].copy()
    spikes = held[layer.neuron]
    back = np.empty_like(spikes)
    send_back_range(layer.weight, layer.constant, spikes, back, 0, len(spikes))
    return back


def _run(
    layer: Recurrence, x: Array, spikes: Array, back: Array, state: State, s: Array, record: Mapping[str, Array]
) -> None:
    """The kernel on all samples, each of them alone."""
    cell, threads = layer.cell, thread_count()
    u = state["u"] if cell.has_current else s

    def piece(start: int, stop: int) -> None:
        recurrent_range(
            x, spikes, layer.weight, layer.constant, cell.packed, back, u, state["v"], s, record["u"], record["v"],
            record["joined"], record["back"], cell.has_current, cell.mode, start, stop,
        )  # fmt: skip

    run_pieces(piece, cut(x.shape[1], len(x) * x.shape[2], 1, threads), threads)
