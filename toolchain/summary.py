"""What a graph is made of: for each node what it sends, its parameters, neurons and synapses, and their sums."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .counting import seen
from .graph import Graph, Node
from .graph.nodes import (
    Affine,
    AveragePool,
    Contract,
    Conv,
    ConvTranspose,
    Delta,
    Firing,
    Integrating,
    MaxPool,
    ResonateFire,
    Sigma,
    SigmaDelta,
    SumPool,
    TemporalKernel,
)

NEURONS = (Firing, Integrating, ResonateFire, Sigma, Delta, SigmaDelta)
"""The kinds whose every output value is a neuron."""


@dataclass(frozen=True)
class Row:
    """One node.

    Args:
        name: the node's name.
        kind: the node's kind.
        sources: where its inputs come from; `~` before a wire that hands on one step later.
        shape: what it sends in one step, for one sample.
        carries: the values it sends: spikes, int[low,high] or graded.
        parameters: how many numbers it holds.
        neurons: how many neurons it is.
        synapses: how many pairs of an input value and an output value it connects with a weight or in a window;
            none where the notion does not apply.
    """

    name: str
    kind: str
    sources: tuple[str, ...]
    shape: tuple[int, ...]
    carries: str
    parameters: int
    neurons: int
    synapses: int | None


@dataclass(frozen=True)
class Summary:
    """The rows of a graph and their sums."""

    rows: tuple[Row, ...]

    @property
    def parameters(self) -> int:
        """How many numbers the graph holds."""
        return sum(row.parameters for row in self.rows)

    @property
    def neurons(self) -> int:
        """How many neurons the graph has."""
        return sum(row.neurons for row in self.rows)

    @property
    def synapses(self) -> int:
        """How many synapses the graph has."""
        return sum(row.synapses or 0 for row in self.rows)


def summarise(graph: Graph) -> Summary:
    """The summary of a graph, node by node."""
    return Summary(tuple(_row(graph, name) for name in graph.nodes))


def _row(graph: Graph, name: str) -> Row:
    node, sends = graph.nodes[name], graph.signals[name]
    received = [signal.shape for signal in graph.received(name)]
    return Row(
        name=name,
        kind=node.kind,
        sources=tuple(map(str, graph.wires[name])),
        shape=sends.shape,
        carries=str(sends.carries),
        parameters=sum(array.size for array in node.arrays().values()),
        neurons=sends.size if isinstance(node, NEURONS) else 0,
        synapses=synapses(node, received[0], sends.shape) if received else None,
    )


def synapses(node: Node, received: Sequence[int], sent: Sequence[int]) -> int | None:
    """How many (input value, output value) pairs a node connects; what a window sees of its padding is none of them."""
    match node:
        case Affine():
            return math.prod(received[:-1]) * int(node.weight.size)
        case TemporalKernel():
            return int(node.weight.size) * math.prod(received[1:])
        case Contract():
            return _contracted(node, received, sent)
        case Conv():
            windows = seen(received[1:], sent[1:], node.kernel, node.stride, _before(node), node.dilation)
            return int(node.weight.shape[0] * node.weight.shape[1]) * windows
        case ConvTranspose():
            # The transpose of a convolution has the same pairs, the other way round.
            windows = seen(sent[1:], received[1:], node.kernel, node.stride, _before(node), node.dilation)
            return int(node.weight.shape[0] * node.weight.shape[1]) * windows
        case SumPool() | AveragePool() | MaxPool():
            ones = (1,) * len(node.window)
            return sent[0] * seen(received[1:], sent[1:], node.window, node.stride, _before(node), ones)
        case _:
            return None


def _before(node: Conv | ConvTranspose | SumPool | AveragePool | MaxPool) -> tuple[int, ...]:
    return tuple(before for before, _ in node.padding)


def _contracted(node: Contract, received: Sequence[int], sent: Sequence[int]) -> int:
    """One pair for each value of the input and each letter of the output that the input does not have."""
    x, _, y = node.terms
    sizes = dict(zip(y, sent, strict=True))
    return math.prod(received) * math.prod(size for letter, size in sizes.items() if letter not in x)
