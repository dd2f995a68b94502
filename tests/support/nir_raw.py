"""NIR files as others write them, from plain values; and reading without a process of its own."""

import tempfile
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
from spikeport.exporters.nir.meaning import Asked
from spikeport.exporters.nir.opening import LIMITS, contents_of
from spikeport.exporters.nir.reading import Read, from_contents
from spikeport.toolchain.hdf5_tree import told

Fields = Mapping[str, object]
Edges = Sequence[tuple[str, str]]
STEP = {"dialect": "ode", "dt": 1e-3}
"""What the files here mean."""


def ends(n_in: object, n_out: object) -> dict[str, Fields]:
    """An input and an output of these shapes."""
    return {
        "input": {"type": "Input", "shape": np.atleast_1d(n_in)},
        "output": {"type": "Output", "shape": np.atleast_1d(n_out)},
    }


def linear(out: int, width: int, seed: int = 0, **fields: object) -> dict[str, object]:
    """Weights."""
    weight = np.random.default_rng(seed).standard_normal((out, width)).astype(np.float32)
    return {"type": "Linear", "weight": weight} | fields


def lif(*shape: int, **fields: object) -> dict[str, object]:
    """A layer of LIF neurons; None leaves a field out."""
    numbers = {"tau": 0.02, "r": 1.0, "v_leak": 0.0, "v_threshold": 0.5, "v_reset": 0.0}
    held = {name: np.full(shape, value, np.float32) for name, value in numbers.items()}
    return {name: value for name, value in ({"type": "LIF"} | held | fields).items() if value is not None}


def conv(out: int, width: int, kernel: tuple[int, ...], **fields: object) -> dict[str, object]:
    """A convolution."""
    weight = np.random.default_rng(1).standard_normal((out, width, *kernel)).astype(np.float32)
    window = {"stride": [1] * len(kernel), "padding": [0] * len(kernel), "dilation": [1] * len(kernel), "groups": 1}
    held = {"type": f"Conv{len(kernel)}d", "weight": weight, "bias": np.zeros(out, np.float32)} | window | fields
    return {name: value for name, value in held.items() if value is not None}


def row(**nodes: Fields) -> tuple[dict[str, Fields], list[tuple[str, str]]]:
    """Nodes in a row, and their edges."""
    names = list(nodes)
    return dict(nodes), list(pairwise(names))


def graph(nodes: Mapping[str, Fields], edges: Edges, **fields: object) -> dict[str, object]:
    """A graph as the fields of a node."""
    return {"type": "NIRGraph", "nodes": nodes, "edges": edges} | fields


def raw(path: Path, nodes: Mapping[str, Fields], edges: Edges, *, version: str = "0.2.0", **fields: object) -> Path:
    """A file with these nodes and edges."""
    with h5py.File(path, "w") as file:
        if version:
            file.create_dataset("version", data=version, dtype=h5py.string_dtype())
        put(file.create_group("node"), graph(nodes, edges, **fields))
    return path


def put(group: h5py.Group, fields: Fields) -> None:
    """Fields into a group, groups into groups."""
    for name, value in fields.items():
        if isinstance(value, Mapping):
            put(group.create_group(name), value)
        elif name == "edges":
            group.create_dataset(
                name, data=np.array(list(value), dtype=object).reshape(-1, 2), dtype=h5py.string_dtype()
            )
        elif isinstance(value, str):
            group.create_dataset(name, data=value, dtype=h5py.string_dtype())
        else:
            group.create_dataset(name, data=value)


def read_here(path: Path, **options: object) -> Read:
    """As `read`, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        told(path, Path(folder), vars(LIMITS))
        return from_contents(contents_of(Path(folder), path.name), path, Asked(**options))
