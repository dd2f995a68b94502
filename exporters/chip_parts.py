"""A graph of which a chip takes some parts: those in integers, each by what really comes to it, and the host's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..toolchain.graph import Graph
from ..toolchain.graph.nodes import Array, Input, Output
from ..toolchain.loihi.chip_graph import ChipGraph
from ..toolchain.loihi.report import QuantiseReport
from ..toolchain.simulate import simulate
from .chip_cut import ChipCut, Setting, cut_for_chip
from .cutting import Piece
from .mixed import Answer, Mixed, Part


@dataclass(frozen=True, eq=False)
class Split:
    """A graph with its parts of the chip in integers.

    Args:
        cut: how it was cut.
        mixed: the network in parts.
        reports: what quantising did to each part of the chip, by its name.
        flows: what each node sends that another part reads, in every step of the trial.
    """

    cut: ChipCut
    mixed: Mixed
    reports: Mapping[str, QuantiseReport]
    flows: Mapping[str, Array]

    def given(self, piece: Piece) -> dict[str, Array]:
        """What comes to a part."""
        return {entry: self.flows[name] for entry, name in piece.reads.items()}


def split_for_chip(graph: Graph, setting: Setting, inputs: Mapping[str, Array]) -> Split:
    """Cuts a graph, and brings each part of the chip into integers by what comes to it on a trial.

    Args:
        graph: the network.
        setting: how parts are brought to the chip.
        inputs: the trial, [T, B, *shape] for each input.

    Raises:
        Refused: when what comes to a part shows that the chip cannot take it, with every reason.
    """
    cut = cut_for_chip(graph, setting)
    flat, flows = cut.flat, _flows(cut, inputs)
    parts, reports = [], {}
    for piece in cut.pieces:
        network: Graph | ChipGraph = piece.graph
        if not piece.host:
            given = {entry: flows[name] for entry, name in piece.reads.items()}
            network, reports[piece.graph.name] = setting.quantise(piece.graph, given)
        shapes = {end: flat.signals[name].shape for end, name in piece.sends.items()}
        parts.append(Part(network, piece.reads, piece.sends, shapes))
    entries = {name: node for name, node in flat.nodes.items() if isinstance(node, Input)}
    wires = {name: (node.readout, flat.wires[name][0]) for name, node in flat.nodes.items() if isinstance(node, Output)}
    outputs = {name: Answer(readout, wire.source, wire.delayed) for name, (readout, wire) in wires.items()}
    return Split(cut, Mixed(graph.name, graph.dt, entries, tuple(parts), outputs, graph.notes), reports, flows)


def _flows(cut: ChipCut, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """What goes from part to part when the graph runs."""
    crossing = [name for piece in cut.pieces for name in (*piece.reads.values(), *piece.sends.values())]
    names = list(dict.fromkeys(crossing))
    trace = simulate(cut.flat, inputs, record=names, dtype="float64")
    return {name: trace[name].values.astype(np.float64) for name in names}
