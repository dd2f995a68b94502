"""Which nodes of a NIR graph stand in a loop with each other."""

from __future__ import annotations

from collections.abc import Mapping

from .tree import Tree


def cycles(tree: Tree) -> list[frozenset[str]]:
    """The nodes of each loop, or of each bundle of loops that share a node, sorted by name."""
    after: dict[str, list[str]] = {name: [] for name in tree.nodes}
    for source, target in tree.edges:
        after.get(source, []).append(target)
    reached = {name: _reached(after, name) for name in after}
    bundles = {frozenset(b for b in reached[a] if a in reached[b]) for a in reached if a in reached[a]}
    return sorted(bundles, key=sorted)


def _reached(after: Mapping[str, list[str]], start: str) -> frozenset[str]:
    """What edges lead to from here, in one step or more."""
    found: set[str] = set()
    new = [start]
    while new:
        ends = [target for target in after[new.pop()] if target not in found and target in after]
        found.update(ends)
        new.extend(ends)
    return frozenset(found)
