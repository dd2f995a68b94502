"""Puts the graph together while an ONNX model is read: nodes are checked against their inputs as they come."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from ...toolchain.graph import Graph
from ...toolchain.graph.graph import GraphBuilder
from ...toolchain.graph.nodes import Input, Node, Output
from ...toolchain.graph.nodes.base import Array, need, shown
from ...toolchain.graph.signal import Signal as Sent
from .layout import Layout
from .values import Signal

LEAST_BUDGET = 64 << 20
"""The bytes that constants made while reading may take in all, however small the file is."""
MOST_NODES = 100_000
_STRANGE = re.compile(r"[^A-Za-z0-9_.\-]+")


def tidy(name: str, otherwise: str) -> str:
    """A name from the file as the graph can have it: separators become points, what is strange goes."""
    plain = _STRANGE.sub(".", name.replace("::", ".")).strip(".-")[:150].rstrip(".-")
    return plain or otherwise


class Building:
    """The graph so far.

    Args:
        name: what the network is called.
        batches: the two batch sizes that shapes are worked out for; equal where the file fixes one.
        size: the bytes of the file and its data, which bound what may be made of it.
    """

    def __init__(self, name: str, batches: tuple[int, int], size: int) -> None:
        self.builder = GraphBuilder(name)
        self.batches = batches
        self.sent: dict[str, Sent] = {}
        self.remarks: list[str] = []
        self.reserved: set[str] = set()
        self._budget = max(LEAST_BUDGET, 4 * size)

    def add(self, name: str, node: Node, sources: Sequence[Signal], layout: Layout, kind: str) -> Signal:
        """A node that reads from `sources` and sends what `layout` says."""
        need(len(self.sent) < MOST_NODES, "nodes", f"more than {MOST_NODES}", "a network that a graph can hold")
        sent = node.signal([self.sent[source.node] for source in sources])
        expected = f"{shown(layout.sample)}, as the file's shapes have it"
        need(sent.shape == layout.sample, "shape", f"{shown(sent.shape)} from {node.kind}", expected)
        label = f"{name}.node" if name in self.reserved else name
        label = self.builder.add(label, node, *(source.node for source in sources))
        self.sent[label] = sent
        return Signal(label, layout, kind)

    def take(self, name: str, node: Input, layout: Layout, kind: str) -> Signal:
        """An input."""
        label = self.builder.add(name, node)
        self.sent[label] = node.signal([])
        return Signal(label, layout, kind)

    def hand_out(self, name: str, node: Output, value: Signal) -> None:
        """An output."""
        self.builder.add(name, node, value.node)

    def afford(self, shape: Sequence[int], itemsize: int = 4) -> None:
        """Count a constant that is about to be made; refuse what a file of this size has no use for."""
        size = itemsize
        for n in shape:
            size *= max(int(n), 0)
        need(size <= self._budget, "memory", f"constants of shape {shown(shape)}", "what a file of this size needs")
        self._budget -= size

    def ones(self, shape: Sequence[int]) -> Array:
        """An array of ones, counted."""
        self.afford(shape)
        return np.ones(tuple(shape), np.float32)

    def remark(self, text: str) -> None:
        """Note what a user has to know, once."""
        if text not in self.remarks:
            self.remarks.append(text)

    def graph(self) -> Graph:
        """The finished graph."""
        return self.builder.build()
