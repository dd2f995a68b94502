"""The order in which nirtorch builds a network: the nodes of the file, each of them once all it reads is there."""

from __future__ import annotations

from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from ..cycles import cycles
from ..tree import Tree


def sorted_nodes(tree: Tree) -> Tree:
    """The tree, and every tree in it, with each node behind all that it reads; in a loop, behind what is outside."""
    inside = {name: loop for loop in cycles(tree) for name in loop}
    before: dict[str, set[str]] = {name: set() for name in tree.nodes}
    for source, target in tree.edges:
        before[target].add(source)
    for name, loop in inside.items():
        if before[name] - loop:
            before[name] -= loop
    try:
        order = tuple(TopologicalSorter(before).static_order())
    except CycleError:  # a loop within a loop
        order = tuple(tree.nodes)
    nodes = {name: tree.nodes[name] for name in order}
    return replace(tree, nodes={k: sorted_nodes(each) if isinstance(each, Tree) else each for k, each in nodes.items()})
