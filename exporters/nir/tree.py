"""What a NIR file holds, as plain values: nothing is inferred, checked or repaired here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ...toolchain.graph.nodes.base import Array

Value = Array | str
"""A number or an array of them, or a text; an absent field is not in the mapping."""
Metadata = Mapping[str, Value]


@dataclass(frozen=True, eq=False)
class Leaf:
    """A node of NIR.

    Args:
        kind: its type, as the file says it: LIF, Conv2d, Input, …
        values: its fields by the names of the file; `shape` for Input and Output.
        metadata: what else stands beside it.
    """

    kind: str
    values: Mapping[str, Value]
    metadata: Metadata = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))
        object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))


@dataclass(frozen=True, eq=False)
class Tree:
    """A graph of NIR, which is a node of NIR too.

    Args:
        nodes: the nodes by name, in the order of the file.
        edges: from a node to a node, in the order of the file; several into one node are summed in this order.
        metadata: what else stands beside it.
        version: of the library that wrote the file; empty where nothing is known.
    """

    nodes: Mapping[str, Leaf | Tree]
    edges: tuple[tuple[str, str], ...]
    metadata: Metadata = field(default_factory=dict)
    version: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", MappingProxyType(dict(self.nodes)))
        object.__setattr__(self, "edges", tuple((str(a), str(b)) for a, b in self.edges))
        object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))
