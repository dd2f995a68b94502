"""From NIR to a graph: a file, or an object of the `nir` package, of any framework and any version."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...toolchain.errors import FileError, GraphError, Refused
from ...toolchain.graph import Graph
from .building import built
from .dialects.base import Told
from .edges_in import repaired
from .ends_in import completed
from .facts import KEY, Facts, digest_of, facts_beside, facts_of
from .flat import flattened
from .kinds_in import checked, finite
from .meaning import Asked, meaning_of
from .objects_in import tree_of_object
from .opening import Contents, open_contents, tree_of
from .said import MOST, Said
from .tree import Tree


@dataclass(frozen=True)
class Read:
    """What was read.

    Args:
        graph: the network.
        remarks: a line for everything that a user has to know: repairs, and how the file was taken.
        dialect: whose file it was read as.
        told: what the file did not say.
    """

    graph: Graph
    remarks: tuple[str, ...]
    dialect: str
    told: Told


def read(path: str | Path, *, dialect: str | None = None, dt: float | None = None, reset: str | None = None) -> Read:
    """The network of a NIR file.

    Args:
        path: the file.
        dialect: whose it is; by default as the file says, or as its numbers look.
        dt: the length of a step in seconds; by default as the file or the dialect says.
        reset: what a spike does: value, subtract or none; by default as the file or the dialect says.

    Raises:
        FileError: when it is no NIR file, or one that cannot be understood.
        Refused: the same, for several reasons.
    """
    asked = Asked(dialect, dt, reset)
    return from_contents(open_contents(path), Path(path), asked)


def from_contents(contents: Contents, path: Path, asked: Asked) -> Read:
    """The network of a file of these contents, with what stands beside it."""
    said = Said(contents.name)
    tree = tree_of(contents)
    return from_tree(tree, asked, _facts_beside(path, said) or _facts_in(tree, said), said)


def from_nir(graph: Any, *, dialect: str | None = None, dt: float | None = None, reset: str | None = None) -> Read:
    """The network of a `nir.NIRGraph`; the options are those of `read`."""
    asked = Asked(dialect, dt, reset)
    said = Said("nir.NIRGraph")
    tree = tree_of_object(graph)
    return from_tree(tree, asked, _facts_in(tree, said), said)


def from_tree(tree: Tree, asked: Asked, facts: Facts | None, said: Said) -> Read:
    """The network of a tree."""
    sound = checked(tree, said)
    _check(said)
    with np.errstate(all="ignore"):  # numbers may be infinite until they are mended
        meaning = meaning_of(sound, asked, facts, said)
    with said.at("graph"):
        sound = meaning.mended(sound, said)
    finite(sound, said)
    whole = repaired(sound, said, ours=meaning.facts is not None)
    _check(said)
    with said.at("graph"):
        whole = meaning.begun(whole)
    flat = flattened(whole, said)
    completed(flat, said)
    _check(said)
    build = built(flat, meaning, said, flat.readers())
    _check(said)
    try:
        graph = build.graph("network")
    except GraphError as error:
        raise said.error(error.where, error.found, error.expected, error.fix) from error
    return Read(graph, said.shown(), meaning.dialect.name, meaning.told)


def _check(said: Said) -> None:
    """Raises what there are reasons for."""
    if len(said.reasons) == 1:
        raise said.reasons[0]
    if said.reasons:
        more = len(said.reasons) - MOST
        rest = [FileError(said.name, f"{more} reasons more")] if more > 0 else []
        raise Refused(said.name, [*said.reasons[:MOST], *rest])


def _facts_beside(path: Path, said: Said) -> Facts | None:
    """The facts beside the file, where they are there and of this file."""
    try:
        found = facts_beside(path)
    except FileError as error:
        said.remark("", f"what stands beside it is left unread: {error.where}: {error.found}")
        return None
    if found is None:
        return None
    facts, digest = found
    if digest != digest_of(path):
        said.remark("", "what stands beside it is of another file, by its SHA-256; left unread")
        return None
    return facts


def _facts_in(tree: Tree, said: Said) -> Facts | None:
    """The facts in the metadata."""
    text = tree.metadata.get(KEY)
    if not isinstance(text, str):
        return None
    try:
        return facts_of(text, f"metadata, {KEY}")
    except FileError as error:
        said.remark("", f"what Spikeport wrote into it is left unread: {error.where}: {error.found}")
        return None
