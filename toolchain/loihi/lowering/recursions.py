"""Diagonal state spaces as sums, delays and values that are handed on, before a graph is cut.

    h[t] = A·h[t−1] + B·x[t];  y[t] = Re(C·h[t]) + D·x[t]

becomes a value h that reads itself a step later through A, and what comes in through B; y is linear in h and x. A
complex state is two real ones: its real part and its imaginary part, turned by A.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...graph import Graph, Node, Signal, Wire, later, replace_graph
from ...graph.nodes import Add, Contract, Scale, StateSpace
from ...graph.nodes.base import Array, State


@dataclass(frozen=True, eq=False)
class Value(Node):
    """y[t] = x[t]: a value that a neuron of the chip holds for a step and sends."""

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """What comes in."""
        return inputs[0]

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Hand the input through."""
        return inputs[0], state


def without_recursions(graph: Graph) -> Graph:
    """The graph with every StateSpace written out."""
    nodes: dict[str, Node] = {}
    wires: dict[str, tuple[Wire, ...]] = {}
    for name, node in graph.nodes.items():
        if isinstance(node, StateSpace):
            _written_out(name, node, graph, nodes, wires)
        else:
            nodes[name], wires[name] = node, graph.wires[name]
    return replace_graph(graph, nodes=nodes, wires=wires) if len(nodes) != len(graph.nodes) else graph


def _written_out(
    name: str, node: StateSpace, graph: Graph, nodes: dict[str, Node], wires: dict[str, tuple[Wire, ...]]
) -> None:
    """Letters: c channels, n states, k and j real and imaginary part, the rest space."""
    (source,) = graph.wires[name]
    space = "".join(letter for letter in string.ascii_lowercase if letter not in "cnkj")[
        : len(graph.signals[source.source].shape) - 1
    ]
    turned = _parts(node.decay)
    inward = np.stack([np.real(node.inward), np.imag(node.inward)], -1)
    outward = np.stack([np.real(node.outward), -np.imag(node.outward)], -1)
    if not any(np.iscomplexobj(each) for each in (node.decay, node.inward, node.outward)):
        turned, inward, outward = turned[..., :1, :1], inward[..., :1], outward[..., :1]
    parts: list[tuple[str, Node, tuple[Wire, ...]]] = [
        ("in", Contract(f"c{space},cnk->c{space}nk", inward), (source,)),
        ("decay", Contract(f"c{space}nk,cnkj->c{space}nj", turned), (later(f"{name}.state"),)),
        ("sum", Add(), (Wire(f"{name}.in"), Wire(f"{name}.decay"))),
        ("state", Value(), (Wire(f"{name}.sum"),)),
    ]
    read = Contract(f"c{space}nk,cnk->c{space}", outward)
    if node.through is None:
        parts.append(("", read, (Wire(f"{name}.state"),)))
    else:
        sides = (-1, *([1] * len(space)))
        parts += [
            ("read", read, (Wire(f"{name}.state"),)),
            ("through", Scale(node.through.reshape(sides)), (source,)),
            ("", Add(), (Wire(f"{name}.read"), Wire(f"{name}.through"))),
        ]
    for label, part, sources in parts:
        full = f"{name}.{label}" if label else name
        nodes[full], wires[full] = part, sources


def _parts(decay: Array) -> Array:
    """A as a real matrix on (real, imaginary), the parts of what was last: (c, n, from, to)."""
    real, imaginary = np.real(decay), np.imag(decay)
    return np.stack([np.stack([real, imaginary], -1), np.stack([-imaginary, real], -1)], -2)
