"""The network whose parts a manifest joins, read from files of NIR and of Spikeport's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...toolchain.errors import FileError, GraphError
from ...toolchain.graph import Graph, Node, Wire
from ...toolchain.graph.nodes import Input, Output
from ...toolchain.graph.store import load
from ..manifests import part_beside, read_manifest
from .naming_in import Taken
from .parts import FIX, MANIFEST, VERSION
from .reading import read


def read_parts(manifest: str | Path) -> Graph:
    """The network whose parts a manifest joins.

    Args:
        manifest: the manifest, or the folder that it lies in.

    Raises:
        FileError: when the manifest or one of its files cannot be read, or they make no network.
    """
    path = _manifest(Path(manifest))
    data = read_manifest(path, VERSION, FIX)
    try:
        join = _Join(path)
        for name, given in data["inputs"].items():
            join.nodes[name], join.wires[name] = Input(tuple(given["shape"]), given["carries"]), ()
            join.sources[name] = Wire(name)
        for part in data["parts"]:
            join.take(part)
        for name, given in data["outputs"].items():
            join.nodes[name] = Output(given["readout"])
            join.wires[name] = (join.wire(Wire(given["reads"], bool(given["delayed"]))),)
        return Graph(join.nodes, join.wires, float(data["dt"]), str(data["name"]), dict(data["notes"]))
    except GraphError as error:
        raise FileError(f"{path}, {error.where}", error.found, error.expected, FIX) from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        found = f"cannot be understood: {type(error).__name__} {error}"[:200]
        raise FileError(str(path), found, "a manifest of Spikeport's", FIX) from error


class _Join:
    """A network as its parts are put together.

    Args:
        path: of the manifest.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.nodes: dict[str, Node] = {}
        self.wires: dict[str, tuple[Wire, ...]] = {}
        self.sources: dict[str, Wire] = {}

    def wire(self, wire: Wire) -> Wire:
        """The wire from what really hands out what a node of the network does."""
        if wire.source not in self.sources:
            raise FileError(str(self.path), f"'{wire.source}' is handed out by no part", "the manifest as written", FIX)
        source = self.sources[wire.source]
        return Wire(source.source, source.delayed or wire.delayed)

    def take(self, part: Mapping[str, Any]) -> None:
        """The nodes of one file."""
        graph = _read(self.path, str(part["file"]))
        reads, sends = dict(part["reads"]), dict(part["sends"])
        if set(graph.inputs) != set(reads) or set(graph.outputs) != set(sends):
            raise FileError(str(self.path), f"other inputs and outputs than {part['file']} has", "its own", FIX)
        taken = Taken(self.nodes)
        own = {name: taken.free(name) for name in graph.nodes if name not in reads and name not in sends}
        ends = {entry: self.wire(Wire(str(name))) for entry, name in reads.items()}

        def outside(wire: Wire) -> Wire:
            source = ends.get(wire.source, Wire(own.get(wire.source, wire.source)))
            return Wire(source.source, source.delayed or wire.delayed)

        for name, called in own.items():
            self.nodes[called] = graph.nodes[name]
            self.wires[called] = tuple(outside(wire) for wire in graph.wires[name])
        for each, name in sends.items():
            self.sources[str(name)] = outside(graph.wires[each][0])


def _manifest(path: Path) -> Path:
    """The manifest, where the path is that of its folder."""
    if not path.is_dir():
        return path
    found = sorted(path.glob(f"*{MANIFEST}"))
    if len(found) != 1:
        raise FileError(str(path), f"{len(found)} files NAME{MANIFEST} in the folder", "one", FIX)
    return found[0]


def _read(path: Path, name: str) -> Graph:
    """The network of a file beside the manifest."""
    place = part_beside(path, name, FIX)
    readers: Mapping[str, Callable[[Path], Graph]] = {".nir": lambda place: read(place).graph, ".graph": load}
    reader = readers.get(Path(name).suffix)
    if reader is None:
        raise FileError(str(path), f"a part called '{name[:60]}'", " or ".join(readers), FIX)
    return reader(place)
