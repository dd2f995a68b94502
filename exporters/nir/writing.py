"""From a graph to the tree of a NIR file, and the facts that stand beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ...toolchain.errors import GraphError, Refused, SpikeportError
from ...toolchain.graph import Graph
from ...toolchain.graph.nodes import Add, Conv, Firing, Input, Integrating, Output
from ...toolchain.graph.nodes.base import need
from .dialects import dialect as dialect_of
from .dialects.base import Dialect
from .facts import Facts, NeuronFacts
from .layers import Place, leaf_of
from .lowering import lowered
from .neurons import kind_of, neuron_leaf, unsaid_remarks
from .tree import Leaf, Tree
from .windows import checked_by_nir
from .wiring import Joined, Wiring, joined, wiring_of


@dataclass(frozen=True)
class Written:
    """A network as NIR says it.

    Args:
        tree: what the file will hold.
        facts: what NIR cannot say.
        remarks: what whoever reads the file has to know.
        graph: the graph that the tree says: the network once everything is lowered.
    """

    tree: Tree
    facts: Facts
    remarks: tuple[str, ...]
    graph: Graph


def to_tree(graph: Graph, dialect: str = "ode") -> Written:
    """A graph as a NIR file says it.

    Args:
        graph: the network.
        dialect: which framework's importer shall run it as it is meant.

    Raises:
        Refused: when NIR, or the dialect, cannot say it, with every reason.
    """
    chosen = dialect_of(dialect)
    try:
        said, passes, reasons = lowered(graph, chosen)
    except GraphError as error:
        raise Refused(f"{graph.name} as NIR", [error]) from error
    wiring = wiring_of(said, chosen.loops)
    leaves = Leaves(said, chosen, reasons)
    _check_loops(wiring, chosen, reasons)
    if reasons:
        raise Refused(f"{graph.name} as NIR", reasons)
    found = joined(said, wiring, leaves.leaves)
    facts = _facts(graph, said, wiring, found, leaves, passes, chosen)
    tree = replace(found.tree, metadata={**found.tree.metadata, **facts.metadata()})
    try:
        tree = chosen.finish(tree) if chosen.finish is not None else tree
    except GraphError as error:
        raise Refused(f"{graph.name} as NIR", [error]) from error
    remarks = [*passes, *_remarks(said, wiring, leaves, chosen), *(chosen.warns(tree) if chosen.warns else ())]
    return Written(tree, facts, tuple(remarks), said)


FLAT = "give it one axis of size one"


class Leaves:
    """Every node as a node of NIR.

    Args:
        graph: the graph, lowered.
        dialect: the dialect.
        reasons: where reasons go for nodes that cannot be written.
    """

    def __init__(self, graph: Graph, dialect: Dialect, reasons: list[SpikeportError]) -> None:
        self.leaves: dict[str, Leaf] = {}
        self.kinds: dict[str, str] = {}
        self.neurons: dict[str, NeuronFacts] = {}
        self.unsaid: dict[str, tuple[str, ...]] = {}
        kind = kind_of(graph)
        for name in graph.order:
            node = graph.nodes[name]
            if isinstance(node, Add):
                continue
            try:
                need(len(graph.signals[name].shape) > 0, "output", "a shape without axes", "one axis or more", FLAT)
                if isinstance(node, Integrating):
                    shape = graph.signals[name].shape
                    written = neuron_leaf(node, shape, dialect, graph.dt, kind)
                    self.leaves[name], self.neurons[name], self.unsaid[name] = (
                        written.leaf,
                        written.facts,
                        written.unsaid,
                    )
                else:
                    self._layer(graph, dialect, name)
                _check_taken(self.leaves[name], dialect)
            except GraphError as error:
                reasons.append(error.inside(f"{name} ({node.kind})"))

    def _layer(self, graph: Graph, dialect: Dialect, name: str) -> None:
        sent = graph.signals[name].shape
        received = graph.received(name)[0].shape if graph.wires[name] else sent
        place = Place(received, sent, graph.dt, dialect.batched)
        self.leaves[name], word = leaf_of(graph.nodes[name], place)
        if word:
            self.kinds[name] = word


def _check_taken(leaf: Leaf, dialect: Dialect) -> None:
    """The importer reads this type of node."""
    if dialect.takes and leaf.kind not in dialect.takes and leaf.kind not in ("Input", "Output"):
        expected = f"one that {dialect.name}'s importer reads: {', '.join(sorted(dialect.takes))}"
        raise GraphError("kind", f"{leaf.kind} in NIR", expected, "write it in another dialect")


def _check_loops(wiring: Wiring, dialect: Dialect, reasons: list[SpikeportError]) -> None:
    """The importer reads recurrent networks."""
    if dialect.loops == "none":
        reasons.extend(
            GraphError(", ".join(sorted(members)), "a loop", f"none: {dialect.name}'s importer reads no loops")
            for members in wiring.cycles
        )


def _facts(
    graph: Graph, said: Graph, wiring: Wiring, found: Joined, leaves: Leaves, passes: tuple[str, ...], dialect: Dialect
) -> Facts:
    paths = found.paths
    inputs = {name: node for name, node in said.nodes.items() if isinstance(node, Input)}
    outputs = {name: node for name, node in said.nodes.items() if isinstance(node, Output)}
    return Facts(
        dialect=dialect.name,
        dt=said.dt,
        name=said.name,
        notes=graph.notes,
        passes=passes,
        inputs={paths[name]: node.carries for name, node in inputs.items()},
        outputs={paths[name]: node.readout for name, node in outputs.items()},
        names={path: name for name, path in paths.items() if path != name},
        delayed=found.delayed,
        sums={paths[name]: each for name, each in wiring.sums.items()},
        neurons={paths[name]: each for name, each in leaves.neurons.items()},
        kinds={paths[name]: each for name, each in leaves.kinds.items()},
    )


def _remarks(said: Graph, wiring: Wiring, leaves: Leaves, dialect: Dialect) -> list[str]:
    """What another reader would get wrong."""
    found = [f"a step is {said.dt:g} s, which only the metadata say: readers have to be told"] if leaves.neurons else []
    found += unsaid_remarks(leaves.unsaid)
    if dialect.name == "ode":
        found += [text for text in (_beyond(said, what, rule) for what, rule in BEYOND.items()) if text]
    unchecked = [name for name, node in said.nodes.items() if isinstance(node, Conv) and not _checks(said, name, node)]
    if unchecked:
        found.append(
            f"{', '.join(unchecked)}: nir's own check is wrong about it; read it by nir.read(path, type_check=False)"
        )
    if wiring.cycles and dialect.loops == "subgraph":
        nodes = [", ".join(sorted(members)) for members in wiring.cycles]
        found.append(
            f"{'; '.join(nodes)}: a loop with several ways in or out is written as a cycle, not as a sub-graph"
        )
    return found


def _checks(said: Graph, name: str, node: Conv) -> bool:
    return checked_by_nir(node, said.received(name)[0].shape[1:], said.signals[name].shape[1:])


BEYOND: Mapping[str, Callable[[Integrating], bool]] = {
    "are reset by subtraction": lambda node: isinstance(node, Firing) and node.reset == "subtract",
    "are never reset": lambda node: isinstance(node, Firing) and node.reset == "none",
    "are reset in the step after the spike": lambda node: isinstance(node, Firing) and node.when == "next",
    "compare with what is left of the last spike": lambda node: isinstance(node, Firing) and node.when == "guarded",
    "fire at v = θ already": lambda node: isinstance(node, Firing) and node.at_least,
    "decay by exp(−dt/τ)": lambda node: node.rule == "exact",
}
"""What only the metadata say about neurons, and which say it."""


def _beyond(said: Graph, what: str, rule: Callable[[Integrating], bool]) -> str:
    names = [name for name, node in said.nodes.items() if isinstance(node, Integrating) and rule(node)]
    return f"{', '.join(names)}: {what}, which only the metadata say" if names else ""
