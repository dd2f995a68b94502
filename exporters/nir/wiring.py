"""The edges of NIR that a graph's wires are: sums vanish, delays of loops go into the facts, loops into sub-graphs.

A sum is several edges into one node, in the order of its terms. A loop with one way in and one way out becomes a graph
of its own, with an Input and an Output; any other stays a cycle among the nodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...toolchain.graph import Graph, Wire
from ...toolchain.graph.nodes import Add
from .cycles import cycles
from .dialects.base import Loops
from .facts import Edge
from .names import Names
from .tree import Leaf, Tree

NEURONS = frozenset({"I", "IF", "LI", "LIF", "CubaLI", "CubaLIF"})


@dataclass(frozen=True)
class Loop:
    """A loop with one way in and one way out.

    Args:
        name: of the sub-graph.
        nodes: what lies in it, in the order in which it runs.
        entry: the node that reads from outside.
        exit: the node that is read from outside.
    """

    name: str
    nodes: tuple[str, ...]
    entry: str
    exit: str


@dataclass
class Wiring:
    """How nodes are joined in NIR, by their own names.

    Args:
        terms: for each node that is no sum, what it reads, in order.
        sums: node → the name of the sum before it.
        loops: the loops that become sub-graphs.
        cycles: the nodes of every other loop.
    """

    terms: dict[str, tuple[Wire, ...]]
    sums: dict[str, str]
    loops: list[Loop] = field(default_factory=list)
    cycles: list[frozenset[str]] = field(default_factory=list)


def wiring_of(graph: Graph, loops: Loops) -> Wiring:
    """The wiring of a graph in which only nodes that are no sums read sums, without delay."""
    sums = {name: wires[0].source for name, wires in graph.wires.items() if _reads_sum(graph, name)}
    terms = {
        name: graph.wires[sums[name]] if name in sums else graph.wires[name]
        for name, node in graph.nodes.items()
        if not isinstance(node, Add)
    }
    found = Wiring(terms, sums)
    names = Names(map(_said, graph.nodes))
    for members in loops_of(terms):
        loop = _loop(found, members) if loops == "subgraph" else None
        if loop is None:
            found.cycles.append(members)
            continue
        entry, leaves, wires = loop
        found.terms[entry] = wires
        neuron = next((name for name in graph.order if name in members and graph.nodes[name].stateful), entry)
        inside = tuple(name for name in graph.order if name in members)
        found.loops.append(Loop(names.free(f"{neuron}_loop"), inside, entry, leaves))
    return found


def _reads_sum(graph: Graph, name: str) -> bool:
    return len(graph.wires[name]) == 1 and isinstance(graph.nodes[graph.wires[name][0].source], Add)


def _said(name: str) -> str:
    return Names().free(name)


def loops_of(terms: Mapping[str, Sequence[Wire]]) -> list[frozenset[str]]:
    """The nodes of each bundle of loops."""
    edges = tuple((wire.source, name) for name, wires in terms.items() for wire in wires)
    return cycles(Tree({name: Leaf("", {}) for name in terms}, edges))


def _loop(wiring: Wiring, members: frozenset[str]) -> tuple[str, str, tuple[Wire, ...]] | None:
    """Entry, exit and the entry's terms, those from outside first; none where there is another way in or out."""
    inward = {name for name in members if any(wire.source not in members for wire in wiring.terms[name])}
    outward = {w.source for name, wires in wiring.terms.items() if name not in members for w in wires} & members
    if len(inward) != 1 or len(outward) != 1:
        return None
    entry = next(iter(inward))
    wires = wiring.terms[entry]
    first = _outside_first(wires, members)
    return None if first is None else (entry, next(iter(outward)), first)


def _outside_first(wires: tuple[Wire, ...], members: frozenset[str]) -> tuple[Wire, ...] | None:
    """The terms with those from outside first; the first two may change places, since x + y = y + x, and no more."""
    if wires[0].source in members and len(wires) > 1:
        wires = (wires[1], wires[0], *wires[2:])
    inside = [wire.source in members for wire in wires]
    return wires if inside == sorted(inside) and not inside[0] else None


@dataclass(frozen=True)
class Joined:
    """A tree and what its edges do not say.

    Args:
        tree: the nodes and edges, without metadata.
        paths: the path of each node, by its own name.
        delayed: the edges, by path, that hand on one step later.
    """

    tree: Tree
    paths: Mapping[str, str]
    delayed: tuple[Edge, ...]


def joined(graph: Graph, wiring: Wiring, leaves: Mapping[str, Leaf]) -> Joined:
    """The nodes of NIR, joined by edges."""
    within = {name: loop for loop in wiring.loops for name in loop.nodes}
    names = Names(loop.name for loop in wiring.loops)
    said = {name: names.free(name) for name in leaves}
    paths = {name: f"{within[name].name}.{said[name]}" if name in within else said[name] for name in leaves}
    nodes: dict[str, Leaf | Tree] = {}
    edges: list[Edge] = []
    for name, leaf in leaves.items():
        loop = within.get(name)
        if loop is None:
            nodes[said[name]] = leaf
        elif loop.name not in nodes:
            nodes[loop.name] = _inner(graph, wiring, loop, leaves, said)
        for wire in wiring.terms[name]:
            source = within.get(wire.source)
            if source is None or source is not loop:
                edges.append((source.name if source else said[wire.source], loop.name if loop else said[name]))
    delayed = tuple((paths[w.source], paths[name]) for name in leaves for w in wiring.terms[name] if w.delayed)
    return Joined(Tree(nodes, tuple(edges)), paths, delayed)


def _inner(graph: Graph, wiring: Wiring, loop: Loop, leaves: Mapping[str, Leaf], said: Mapping[str, str]) -> Tree:
    """A loop as a graph of its own."""
    names = Names(said[name] for name in loop.nodes)
    start, end = names.free("input"), names.free("output")
    inside = set(loop.nodes)
    outer = next(wire.source for wire in wiring.terms[loop.entry] if wire.source not in inside)
    shapes = {start: graph.signals[outer].shape, end: graph.signals[loop.exit].shape}
    ends = {name: {"shape": np.array(shape, np.int64)} for name, shape in shapes.items()}
    nodes = {start: Leaf("Input", ends[start]), **{said[name]: leaves[name] for name in loop.nodes}}
    edges = [(start, said[loop.entry])]
    for name in loop.nodes:
        edges += [(said[wire.source], said[name]) for wire in wiring.terms[name] if wire.source in inside]
    return Tree({**nodes, end: Leaf("Output", ends[end])}, (*edges, (said[loop.exit], end)))
