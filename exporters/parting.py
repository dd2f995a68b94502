"""What `convert` does with a network of which a chip takes some parts: files for these, graphs for the host's.

part against its chip graph      what quantising lost, on what really comes to the part
chip graph against its files     the files are read again and have to be the same networks, spike by spike
graph against all files          what is read again runs as a whole, and is compared with the graph
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..toolchain.console import working
from ..toolchain.errors import Refused, SpikeportError
from ..toolchain.graph import Graph, digest
from ..toolchain.graph.inline import inline
from ..toolchain.graph.nodes import Array, Host
from ..toolchain.loihi.chip_graph import ChipGraph
from ..toolchain.loihi.report import QuantiseReport
from ..toolchain.simulate import simulate
from ..toolchain.source import Given
from ..toolchain.tables import counted
from ..toolchain.verifying.sides import in_units_of
from . import mixed_file
from .chip_cut import Setting
from .chip_parts import Split, split_for_chip
from .formats import Format
from .mixed import Mixed
from .proving import NotProved, Proof, of_chip, of_file, of_lava


@dataclass(frozen=True)
class Parted:
    """What was written.

    Args:
        proofs: what was proved of it.
        reports: what quantising did, by part.
        remarks: what whoever loads the files has to know.
    """

    proofs: tuple[Proof, ...]
    reports: Mapping[str, QuantiseReport]
    remarks: tuple[str, ...]


def beyond(graph: Graph, given: Given) -> bool:
    """Whether parts of a graph may be the host's: where that was asked for, or it says so itself."""
    return given.source.host or any(isinstance(node, Host) for node in inline(graph).nodes.values())


def parted(
    graph: Graph, how: Format, path: Path, setting: Setting, inputs: Mapping[str, Array], *, lava: bool
) -> Parted | None:
    """Writes the parts of a graph that a chip takes, and those of the host, and proves them before they are there.

    Where a chip takes all of it, there is nothing to part, and nothing is written.
    """
    with working(f"finding the parts of {graph.name}"):
        split = split_for_chip(graph, setting, inputs)
    if not split.cut.why:
        return None
    if not split.cut.chips:
        raise Refused(f"{graph.name} in parts", [SpikeportError(name, w.said) for name, w in split.cut.why.items()])
    proofs = [_of_part(split, number) for number, piece in enumerate(split.cut.pieces) if not piece.host]
    with how.draft(path) as draft:
        remarks = mixed_file.write(split.mixed, draft)
        again = mixed_file.read(draft)
        proofs += _of_files(split, again, path, lava=lava)
    proofs.append(_of_whole(graph, again, inputs))
    host = len(split.cut.pieces) - len(split.cut.chips)
    said = f"{counted(len(split.cut.chips), 'part')} of the chip, {host} of the host: `spikeport parts` says why"
    return Parted(tuple(proofs), split.reports, (said, *remarks))


def _of_part(split: Split, number: int) -> Proof:
    piece, part = split.cut.pieces[number], split.mixed.parts[number]
    with working(f"comparing {piece.graph.name} with its chip graph"):
        found = of_chip(piece.graph, _chip(part.network), split.given(piece))
    return replace(found, what=f"{piece.graph.name} → chip graph")


def _chip(network: Graph | ChipGraph) -> ChipGraph:
    if isinstance(network, ChipGraph):
        return network
    raise TypeError(network.name)


def _of_files(split: Split, again: Mixed, path: Path, *, lava: bool) -> list[Proof]:
    """Every part as it is read again; NotProved where one is another network."""
    found: list[Proof] = []
    count = 0
    for piece, made, read in zip(split.cut.pieces, split.mixed.parts, again.parts, strict=True):
        if isinstance(made.network, Graph):
            if not isinstance(read.network, Graph) or digest(made.network) != digest(read.network):
                raise NotProved(str(path), f"{made.network.name} is another graph than the one it was written from")
            continue
        chip, late = made.network, max(getattr(made.network.nodes[n], "after", 0) for n in made.network.outputs)
        fed = in_units_of(chip, split.given(piece))
        fed = {name: np.pad(values, ((0, late), *([(0, 0)] * (values.ndim - 1)))) for name, values in fed.items()}
        proof = of_file(chip, _chip(read.network), path, fed)
        count += sum(node.values for node in proof.verdict.nodes) if proof.verdict is not None else 0
        if lava:
            found.append(replace(of_lava(_chip(read.network), path, fed), what=f"{chip.name}, file → Lava"))
    said = f"equal in all {count:,} values of {counted(len(split.cut.chips), 'part')}, and the host's graphs the same"
    return [Proof("parts → files", said, exact=True), *found]


def _of_whole(graph: Graph, again: Mixed, inputs: Mapping[str, Array]) -> Proof:
    """How far the answers of all parts together are from the graph's."""
    wanted, given = simulate(graph, inputs, dtype="float64").outputs, again.run(inputs)
    told, exact = [], True
    for name, values in wanted.items():
        apart, size = np.abs(given[name] - values), float(np.abs(values).max(initial=0.0)) or 1.0
        exact = exact and not apart.any()
        mean, most = (100 * each / size for each in (apart.mean(), apart.max()))
        told.append(f"{name} off by {mean:.2g} % of its largest in the mean, {most:.2g} % at most")
        told += _places(values, given[name])
    return Proof("graph → files, run as a whole", "; ".join(told), exact=exact)


def _places(wanted: Array, given: Array) -> list[str]:
    """For answers [T, B, n]: how many samples have the largest of n, in the mean over time, at the same place."""
    if wanted.ndim != 3 or wanted.shape[-1] < 2:
        return []
    same = wanted.mean(0).argmax(-1) == given.mean(0).argmax(-1)
    return [f"largest in the mean over time at the same place in {same.sum()} of {counted(same.size, 'sample')}"]
