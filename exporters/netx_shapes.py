"""Neurons in the shapes of the layers that a netx file has: images behind convolutions, rows behind matrices.

Nothing can be reshaped between a synapse and its neurons in such a file, so it is done behind them. Outputs hand on
what the neurons send as it is: the same values in the same order.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ..toolchain.graph import Graph, Wire, replace_graph
from ..toolchain.graph.nodes import (
    Add,
    BatchNorm,
    Concat,
    Conv,
    Delay,
    Flatten,
    Input,
    Integrating,
    Node,
    Output,
    Permute,
    Reshape,
    Scale,
)
from ..toolchain.loihi.lowering.convolutions import RULES, image
from .nir.naming_in import Taken

THROUGH = (Reshape, Flatten, Scale, BatchNorm, Add)
"""What stands between a layer and its neurons, and says nothing about its shape."""


def in_layer_shapes(graph: Graph) -> Graph:
    """The same network with neurons in the shapes of their layers."""
    nodes: dict[str, Node] = {}
    wires: dict[str, tuple[Wire, ...]] = dict(graph.wires)
    read_as: dict[str, str] = {}
    taken = Taken(graph.nodes)
    for name, node in graph.nodes.items():
        shape = graph.signals[name].shape
        layer = layer_shape(graph, name) if isinstance(node, Integrating) else shape
        if layer == shape:
            nodes[name] = node
            continue
        before, behind = taken.free(f"{name}.layer"), taken.free(f"{name}.shape")
        nodes |= {before: Reshape(layer), name: _turned(node, shape, layer), behind: Reshape(shape)}
        wires |= {before: wires[name], name: (Wire(before),), behind: (Wire(name),)}
        read_as[name] = behind
    return replace_graph(
        graph, nodes=nodes, wires={name: _read(nodes[name], wires[name], read_as, name) for name in nodes}
    )


def _read(node: Node, wires: tuple[Wire, ...], read_as: dict[str, str], name: str) -> tuple[Wire, ...]:
    if isinstance(node, Output):
        return wires
    return tuple(
        Wire(read_as[w.source], w.delayed) if w.source in read_as and read_as[w.source] != name else w for w in wires
    )


def layer_shape(graph: Graph, neuron: str) -> tuple[int, ...]:
    """The shape of the layer that some neurons are behind; what hands every value on is an image of one line."""
    line = (math.prod(graph.signals[neuron].shape),)
    if isinstance(graph.nodes[_before(graph, neuron, (*THROUGH, Permute))], (Input, Integrating)):
        return (1, 1, *line) if len(graph.signals[neuron].shape) > 1 and _even(graph.nodes[neuron]) else line
    source = _before(graph, neuron, THROUGH)
    shape = graph.signals[source].shape
    conv = isinstance(graph.nodes[source], Conv) or _of_channels(graph.nodes[source], shape)
    return image(shape) if conv and len(shape) in (2, 3) and _of_images(graph, neuron) else line


def _even(node: Node) -> bool:
    """Whether one weight does for all neurons: neither their gain nor their threshold differs."""
    arrays = node.arrays()
    return not any(
        bool((arrays[each] != arrays[each].flat[0]).any()) for each in ("gain", "threshold") if each in arrays
    )


def _before(graph: Graph, neuron: str, through: tuple[type[Node], ...]) -> str:
    """The first node before some neurons that is of none of these kinds."""
    source = graph.wires[neuron][0].source
    while isinstance(graph.nodes[source], through):
        source = graph.wires[source][0].source
    return source


def _of_images(graph: Graph, neuron: str) -> bool:
    """Whether all that comes to some neurons goes through maps of images alone; else it is a matrix, all of it."""
    seen, waiting = set[str](), [wire.source for wire in graph.wires[neuron]]
    while waiting:
        name = waiting.pop()
        if name in seen or isinstance(graph.nodes[name], (Input, Integrating)):
            continue
        if not isinstance(graph.nodes[name], (*RULES, *THROUGH, Concat, Delay)):
            return False
        seen.add(name)
        waiting += [wire.source for wire in graph.wires[name]]
    return True


def _of_channels(node: Node, shape: tuple[int, ...]) -> bool:
    """Whether a node puts channels side by side."""
    return isinstance(node, Concat) and node.axis % len(shape) == 0


def _turned(node: Node, shape: tuple[int, ...], layer: tuple[int, ...]) -> Node:
    """The neurons with one value for each of them in another shape."""
    wide = {name: value for name, value in node.arrays().items() if value.size > 1}
    return replace(node, **{name: np.broadcast_to(value, shape).reshape(layer) for name, value in wide.items()})
