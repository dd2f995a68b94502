"""A network cut into pieces, each a network of its own: those that some target takes, and those of the host beside it.

A loop stays in one piece. No way leads out of a piece and back into it, so the pieces run one after the other, each
over all steps at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..toolchain.errors import SpikeportError
from ..toolchain.graph import Graph, Node, Wire
from ..toolchain.graph.nodes import Input, Output
from .nir.naming_in import Taken
from .nir.wiring import loops_of

ENDS = (Input, Output)
LOOP = "in a loop with what cannot be taken"
"""Why a node is the host's that could be taken by itself."""


@dataclass(frozen=True)
class Piece:
    """Some nodes as a network of its own.

    Args:
        graph: the network.
        reads: its inputs → the nodes they stand for.
        sends: its outputs → the nodes they hand out.
        host: whether it is the host's.
    """

    graph: Graph
    reads: Mapping[str, str]
    sends: Mapping[str, str]
    host: bool

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes of the whole network that it holds."""
        return tuple(name for name, node in self.graph.nodes.items() if not isinstance(node, ENDS))


def alone(flat: Graph, names: Sequence[str], called: str, *, host: bool) -> Piece:
    """Some nodes of a network without graphs in it, as a network of their own; its inputs promise what really comes."""
    inside = set(names)
    read = dict.fromkeys(wire.source for name in names for wire in flat.wires[name] if wire.source not in inside)
    sent = [name for name in names if any(edge.target not in inside for edge in flat.readers(name))]
    taken = Taken(flat.nodes)
    entries, exits = (
        {name: taken.free(f"{name}.{word}") for name in held} for held, word in ((read, "in"), (sent, "out"))
    )
    nodes: dict[str, Node] = {entry: _entry(flat, name) for name, entry in entries.items()}
    nodes |= {name: flat.nodes[name] for name in names} | {each: Output() for each in exits.values()}
    wires = {
        name: tuple(Wire(entries.get(wire.source, wire.source), wire.delayed) for wire in flat.wires[name])
        for name in names
    }
    wires |= {each: (Wire(name),) for name, each in exits.items()}
    graph = Graph(nodes, wires, flat.dt, called)
    return Piece(
        graph, {each: name for name, each in entries.items()}, {each: name for name, each in exits.items()}, host
    )


def _entry(flat: Graph, name: str) -> Input:
    return Input(flat.signals[name].shape, str(flat.signals[name].carries))


def blamed(flat: Graph, reason: SpikeportError) -> str | None:
    """The node that a reason is about: who refuses puts words behind a node's name."""
    place = reason.where.partition(" ")[0].rstrip(",")
    found = [name for name, node in flat.nodes.items() if place.startswith(name) and not isinstance(node, ENDS)]
    return max(found, key=len, default=None)


def with_loops(flat: Graph, host: Collection[str]) -> set[str]:
    """These nodes, and every loop with one of them in it as a whole."""
    chosen = set(host)
    return chosen.union(*(members for members in loops_of(flat.wires) if members & chosen))


def in_turns(flat: Graph, host: Collection[str]) -> list[Piece]:
    """As many pieces as the network changes sides: what needs nothing of the host, what it makes of that, and so on."""
    level = levels(flat, host)
    found: list[Piece] = []
    for number in sorted(set(level.values())):
        names = [name for name in flat.nodes if level.get(name) == number]
        found.append(alone(flat, names, f"{flat.name}.{len(found)}", host=number % 2 == 1))
    return found


def levels(flat: Graph, host: Collection[str]) -> dict[str, int]:
    """How often the network changes sides up to each node: odd on the host."""
    level = {name: int(name in host) for name, node in flat.nodes.items() if not isinstance(node, ENDS)}
    while True:
        before = dict(level)
        for name in level:
            for source in (wire.source for wire in flat.wires[name] if wire.source in level):
                level[name] = max(level[name], level[source] + ((source in host) != (name in host)))
        if level == before:
            return level


