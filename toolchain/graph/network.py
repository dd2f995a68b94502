"""What every network is, whatever its nodes compute: named nodes in discrete time, wired port by port, and frozen."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import ClassVar

from .inference import infer, order_of
from .nodes import Node
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
class Network(ABC):
    """A network in discrete time. One that exists is a correct one.

    Args:
        nodes: the nodes by name.
        wires: for each node, one wire for each of its inputs, in order.
        dt: the length of a step in seconds.
        name: what the network is called.
        notes: how it came to be, as text.
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

    word: ClassVar[str]
    """What the first line of the text form begins with."""
    holds: ClassVar[tuple[type[Node], str]]
    """What every node is, and that in words."""
    ends: ClassVar[tuple[type[Node], type[Node]]]
    """The kinds of node at which values come in and are handed out."""

    def __post_init__(self) -> None:
        self._set("dt", plain(self.dt, "float", "dt"))
        need(self.dt > 0, "dt", f"{self.dt}", "a positive number of seconds")
        check_name(self.name)
        self._set("nodes", MappingProxyType(dict(self.nodes)))
        self._set("notes", MappingProxyType(dict(self.notes)))
        self._check_notes()
        self._check_nodes()
        self._set("wires", check_wires(self.nodes, self.wires, self.ends[1]))
        self.check()
        self._set("order", order_of(self.nodes, self.wires))
        self._set("signals", MappingProxyType(infer(self.nodes, self.wires, self.order)))
        need(bool(self.inputs) and bool(self.outputs), self.name, "no input or no output", "at least one of each")

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _check_notes(self) -> None:
        for name, text in self.notes.items():
            check_name(name, "notes")
            plain(text, "str", f"notes, {name}")

    def _check_nodes(self) -> None:
        kind, words = self.holds
        for name, node in self.nodes.items():
            check_name(name)
            need(isinstance(node, kind), name, f"{type(node).__name__}", words)

    @abstractmethod
    def check(self) -> None:
        """Raise a GraphError for nodes and wires that do not go together in a network of this class."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs, in order."""
        return tuple(name for name, node in self.nodes.items() if isinstance(node, self.ends[0]))

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs, in order."""
        return tuple(name for name, node in self.nodes.items() if isinstance(node, self.ends[1]))

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


def check_name(name: str, where: str = "name") -> None:
    """Refuse what the text form could not read back as a name."""
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


def later(source: str) -> Wire:
    """A wire that hands a node's output on one step later."""
    return Wire(source, delayed=True)
