"""What a chip graph is made of: what each process sends and holds, its neurons and synapses, and its worst-case sums.

The worst case of a synapse is Σ_j max(w_ij·x_j) over all x that its source can send, and Σ_j min(w_ij·x_j): what comes
out when everything that pushes one way arrives at once, before any register wraps. The current of a neuron that
remembers it can grow to a·2⁶·4096 / d_u, and wraps beyond 24 bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..counting import seen
from ..graph.nodes.base import Array
from ..graph.signal import Signal
from .arithmetic import held_weights, shift, sign_mode
from .chip_graph import ChipGraph
from .limits import LOIHI2
from .processes import ATRLIF, Conv, ConvInTime, DelayDense, DelaySparse, Dense, Port, Process, Sparse
from .processes.neurons import Integrating
from .processes.synapses import Matrix, Synapse

INF = float("inf")


@dataclass(frozen=True)
class Span:
    """Bounds of every value that a process sends: numbers, or one for each output."""

    low: Array
    high: Array

    @property
    def least(self) -> int:
        """The smallest value there can be."""
        return int(self.low.min())

    @property
    def most(self) -> int:
        """The largest value there can be."""
        return int(self.high.max())

    @property
    def magnitude(self) -> int:
        """The largest magnitude there can be."""
        return max(-self.least, self.most, 0)


@dataclass(frozen=True)
class ChipRow:
    """One process.

    Args:
        name: its name.
        node: the process.
        sources: where its inputs come from; `~` before a wire into a synapse.
        sends: what it sends.
        neurons: how many neurons it is.
        synapses: how many pairs of an input value and an output value it connects; of a sparse one those not 0.
        sum: the worst case of what a synapse or a port of connections sends, or of what comes into a neuron; none
            where a source sends values without known bounds.
        filled: the share of its 24 bits that the worst case of a neuron's current can take; infinite where the current
            never decays.
    """

    name: str
    node: Process
    sources: tuple[str, ...]
    sends: Signal
    neurons: int
    synapses: int | None
    sum: Span | None
    filled: float | None

    @property
    def weight_bits(self) -> int | None:
        """The fewest bits that hold the weights as they are; none beyond those of the chip, or without weights."""
        return None if not isinstance(self.node, Synapse) else bits_of(weights(self.node))


def summarise(graph: ChipGraph) -> tuple[ChipRow, ...]:
    """A row for each process, in the order of the graph."""
    spans: dict[str, Span | None] = {}
    for name in graph.order:
        spans[name] = _span(graph, name, spans)
    return tuple(_row(graph, name, spans) for name in graph.nodes)


def weights(node: Synapse) -> Array:
    """The weights as the synapse holds them."""
    if isinstance(node, Matrix):
        return node.held
    found: Array = node.arrays()["weight"]
    return found


def bits_of(held: Array) -> int | None:
    """The fewest bits that hold these weights as they are; none where all that a synapse has are too few."""
    every = range(1, LOIHI2.weight_bits + 1)
    return next((n for n in every if np.array_equal(held_weights(held, sign_mode(held), n), held)), None)


def synapses(node: Process, received: Signal, sent: Signal) -> int | None:
    """How many (input value, output value) pairs a process connects."""
    match node:
        case Sparse() | DelaySparse():
            return int(np.count_nonzero(node.weight))
        case Dense() | DelayDense() | ConvInTime():
            return int(node.weight.size)
        case Conv():
            windows = seen(received.shape[1:], sent.shape[1:], node.kernel, node.stride, node.padding, node.dilation)
            return int(node.weight.shape[0] * node.weight.shape[1]) * windows
        case _:
            return None


def _row(graph: ChipGraph, name: str, spans: dict[str, Span | None]) -> ChipRow:
    node, sends, received = graph.nodes[name], graph.signals[name], graph.received(name)
    neuron = node.role == "neuron"
    span = spans[graph.wires[name][0].source] if neuron else spans[name] if _adds(node) else None
    return ChipRow(
        name=name,
        node=node,
        sources=tuple(map(str, graph.wires[name])),
        sends=sends,
        neurons=sends.size if neuron else 0,
        synapses=synapses(node, received[0], sends) if received else None,
        sum=span,
        filled=None if span is None else _filled(node, span),
    )


def _adds(node: Process) -> bool:
    return isinstance(node, (Synapse, Port))


def _filled(node: Process, span: Span) -> float | None:
    """|a|·2⁶·4096 / d_u as a share of 2²³ − 1; the decay of an ATRLIF counts one more."""
    if not isinstance(node, (Integrating, ATRLIF)):
        return None
    slowest = int(np.min(node.current_decay)) + isinstance(node, ATRLIF)
    if not slowest or not span.magnitude:
        return INF if span.magnitude else 0.0
    return span.magnitude * LOIHI2.decay_unity / slowest * (1 << LOIHI2.align_bits) / LOIHI2.most_state


def _span(graph: ChipGraph, name: str, spans: dict[str, Span | None]) -> Span | None:
    """The bounds of what a process sends; of a join they follow from those before it."""
    node, sends = graph.nodes[name], graph.signals[name]
    if isinstance(node, Synapse):
        (received,) = graph.received(name)
        return _weighted(node, _seen(node, received))
    if node.role == "join":
        parts = [spans[wire.source] for wire in graph.wires[name]]
        known = [part for part in parts if part is not None]
        return _joined(node, known) if len(known) == len(parts) else None
    if sends.carries.graded:
        return None
    low, high = sends.carries.bounds
    return Span(np.asarray(int(low)), np.asarray(int(high)))


def _seen(node: Synapse, received: Signal) -> tuple[int, int] | None:
    """The values that a synapse sees: 0 and 1 of whatever is sent, or payloads."""
    if not node.message_bits:
        return (0, 1)
    low, high = received.carries.bounds
    return None if received.carries.graded else (int(low), int(high))


def _weighted(node: Synapse, values: tuple[int, int] | None) -> Span | None:
    """Σ max(w·x) and Σ min(w·x), shifted as the synapse shifts."""
    if values is None:
        return None
    held, (least, most) = weights(node), values
    axes = {2: (1,), 3: (0, 2), 4: (1, 2, 3)}[held.ndim]
    up, down = np.maximum(held, 0).sum(axes), np.minimum(held, 0).sum(axes)
    low, high = least * up + most * down, most * up + least * down
    if isinstance(node, Matrix):
        # What arrives with different delays is shifted, and rounded down, delay by delay.
        delays = len(np.unique(node.delay)) if isinstance(node, (DelayDense, DelaySparse)) else 1
        low, high = shift(low, node.exponent) - (delays - 1) * (node.exponent < 0), shift(high, node.exponent)
    after = (-1,) + (1,) * (2 if held.ndim == 4 else 0)
    return Span(low.reshape(after), high.reshape(after))


def _joined(node: Process, parts: list[Span]) -> Span:
    """Ports add output by output; other joins only move values."""
    if isinstance(node, Port):
        low, high = parts[0].low, parts[0].high
        for part in parts[1:]:
            low, high = low + part.low, high + part.high
        return Span(low, high)
    least, most = min(part.least for part in parts), max(part.most for part in parts)
    return Span(np.asarray(least), np.asarray(most))
