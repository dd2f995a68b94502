"""From the objects of the `nir` package to plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...toolchain.errors import GraphError, UsageError
from .opening import GRAPH
from .tree import Leaf, Tree, Value

DEEPEST = 24
"""How deep graphs may lie in graphs."""


def tree_of_object(graph: Any) -> Tree:
    """What a `nir.NIRGraph` holds.

    Raises:
        UsageError: when it is none.
    """
    if type(graph).__name__ != GRAPH or not isinstance(getattr(graph, "nodes", None), Mapping):
        raise UsageError("graph", f"a {type(graph).__name__}", "a nir.NIRGraph")
    return _graph(graph, 0)


def _graph(graph: Any, depth: int) -> Tree:
    if depth > DEEPEST:
        raise GraphError("graph", f"graphs more than {DEEPEST} deep in graphs", "fewer")
    nodes: dict[str, Leaf | Tree] = {}
    for name, node in graph.nodes.items():
        nodes[str(name)] = _graph(node, depth + 1) if type(node).__name__ == GRAPH else _leaf(node, str(name))
    return Tree(nodes, tuple((str(a), str(b)) for a, b in graph.edges), _metadata(graph.metadata))


def _leaf(node: Any, name: str) -> Leaf:
    held = {key: value for key, value in vars(node).items() if key not in ("metadata", "input_type", "output_type")}
    kind = type(node).__name__
    if kind in ("Input", "Output"):
        held["shape"] = _shape(node.input_type if kind == "Input" else node.output_type)
    if kind == "Flatten":
        held["input_type"] = _shape(node.input_type)
    values = {key: _value(value, f"{name}, {key}") for key, value in held.items() if value is not None}
    return Leaf(kind, values, _metadata(node.metadata))


def _shape(types: Any) -> Any:
    return next(iter(types.values()), None) if isinstance(types, Mapping) else types


def _value(value: Any, where: str) -> Value:
    if isinstance(value, (str, bytes)):
        return value if isinstance(value, str) else value.decode("utf-8", "replace")
    held = value.detach().cpu().numpy() if type(value).__module__.startswith("torch") else np.asarray(value)
    if held.dtype.kind not in "iufb":
        raise GraphError(where, f"values of type {held.dtype}", "numbers or a text")
    return np.asarray(held)


def _metadata(held: Any, start: str = "") -> dict[str, Value]:
    """Numbers and texts, groups by paths; what is neither is left out."""
    found: dict[str, Value] = {}
    for key, value in held.items() if isinstance(held, Mapping) else ():
        if isinstance(value, Mapping):
            found |= _metadata(value, f"{start}{key}/")
        elif isinstance(value, (str, bytes)) or np.asarray(value).dtype.kind in "iufb":
            found[f"{start}{key}"] = _value(value, f"metadata, {key}")
    return found
