"""What a network is: typed nodes and wires in discrete time, with numpy alone."""

from .graph import Edge, Graph, GraphBuilder, Wire, chain, later, replace_graph
from .nodes import KINDS, Node
from .signal import GRADED, SPIKES, Carries, Signal, carries, integers

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
    "Wire",
    "carries",
    "chain",
    "integers",
    "later",
    "replace_graph",
]
