"""The network in floating point: nodes of the tables in nodes/, and ways to put one together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from .network import NAME, Edge, Network, Wire, later
from .nodes import Input, Node, Output
from .nodes.base import need


@dataclass(frozen=True, eq=False)
class Graph(Network):
    """A network in discrete time, in floating point. A graph that exists is a correct one."""

    word: ClassVar[str] = "graph"
    holds: ClassVar[tuple[type[Node], str]] = (Node, "a node")
    ends: ClassVar[tuple[type[Node], type[Node]]] = (Input, Output)

    def check(self) -> None:
        """Every node that knows how long a step is was made for this one."""
        for name, node in self.nodes.items():
            need(node.dt in (None, self.dt), name, f"steps of {node.dt} s", f"{self.dt} s, as the graph around it has")

    def with_notes(self, **notes: str) -> Graph:
        """The same graph with notes added."""
        return replace_graph(self, notes={**self.notes, **notes})


def replace_graph(
    graph: Graph,
    *,
    nodes: Mapping[str, Node] | None = None,
    wires: Mapping[str, tuple[Wire, ...]] | None = None,
    notes: Mapping[str, str] | None = None,
    name: str | None = None,
    dt: float | None = None,
) -> Graph:
    """The graph with some of its parts exchanged, checked anew."""
    return Graph(
        graph.nodes if nodes is None else nodes,
        graph.wires if wires is None else wires,
        graph.dt if dt is None else dt,
        graph.name if name is None else name,
        graph.notes if notes is None else notes,
    )


class GraphBuilder:
    """Collects nodes and wires, and builds the graph at the end.

    Args:
        name: what the network is called.
        dt: the length of a step in seconds.
    """

    def __init__(self, name: str = "network", dt: float = 1e-3) -> None:
        self.name = name
        self.dt = dt
        self.nodes: dict[str, Node] = {}
        self.wires: dict[str, tuple[Wire, ...]] = {}
        self.notes: dict[str, str] = {}

    def add(self, name: str, node: Node, *sources: str | Wire) -> str:
        """Add a node that reads from `sources`, and hand back its name, made unique by a number."""
        unique = name
        count = 2
        while unique in self.nodes:
            unique = f"{name}_{count}"
            count += 1
        self.nodes[unique] = node
        self.connect(unique, *sources)
        return unique

    def connect(self, name: str, *sources: str | Wire) -> None:
        """Wire a node's inputs, in place of what it had."""
        self.wires[name] = tuple(source if isinstance(source, Wire) else Wire(source) for source in sources)

    def build(self) -> Graph:
        """The graph, checked."""
        return Graph(self.nodes, self.wires, self.dt, self.name, self.notes)


def chain(nodes: Iterable[Node | tuple[str, Node]], *, name: str = "network", dt: float = 1e-3) -> Graph:
    """A graph in which every node reads from the one before it."""
    builder = GraphBuilder(name, dt)
    last: tuple[str, ...] = ()
    for index, item in enumerate(nodes):
        label, node = (f"{index}_{item.kind.lower()}", item) if isinstance(item, Node) else item
        last = (builder.add(label, node, *last),)
    return builder.build()


__all__ = ["NAME", "Edge", "Graph", "GraphBuilder", "Wire", "chain", "later", "replace_graph"]
