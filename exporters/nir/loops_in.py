"""Which wires of a network hand on one step later, so that every loop can run step by step.

NIR's loops are equations in continuous time. In steps, a neuron's spike can come back to it in the next step at the
earliest: the wire on which a neuron sends into the loop is the delayed one. A Delay in a loop is later already: one
step of it is the wire's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .cycles import bundles

Sources = Mapping[str, list[str]]
Edge = tuple[str, str]


@dataclass(frozen=True)
class Closing:
    """How loops are closed.

    Args:
        delayed: the edges that hand on one step later.
        shorter: the Delay nodes that are one step shorter for it.
        stuck: the nodes of a loop that nothing delays; empty when there is none.
    """

    delayed: frozenset[Edge]
    shorter: frozenset[str] = frozenset()
    stuck: tuple[str, ...] = ()


def closing(
    sources: Sources, starts: Iterable[str], neurons: frozenset[str], fires: frozenset[str], delays: frozenset[str]
) -> Closing:
    """The wires that close the loops of a network.

    Args:
        sources: for each node, the nodes it reads from.
        starts: where values come in.
        neurons: the nodes that remember a voltage.
        fires: those of them that fire.
        delays: the Delay nodes of one step or more.
    """
    looped = _looped(sources)
    shorter = frozenset(delays & looped)
    delayed = {(source, name) for name in shorter for source in sources[name]}
    stuck = _circle(sources, delayed, neurons)
    if stuck:
        return Closing(frozenset(delayed), shorter, stuck)
    readers: dict[str, list[str]] = {name: [] for name in sources}
    for name, each in sources.items():
        for source in each:
            if (source, name) not in delayed:
                readers[source].append(name)
    for path, first in _back_edges(readers, [*starts, *sources]):
        delayed.add(_on_the_way(path, first, sources, readers, (fires, neurons)))
    return Closing(frozenset(delayed), shorter)


def _looped(sources: Sources) -> frozenset[str]:
    """The nodes that stand in a loop."""
    return frozenset(name for bundle in bundles(sources) for name in bundle)


def _circle(sources: Sources, delayed: set[Edge], neurons: frozenset[str]) -> tuple[str, ...]:
    """A loop without a neuron and without a delay, if there is one."""
    left = {
        name: [s for s in each if s not in neurons and (s, name) not in delayed]
        for name, each in sources.items()
        if name not in neurons
    }
    looped = _looped(left)
    if not looped:
        return ()
    name = min(looped)
    seen: dict[str, None] = {}
    while name not in seen:
        seen[name] = None
        name = next(source for source in left[name] if source in looped)
    around = list(seen)
    return tuple(reversed(around[around.index(name) :]))


def _back_edges(readers: Mapping[str, list[str]], starts: Iterable[str]) -> Iterator[tuple[list[str], int]]:
    """For each edge that closes a loop on the way from the starts: the way to its source, the place of its target."""
    done: set[str] = set()
    place: dict[str, int] = {}
    path: list[str] = []
    for start in starts:
        if start in done:
            continue
        work = [(start, iter(readers[start]))]
        place[start] = 0
        path.append(start)
        while work:
            name, rest = work[-1]
            following = next(rest, None)
            if following is None:
                work.pop()
                path.pop()
                del place[name]
                done.add(name)
            elif following in place:
                yield path, place[following]
            elif following not in done:
                place[following] = len(path)
                path.append(following)
                work.append((following, iter(readers[following])))


def _on_the_way(
    path: list[str], first: int, sources: Sources, readers: Mapping[str, list[str]], choices: Iterable[frozenset[str]]
) -> Edge:
    """The edge on which the last neuron of a loop sends into it, if what follows it has this way alone."""
    for chosen in choices:
        after = path[first]
        for place in range(len(path) - 1, first - 1, -1):
            name = path[place]
            if name in chosen:
                return name, after
            if len(sources[name]) != 1 or len(readers[name]) != 1:
                break
            after = name
    return path[-1], path[first]
