"""NIR, the field's shared format: a graph as a file and as objects of the nir package, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..toolchain.graph import Graph
from .nir.objects import graph_object
from .nir.reading import Read, from_nir, read
from .nir.saving import save
from .nir.writing import Written, to_tree

__all__ = ["Read", "Written", "from_nir", "read", "to_nir", "to_tree", "write"]


def write(graph: Graph, path: str | Path, *, dialect: str = "ode") -> tuple[str, ...]:
    """Writes a graph as a NIR file, and beside it, in FILE.json, what NIR cannot say.

    Args:
        graph: the network.
        path: the file.
        dialect: which framework's importer shall run it as it is meant; `ode` is the reading of the NIR paper.

    Returns:
        What whoever reads the file has to know.

    Raises:
        Refused: when NIR, or the dialect, cannot say the network, with every reason.
        FileError: when a file cannot be written.
    """
    written = to_tree(graph, dialect)
    save(written, path)
    return written.remarks


def to_nir(graph: Graph, dialect: str = "ode") -> Any:
    """A graph as a nir.NIRGraph, for frameworks that take objects; its arrays are the graph's own where they can be.

    Args:
        graph: the network.
        dialect: which framework's importer shall run it as it is meant.

    Raises:
        Refused: when NIR, or the dialect, cannot say the network, with every reason.
    """
    return graph_object(to_tree(graph, dialect).tree)
