"""What a network is: typed nodes and wires in discrete time, with numpy alone."""

from .graph import Edge, Graph, GraphBuilder, Wire, chain, later, replace_graph
from .inline import inline
from .nodes import KINDS, Node
from .parser import parse
from .signal import GRADED, SPIKES, Carries, Signal, carries, integers
from .subgraph import SubGraph
from .text import arrays_of, diff, digest, to_text

__all__ = [
    "GRADED",
    "KINDS",
    "SPIKES",
    "Carries",
    "Edge",
    "Graph",
    "GraphBuilder",
    "Node",
    "Signal",
    "SubGraph",
    "Wire",
    "arrays_of",
    "carries",
    "chain",
    "diff",
    "digest",
    "inline",
    "integers",
    "later",
    "parse",
    "replace_graph",
    "to_text",
]
