"""Drop nodes whose values reach no output. Inputs stay, since callers hand them in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph import Graph, replace_graph
from .base import Change, Pass, PassResult


@dataclass(frozen=True)
class DropDeadNodes(Pass):
    """Drop nodes from which no wire leads on to an output, loops that only feed themselves among them."""

    name: ClassVar[str] = "drop_dead_nodes"
    exact: ClassVar[bool] = True

    def __call__(self, graph: Graph) -> PassResult:
        """Walk back from the outputs and drop what was not met."""
        kept = reaching(graph)
        dead = [name for name in graph.nodes if name not in kept]
        if not dead:
            return PassResult(graph)
        nodes = {name: node for name, node in graph.nodes.items() if name in kept}
        wires = {name: graph.wires[name] for name in nodes}
        changes = tuple(Change((name,), f"dropped {name}, which no output depends on") for name in dead)
        return PassResult(replace_graph(graph, nodes=nodes, wires=wires), changes)


def reaching(graph: Graph) -> set[str]:
    """The inputs, the outputs, and every node that an output depends on."""
    todo = list(graph.outputs)
    met = {*todo, *graph.inputs}
    while todo:
        sources = {wire.source for wire in graph.wires[todo.pop()]} - met
        met |= sources
        todo += sources
    return met
