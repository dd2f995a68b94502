"""Trees as objects of the nir package, and as files of its layout.

    /version             of the library
    /node                a graph: type, edges (E, 2), nodes/NAME for each node, metadata
    /node/nodes/NAME     a node: type, a dataset for each field, metadata

The file is what `nir.write` makes with `compression=None`, but no array is copied on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .tree import Leaf, Metadata, Tree, Value


def graph_object(tree: Tree) -> Any:
    """The nir.NIRGraph of a tree; nothing is copied, and nothing inferred."""
    import nir

    nodes = {name: graph_object(n) if isinstance(n, Tree) else _node_object(n) for name, n in tree.nodes.items()}
    return nir.NIRGraph(nodes=nodes, edges=list(tree.edges), metadata=dict(tree.metadata), type_check=False)


def _node_object(leaf: Leaf) -> Any:
    import nir

    make = getattr(nir, leaf.kind)
    values = {name: _plain(value) for name, value in leaf.values.items()}
    if leaf.kind in ENDS:
        values = {ENDS[leaf.kind][0]: {ENDS[leaf.kind][1]: values["shape"]}}
    if leaf.kind == "Flatten":
        values["input_type"] = {"input": values["input_type"]}
    if leaf.kind == "Conv2d":
        pairs = ("input_shape", "stride", "padding", "dilation")
        values |= {name: tuple(int(n) for n in values[name]) for name in pairs if not isinstance(values[name], str)}
    return make(**values, metadata=dict(leaf.metadata))


ENDS: Mapping[str, tuple[str, str]] = {"Input": ("input_type", "input"), "Output": ("output_type", "output")}


def _plain(value: Value) -> Any:
    return value.item() if not isinstance(value, str) and value.ndim == 0 and value.dtype.kind in "iu" else value


def write_file(tree: Tree, path: Path) -> None:
    """The tree as a file, the same bytes for the same tree."""
    import h5py
    import nir

    with h5py.File(path, "w") as file:
        _put(file, "version", nir.version)
        _put_tree(file.create_group("node"), tree)


def _put_tree(group: Any, tree: Tree) -> None:
    import h5py

    _put(group, "type", "NIRGraph")
    group.create_dataset("edges", data=np.array(tree.edges, object), dtype=h5py.string_dtype(), track_times=False)
    _put_metadata(group, tree.metadata)
    # In the order of the tree, sources before readers: nirtorch fails where a node stands before what it reads.
    nodes = group.create_group("nodes", track_order=True)
    for name, node in tree.nodes.items():
        inner = nodes.create_group(name)
        if isinstance(node, Tree):
            _put_tree(inner, node)
        else:
            _put_leaf(inner, node)


def _put_leaf(group: Any, leaf: Leaf) -> None:
    _put(group, "type", leaf.kind)
    for name, value in leaf.values.items():
        _put(group, name, value)
    _put_metadata(group, leaf.metadata)


def _put_metadata(group: Any, metadata: Metadata) -> None:
    if metadata:
        inner = group.create_group("metadata")
        for name, value in metadata.items():
            _put(inner, name, value)


def _put(group: Any, name: str, value: Value) -> None:
    import h5py

    kind = h5py.string_dtype() if isinstance(value, str) else None
    group.create_dataset(name, data=value, dtype=kind, track_times=False)