def connected(flat: Graph, host: Collection[str]) -> list[set[str]]:
    """The sets of nodes that are not the host's and hang together, as large as they can be.

    They begin as what hangs together between two turns of the host; two that a wire joins become one where no way leads
    from one to the other past both.
    """
    level, own = (
        _beside_readers(flat, host),
        {name for name in flat.nodes if not isinstance(flat.nodes[name], ENDS)} - set(host),
    )
    reads = {name: {wire.source for wire in flat.wires[name]} & own for name in own}
    groups = _joined([{name} for name in own], ((a, b) for b in own for a in reads[b] if level[a] == level[b]))
    onward: dict[str, set[str]] = {name: set() for name in flat.nodes}
    for edge in flat.edges:
        onward[edge.source].add(edge.target)
    while True:
        pair = next((pair for pair in _neighbours(groups, reads) if not _past(onward, *pair)), None)
        if pair is None:
            return sorted(groups, key=lambda group: min(flat.order.index(name) for name in group))
        groups = [group for group in groups if group not in pair] + [pair[0] | pair[1]]


def _beside_readers(flat: Graph, host: Collection[str]) -> dict[str, int]:
    """`levels`, but what remembers nothing is as late as the first that reads it: a layer belongs to its neurons."""
    level = levels(flat, host)
    readers: dict[str, list[str]] = {name: [] for name in flat.nodes}
    for edge in flat.edges:
        readers[edge.source] += [edge.target] if edge.target in level else []
    for name in reversed(flat.order):
        if name in level and name not in host and not flat.nodes[name].stateful and readers[name]:
            level[name] = min(level[each] - (each in host) for each in readers[name])
    return level


def _joined(groups: list[set[str]], pairs: Iterable[tuple[str, str]]) -> list[set[str]]:
    where = {name: group for group in groups for name in group}
    for a, b in pairs:
        if where[a] is not where[b]:
            where[a] |= where[b]
            where |= dict.fromkeys(where[b], where[a])
    return list({id(group): group for group in where.values()}.values())


def _neighbours(groups: list[set[str]], reads: Mapping[str, set[str]]) -> Iterable[tuple[set[str], set[str]]]:
    """Pairs of sets of which the second reads the first."""
    for second in groups:
        sources = set[str]().union(*(reads[name] for name in second)) - second
        yield from ((first, second) for first in groups if first is not second and first & sources)


def _past(onward: Mapping[str, set[str]], first: set[str], second: set[str]) -> bool:
    """Whether a way leads from one set to the other, or from it back to itself, past both."""
    both = first | second
    seen, waiting = set[str](), [name for each in both for name in onward[each] - both]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += onward[name]
    return bool(seen & both)


def in_order(flat: Graph, groups: Sequence[set[str]]) -> list[tuple[list[str], bool]]:
    """Sets that hang together, and what the host does between them, in an order in which they run.

    Returns:
        The nodes of each, and whether it is the host's.
    """
    member = {name: number for number, group in enumerate(groups) for name in group}
    waiting = [name for name in flat.order if not isinstance(flat.nodes[name], ENDS)]
    needs = {name: {wire.source for wire in flat.wires[name]} & set(waiting) for name in waiting}
    done: set[str] = set()
    found: list[tuple[list[str], bool]] = []
    while waiting:
        mine = _ready(waiting, needs, done, member)
        if mine:
            found.append((mine, True))
        else:
            number = next(
                n for n, group in enumerate(groups) if not group & done and all(needs[x] <= done | group for x in group)
            )
            found.append(([name for name in flat.nodes if name in groups[number]], False))
        done |= set(found[-1][0])
        waiting = [name for name in waiting if name not in done]
    return found


def _ready(
    waiting: Sequence[str], needs: Mapping[str, set[str]], done: set[str], member: Mapping[str, int]
) -> list[str]:
    """All that the host can do now; a loop of its own, where each node waits for another of it, as a whole."""
    host = [name for name in waiting if name not in member]
    found = set(host)
    while True:
        late = {name for name in found if not needs[name] <= done | found}
        if not late:
            return [name for name in host if name in found]
        found -= late
