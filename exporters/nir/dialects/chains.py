"""Networks without branches: all that some importers run right.

nirtorch's `load`, with which sinabs and Rockpool import, runs a node as soon as one of its sources has run, whatever
the others do; Spyx follows one edge from each node and leaves the rest of the network out.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ....toolchain.errors import GraphError
from ....toolchain.graph.nodes.base import need
from ..tree import Leaf, Tree
from .ode import KINDS

NEURONS = frozenset(KINDS.values())
FIX = "cut it into files without branches, or take another dialect"


def chain(tree: Tree) -> tuple[str, ...]:
    """The names from the input to the output; a GraphError where the tree is not one chain."""
    following: dict[str, str] = {}
    for source, target in tree.edges:
        if source in following or target in following.values():
            at = source if source in following else target
            raise GraphError(f"'{at}'", "a branch", "a chain: the importer runs no other right", FIX)
        following[source] = target
    starts = ends(tree, "Input")
    need(len(starts) == 1, "inputs", str(len(starts)), "one, for this importer")
    found = [starts[0]]
    while found[-1] in following and len(found) <= len(tree.nodes):
        found.append(following[found[-1]])
    need(set(found) == set(tree.nodes), "network", "nodes that the input does not lead to", "one chain")
    return tuple(found)


def ends(tree: Tree, kind: str) -> tuple[str, ...]:
    """The names of its inputs, or of its outputs."""
    return tuple(name for name, node in tree.nodes.items() if isinstance(node, Leaf) and node.kind == kind)


def changed(tree: Tree, nodes: dict[str, Leaf | Tree]) -> Tree:
    """The tree with these nodes in the place of those that it has under their names."""
    return replace(tree, nodes={name: nodes.get(name, node) for name, node in tree.nodes.items()})


def without(tree: Tree, name: str) -> Tree:
    """The tree without a node; what it read goes to all that read it."""
    sources = [source for source, target in tree.edges if target == name]
    edges: list[tuple[str, str]] = []
    for source, target in tree.edges:
        if source == name:
            edges += [(each, target) for each in sources]
        elif target != name:
            edges.append((source, target))
    return replace(tree, nodes={key: node for key, node in tree.nodes.items() if key != name}, edges=tuple(edges))


def every(tree: Tree) -> list[Leaf]:
    """All of its nodes, those in sub-graphs too."""
    found: list[Leaf] = []
    for node in tree.nodes.values():
        found += every(node) if isinstance(node, Tree) else [node]
    return found


def neurons(tree: Tree) -> list[Leaf]:
    """All of its neurons, those in sub-graphs too."""
    return [leaf for leaf in every(tree) if leaf.kind in NEURONS]


def learned(tree: Tree) -> bool:
    """Whether it has weights and all are in float32, as frameworks train them; numbers made by hand are in float64."""
    found = [np.asarray(leaf.values["weight"]) for leaf in every(tree) if "weight" in leaf.values]
    return bool(found) and all(weight.dtype == np.float32 for weight in found)
