"""The network: named nodes in discrete time, wired port by port, frozen, and correct as soon as it exists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from ..errors import GraphError, SpikeportError
from .inference import infer, order_of
from .nodes import Input, Node, Output
from .nodes.base import need, plain
from .signal import Signal

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,199}")


@dataclass(frozen=True)
class Wire:
    """Where one input of a node comes from.

    Args:
        source: the node it comes from.
        delayed: one step later, as an edge that closes a loop has to be; 0 before the first step.
    """

    source: str
    delayed: bool = False

    def __str__(self) -> str:
        return f"~{self.source}" if self.delayed else self.source


@dataclass(frozen=True)
class Edge:
    """A wire seen from outside: from a node, to a port of another."""

    source: str
    target: str
    port: int
    delayed: bool = False


@dataclass(frozen=True, eq=False)
class Graph:
    """A network in discrete time. A graph that exists is a correct one.

    Args:
        nodes: the nodes by name.
        wires: for each node, one wire for each of its inputs, in order.
        dt: the length of a step in seconds.
        name: what the network is called.
        notes: how the graph came to be: source, passes, readings, as text.
        signals: (derived) what each node sends.
        order: (derived) the nodes in an order in which one step can run.
    """

    nodes: Mapping[str, Node]
    wires: Mapping[str, tuple[Wire, ...]]
    dt: float = 1e-3
    name: str = "network"
    notes: Mapping[str, str] = field(default_factory=dict)
    signals: Mapping[str, Signal] = field(init=False)
    order: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dt", plain(self.dt, "float", "dt"))
        need(self.dt > 0, "dt", f"{self.dt}", "a positive number of seconds")
        check_name(self.name)
        for name, value in (("nodes", dict(self.nodes)), ("notes", dict(self.notes))):
            object.__setattr__(self, name, MappingProxyType(value))
        self._check_notes()
        self._check_nodes()
        object.__setattr__(self, "wires", check_wires(self.nodes, self.wires, Output))
        object.__setattr__(self, "order", order_of(self.nodes, self.wires))
        object.__setattr__(self, "signals", MappingProxyType(infer(self.nodes, self.wires, self.order)))
        need(bool(self.inputs) and bool(self.outputs), self.name, "no input or no output", "at least one of each")

    def _check_notes(self) -> None:
        for name, text in self.notes.items():
            check_name(name, "notes")
            plain(text, "str", f"notes, {name}")

    def _check_nodes(self) -> None:
        for name, node in self.nodes.items():
            check_name(name)
            need(isinstance(node, Node), name, f"{type(node).__name__}", "a node")
            need(node.dt in (None, self.dt), name, f"steps of {node.dt} s", f"{self.dt} s, as the graph around it has")

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the graph's inputs, in order."""
        return tuple(name for name, node in self.nodes.items() if isinstance(node, Input))

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the graph's outputs, in order."""
        return tuple(name for name, node in self.nodes.items() if isinstance(node, Output))

    @property
    def edges(self) -> tuple[Edge, ...]:
        """Every wire as an edge, in the order of the nodes it goes to."""
        every = ((name, port, wire) for name, wires in self.wires.items() for port, wire in enumerate(wires))
        return tuple(Edge(wire.source, name, port, wire.delayed) for name, port, wire in every)

    def received(self, name: str) -> tuple[Signal, ...]:
        """What a node receives, in the order of its inputs; a delayed wire also carries 0."""
        return tuple(
            replace(self.signals[w.source], carries=self.signals[w.source].carries.or_zero())
            if w.delayed
            else self.signals[w.source]
            for w in self.wires[name]
        )

    def readers(self, name: str) -> tuple[Edge, ...]:
        """The edges that leave a node."""
        return tuple(edge for edge in self.edges if edge.source == name)

    def with_notes(self, **notes: str) -> Graph:
        """The same graph with notes added."""
        return replace_graph(self, notes={**self.notes, **notes})


def check_name(name: str, where: str = "name") -> None:
    fits = isinstance(name, str) and bool(NAME.fullmatch(name))
    need(fits, where, f"'{name}'", "letters, digits, '_', '.' and '-', at most 200 and not '.' or '-' first")


def check_wires(
    nodes: Mapping[str, Node], wires: Mapping[str, tuple[Wire, ...]], end: type[Node]
) -> Mapping[str, tuple[Wire, ...]]:
    """The wires of every node, once each has as many as it takes, from nodes that are there and no `end`."""
    lost = [name for name in wires if name not in nodes]
    need(not lost, "wires", f"inputs for '{', '.join(map(str, lost[:1]))}', which is not there", "a node's name")
    every = {name: tuple(wires.get(name, ())) for name in nodes}
    for name, node in nodes.items():
        _check_count(name, node, len(every[name]))
        for wire in every[name]:
            found = f"an input from '{wire.source}', which is not there"
            need(wire.source in nodes, name, found, "a node's name")
            ends = isinstance(nodes[wire.source], end)
            need(not ends, name, f"an input from the output '{wire.source}'", "the node before it")
    return MappingProxyType(every)


def _check_count(name: str, node: Node, count: int) -> None:
    least, most = node.arity
    expected = f"{least}" if least == most else f"at least {least}" if most is None else f"{least} to {most}"
    need(least <= count and (most is None or count <= most), name, f"{count} inputs", f"{expected} for {node.kind}")


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


def later(source: str) -> Wire:
    """A wire that hands a node's output on one step later."""
    return Wire(source, delayed=True)


def chain(nodes: Iterable[Node | tuple[str, Node]], *, name: str = "network", dt: float = 1e-3) -> Graph:
    """A graph in which every node reads from the one before it."""
    builder = GraphBuilder(name, dt)
    last: tuple[str, ...] = ()
    for index, item in enumerate(nodes):
        label, node = (f"{index}_{item.kind.lower()}", item) if isinstance(item, Node) else item
        last = (builder.add(label, node, *last),)
    return builder.build()


__all__ = ["Edge", "Graph", "GraphBuilder", "GraphError", "SpikeportError", "Wire", "chain", "later", "replace_graph"]
