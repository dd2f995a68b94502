"""A network with branches, sums and concatenations as several netx files, and a manifest that says how they join.

The network is cut wherever it is no chain. Where a port adds several synapses, the first stays with the neurons; each
other one gets a file of its own, with neurons behind it that are not used: what it sends belongs into the port. The
manifest, `NAME.parts.json`, holds what is in no file: inputs, outputs, joins, and the wires that were cut.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..toolchain.errors import FileError, GraphError, Refused, SpikeportError
from ..toolchain.graph.graph import Wire
from ..toolchain.loihi.chip_graph import ChipGraph
from ..toolchain.loihi.processes import (
    LIF,
    RF,
    RF_IZ,
    ChipInput,
    ChipOutput,
    Joined,
    Port,
    Process,
    Shaped,
)
from ..toolchain.loihi.processes.synapses import Synapse
from ..toolchain.writing import write_whole
from .manifests import part_beside, read_manifest
from .netx_chain import Block, block_of, is_flat, reads_alone
from .netx_file import read
from .netx_loading import VERSION
from .netx_reader import WIDE
from .netx_writer import NetxFile, netx_file, write_file

JOINS: Mapping[str, type[Process]] = {kind.__name__: kind for kind in (ChipInput, ChipOutput, Joined, Port, Shaped)}
"""What stands in the manifest."""
FIX = "export the network again"
MIXED = 2
"""The version of manifests that have parts of the host, too (mixed_file.py)."""


@dataclass(frozen=True)
class Part:
    """A file's worth of blocks, each read by the next.

    Args:
        blocks: from the first to the last.
        open: whether the last neurons stand in for those that the synapse really feeds.
    """

    blocks: tuple[Block, ...]
    open: bool = False

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes that the file holds, without neurons that stand in."""
        held = [name for block in self.blocks for name in block.nodes]
        return tuple(held[:-1] if self.open else held)


def write_parts(chip: ChipGraph, folder: str | Path) -> tuple[str, ...]:
    """Writes a network as netx files and the manifest that joins them.

    Args:
        chip: the network.
        folder: where to, which has to be there.

    Returns:
        What whoever loads the files has to know, each line with the name of its file.

    Raises:
        Refused: when a part cannot be written, with every reason.
        FileError: when a file cannot be written.
    """
    data, remarks = write_files(chip, folder)
    text = json.dumps(data, sort_keys=True, indent=1)
    write_whole(Path(folder) / f"{chip.name}.parts.json", text + "\n")
    return remarks


