"""A graph without graphs in it: what lies in a sub-graph `name` is called `name.inner`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .edges_in import NEURONS
from .kinds_in import PASS
from .said import Said
from .tree import Leaf, Tree


@dataclass
class Flat:
    """Nodes by path, and what each reads, in the order of the edges.

    Args:
        nodes: by path.
        sources: for each node, the nodes it reads from.
    """

    nodes: dict[str, Leaf] = field(default_factory=dict)
    sources: dict[str, list[str]] = field(default_factory=dict)

    def readers(self) -> dict[str, list[str]]:
        """For each node, the nodes that read from it."""
        found: dict[str, list[str]] = {name: [] for name in self.nodes}
        for name, sources in self.sources.items():
            for source in sources:
                found[source].append(name)
        return found

    def of_kind(self, kind: str) -> list[str]:
        """The nodes of a kind."""
        return [name for name, leaf in self.nodes.items() if leaf.kind == kind]


def flattened(tree: Tree, said: Said) -> Flat:
    """The nodes of a tree and of all graphs in it."""
    flat = Flat()
    _take(tree, "", flat, said)
    return _without_passes(flat)


def _take(tree: Tree, path: str, flat: Flat, said: Said) -> None:
    doors = {}
    for name, node in tree.nodes.items():
        if isinstance(node, Tree):
            doors[name] = _Doors(node, f"{path}{name}.", said)
            _take(node, f"{path}{name}.", flat, said)
            continue
        if f"{path}{name}" in flat.nodes:
            text = "two nodes: one in a sub-graph, and one beside it whose name has a dot"
            said.reasons.append(said.error(f"{path}{name}", text, "one of this name", "call one of them otherwise"))
        end = bool(path) and node.kind in ("Input", "Output")
        flat.nodes[f"{path}{name}"] = Leaf(PASS, node.values, node.metadata) if end else node
        flat.sources.setdefault(f"{path}{name}", [])
    for a, b in tree.edges:
        for source in doors[a].out(b) if a in doors else [f"{path}{a}"]:
            for target in doors[b].into() if b in doors else [f"{path}{b}"]:
                if source in flat.nodes and target in flat.nodes:
                    flat.sources[target].append(source)
                elif not said.reasons:
                    text = f"an edge {a} → {b} to or from a graph in a sub-graph"
                    said.reasons.append(said.error(path[:-1], text, "an edge between nodes"))


class _Doors:
    """Where a sub-graph is entered and left.

    Args:
        tree: the sub-graph.
        path: its path, with a dot behind.
        said: where repairs and reasons go.
    """

    def __init__(self, tree: Tree, path: str, said: Said) -> None:
        self.tree = tree
        self.path = path
        self.said = said

    def into(self) -> list[str]:
        """The nodes that an edge to it goes to."""
        return [f"{self.path}{name}" for name in self._ends("Input", {b for _, b in self.tree.edges})]

    def out(self, reader: str) -> list[str]:  # noqa: ARG002
        """The nodes that an edge from it comes from."""
        return [f"{self.path}{name}" for name in self._ends("Output", {a for a, _ in self.tree.edges})]

    def _ends(self, kind: str, used: set[str]) -> list[str]:
        kinds = {name: node.kind if isinstance(node, Leaf) else "" for name, node in self.tree.nodes.items()}
        found = [name for name, each in kinds.items() if each == kind]
        if len(found) > 1:
            fix = "name one of them in the edge, as graph.node"
            text = f"{len(found)} nodes of type {kind} in a sub-graph that an edge leads to or from"
            self.said.reasons.append(self.said.error(self.path[:-1], text, "one", fix))
            return []
        if found:
            return found
        free = [name for name in kinds if name not in used]
        neurons = [name for name, each in kinds.items() if each in NEURONS]
        meant = free if free else neurons
        if len(meant) != 1:
            text = f"no {kind} in a sub-graph"
            self.said.reasons.append(self.said.error(self.path[:-1], text, f"a node of type {kind}"))
            return []
        self.said.remark(self.path[:-1], f"a sub-graph without {kind}; {meant[0]} is meant")
        return meant


def _without_passes(flat: Flat) -> Flat:
    """The same without nodes that hand on what one other node sends; those that add up stay, unless they come first.

    (a + b) + c is a + b + c, bit for bit; c + (a + b) is not.
    """
    readers = flat.readers()
    found = Flat()
    for name, leaf in flat.nodes.items():
        sources = flat.sources[name]
        if leaf.kind == PASS and (len(sources) == 1 or _comes_first(flat, name, readers)):
            continue
        found.nodes[name] = leaf
        first = sources[:1]
        while first and flat.nodes[first[0]].kind == PASS and _comes_first(flat, first[0], readers):
            first = [*flat.sources[first[0]], *first[1:]]
        found.sources[name] = [_origin(flat, source) for source in (*first, *sources[1:])]
    return _existing(found)


def _comes_first(flat: Flat, name: str, readers: dict[str, list[str]]) -> bool:
    """Whether what a node adds up is the first term of the one node that reads it."""
    if len(flat.sources[name]) < 2 or len(readers[name]) != 1:
        return False
    reader = readers[name][0]
    handed_on = flat.nodes[reader].kind == PASS and len(flat.sources[reader]) == 1
    return not handed_on and flat.sources[reader][0] == name != reader


def _origin(flat: Flat, name: str) -> str:
    """What a chain of such nodes hands on; itself where they hand it on in a circle."""
    seen = set()
    while flat.nodes[name].kind == PASS and len(flat.sources[name]) == 1 and name not in seen:
        seen.add(name)
        name = flat.sources[name][0]
    return name


def _existing(flat: Flat) -> Flat:
    """Without the edges from nodes that were in a circle of such nodes."""
    for name, sources in flat.sources.items():
        flat.sources[name] = [source for source in sources if source in flat.nodes]
    return flat


def leaves(tree: Tree, path: str = "") -> Iterator[tuple[str, Leaf]]:
    """Every node of a tree and of the graphs in it, by path."""
    for name, node in tree.nodes.items():
        if isinstance(node, Tree):
            yield from leaves(node, f"{path}{name}.")
        else:
            yield f"{path}{name}", node
