"""A graph cut into parts that run one after the other, window by window.

A part is one node that is on no loop, or all nodes of the loops that hang together (a strongly connected component,
with delayed wires counted): these have to run step by step. Each part comes after all parts it reads from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..graph import Wire


@dataclass(frozen=True)
class Part:
    """Nodes that run together.

    Args:
        names: the nodes, in an order in which one step can run.
        loops: whether they have to run step by step.
    """

    names: tuple[str, ...]
    loops: bool


def parts_of(order: Sequence[str], wires: Mapping[str, Sequence[Wire]]) -> tuple[Part, ...]:
    """The parts of a graph, sources before readers.

    Args:
        order: the nodes in an order in which one step can run.
        wires: the inputs of each node.
    """
    sources = {name: tuple(wire.source for wire in wires[name]) for name in order}
    place = {name: index for index, name in enumerate(order)}
    found = (sorted(names, key=place.__getitem__) for names in _components(order, sources))
    return tuple(Part(tuple(names), len(names) > 1 or names[0] in sources[names[0]]) for names in found)


def _components(order: Sequence[str], sources: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Tarjan's strongly connected components, without recursion; each comes after all that its nodes read from."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    waiting: list[str] = []
    held: set[str] = set()
    for root in order:
        if root in number:
            continue
        path = [(root, iter(sources[root]))]
        _enter(root, number, low, waiting, held)
        while path:
            name, rest = path[-1]
            unseen = _next_unseen(name, rest, number, low, held)
            if unseen is not None:
                _enter(unseen, number, low, waiting, held)
                path.append((unseen, iter(sources[unseen])))
                continue
            path.pop()
            if path:
                low[path[-1][0]] = min(low[path[-1][0]], low[name])
            if low[name] == number[name]:
                yield list(_taken(name, waiting, held))


def _enter(name: str, number: dict[str, int], low: dict[str, int], waiting: list[str], held: set[str]) -> None:
    number[name] = low[name] = len(number)
    waiting.append(name)
    held.add(name)


def _next_unseen(
    name: str, rest: Iterator[str], number: dict[str, int], low: dict[str, int], held: set[str]
) -> str | None:
    for source in rest:
        if source not in number:
            return source
        if source in held:
            low[name] = min(low[name], number[source])
    return None


def _taken(name: str, waiting: list[str], held: set[str]) -> Iterator[str]:
    while True:
        last = waiting.pop()
        held.remove(last)
        yield last
        if last == name:
            return
