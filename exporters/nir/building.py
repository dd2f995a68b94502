"""From nodes of NIR to a graph: every node in an order in which its inputs come first, with what comes in known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import cast

from ...toolchain.graph import Graph, Node, Wire
from ...toolchain.graph.inference import order_of
from ...toolchain.graph.nodes import Add
from ...toolchain.graph.nodes.base import need
from ...toolchain.graph.nodes.ends import Readout
from ...toolchain.graph.signal import Signal
from .edges_in import NEURONS
from .flat import Flat
from .kinds_in import PASS
from .layers_in import LAYERS
from .loops_in import Closing, closing
from .meaning import Meaning
from .naming_in import Taken, named
from .neurons_in import Shape, whole
from .place_in import Nodes, Place, known_counts
from .said import Said
from .tree import Leaf

FIRES = frozenset({"IF", "LIF", "CubaLIF"})
SPACES = {"Conv1d": 1, "Conv2d": 2, "SumPool2d": 2, "AvgPool2d": 2}
CLOSED = 3
"""How many wires of loops a remark names."""


@dataclass
class Build:
    """A graph as it grows.

    Args:
        flat: the nodes of NIR.
        meaning: how they are read.
        said: where remarks and reasons go.
        nodes: of the graph.
        wires: of the graph.
        shapes: of what each node of NIR sends, by path, as far as known.
        sure: the nodes of which that is more than a guess; in loops it may be one.
        names: of the graph's nodes, by path.
        taken: the names that are given.
    """

    flat: Flat
    meaning: Meaning
    said: Said
    nodes: dict[str, Node] = field(default_factory=dict)
    wires: dict[str, tuple[Wire, ...]] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)
    sure: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    taken: Taken = field(default_factory=Taken)

    def graph(self, name: str) -> Graph:
        """The graph.

        Raises:
            GraphError: when it cannot be one.
        """
        facts = self.meaning.facts
        shape = facts.name if facts is not None else name
        notes = facts.notes if facts is not None else {}
        return Graph(self._ordered(), self.wires, self.meaning.told.dt, shape, notes)

    def _ordered(self) -> dict[str, Node]:
        """Inputs and outputs in the order that the network had."""
        facts = self.meaning.facts
        if facts is None:
            return self.nodes
        ends = [self.names[path] for path in (*facts.inputs, *facts.outputs) if self.names.get(path) in self.nodes]
        return {name: self.nodes[name] for name in (*ends, *(n for n in self.nodes if n not in set(ends)))}


def built(flat: Flat, meaning: Meaning, said: Said, readers_of: dict[str, list[str]]) -> Build:
    """The nodes and wires of a graph, with reasons where there can be none."""
    build = Build(flat, meaning, said)
    closed = _closing(build)
    if said.reasons:
        return build
    facts = meaning.facts
    build.names.update(named(flat.nodes, facts.names if facts is not None else {}, said))
    build.taken.names.update(build.names.values())
    wires = {
        name: tuple(Wire(source, (source, name) in closed.delayed) for source in sources)
        for name, sources in flat.sources.items()
    }
    for path in order_of(cast("dict[str, Node]", flat.nodes), wires):
        _take(build, path, wires[path], closed, readers_of[path])
    return build


def _closing(build: Build) -> Closing:
    """The wires that close loops: as Spikeport wrote, or those on which neurons send into their loop."""
    flat, facts = build.flat, build.meaning.facts
    kinds = {path: leaf.kind for path, leaf in flat.nodes.items()}
    neurons = frozenset(path for path, kind in kinds.items() if kind in NEURONS)
    fires = frozenset(path for path, kind in kinds.items() if kind in FIRES)
    told = frozenset(facts.delayed) if facts is not None else frozenset()
    there = frozenset((a, b) for b, sources in flat.sources.items() for a in sources)
    sources = {b: [a for a in each if (a, b) not in told] for b, each in flat.sources.items()}
    delays = frozenset() if facts is not None else frozenset(_waiting(build))
    found = closing(sources, flat.of_kind("Input"), neurons, fires, delays)
    if found.stuck:
        around = [*found.stuck[:8], *(["…"] if len(found.stuck) > 8 else []), found.stuck[0]]
        text = f"a loop without a neuron, {' → '.join(around)}"
        build.said.reasons.append(build.said.error("edges", text, "a neuron or a Delay in every loop"))
    for edge in sorted(told - there):
        build.said.remark("", f"its facts name an edge {edge[0][:80]} → {edge[1][:80]} that is not there")
    _remark_closed(build.said, found)
    return replace(found, delayed=found.delayed | told)


def _remark_closed(said: Said, found: Closing) -> None:
    edges = sorted(found.delayed)
    if edges:
        some = ", ".join(f"{a} → {b}" for a, b in edges[:CLOSED]) + (", …" if len(edges) > CLOSED else "")
        said.remark("", f"loops are closed one step later, on {some}")


def _waiting(build: Build) -> list[str]:
    """The Delay nodes of one step or more."""
    found = []
    for path in build.flat.of_kind("Delay"):
        delay = build.flat.nodes[path].values.get("delay")
        if delay is None or isinstance(delay, str) or not delay.size or delay.dtype.kind not in "iuf":
            continue
        if float(delay.min()) > build.meaning.told.dt / 2:
            found.append(path)
    return found


def _take(build: Build, path: str, wires: tuple[Wire, ...], closed: Closing, readers: list[str]) -> None:
    """One more node."""
    leaf = build.flat.nodes[path]
    known = [build.shapes[wire.source] for wire in wires if wire.source in build.shapes]
    sure = all(wire.source in build.sure for wire in wires)
    inputs = tuple(Wire(build.names[wire.source], wire.delayed) for wire in wires)
    with build.said.at(path):
        shape = _sum(known)
        if leaf.kind in NEURONS:
            parts: Nodes = [("", build.meaning.neuron(path, whole(path, leaf, shape, build.said), build.said))]
        elif leaf.kind == PASS:
            parts = []
            need(len(wires) > 1, "edges", f"{len(wires)} edges into it", "one or more")
        else:
            parts = LAYERS[leaf.kind](leaf, _place(build, path, shape, closed, readers))
        for _, node in parts:
            if shape is not None or node.arity == (0, 0):
                received = [] if shape is None else [Signal(shape)]
                shape = (node.signal(received) if sure else node.guess(received)).shape
        _put(build, path, parts, inputs)
        if shape is not None:
            build.shapes[path] = shape
            build.sure |= {path} if sure else set()


def _sum(shapes: list[Shape]) -> Shape | None:
    """The shape of what comes in, as far as it is known."""
    return Add().signal([Signal(shape) for shape in shapes]).shape if shapes else None


def _put(build: Build, path: str, parts: Nodes, wires: tuple[Wire, ...]) -> None:
    """The nodes of a layer in a row, behind an Add where several edges come in."""
    name, facts = build.names[path], build.meaning.facts
    if len(wires) > 1:
        own = facts.sums.get(path, f"{name}.sum") if facts is not None else f"{name}.sum"
        shared = parts and isinstance(build.nodes.get(own), Add) and build.wires[own] == wires
        wires = (Wire(own if shared else _add(build, own if parts else name, Add(), wires, own=not parts)),)
    for suffix, node in parts:
        wires = (Wire(_add(build, f"{name}{suffix}", node, wires, own=not suffix)),)


def _add(build: Build, name: str, node: Node, wires: Iterable[Wire], *, own: bool = False) -> str:
    """One more node of the graph; its own name is kept for it."""
    found = name if own else build.taken.free(name)
    build.nodes[found], build.wires[found] = node, tuple(wires)
    return found


def _place(build: Build, path: str, shape: Shape | None, closed: Closing, readers: list[str]) -> Place:
    facts, leaves = build.meaning.facts, build.flat.nodes
    readout = facts.outputs.get(path, "steps") if facts is not None else "steps"
    return Place(
        path,
        shape,
        build.said,
        build.meaning.told.dt,
        tuple(w for r in readers if (w := _width(leaves[r])) is not None),
        facts.inputs.get(path, "graded") if facts is not None else "graded",
        cast(Readout, readout),
        path in closed.shorter,
        build.meaning.dialect.batched,
        facts.kinds.get(path, "") if facts is not None else "",
        tuple(
            (SPACES[leaves[r].kind], known_counts(leaves[r], "input_shape"))
            for r in readers
            if leaves[r].kind in SPACES
        ),
    )


def _width(leaf: Leaf) -> int | None:
    weight = leaf.values.get("weight")
    plain = leaf.kind in ("Linear", "Affine") and weight is not None and not isinstance(weight, str)
    return int(weight.shape[-1]) if plain and weight.ndim >= 2 else None  # type: ignore[union-attr]
