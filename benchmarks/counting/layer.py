"""What a layer is to a counter: what it asks about its wires, and how the answers become operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ...toolchain.graph import Carries, Node, Signal
from ...toolchain.graph.network import Network
from ..operations import Facts, Ops, Pairs
from .fanout import Fanout
from .sums import Sums

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Place:
    """A node where it stands.

    Args:
        name: its name.
        node: the node.
        received: what its wires hand on.
        sent: what it sends.
        first: whether what it reads comes from an input of the network without a neuron on the way.
    """

    name: str
    node: Any
    received: tuple[Signal, ...]
    sent: Signal
    first: bool

    @property
    def n_in(self) -> int:
        """Values that come in, in one step of one sample."""
        return sum(signal.size for signal in self.received)

    def facts(self, role: Any, kind: str = "", **more: Any) -> Facts:
        """The facts that every layer has, and some more."""
        carries = tuple(str(signal.carries) for signal in self.received)
        name = kind or self.node.kind
        return Facts(name, role, carries, n_in=self.n_in, n_out=self.sent.size, first=self.first, **more)


@dataclass(frozen=True)
class Seen:
    """What a layer did in a run, for one sample.

    Args:
        steps: T.
        wires: what came over each of its wires.
        sent: what it sent; nothing but zeros where the layer did not ask.
        more: what its witness found.
    """

    steps: int
    wires: tuple[Sums, ...]
    sent: Sums
    more: Mapping[str, int]

    @property
    def received(self) -> int:
        """Values over all wires."""
        return sum(wire.values for wire in self.wires)

    @property
    def events(self) -> int:
        """Those of them that were not 0."""
        return sum(wire.events for wire in self.wires)


class Witness(Protocol):
    """Looks at the values themselves, where sums over each wire alone do not say enough."""

    def see(self, windows: Sequence[Array]) -> None:
        """A window [W, B, *shape] of what each wire hands on."""

    def found(self) -> Mapping[str, Array]:
        """What it found in the whole run: numbers for each sample, [B]."""


@dataclass(frozen=True)
class Layer:
    """A node, ready to be counted.

    Args:
        facts: what it is.
        count: the operations of one sample.
        fan: the map of its first wire, where it has one.
        sends: whether what it sends is counted.
        looks: whether it matters which of the values that it reads are not 0.
        witness: makes its witness, for a batch of samples and a dtype.
        note: what the reader of its numbers has to know.
    """

    facts: Facts
    count: Callable[[Seen], Ops]
    fan: Fanout | None = None
    sends: bool = False
    looks: bool = True
    witness: Callable[[int, np.dtype[Any]], Witness] | None = None
    note: str = ""


@dataclass
class Added:
    """Numbers by name that grow window by window.

    Args:
        batch: how many samples.
    """

    batch: int
    sums: dict[str, Array] = field(default_factory=dict)

    def add(self, name: str, each: Array) -> None:
        """Add a number for each sample, [B], or for each step and sample, [W, B]."""
        rows = each.reshape(-1, self.batch).astype(np.int64)
        self.sums[name] = self.sums.get(name, np.zeros(self.batch, np.int64)) + rows.sum(0)


def by_class(carries: Carries, pairs: Pairs) -> dict[str, Any]:
    """The field of `Ops` that the pairs of an input belong into, by what it carries."""
    return {"macs" if carries.graded else "acs" if carries.binary else "integer_acs": pairs}


def places_of(graph: Network, neuron: Callable[[Node], bool]) -> Iterator[tuple[str, Place]]:
    """Every node where it stands, in the order of the network.

    Args:
        graph: the network.
        neuron: whether a node is a neuron.
    """
    first = _before_any(graph, neuron)
    for name, node in graph.nodes.items():
        yield name, Place(name, node, graph.received(name), graph.signals[name], name in first)


def _before_any(graph: Network, neuron: Callable[[Node], bool]) -> frozenset[str]:
    """The nodes that an input of the network reaches without a neuron on the way."""
    readers: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for edge in graph.edges:
        readers[edge.source].append(edge.target)
    found, waiting = set[str](), list(graph.inputs)
    while waiting:
        for name in readers[waiting.pop()]:
            if name not in found:
                found.add(name)
                if not neuron(graph.nodes[name]):
                    waiting.append(name)
    return frozenset(found)
