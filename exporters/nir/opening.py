"""What a NIR file holds, from an HDF5 file that may come from a stranger: a process of its own reads it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ...toolchain.errors import FileError
from ...toolchain.graph.nodes.base import brief
from ...toolchain.hdf5_open import Contents, Limits, contents_in, open_hdf5
from ...toolchain.opening import Wanted, printable
from .tree import Leaf, Tree, Value

EXPECTED = "a NIR file: HDF5 with a group /node of type NIRGraph"
FIX = "export the network again"
NIR = Wanted("nir", "HDF5's library", EXPECTED, FIX)
LIMITS = Limits(depth=48, objects=50_000, size=4 << 30, word="a NIR file", seconds=20)
GRAPH = "NIRGraph"
METADATA = "metadata"
PARTS = ("type", "nodes", "edges", METADATA)
"""What a graph has; nir leaves everything else in it unread."""


def open_contents(path: str | Path, *, expected: str = EXPECTED, attributes: bool = False) -> Contents:
    """All that an HDF5 file of NIR's library holds.

    Args:
        path: the file.
        expected: what it should be, for messages.
        attributes: whether attributes are wanted too.

    Raises:
        FileError: when it is no such file, or must not be read.
    """
    return open_hdf5(path, replace(NIR, expected=expected), replace(LIMITS, attributes=attributes))


def contents_of(folder: Path, name: str) -> Contents:
    """What the process has left in its folder.

    Raises:
        FileError: when that is an error.
    """
    return contents_in(folder, name, NIR)


def tree_of(contents: Contents) -> Tree:
    """The graph that a file holds; a single node is a graph of one.

    Raises:
        FileError: when it is none.
    """
    if "/node" not in contents.groups:
        raise FileError(contents.name, "no group /node", EXPECTED, FIX)
    version = _text(contents, "/version") or ""
    node = _node(contents, "/node")
    if isinstance(node, Leaf):
        return Tree({node.kind: node}, (), node.metadata, version)
    return replace(node, version=version)


def _node(contents: Contents, path: str) -> Leaf | Tree:
    kind = _text(contents, f"{path}/type")
    if kind is None:
        raise FileError(_where(contents, path), "no text 'type'", "the type of a node", FIX)
    if kind == GRAPH:
        return _graph(contents, path)
    values: dict[str, Value] = {}
    for name in contents.below(path):
        place = f"{path}/{name}"
        if place in contents.others:
            raise FileError(_where(contents, place), contents.others[place], "numbers or a text", FIX)
        if place in contents.values and name != "type":
            values[name] = _value(contents, place)
        elif name == "input_type" and f"{place}/input" in contents.values:
            values[name] = _value(contents, f"{place}/input")
    return Leaf(kind, values, _metadata(contents, path))


def _graph(contents: Contents, path: str) -> Tree:
    if f"{path}/nodes" not in contents.groups:
        raise FileError(_where(contents, path), "no group 'nodes'", "the nodes of a graph", FIX)
    nodes: dict[str, Leaf | Tree] = {}
    for name in contents.below(f"{path}/nodes"):
        place = f"{path}/nodes/{name}"
        if place not in contents.groups:
            raise FileError(_where(contents, place), "no group", "a node", FIX)
        nodes[name] = _node(contents, place)
    return Tree(nodes, _edges(contents, f"{path}/edges"), _metadata(contents, path))


def _edges(contents: Contents, path: str) -> tuple[tuple[str, str], ...]:
    held = contents.values.get(path)
    if held is not None and held.size == 0:
        return ()
    if held is None or held.dtype.kind != "S" or held.ndim != 2 or held.shape[1] != 2:
        found = "not there" if held is None else f"{held.dtype} of shape {list(held.shape)}"
        raise FileError(_where(contents, path), brief(found), "pairs of names", FIX)
    try:
        return tuple((bytes(a).decode("utf-8"), bytes(b).decode("utf-8")) for a, b in held)
    except UnicodeDecodeError as error:
        raise FileError(_where(contents, path), "a name that is not UTF-8", "names of nodes", FIX) from error


def _metadata(contents: Contents, path: str) -> dict[str, Value]:
    """What stands beside a node, groups in it by paths; what is neither numbers nor text is left out."""
    found: dict[str, Value] = {}
    waiting = [f"{path}/{METADATA}"]
    start = len(waiting[0]) + 1
    while waiting:
        group = waiting.pop()
        for name in contents.below(group):
            place = f"{group}/{name}"
            if place in contents.values:
                found[place[start:]] = _value(contents, place)
            elif place in contents.groups:
                waiting.append(place)
    return found


def _value(contents: Contents, path: str) -> Value:
    held = contents.values[path]
    if held.dtype.kind != "S":
        return held
    if held.size != 1:
        raise FileError(_where(contents, path), f"{held.size} texts", "numbers, or one text", FIX)
    return _text(contents, path) or ""


def _text(contents: Contents, path: str) -> str | None:
    held = contents.values.get(path)
    if held is None or held.dtype.kind != "S" or held.size != 1:
        return None
    try:
        return bytes(np.ravel(held)[0]).decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileError(_where(contents, path), "a text that is not UTF-8", "text", FIX) from error


def _where(contents: Contents, path: str) -> str:
    return f"{contents.name}, {printable(path)}"


__all__ = ["EXPECTED", "LIMITS", "NIR", "Contents", "contents_of", "open_contents", "tree_of"]
