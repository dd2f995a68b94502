"""What a network remembers from step to step, as the tensors of a model: batch first, complex numbers as two reals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..graph import Graph, Node, nodes
from ..graph.nodes import Integrating
from ..graph.nodes.base import Array, State
from .parts import DType

SENT = "sent"
"""The key of what the source of a delayed wire sent last."""
LINES = (nodes.Delay, nodes.TemporalKernel)
"""Kinds that keep steps in front of the batch; a model keeps them behind it."""
IMAGINARY = "_imag"


@dataclass(frozen=True, eq=False)
class Memory:
    """One tensor that is carried from step to step.

    Args:
        node: the node that remembers it.
        key: what it is there.
        shape: its shape for one sample.
        start: what it is before the first step; broadcasts to the shape.
    """

    node: str
    key: str
    shape: tuple[int, ...]
    start: Array

    @property
    def name(self) -> str:
        """NODE.KEY."""
        return f"{self.node}.{self.key}"


def memories(graph: Graph, dtype: DType) -> tuple[Memory, ...]:
    """All that a graph without sub-graphs remembers: its nodes in order, then what delayed wires hand on."""
    found = [each for name, node in graph.nodes.items() for each in _of_node(graph, name, node, dtype)]
    zero = np.zeros((), dtype)
    return (*found, *(Memory(name, SENT, graph.signals[name].shape, zero) for name in delayed(graph)))


def delayed(graph: Graph) -> tuple[str, ...]:
    """The sources of delayed wires, in the order of the nodes."""
    sources = {edge.source for edge in graph.edges if edge.delayed}
    return tuple(name for name in graph.nodes if name in sources)


def _of_node(graph: Graph, name: str, node: Node, dtype: DType) -> Iterator[Memory]:
    received = graph.received(name)
    if not node.stateful or not received:
        return
    shape = received[0].shape
    if isinstance(node, LINES):
        steps = max(node.steps) if isinstance(node, nodes.Delay) else len(node.weight) - 1
        yield Memory(name, "past", (steps, *shape), np.zeros((), dtype))
        return
    for key, value in tensors_of(node, node.start(shape, 1, dtype)).items():
        own = node.v_start if key == "v" and isinstance(node, Integrating) else np.zeros((), dtype)
        yield Memory(name, key, value.shape[1:], own)


def tensors_of(node: Node, state: State) -> dict[str, Array]:
    """A node's state as a model's tensors."""
    found: dict[str, Array] = {}
    for key, value in state.items():
        if isinstance(node, LINES):
            found[key] = np.moveaxis(value, 0, 1)
        elif value.dtype.kind == "c":
            found |= {key: value.real, key + IMAGINARY: value.imag}
        else:
            found[key] = value
    return found


def state_of(node: Node, tensors: Mapping[str, Array]) -> State:
    """The reverse of `tensors_of`."""
    if isinstance(node, LINES):
        return {key: np.ascontiguousarray(np.moveaxis(value, 0, 1)) for key, value in tensors.items()}
    parts = {key: tensors.get(key + IMAGINARY) for key in tensors if not key.endswith(IMAGINARY)}
    return {key: tensors[key] if imag is None else tensors[key] + 1j * imag for key, imag in parts.items()}
