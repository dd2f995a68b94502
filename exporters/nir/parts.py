"""A network that NIR cannot say as a whole: files of NIR, files of Spikeport's own for the rest, and how they join.

Every node that NIR has no word for goes to the host, and so does every loop that such a node is part of. The others
are cut into as many files as the network changes sides: file 0 holds what needs nothing of the host, file 1 what the
host makes of that, file 2 what NIR makes of both, and so on. The manifest, `NAME.parts.json`, holds inputs, outputs,
and what each file reads and hands out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...toolchain.errors import Refused, SpikeportError
from ...toolchain.graph import Graph
from ...toolchain.graph.inline import inline
from ...toolchain.graph.nodes import Input, Output
from ...toolchain.graph.store import save as save_graph
from ...toolchain.passes.drop_dead_nodes import DropDeadNodes
from ...toolchain.writing import write_whole
from ..cutting import ENDS, LOOP, Piece, blamed, in_turns, with_loops
from .saving import save
from .writing import Written, to_tree

VERSION = 1
FIX = "write the network again"
MANIFEST = ".parts.json"


@dataclass(frozen=True)
class Part:
    """One file.

    Args:
        piece: what it holds, as a network of its own.
        written: what is written of it in NIR; none for a file of the host.
    """

    piece: Piece
    written: Written | None = None

    @property
    def graph(self) -> Graph:
        """The network."""
        return self.piece.graph

    @property
    def file(self) -> str:
        """Its name."""
        return f"{self.graph.name}.{'graph' if self.written is None else 'nir'}"


@dataclass(frozen=True)
class NirCut:
    """A network, cut.

    Args:
        flat: the network without graphs in it.
        parts: its parts in the order in which they run.
        why: for each node of the host, what NIR, or the dialect, says to it.
    """

    flat: Graph
    parts: tuple[Part, ...]
    why: Mapping[str, str]


def cut_for_nir(graph: Graph, dialect: str = "ode") -> NirCut:
    """The network cut into parts that NIR can say, and those of the host.

    Raises:
        Refused: when a part cannot be written for a reason that no node is to blame for.
    """
    flat = DropDeadNodes()(inline(graph)).graph
    why: dict[str, str] = {}
    while True:
        parts, reasons = _tried(flat, with_loops(flat, why), dialect)
        if not reasons:
            held = (name for part in parts if part.written is None for name in part.piece.nodes)
            return NirCut(flat, tuple(parts), {name: why.get(name, LOOP) for name in held})
        found = {name: reason.found for reason in reasons if (name := blamed(flat, reason)) is not None}
        if not found.keys() - why.keys():
            raise Refused(f"{graph.name} as parts of NIR", reasons)
        why = {**found, **why}


def parts_of(graph: Graph, dialect: str = "ode") -> tuple[Graph, tuple[Part, ...]]:
    """The network without graphs in it, and its parts; as `cut_for_nir`."""
    cut = cut_for_nir(graph, dialect)
    return cut.flat, cut.parts


def _tried(flat: Graph, host: set[str], dialect: str) -> tuple[list[Part], list[SpikeportError]]:
    """The parts, written as far as they can be, and the reasons why others cannot."""
    parts: list[Part] = []
    reasons: list[SpikeportError] = []
    for piece in in_turns(flat, host):
        if piece.host:
            parts.append(Part(piece))
            continue
        try:
            parts.append(Part(piece, to_tree(piece.graph, dialect)))
        except Refused as error:
            reasons += error.reasons
    return parts, reasons


def write_parts(graph: Graph, folder: str | Path, *, dialect: str = "ode") -> tuple[str, ...]:
    """Writes a network as files of NIR, files of the host, and the manifest that joins them.

    Args:
        graph: the network.
        folder: where to, which has to be there.
        dialect: which framework's importer shall run the files of NIR.

    Returns:
        What whoever reads the files has to know, each line with the name of its file.

    Raises:
        Refused: when a part cannot be written, with every reason.
        FileError: when a file cannot be written.
    """
    flat, parts = parts_of(graph, dialect)
    place = Path(folder)
    remarks = []
    for part in parts:
        if part.written is None:
            save_graph(part.graph, place / part.file)
            kinds = sorted({node.kind for node in part.graph.nodes.values() if not isinstance(node, ENDS)})
            remarks.append(f"{part.file}: for the host: {', '.join(kinds)}")
        else:
            save(part.written, place / part.file)
            remarks += [f"{part.file}: {line}" for line in part.written.remarks]
    text = json.dumps(_manifest(graph, flat, parts, dialect), indent=1)
    write_whole(place / f"{graph.name}{MANIFEST}", text + "\n")
    return tuple(remarks)


def _manifest(graph: Graph, flat: Graph, parts: Sequence[Part], dialect: str) -> dict[str, Any]:
    entries = {name: node for name, node in flat.nodes.items() if isinstance(node, Input)}
    exits = {name: node for name, node in flat.nodes.items() if isinstance(node, Output)}
    return {
        "version": VERSION,
        "name": graph.name,
        "dt": graph.dt,
        "dialect": dialect,
        "notes": dict(graph.notes),
        "inputs": {name: {"shape": list(node.shape), "carries": node.carries} for name, node in entries.items()},
        "parts": [
            {"file": part.file, "reads": dict(part.piece.reads), "sends": dict(part.piece.sends)} for part in parts
        ],
        "outputs": {
            name: {"readout": node.readout, "reads": flat.wires[name][0].source, "delayed": flat.wires[name][0].delayed}
            for name, node in exits.items()
        },
    }
