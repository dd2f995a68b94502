"""Which node of one network is the counterpart of which of the other, and how much later it sends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import UsageError
from ..graph import Graph
from ..graph.nodes import Firing, Integrating
from ..graph.signal import Signal
from ..loihi.chip_graph import ChipGraph
from ..loihi.places import Place, read_places

Network = Graph | ChipGraph


@dataclass(frozen=True)
class Pair:
    """Two nodes that should send the same.

    Args:
        a: the node of A.
        b: the node of B.
        late: by how many steps B is later.
        scale: what B sends for a 1 of A.
        spikes: whether both send spikes or whole numbers on the same scale, which then have to be equal.
    """

    a: str
    b: str
    late: int = 0
    scale: float = 1.0
    spikes: bool = True

    def turned(self) -> Pair:
        """The same with A and B exchanged."""
        return Pair(self.b, self.a, -self.late, 1.0 / self.scale, self.spikes)


@dataclass(frozen=True)
class Pairs:
    """What is compared with what.

    Args:
        inputs: the inputs; what goes into B is what goes into A, times the scale.
        nodes: neurons and outputs, in the order in which A runs.
        alone: what has no counterpart, in words.
        late: how many steps B has to run longer.
    """

    inputs: tuple[Pair, ...]
    nodes: tuple[Pair, ...]
    alone: tuple[str, ...]
    late: int = 0


def pairs(a: Network, b: Network) -> Pairs:
    """The pairs of two networks: by name, by what quantisation noted, or in order where both have as many neurons."""
    if isinstance(a, Graph) and isinstance(b, ChipGraph):
        return _placed(a, b)
    if isinstance(a, ChipGraph) and isinstance(b, Graph):
        found = _placed(b, a)
        inputs, nodes = (tuple(each.turned() for each in part) for part in (found.inputs, found.nodes))
        return Pairs(inputs, nodes, found.alone, -found.late)
    return _alike(a, b)


def compared(network: Network) -> tuple[str, ...]:
    """The nodes that are worth a comparison, in the order in which they run: neurons and outputs."""
    neurons = set(_neurons(network)) | set(network.outputs)
    return tuple(name for name in network.order if name in neurons)


def _neurons(network: Network) -> list[str]:
    if isinstance(network, ChipGraph):
        return [name for name in network.order if network.nodes[name].role == "neuron"]
    return [name for name in network.order if isinstance(network.nodes[name], Integrating)]


def _whole(signal: Signal) -> bool:
    return not signal.carries.graded


def _placed(graph: Graph, chip: ChipGraph) -> Pairs:
    places = read_places(chip)
    if not places:
        fix = "compare files and chip graphs with the chip graph that quantise made"
        raise UsageError(chip.name, "does not say which of its nodes belong to which of a graph", "its places", fix)
    inputs = tuple(Pair(name, places[name].node, 0, places[name].scale) for name in graph.inputs if name in places)
    if len(inputs) < len(graph.inputs):
        missing = ", ".join(name for name in graph.inputs if name not in places)
        raise UsageError(chip.name, f"has no input for {missing}", f"the inputs of {graph.name}")
    here = [name for name in compared(graph) if name in places and places[name].node in chip.nodes]
    nodes = tuple(_pair(graph, chip, name, places[name]) for name in here)
    alone = tuple(f"{name} of {graph.name}" for name in compared(graph) if name not in here)
    return Pairs(inputs, nodes, alone, max((pair.late for pair in nodes), default=0))


def _pair(graph: Graph, chip: ChipGraph, name: str, place: Place) -> Pair:
    whole = _whole(graph.signals[name]) and _whole(chip.signals[place.node]) and place.scale == 1
    spikes = whole or (isinstance(graph.nodes[name], Firing) and place.scale == 1 and _whole(graph.signals[name]))
    return Pair(name, place.node, place.latency, place.scale, spikes)


def _alike(a: Network, b: Network) -> Pairs:
    """Two networks of one kind."""
    _same_shapes(a, b, a.inputs, b.inputs, "inputs")
    _same_shapes(a, b, a.outputs, b.outputs, "outputs")
    inputs = tuple(map(Pair, a.inputs, b.inputs))
    by_name = [name for name in compared(a) if name in set(compared(b)) and _alike_shaped(a, b, name, name)]
    outputs = dict(zip(a.outputs, b.outputs, strict=True))
    mine, theirs = _neurons(a), _neurons(b)
    in_order = len(mine) == len(theirs) and all(_alike_shaped(a, b, x, y) for x, y in zip(mine, theirs, strict=True))
    if set(mine) == set(theirs) or not in_order:
        partner = {name: name for name in by_name} | outputs
    else:
        partner = dict(zip(mine, theirs, strict=True)) | outputs
    whole = {name: _whole(a.signals[name]) or isinstance(a, ChipGraph) for name in partner}
    nodes = tuple(Pair(n, partner[n], spikes=whole[n]) for n in compared(a) if n in partner)
    alone = [f"{n} of {a.name}" for n in compared(a) if n not in partner]
    alone += [f"{n} of {b.name}" for n in compared(b) if n not in partner.values()]
    return Pairs(inputs, nodes, tuple(alone))


def _alike_shaped(a: Network, b: Network, name: str, other: str) -> bool:
    return a.signals[name].shape == b.signals[other].shape


def _same_shapes(a: Network, b: Network, ours: Sequence[str], theirs: Sequence[str], what: str) -> None:
    shapes = [[network.signals[n].shape for n in names] for network, names in ((a, ours), (b, theirs))]
    if shapes[0] != shapes[1]:
        found = f"{what} of shape {', '.join(map(str, shapes[1]))}"
        raise UsageError(b.name, found, f"{', '.join(map(str, shapes[0]))}, as {a.name} has")
