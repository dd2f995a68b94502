"""Sub-graphs replaced by their nodes: `inner` of the sub-graph `outer` becomes the node `outer.inner`."""

from __future__ import annotations

from dataclasses import dataclass, field

from .graph import Graph, Wire
from .nodes import Delay, Input, Node, Output
from .subgraph import SubGraph

DOOR = Delay((0,))
"""y[t] = x[t]: what stands at an inner input or output while it has no other name."""


def inline(graph: Graph) -> Graph:
    """The same network without sub-graphs, at any depth.

    Inner inputs and outputs go, and their wires are joined; where both wires are delayed, a node that hands its input
    through keeps the two steps apart. Inner notes become notes `outer.key`.
    """
    if not any(isinstance(node, SubGraph) for node in graph.nodes.values()):
        return graph
    flat = _Flat()
    flat.take(graph, "")
    return Graph(*flat.joined(), graph.dt, graph.name, flat.notes)


@dataclass
class _Flat:
    """The nodes and wires of every depth by their full names, doors still among them."""

    nodes: dict[str, Node] = field(default_factory=dict)
    wires: dict[str, tuple[Wire, ...]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    doors: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)

    def take(self, graph: Graph, prefix: str, handed: tuple[Wire, ...] = ()) -> str:
        """Take in a graph, its nodes under `prefix`, its inputs wired to `handed`; the name of its first output."""
        names = {name: _free(prefix + name, self.taken) for name in graph.nodes}
        self.notes.update({_free(prefix + name, set(self.notes)): text for name, text in graph.notes.items()})
        outer = iter(handed)
        for name, node in graph.nodes.items():
            wires = tuple(Wire(names[wire.source], wire.delayed) for wire in graph.wires[name])
            if isinstance(node, SubGraph):
                # The inner graph goes in first, so that its nodes stand where the sub-graph stood.
                end = self.take(node.graph, f"{names[name]}.", wires)
                self._put(names[name], DOOR, (Wire(end),))
            elif prefix and isinstance(node, Input):
                self._put(names[name], DOOR, (next(outer),))
            elif prefix and isinstance(node, Output):
                self._put(names[name], DOOR, wires)
            else:
                self.nodes[names[name]], self.wires[names[name]] = node, wires
        return names[graph.outputs[0]]

    def _put(self, name: str, door: Node, wires: tuple[Wire, ...]) -> None:
        self.nodes[name], self.wires[name] = door, wires
        self.doors.add(name)

    def joined(self) -> tuple[dict[str, Node], dict[str, tuple[Wire, ...]]]:
        """The nodes and wires with every door gone that can go."""
        wires = {name: tuple(self._through(wire) for wire in each) for name, each in self.wires.items()}
        kept = self._reached(wires)
        nodes = {name: node for name, node in self.nodes.items() if name not in self.doors or name in kept}
        return nodes, {name: wires[name] for name in nodes}

    def _through(self, wire: Wire) -> Wire:
        """The wire followed back through doors, as long as it has no more than one step of delay."""
        while wire.source in self.doors:
            (before,) = self.wires[wire.source]
            if wire.delayed and before.delayed:
                break
            wire = Wire(before.source, wire.delayed or before.delayed)
        return wire

    def _reached(self, wires: dict[str, tuple[Wire, ...]]) -> set[str]:
        """The doors that a node, or a door that is kept, still reads from."""
        kept: set[str] = set()
        waiting = [wire.source for name, each in wires.items() if name not in self.doors for wire in each]
        while waiting:
            name = waiting.pop()
            if name in self.doors and name not in kept:
                kept.add(name)
                waiting += [wire.source for wire in wires[name]]
        return kept


def _free(name: str, taken: set[str]) -> str:
    """The name, with a number behind it if it is taken; it is taken from then on."""
    free, count = name, 2
    while free in taken:
        free = f"{name}_{count}"
        count += 1
    taken.add(free)
    return free
