"""A graph on the workbench: nodes and wires that a pass edits before a new graph is built from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..graph import Edge, Graph, Node, Signal, Wire, replace_graph
from ..graph.inference import order_of
from ..graph.nodes.base import need, shown


class Draft:
    """A graph's nodes and wires, open for edits; every signal stays known.

    An edit keeps what a node sends, so what is known about a signal's values stays true even where a new node cannot
    promise it. The graph that is built in the end is inferred anew.

    Args:
        graph: where to start from.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes: dict[str, Node] = dict(graph.nodes)
        self.wires: dict[str, tuple[Wire, ...]] = dict(graph.wires)
        self.signals: dict[str, Signal] = dict(graph.signals)
        self._edges: dict[str, set[tuple[str, int]]] = {name: set() for name in self.nodes}
        for name, wires in self.wires.items():
            self._attach(name, wires)

    def order(self) -> tuple[str, ...]:
        """The nodes, sources before readers."""
        return order_of(self.nodes, self.wires)

    def received(self, name: str) -> tuple[Signal, ...]:
        """What a node receives, in the order of its inputs."""
        return tuple(self.carried(wire) for wire in self.wires[name])

    def readers(self, name: str) -> tuple[Edge, ...]:
        """The edges that leave a node, in a fixed order."""
        edges = ((target, port, self.wires[target][port]) for target, port in sorted(self._edges[name]))
        return tuple(Edge(wire.source, target, port, wire.delayed) for target, port, wire in edges)

    def replace(self, name: str, node: Node, *sources: str | Wire) -> None:
        """Exchange a node, and its wires where any are given; what it sends has to keep its shape."""
        if sources:
            self._detach(name)
            self.wires[name] = tuple(s if isinstance(s, Wire) else Wire(s) for s in sources)
            self._attach(name, self.wires[name])
        self.nodes[name] = node
        shape = node.signal(self.received(name)).shape
        need(shape == self.signals[name].shape, name, f"a new shape {shown(shape)}", f"{self.signals[name]}")

    def insert(self, name: str, node: Node, *sources: str | Wire, before: str) -> str:
        """Put a new node in front of another in the graph's list, and hand back its name, made unique."""
        unique = self._unique(name)
        wires = tuple(s if isinstance(s, Wire) else Wire(s) for s in sources)
        items = list(self.nodes.items())
        place = list(self.nodes).index(before)
        self.nodes = dict([*items[:place], (unique, node), *items[place:]])
        self.wires[unique] = wires
        self._edges[unique] = set()
        self._attach(unique, wires)
        self.signals[unique] = node.signal(self.received(unique))
        return unique

    def replace_by(self, name: str, parts: Sequence[tuple[str, Node]]) -> None:
        """Exchange a node by several, one behind the other; the last has its name, the others are name_label."""
        source: Wire | str = self.wires[name][0]
        for label, node in parts[:-1]:
            source = self.insert(f"{name}_{label}", node, source, before=name)
        self.replace(name, parts[-1][1], source)

    def bypass(self, name: str) -> None:
        """Remove a node with one input and let its readers read what it read; no two delayed wires may meet."""
        own = self.wires[name][0]
        for edge in self.readers(name):
            wires = list(self.wires[edge.target])
            wires[edge.port] = Wire(own.source, own.delayed or edge.delayed)
            self.rewire(edge.target, *wires)
        self.remove(name)

    def rewire(self, name: str, *wires: Wire) -> None:
        """Give a node other wires."""
        self._detach(name)
        self.wires[name] = wires
        self._attach(name, wires)

    def remove(self, name: str) -> None:
        """Remove a node that nothing reads any more."""
        self._detach(name)
        for part in (self.nodes, self.wires, self.signals, self._edges):
            del part[name]

    def build(self) -> Graph:
        """The edited graph, checked."""
        wires = {name: self.wires[name] for name in self.nodes}
        return replace_graph(self.graph, nodes=self.nodes, wires=wires)

    def carried(self, wire: Wire) -> Signal:
        """What travels on a wire; a delayed one also carries 0."""
        signal = self.signals[wire.source]
        return replace(signal, carries=signal.carries.or_zero()) if wire.delayed else signal

    def _attach(self, name: str, wires: tuple[Wire, ...]) -> None:
        for port, wire in enumerate(wires):
            self._edges[wire.source].add((name, port))

    def _detach(self, name: str) -> None:
        for port, wire in enumerate(self.wires[name]):
            self._edges[wire.source].discard((name, port))

    def _unique(self, name: str) -> str:
        unique, count = name, 2
        while unique in self.nodes:
            unique, count = f"{name}_{count}", count + 1
        return unique
