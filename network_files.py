"""Files that hold a network, each by the end of its name, and what a run of one recorded."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .toolchain.errors import UsageError
from .toolchain.source import REMARKS, Source

if TYPE_CHECKING:
    from .toolchain.graph import Graph
    from .toolchain.loihi.chip_graph import ChipGraph
    from .toolchain.verifying import Golden

NETX = (".net", ".h5", ".hdf5")
"""The suffixes of netx files."""
PARTS = ".parts.json"
"""The end of the name of what joins several."""
FOLDER = ".parts"
"""The end of the name of the folder in which all of them lie."""
NIR, NIR_PARTS, ONNX = ".nir", ".nirparts", ".onnx"
FILES = (".graph", *NETX, FOLDER, PARTS, NIR, NIR_PARTS, ONNX)
"""The ends of names of files that hold a network."""


def network_in(given: Source) -> Graph | ChipGraph:
    """The network of a file; what its reader found remarkable stands in the notes."""
    if given.weights is not None:
        raise UsageError("--weights", f"a file of weights beside {given.name}, which holds its own", fix="leave it out")
    if given.name.endswith(NETX):
        return _from_netx_file(given)
    if given.name.endswith((NIR, ONNX)):
        return _from_exchange_file(given)
    if given.name.endswith(NIR_PARTS) or Path(given.name).parent.name.endswith(NIR_PARTS):
        from .exporters.nir.parts_in import read_parts as read_nir_parts

        return read_nir_parts(Path(given.name))
    if given.name.endswith((FOLDER, PARTS)):
        from .exporters.netx_parts import read_parts

        return read_parts(_joining(given.name))
    from .toolchain.loihi.store import load as load_graph

    return load_graph(given.name)


def _joining(name: str) -> str:
    """The file that joins the parts; of a folder of parts the one in it."""
    if not name.endswith(FOLDER):
        return name
    found = sorted(Path(name).glob(f"*{PARTS}"))
    if len(found) != 1:
        raise UsageError(name, f"{len(found)} files that end in {PARTS}", "a folder with one", "name the file itself")
    return str(found[0])


def _from_netx_file(given: Source) -> ChipGraph:
    """The chip graph of a netx file, named after it where it holds no name.

    What lava-dl's own loader would overlook in it stands in the notes.
    """
    from .exporters.netx_file import read_with_remarks

    chip, remarks = read_with_remarks(given.name)
    notes = {**chip.notes, REMARKS: "\n".join(remarks)} if remarks else chip.notes
    name = called(Path(given.name).stem) if chip.name == "network" else chip.name
    return replace(chip, notes=notes, name=name)


def _from_exchange_file(given: Source) -> Graph:
    """The graph of a NIR or an ONNX file; what its reader found remarkable stands in the notes."""
    path = Path(given.name)
    if given.name.endswith(ONNX):
        from .exporters.onnx_file import read as read_onnx

        axis, sizes = given.reading.batch_axis, given.reading.sizes
        graph, remarks = read_onnx(path, batch=axis or "first", sizes=sizes)
    else:
        from .exporters.nir_file import read as read_nir

        how = given.reading
        found = read_nir(path, dialect=how.dialect, dt=how.dt, reset=how.reset)
        graph, remarks = found.graph, found.remarks
    named = graph if graph.name != "network" else replace(graph, name=called(path.stem))
    return named.with_notes(**{REMARKS: "\n".join(remarks)}) if remarks else named


def golden_of(path: Path, graph: Graph) -> Golden:
    """The record of a run of this network that a file holds."""
    from .exporters.nir.trace_file import read_trace

    return read_trace(path, graph)


def called(text: str) -> str:
    """A name that a graph can have, as near to the text as possible."""
    return re.sub(r"[^A-Za-z0-9_.\-]+", "_", text).strip(".-")[:100] or "network"
