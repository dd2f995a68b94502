"""Which parts of a network a chip takes, and why it does not take the others.

A part hangs together, has neurons that fire, and hands out what neurons send: linear layers that only the host reads
are the host's, and those that several parts read are in each of them (`copying.py`). What quantising or the file's
format refuses goes to the host, with the reason, and what then has no neuron behind it goes after it; the rest is cut
anew, until all of it is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..toolchain.errors import Refused, SpikeportError
from ..toolchain.graph import Graph, Node
from ..toolchain.graph.inline import inline
from ..toolchain.graph.nodes import (
    Activation,
    Add,
    Array,
    Concat,
    Delay,
    Firing,
    Host,
    Integrating,
    Multiply,
    ResonateFire,
    Sigma,
    SigmaDelta,
    TemporalKernel,
)
from ..toolchain.loihi.chip_graph import ChipGraph
from ..toolchain.loihi.limits import LOIHI2
from ..toolchain.loihi.lowering.devices import device
from ..toolchain.loihi.lowering.paths import MAPS, computes, sends
from ..toolchain.loihi.quantise import quantise
from ..toolchain.loihi.report import QuantiseReport
from ..toolchain.passes.drop_dead_nodes import DropDeadNodes
from .copying import copied, once
from .cutting import ENDS, LOOP, Piece, alone, blamed, connected, in_order, with_loops
from .netx_parts import files_of
from .netx_shapes import in_layer_shapes

NEURONS = (Integrating, ResonateFire, Sigma, SigmaDelta)
FIRES = (Firing, ResonateFire, SigmaDelta)
NO_NEURON = "without neurons of the chip behind it"
READ = "read by the host, and no neuron"
LEAST_SQNR = 10.0
"""What weights have to be above the noise of their rounding, in dB, where several layers share one scale."""


@dataclass(frozen=True)
class Setting:
    """How parts are brought to a chip.

    Args:
        bits: bits of a weight.
        allow: approximations that may be used.
        reset_interval: steps after which all neurons are reset.
        target: netx, where parts have to be layers of such files; or lava.
    """

    bits: int = LOIHI2.weight_bits
    allow: tuple[str, ...] = ()
    reset_interval: int | None = None
    target: str = "netx"

    def quantise(
        self, graph: Graph, calibration: Mapping[str, Array] | None = None
    ) -> tuple[ChipGraph, QuantiseReport]:
        """A part in integers."""
        return quantise(
            graph,
            calibration=calibration,
            bits=self.bits,
            allow=self.allow,
            reset_interval=self.reset_interval,
            target=self.target,
        )


@dataclass(frozen=True)
class Why:
    """Why a node is the host's.

    Args:
        what: the node's kind, in a word.
        said: the reason.
    """

    what: str
    said: str


@dataclass(frozen=True)
class ChipCut:
    """A network, cut.

    Args:
        flat: the network without graphs in it, linear layers in it once for each part that needs them.
        pieces: its pieces in the order in which they run; those of the chip in the shapes of its layers.
        why: for each node of the host, the reason.
        copies: of which node another one is, which is there so that several parts have what they need.
    """

    flat: Graph
    pieces: tuple[Piece, ...]
    why: Mapping[str, Why]
    copies: Mapping[str, str]

    @property
    def chips(self) -> tuple[Piece, ...]:
        """The parts of the chip."""
        return tuple(piece for piece in self.pieces if not piece.host)


def cut_for_chip(graph: Graph, setting: Setting) -> ChipCut:
    """Cuts a network into what the chip takes, and what is left to the host."""
    flat, copies = _copied(DropDeadNodes()(inline(graph)).graph, setting)
    groups, why = _taken(flat, setting)
    flat = once(flat, copies, [why, *groups])
    groups = [group & flat.nodes.keys() for group in groups]
    pieces = tuple(
        alone(flat, names, f"{flat.name}.{number}", host=host)
        for number, (names, host) in enumerate(in_order(flat, groups))
    )
    reasons = {name: Why(word(flat.nodes[name]), said) for name, said in why.items() if name in flat.nodes}
    left = {name: source for name, source in copies.items() if name in flat.nodes}
    return ChipCut(flat, tuple(_shaped(piece) for piece in pieces), reasons, left)


def _copied(flat: Graph, setting: Setting) -> tuple[Graph, dict[str, str]]:
    """The network with what is linear once for each part that needs it, as far as kinds of nodes tell parts."""
    why = _by_kind(flat, setting)
    groups = _groups(flat, why)
    sums = {name for name, said in why.items() if said == READ and isinstance(flat.nodes[name], (*MAPS, Add, Concat))}
    return copied(flat, sums, {name: number for number, group in enumerate(groups) for name in group})


def _taken(flat: Graph, setting: Setting) -> tuple[list[set[str]], dict[str, str]]:
    """The nodes of each part, and why each other node is the host's."""
    why = _by_kind(flat, setting)
    taken: set[frozenset[str]] = set()
    while True:
        groups = _groups(flat, why)
        found: dict[str, str] = {}
        for group in (group for group in groups if frozenset(group) not in taken):
            refused = _refused(flat, group, setting)
            found |= refused
            taken |= set() if refused else {frozenset(group)}
        if not found:
            return groups, why
        why |= found


