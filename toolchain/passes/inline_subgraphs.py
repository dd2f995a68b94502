"""Replace every sub-graph by its nodes: `inner` of the sub-graph `outer` becomes the node `outer.inner`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..graph import Graph
from ..graph.inline import inline
from ..graph.subgraph import SubGraph
from .base import Change, Pass, PassResult


@dataclass(frozen=True)
class InlineSubgraphs(Pass):
    """Open sub-graphs, at any depth, so that other passes see their nodes."""

    name: ClassVar[str] = "inline_subgraphs"
    exact: ClassVar[bool] = True

    def __call__(self, graph: Graph) -> PassResult:
        """One flat graph."""
        held = {name: node for name, node in graph.nodes.items() if isinstance(node, SubGraph)}
        changes = [
            Change((name,), f"opened {name}, a sub-graph of {len(node.graph.nodes)} nodes")
            for name, node in held.items()
        ]
        return PassResult(inline(graph), tuple(changes))
