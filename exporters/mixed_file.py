"""A network of chip and host parts as files: netx files, graphs, and NAME.parts.json, which says how they join.

The manifest holds inputs, outputs, and for each part in the order in which they run what it reads, what it sends, and
either the file of its graph or, for a part of the chip, what `netx_parts` keeps of one: its files, joins and wires.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..toolchain.errors import FileError, GraphError, UsageError
from ..toolchain.graph import Graph
from ..toolchain.graph.nodes import Input
from ..toolchain.graph.store import load, save
from ..toolchain.loihi.chip_graph import ChipGraph
from ..toolchain.writing import write_whole
from .manifests import part_beside, read_manifest
from .mixed import Answer, Mixed, Part
from .netx_parts import FIX, MIXED, read_files, write_files

MANIFEST = ".parts.json"


def write(mixed: Mixed, folder: str | Path) -> tuple[str, ...]:
    """Writes a network of chip and host parts.

    Args:
        mixed: the network.
        folder: where to, which has to be there.

    Returns:
        What whoever loads the files has to know, each line with the name of its file.

    Raises:
        Refused: when a part of the chip is no network of netx files, with every reason.
        FileError: when a file cannot be written.
    """
    place, parts = Path(folder), []
    remarks: list[str] = []
    for part in mixed.parts:
        ends = {
            "reads": dict(part.reads),
            "sends": dict(part.sends),
            "shapes": {n: list(s) for n, s in part.shapes.items()},
        }
        if isinstance(part.network, Graph):
            name = f"{part.network.name}.graph"
            save(part.network, place / name)
            parts.append({"host": name, **ends})
        else:
            data, said = write_files(part.network, place)
            parts.append({"chip": data, **ends})
            remarks += said
    data = {
        "version": MIXED,
        "name": mixed.name,
        "dt": mixed.dt,
        "notes": dict(mixed.notes),
        "inputs": {name: {"shape": list(node.shape), "carries": node.carries} for name, node in mixed.inputs.items()},
        "parts": parts,
        "outputs": {name: vars(answer) for name, answer in mixed.outputs.items()},
    }
    write_whole(place / f"{mixed.name}{MANIFEST}", json.dumps(data, sort_keys=True, indent=1) + "\n")
    return tuple(remarks)


def read(manifest: str | Path) -> Mixed:
    """The network whose parts a manifest joins.

    Args:
        manifest: the manifest, or the folder that it lies in.

    Raises:
        FileError: when the manifest or one of its files cannot be read, or they make no network.
    """
    path = Path(manifest)
    if path.is_dir():
        path = next(iter(sorted(path.glob(f"*{MANIFEST}"))), path / f"{path.stem}{MANIFEST}")
    data = read_manifest(path, MIXED, FIX)
    try:
        return Mixed(
            str(data["name"]),
            float(data["dt"]),
            {name: Input(tuple(given["shape"]), given["carries"]) for name, given in data["inputs"].items()},
            tuple(_part(path, part) for part in data["parts"]),
            {name: Answer(**given) for name, given in data["outputs"].items()},
            dict(data["notes"]),
        )
    except (GraphError, UsageError) as error:
        raise FileError(f"{path}, {error.where}", error.found, error.expected, FIX) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        found = f"cannot be understood: {type(error).__name__} {error}"[:200]
        raise FileError(str(path), found, "a manifest of Spikeport's", FIX) from error


def _part(path: Path, given: Mapping[str, Any]) -> Part:
    chip = given.get("chip")
    network: Graph | ChipGraph = (
        load(part_beside(path, str(given["host"]), FIX)) if chip is None else read_files(path, chip)
    )
    reads, sends = dict(given["reads"]), dict(given["sends"])
    if set(network.inputs) != set(reads) or set(network.outputs) != set(sends):
        raise FileError(str(path), f"other inputs and outputs than {network.name} has", "its own", FIX)
    return Part(network, reads, sends, {name: tuple(shape) for name, shape in given["shapes"].items()})