def _by_kind(flat: Graph, setting: Setting) -> dict[str, str]:
    """The nodes that no chip takes, or no netx file, wherever they stand."""
    found: dict[str, str] = {}
    for name, node in flat.nodes.items():
        if not (isinstance(node, (*ENDS, *MAPS, Add, Concat, Delay, TemporalKernel)) or sends(node)):
            found[name] = "no chip does it"
        elif setting.target == "netx" and computes(node):
            what = device(name, node)
            if isinstance(what, SpikeportError) or not what.netx:
                found[name] = "netx files hold CUBA, SDNN and RF neurons alone"
    return found


def _groups(flat: Graph, why: dict[str, str]) -> list[set[str]]:
    """What hangs together, fires, and hands out what neurons send; what does not is added to the host's."""
    while True:
        why |= dict.fromkeys(with_loops(flat, why) - set(why), LOOP)
        groups = connected(flat, why)
        found = {name: READ for group in groups for name in _only_read_by_the_host(flat, group)}
        idle = [group for group in groups if not any(isinstance(flat.nodes[name], FIRES) for name in group)]
        found |= {name: NO_NEURON for group in idle for name in group if name not in found}
        if not found:
            return groups
        why |= found


def _shaped(piece: Piece) -> Piece:
    if piece.host:
        return piece
    return Piece(in_layer_shapes(piece.graph), piece.reads, piece.sends, host=False)


def word(node: Node) -> str:
    """What a node does, in a word."""
    if isinstance(node, Host):
        return node.operation
    if isinstance(node, Activation):
        return node.function
    return "product" if isinstance(node, Multiply) else node.kind


def _refused(flat: Graph, group: set[str], setting: Setting) -> dict[str, str]:
    """The nodes of a group that are not the chip's, and why; none where all of them are."""
    piece = alone(flat, [name for name in flat.nodes if name in group], "part", host=False)
    try:
        chip, report = setting.quantise(in_layer_shapes(piece.graph))
        if setting.target == "netx":
            files_of(chip)
    except Refused as error:
        return _by_node(piece, error.reasons)
    return _by_node(piece, _too_coarse(report))


def _too_coarse(report: QuantiseReport) -> list[SpikeportError]:
    """Weights of which next to nothing is left on the scale that they share with others of the same neurons."""
    return [
        SpikeportError(each.name, f"weights {each.sqnr:.1f} dB above their rounding, on one scale with larger ones")
        for layer in report.layers
        for each in layer.synapses
        if len(layer.synapses) > 1 and each.sqnr < LEAST_SQNR
    ]


def _only_read_by_the_host(flat: Graph, group: set[str]) -> set[str]:
    """What is no neuron and hands out something, and all before it in the group that nothing else reads."""
    readers = {name: {edge.target for edge in flat.readers(name)} for name in group}
    found: set[str] = set()
    while True:
        more = {
            name
            for name in group - found
            if not isinstance(flat.nodes[name], NEURONS) and (readers[name] - group or readers[name] <= found)
        }
        if not more:
            return found
        found |= more


def _by_node(piece: Piece, reasons: Iterable[SpikeportError]) -> dict[str, str]:
    """The nodes that are to blame; for an end of the part those beside it, and else all of the part."""
    found: dict[str, str] = {}
    for reason in reasons:
        name = blamed(piece.graph, reason)
        for each in _beside(piece, reason) if name is None else (name,):
            found.setdefault(each, reason.found)
    return found


def _beside(piece: Piece, reason: SpikeportError) -> Iterable[str]:
    graph = piece.graph
    ends = [name for name, node in graph.nodes.items() if isinstance(node, ENDS) and reason.where.startswith(name)]
    near = {edge.target for end in ends for edge in graph.readers(end)} | {
        wire.source for end in ends for wire in graph.wires[end]
    }
    return [name for name in piece.nodes if name in near] or piece.nodes