def write_files(chip: ChipGraph, folder: str | Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Writes the netx files of a network; gives what a manifest has to say of them, and the remarks.

    Args:
        chip: the network.
        folder: where to, which has to be there.

    Raises:
        Refused: when a part cannot be written, with every reason.
        FileError: when a file cannot be written.
    """
    written = files_of(chip)
    for each in written:
        write_file(each.file, Path(folder) / each.name)
    return _manifest(chip, written), tuple(f"{each.name}: {line}" for each in written for line in each.file.remarks)


@dataclass(frozen=True, eq=False)
class Written:
    """A file.

    Args:
        part: what it holds.
        graph: that as a network of its own.
        file: what is written.
    """

    part: Part
    graph: ChipGraph
    file: NetxFile

    @property
    def name(self) -> str:
        """The file's name."""
        return f"{self.graph.name}.net"


def files_of(chip: ChipGraph) -> list[Written]:
    """The files of a network.

    Raises:
        Refused: when a part cannot be written, with every reason.
    """
    found: list[Written] = []
    reasons: list[SpikeportError] = []
    for index, part in enumerate(parts_of(chip)):
        graph = _alone(chip, part, index)
        try:
            found.append(Written(part, graph, netx_file(graph)))
        except Refused as error:
            reasons += error.reasons
    if reasons:
        raise Refused(f"{chip.name} as netx files", reasons)
    return found


def parts_of(chip: ChipGraph) -> tuple[Part, ...]:
    """Where the network is cut.

    Raises:
        Refused: when it has neurons that no layer can hold, with every reason.
    """
    reasons: list[SpikeportError] = []
    blocks: dict[str, Block] = {}
    loose: list[Part] = []
    for name in (name for name in chip.order if chip.nodes[name].role == "neuron"):
        try:
            blocks[name], others = _block_and_others(chip, name)
            loose += others
        except GraphError as error:
            reasons.append(error)
    if reasons:
        raise Refused(f"{chip.name} as netx files", reasons)
    after = {block.source: block for block in blocks.values() if _goes_on(chip, blocks, block)}
    heads = [block for block in blocks.values() if not _goes_on(chip, blocks, block)]
    return (*(Part(_run(after, head)) for head in heads), *loose)


def _block_and_others(chip: ChipGraph, neuron: str) -> tuple[Block, list[Part]]:
    """The block of some neurons, and a part for each further synapse that the port before them adds."""
    try:
        return block_of(chip, neuron), []
    except GraphError:
        feeds = [wire.source for wire in chip.wires[neuron]]
        added = [wire.source for feed in feeds for wire in chip.wires[feed]]
        simple = len(feeds) == 1 and isinstance(chip.nodes[feeds[0]], Port) and len(set(added)) == len(added)
        complex_one = isinstance(chip.nodes[neuron], (RF, RF_IZ))
        if complex_one or not simple or not all(isinstance(chip.nodes[name], Synapse) for name in added):
            raise
    first = next((name for name in added if chip.wires[name][0].source != neuron), added[0])
    units = {name: _unit(chip, name) for name in added}
    others = [Part((Block(f"{name}.unused", *units[name]),), open=True) for name in added if name != first]
    parts, source, port, flat = units[first]
    return Block(neuron, parts, source, port, flat), others


def _unit(chip: ChipGraph, synapse: str) -> tuple[Mapping[str, str], str, str, str]:
    """The fields of a block behind its neurons."""
    source = chip.wires[synapse][0].source
    flat = source if is_flat(chip, source) and reads_alone(chip, source, [synapse]) else ""
    return {"synapse": synapse}, chip.wires[flat][0].source if flat else source, "", flat


def _goes_on(chip: ChipGraph, blocks: Mapping[str, Block], block: Block) -> bool:
    """Whether a block stands in the file of the block before it: when that one is read by nobody else."""
    if block.source not in blocks or block.source == block.neuron:
        return False
    own = blocks[block.source].parts.values()
    return reads_alone(chip, block.source, [*own, *block.nodes]) and not _cycle(blocks, block)


def _cycle(blocks: Mapping[str, Block], block: Block) -> bool:
    """Whether going back from a block leads to it again: such a loop is cut before its first block."""
    seen, here = {block.neuron}, blocks.get(block.source)
    while here is not None and here.neuron not in seen:
        seen.add(here.neuron)
        here = blocks.get(here.source)
    return here is not None


def _run(after: Mapping[str, Block], head: Block) -> tuple[Block, ...]:
    found = [head]
    while found[-1].neuron in after:
        found.append(after[found[-1].neuron])
    return tuple(found)


def _alone(chip: ChipGraph, part: Part, index: int) -> ChipGraph:
    """A part as a network of its own."""
    first, last = part.blocks[0], part.blocks[-1]
    signal = chip.signals[first.source]
    low, high = signal.carries.bounds
    entry, end = f"{first.neuron}.in", f"{last.neuron}.out"
    carries = "graded" if signal.carries.graded else str(signal.carries)
    nodes: dict[str, Process] = {
        entry: ChipInput(signal.shape, f"int[{-WIDE},{WIDE}]" if max(-low, high) > WIDE else carries)
    }
    wires: dict[str, tuple[Wire, ...]] = {}
    for block in part.blocks:
        for name in block.nodes:
            if name in chip.nodes:
                nodes[name] = chip.nodes[name]
                sources = [Wire(entry if w.source == first.source else w.source, w.delayed) for w in chip.wires[name]]
                wires[name] = tuple(sources)
    fed = last.port or last.parts.get("synapse", "")
    if part.open:
        nodes[last.neuron] = LIF(current_decay=0, voltage_decay=4096, threshold=131071, bias_exponent=6)
        wires[last.neuron] = (Wire(fed),)
    for block in part.blocks:
        if "synapse" in block.parts and not block.port:
            wires[block.neuron] = (Wire(block.parts["synapse"]),)
    nodes[end], wires[end] = ChipOutput(), (Wire(last.neuron),)
    return ChipGraph(nodes, wires, chip.dt, f"{chip.name}.{index}")


def _manifest(chip: ChipGraph, written: Sequence[Written]) -> dict[str, Any]:
    """What is in no file, and for whoever joins them by hand: what each file reads and how it is loaded."""
    inside = {name: each.graph.wires[name] for each in written for name in each.part.nodes}
    cut = {name: wires for name, wires in chip.wires.items() if inside.get(name) != wires}
    held = set(inside)
    joins = {name: _join(node) for name, node in chip.nodes.items() if name not in held}
    entries = [
        {
            "file": each.name,
            "reads": each.part.blocks[0].source,
            "nodes": list(each.part.nodes),
            "last neurons": "stand in: connect what its last synapse sends" if each.part.open else "are the network's",
            "load": each.file.kept.loading.arguments(),
        }
        for each in written
    ]
    return {
        "version": VERSION,
        "name": chip.name,
        "dt": chip.dt,
        "notes": dict(chip.notes),
        "order": list(chip.nodes),
        "parts": entries,
        "joins": joins,
        "wires": {name: [[wire.source, wire.delayed] for wire in wires] for name, wires in cut.items()},
    }


def _join(node: Process) -> dict[str, Any]:
    values = {each.name: getattr(node, each.name) for each in fields(node)}
    return {"kind": node.kind, **values}


def read_parts(manifest: str | Path) -> ChipGraph:
    """The network whose parts a manifest joins.

    Raises:
        FileError: when the manifest or one of its files cannot be read, or they make no network.
    """
    path = Path(manifest)
    data = read_manifest(path, (VERSION, MIXED), FIX)
    if data["version"] == MIXED:
        fix = "run it: spikeport.exporters.mixed_file.read(path).run(inputs)"
        raise FileError(str(path), "a network in parts of a chip and of a host", "one of a chip alone", fix)
    return read_files(path, data)


def read_files(path: Path, data: Mapping[str, Any]) -> ChipGraph:
    """The network that a manifest says, from the files beside it.

    Args:
        path: of the manifest.
        data: what it says of this network.

    Raises:
        FileError: when the manifest or one of its files cannot be read, or they make no network.
    """
    try:
        nodes: dict[str, Process] = {}
        wires: dict[str, tuple[Wire, ...]] = {}
        for name, given in data["joins"].items():
            nodes[name] = _joined(path, name, dict(given))
        for part in data["parts"]:
            _take_part(path, part, nodes, wires)
        wires |= {name: tuple(Wire(str(s), bool(d)) for s, d in given) for name, given in data["wires"].items()}
        order = [name for name in data["order"] if name in nodes]
        if len(order) < len(nodes) or len(set(order)) < len(order):
            raise FileError(str(path), "an order that does not name every node once", "a manifest of Spikeport's", FIX)
        return ChipGraph(
            {n: nodes[n] for n in order}, {n: wires.get(n, ()) for n in order}, data["dt"], data["name"], data["notes"]
        )
    except GraphError as error:
        raise FileError(f"{path}, {error.where}", error.found, error.expected, FIX) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileError(str(path), f"cannot be understood: {error}"[:200], "a manifest of Spikeport's", FIX) from error


def _joined(path: Path, name: str, given: dict[str, Any]) -> Process:
    kind = given.pop("kind")
    if kind not in JOINS:
        raise FileError(f"{path}, {name}", f"'{kind}'", ", ".join(JOINS), FIX)
    return JOINS[kind](**{key: tuple(value) if isinstance(value, list) else value for key, value in given.items()})


def _take_part(
    path: Path, part: Mapping[str, Any], nodes: dict[str, Process], wires: dict[str, tuple[Wire, ...]]
) -> None:
    """The nodes of one file."""
    name = str(part["file"])
    graph = read(part_beside(path, name, FIX))
    for each in part["nodes"]:
        if each not in graph.nodes or each in nodes:
            raise FileError(
                str(path), f"'{each}' is not in {name}, or in two files", "the files it was written with", FIX
            )
        nodes[each], wires[each] = graph.nodes[each], graph.wires[each]
