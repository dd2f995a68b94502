"""The order in which nirtorch's GraphExecutor runs a graph: depth first from its input, along edges in their order.

A node that runs before another that it reads gets what that one sent a step ago. That is right on the edge that closes
a loop and wrong everywhere else, so the edges are put in an order with which it never happens, where there is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ....toolchain.errors import GraphError
from ..tree import Tree

Edges = Sequence[tuple[str, str]]


def runnable(tree: Tree) -> Tree:
    """The tree, and every tree in it, with edges in an order that the executor runs rightly; else a GraphError."""
    nodes = {name: runnable(node) if isinstance(node, Tree) else node for name, node in tree.nodes.items()}
    edges = tree.edges
    if late(edges):
        depth = _depths(edges)
        edges = tuple(sorted(edges, key=lambda edge: -depth[edge[1]]))
    found = late(edges)
    if found is not None:
        source, target = found
        fix = "put one behind the other, or write it for another framework"
        raise GraphError(target, f"reads {source}, which Norse runs after it, a step late", "one branch", fix)
    return replace(tree, nodes=nodes, edges=edges)


def late(edges: Edges) -> tuple[str, str] | None:
    """An edge from a node that runs later, and closes no loop."""
    place = {name: at for at, name in enumerate(_order(edges))}
    after = _followers(edges)
    back = (edge for edge in edges if place[edge[0]] > place[edge[1]])
    return next((edge for edge in back if edge[0] not in _reached(after, edge[1])), None)


def _followers(edges: Edges) -> dict[str, list[str]]:
    after: dict[str, list[str]] = {name: [] for edge in edges for name in edge}
    for source, target in edges:
        after[source].append(target)
    return after


def _order(edges: Edges) -> Iterator[str]:
    after = _followers(edges)
    targets = {target for _, target in edges}
    stack, seen = [name for name in reversed(after) if name not in targets], set[str]()
    while stack:
        name = stack.pop()
        if name not in seen:
            seen.add(name)
            yield name
            stack.extend(reversed(after[name]))


def _reached(after: Mapping[str, list[str]], start: str) -> set[str]:
    seen, stack = set[str](), [start]
    while stack:
        name = stack.pop()
        if name not in seen:
            seen.add(name)
            stack.extend(after[name])
    return seen


def _depths(edges: Edges) -> dict[str, int]:
    """How long the longest way from a node to an end is, loops left out."""
    after = _followers(edges)
    place = {name: at for at, name in enumerate(_order(edges))}
    depth = dict.fromkeys(after, 0)
    for _ in after:
        for source, target in edges:
            loop = source in _reached(after, target)
            if not loop or place[source] < place[target]:
                depth[source] = max(depth[source], min(depth[target] + 1, len(after)))
    return depth
