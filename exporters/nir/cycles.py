"""Which nodes of a NIR graph stand in a loop with each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .tree import Tree


def cycles(tree: Tree) -> list[frozenset[str]]:
    """The nodes of each loop, or of each bundle of loops that share a node, sorted by name."""
    after: dict[str, list[str]] = {name: [] for name in tree.nodes}
    for source, target in tree.edges:
        if source in after and target in after:
            after[source].append(target)
    return sorted(bundles(after), key=sorted)


def bundles(after: Mapping[str, Sequence[str]]) -> list[frozenset[str]]:
    """The nodes of each bundle of loops that share a node, where `after` says which nodes each one leads to."""
    walk = _Walk(after)
    for name in after:
        if name not in walk.index:
            walk.take(name)
    return walk.found


class _Walk:
    """Tarjan's search for components, without recursion: its time grows with nodes and edges alone.

    Args:
        after: the nodes that each one leads to.
    """

    def __init__(self, after: Mapping[str, Sequence[str]]) -> None:
        self.after = after
        self.index: dict[str, int] = {}
        self.low: dict[str, int] = {}
        self.open: dict[str, None] = {}
        self.found: list[frozenset[str]] = []

    def take(self, root: str) -> None:
        """Everything that can be reached from here."""
        work = [(root, iter(self.after[self._met(root)]))]
        while work:
            name, rest = work[-1]
            following = next(rest, None)
            if following is None:
                work.pop()
                if work:
                    above = work[-1][0]
                    self.low[above] = min(self.low[above], self.low[name])
                if self.low[name] == self.index[name]:
                    self._close(name)
            elif following not in self.index:
                work.append((following, iter(self.after[self._met(following)])))
            elif following in self.open:
                self.low[name] = min(self.low[name], self.index[following])

    def _met(self, name: str) -> str:
        self.index[name] = self.low[name] = len(self.index)
        self.open[name] = None
        return name

    def _close(self, name: str) -> None:
        """The component whose first node this is, if it is a loop."""
        parts: set[str] = set()
        while name not in parts:
            part, _ = self.open.popitem()
            parts.add(part)
        if len(parts) > 1 or name in self.after[name]:
            self.found.append(frozenset(parts))
