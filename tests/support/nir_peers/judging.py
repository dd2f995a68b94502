"""One cell of the matrix: a framework, a case and a direction are run, and what happened becomes one word.

    out   our graph is written in the framework's dialect; its own importer reads the file and runs it; are its answers
          those of our reference?
    in    the framework's own network is written by its own exporter; our reader reads the file; are the answers of our
          reference those of the framework?

The word is computed from what ran. That a framework is at fault is said only where the answers differ or the framework
fails, and where the smallest example of that fault, which uses the framework alone, stands in its table of faults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from spikeport.exporters import nir_file
from spikeport.toolchain.errors import SpikeportError
from spikeport.toolchain.graph import Graph
from spikeport.toolchain.graph.nodes import Array
from support.nir_peers.cases import Case, Manner, reference, same
from support.nir_raw import read_here

Way = Literal["in", "out"]
Word = Literal["exact", "exact after repair", "refused", "peer's fault", "not there"]


class NotThere(Exception):
    """The framework has no such layer or neuron, or its exporter or importer knows none."""


class PeerError(Exception):
    """The framework failed, in its own code: its exporter, its importer, or while it ran what it had imported."""


@dataclass(frozen=True)
class Fault:
    """Something that is wrong in a framework.

    Args:
        name: short, for the tables: letters, digits and dashes.
        about: what is wrong, in one sentence.
        shows: the smallest example, with the framework alone; true while the fault is there.
        spoils: the cells that it spoils, as (case, way); none where our files work around it.
        around: what we do about it, in one sentence; empty where nothing can be done.
    """

    name: str
    about: str
    shows: Callable[[], bool]
    spoils: frozenset[tuple[str, Way]] = frozenset()
    around: str = ""


@dataclass(frozen=True)
class Peer:
    """A framework.

    Args:
        name: as its authors write it.
        dialect: what --dialect calls it.
        version: the installed one, asked of the package; empty where it is not installed.
        native: the manner of the networks that its users build and export.
        runs: the manner of the networks that its importer makes; a graph in this manner has to come out right.
        export: build the framework's own network for this graph (in its own classes), write it to the path with its own
            exporter and nir.write, and hand back what the framework's own network answers to x: [T, B, *shape]. Where
            nir.write cannot write what the exporter made, hand back that object beside the answers: (answers, object).
        load: read the path with nir.read and the framework's own importer, and hand back what that answers to x. The
            graph is there for what a user has to tell the importer (a step's length, say), not for the answer.
        absent: what the framework has not at all: (case, way) → why. (Or `export` and `load` raise NotThere.)
        reading: what a user tells our reader beside the dialect: dt, reset.
        faults: everything known to be wrong with it.
    """

    name: str
    dialect: str
    version: str
    native: Manner
    runs: Manner
    export: Callable[[Graph, Array, Path], Array | tuple[Array, Any]]
    load: Callable[[Path, Array, Graph], Array]
    absent: Mapping[tuple[str, Way], str] = field(default_factory=dict)
    reading: Mapping[str, float | str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What became of one cell.

    Args:
        word: the cell.
        said: why it was refused, what was repaired, which fault it is, or why there is no such thing; a line for each.
        remarks: what our writer or reader had to say.
    """

    word: Word
    said: str = ""
    remarks: tuple[str, ...] = ()


def outcome(peer: Peer, case: Case, way: Way, folder: Path) -> Outcome:
    """Run one cell; an AssertionError where it is wrong and no fault of the framework explains it."""
    manner = peer.native if way == "in" else peer.runs
    missing = peer.absent.get((case.name, way))
    if missing is None and not case.has(manner):
        missing = "its neurons do not reset to a value"
    if missing is not None:
        return Outcome("not there", missing)
    graph, path = case.graph(manner), folder / f"{peer.dialect}-{case.name.replace(' ', '-')}-{way}.nir"
    try:
        right, remarks = (_comes_in if way == "in" else _goes_out)(peer, case, graph, path)
    except NotThere as error:
        return Outcome("not there", str(error))
    except SpikeportError as error:
        return Outcome("refused", str(error))
    except PeerError as error:
        return _fault(peer, case, way, f"it failed: {error}")
    if not right:
        return _fault(peer, case, way, "its answers are others")
    assert _covering(peer, case, way) is None, f"{peer.name}, {case.name}, {way}: right, although a fault spoils it"
    repairs = [remark for remark in remarks if f": {REPAIR}" in remark or remark.startswith(REPAIR)]
    return Outcome("exact after repair" if repairs else "exact", "\n".join(repairs), remarks)


REPAIR = "repaired"
"""How a remark of our reader begins that says what it repaired, behind the names of the nodes."""


def _comes_in(peer: Peer, case: Case, graph: Graph, path: Path) -> tuple[bool, tuple[str, ...]]:
    x = case.inputs()
    made = peer.export(graph, x, path)
    answers, held = made if isinstance(made, tuple) else (made, None)
    wanted = np.asarray(answers)
    assert same(wanted, reference(graph, x)), f"{peer.name}, {case.name}: the framework's own network is another one"
    told: dict[str, Any] = {"dialect": peer.dialect, **peer.reading}
    read = read_here(path, **told) if held is None else nir_file.from_nir(held, **told)
    return same(reference(read.graph, x), wanted), tuple(read.remarks)


def _goes_out(peer: Peer, case: Case, graph: Graph, path: Path) -> tuple[bool, tuple[str, ...]]:
    x = case.inputs()
    remarks = nir_file.write(graph, path, dialect=peer.dialect)
    return same(np.asarray(peer.load(path, x, graph)), reference(graph, x)), tuple(remarks)


def _covering(peer: Peer, case: Case, way: Way) -> Fault | None:
    return next((fault for fault in peer.faults if (case.name, way) in fault.spoils), None)


def _fault(peer: Peer, case: Case, way: Way, found: str) -> Outcome:
    fault = _covering(peer, case, way)
    assert fault is not None, f"{peer.name}, {case.name}, {way}: {found}, and no fault of the framework explains it"
    return Outcome("peer's fault", fault.name)
