"""Graphs with the same answers that an importer can say: what a dialect's `prepare` is put together from.

    scaled     v' = k·v           g, b, θ, v_reset and v_start times k: the same spikes
    shifted    v' = v − v_reset   b' = b − (1 − β)·v_reset; θ and v_start less v_reset; v_reset' = 0: the same spikes
    moved      x' = x + b/g       a neuron's bias b in the bias of the layer before it
    levelled   v' = v·θ̄/θ         W and b of the layers before it times θ̄/θ, row by row: one threshold for all neurons
    ungrouped  W'[o, i] = W[o, i − first channel of o's group], 0 for the channels of other groups

Each takes a graph and gives a graph and a line for everything that it changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ....toolchain.graph import Edge, Graph, replace_graph
from ....toolchain.graph.nodes import Add, Affine, Array, AveragePool, Conv, Firing, Integrating, Node, SumPool
from ....toolchain.passes.base import Stays
from ....toolchain.passes.lower_pooling import as_conv

Prepared = tuple[Graph, tuple[str, ...]]
Prepare = Callable[[Graph], Prepared]


def in_order(graph: Graph, *steps: Prepare) -> Prepared:
    """One after the other."""
    lines: tuple[str, ...] = ()
    for step in steps:
        graph, more = step(graph)
        lines += more
    return graph, lines


def each(graph: Graph, change: Callable[[str, Node], Node | None], line: str) -> Prepared:
    """The graph with every node for which there is another one exchanged for it, and the line with their names."""
    changed = {name: new for name, node in graph.nodes.items() if (new := change(name, node)) is not None}
    if not changed:
        return graph, ()
    return replace_graph(graph, nodes={**graph.nodes, **changed}), (f"{', '.join(changed)}: {line}",)


def scaled(node: Firing, factor: Array) -> Firing:
    """v' = k·v with k > 0."""
    names = ("gain", "bias", "threshold", "v_reset", "v_start")
    return replace(node, **{name: getattr(node, name) * factor for name in names})


def shifted(node: Firing) -> Firing:
    """v' = v − v_reset."""
    beta = node.decays[1]
    leak = 0.0 if beta is None else 1 - beta
    moved = {name: getattr(node, name) - node.v_reset for name in ("threshold", "v_start")}
    return replace(node, **moved, bias=node.bias - leak * node.v_reset, v_reset=0.0)


def with_gain(graph: Graph, wanted: Callable[[Firing], Array | float | None], line: str) -> Prepared:
    """Every neuron that sends spikes with the gain that is wanted, its voltages scaled; none: any gain is good."""

    def change(_: str, node: Node) -> Node | None:
        if not isinstance(node, Firing) or node.emit != "spikes":
            return None
        gain = wanted(node)
        if gain is None or np.array_equal(node.gain, gain) or not (node.gain > 0).all():
            return None
        return scaled(node, np.asarray(gain / node.gain))

    return each(graph, change, line)


def reset_to_zero(graph: Graph) -> Prepared:
    """Every neuron that sends spikes with its voltages shifted so that it resets to 0."""

    def change(_: str, node: Node) -> Node | None:
        fits = isinstance(node, Firing) and node.emit == "spikes" and node.reset == "value" and node.v_reset.any()
        return shifted(node) if fits and isinstance(node, Firing) else None

    return each(graph, change, "voltages counted from v_reset, which becomes 0")


def biases_moved(graph: Graph, left: Callable[[Integrating], Array | float]) -> Prepared:
    """What a neuron's bias has beyond `left` added to the bias of the layer before it, where there is one."""
    lines: tuple[str, ...] = ()
    for name, node in graph.nodes.items():
        if not isinstance(node, Integrating) or node.decays[0] is not None:
            continue
        kept = np.asarray(left(node))
        extra = node.bias - kept
        if not extra.any() or not node.gain.all():
            continue
        layer = _layer_before(graph, name)
        grown = None if layer is None else _with_bias(graph.nodes[layer], extra / node.gain)
        if layer is not None and grown is not None:
            graph = replace_graph(graph, nodes={**graph.nodes, layer: grown, name: replace(node, bias=kept)})
            lines += (f"{name}: its bias moved into {layer}",)
    return graph, lines


def one_threshold(graph: Graph) -> Prepared:
    """Neurons with thresholds of their own given the largest, and the rows of the layers before them scaled for it."""
    lines: tuple[str, ...] = ()
    for name, node in graph.nodes.items():
        if not isinstance(node, Firing) or node.emit != "spikes" or not (node.threshold > 0).all():
            continue
        if not np.ptp(node.threshold):
            continue
        level = np.max(node.threshold)
        factor = level / node.threshold
        layers = _all_before(graph, name)
        grown = {layer: _with_rows(graph.nodes[layer], factor) for layer in layers or ()}
        if not grown or None in grown.values():
            continue
        even = replace(scaled(node, factor), gain=node.gain, threshold=level)
        nodes = {**graph.nodes, **{layer: new for layer, new in grown.items() if new is not None}, name: even}
        graph = replace_graph(graph, nodes=nodes)
        lines += (f"{name}: one threshold for all neurons, with the weights of {', '.join(grown)} scaled for it",)
    return graph, lines


def loops_without_bias(graph: Graph) -> Prepared:
    """The bias of a layer that closes a loop moved into what it is added to: W·0 + b = b in the first step too."""
    lines: tuple[str, ...] = ()
    for name, node in graph.nodes.items():
        if not isinstance(node, (Affine, Conv)) or node.bias is None or not graph.wires[name][0].delayed:
            continue
        beside = _added_to(graph, name)
        grown = None if beside is None else _with_bias(graph.nodes[beside], node.bias)
        if beside is not None and grown is not None:
            nodes = {**graph.nodes, beside: grown, name: replace(node, bias=None)}
            graph = replace_graph(graph, nodes=nodes)
            lines += (f"{name}: its bias moved into {beside}",)
    return graph, lines


def ungrouped(graph: Graph) -> Prepared:
    """Every grouped convolution as one with all channels, zeros between the groups."""

    def change(_: str, node: Node) -> Node | None:
        return replace(node, weight=_full(node), groups=1) if isinstance(node, Conv) and node.groups > 1 else None

    return each(graph, change, "groups written out, with zeros between them")


def pools_as_convolutions(graph: Graph, which: Callable[[AveragePool | SumPool], bool]) -> Prepared:
    """These pools as convolutions with constant weights, where their windows are all full."""

    def change(name: str, node: Node) -> Node | None:
        if not isinstance(node, (AveragePool, SumPool)) or not which(node):
            return None
        conv = as_conv(node, graph.signals[graph.wires[name][0].source].shape)
        return None if isinstance(conv, Stays) else conv

    return each(graph, change, "the pool is written as a convolution with constant weights")


def averages_as_convolutions(graph: Graph) -> Prepared:
    """Every average pool as a convolution."""
    return pools_as_convolutions(graph, lambda pool: isinstance(pool, AveragePool))


def padded(pool: AveragePool | SumPool) -> bool:
    """A sum with padding, which nirtorch drops."""
    return isinstance(pool, SumPool) and any(any(pair) for pair in pool.padding)


def _full(conv: Conv) -> Array:
    out, width = conv.weight.shape[:2]
    weight = np.zeros((out, width * conv.groups, *conv.kernel), conv.weight.dtype)
    each_out = out // conv.groups
    for group in range(conv.groups):
        rows = slice(group * each_out, (group + 1) * each_out)
        weight[rows, group * width : (group + 1) * width] = conv.weight[rows]
    return weight


def _readers(graph: Graph, name: str) -> list[Edge]:
    return [edge for edge in graph.edges if edge.source == name]


def _layer_before(graph: Graph, name: str, but: str = "") -> str | None:
    """A layer with a bias whose output reaches this node alone, by sums only."""
    for wire in graph.wires[name]:
        if wire.delayed or wire.source == but or len(_readers(graph, wire.source)) != 1:
            continue
        if isinstance(graph.nodes[wire.source], (Affine, Conv)) and not graph.wires[wire.source][0].delayed:
            return wire.source
        if isinstance(graph.nodes[wire.source], Add):
            return _layer_before(graph, wire.source)
    return None


def _all_before(graph: Graph, name: str) -> tuple[str, ...] | None:
    """The layers whose outputs reach this node alone, by sums only, and are all that it gets; none else."""
    found: tuple[str, ...] = ()
    for wire in graph.wires[name]:
        node = graph.nodes[wire.source]
        if len(_readers(graph, wire.source)) != 1 or wire.delayed:
            return None
        more: tuple[str, ...] | None = (wire.source,) if isinstance(node, (Affine, Conv)) else None
        if isinstance(node, Add):
            more = _all_before(graph, wire.source)
        if more is None:
            return None
        found += more
    return found


def _added_to(graph: Graph, name: str) -> str | None:
    """A layer with a bias to whose output, and to nothing else's, this node's output is added."""
    readers = _readers(graph, name)
    if len(readers) != 1 or readers[0].delayed or not isinstance(graph.nodes[readers[0].target], Add):
        return None
    return _layer_before(graph, readers[0].target, name)


def _with_rows(layer: Node, factor: Array) -> Node | None:
    """The layer with each of its outputs times its factor, if it can: the same for every place of a convolution."""
    rows = _rows(layer, factor)
    if rows is None or not isinstance(layer, (Affine, Conv)):
        return None
    weight = layer.weight * rows.reshape(-1, *([1] * (layer.weight.ndim - 1)))
    bias = None if layer.bias is None else (layer.bias * rows).astype(layer.bias.dtype)
    return replace(layer, weight=weight.astype(layer.weight.dtype), bias=bias)


def _with_bias(layer: Node, more: Array) -> Node | None:
    """The layer with this added to its output, if its bias can: the same for every place of a convolution."""
    rows = _rows(layer, more)
    if rows is None or not isinstance(layer, (Affine, Conv)):
        return None
    added = rows.astype(layer.weight.dtype)
    return replace(layer, bias=added if layer.bias is None else layer.bias + added)


def _rows(layer: Node, values: Array) -> Array | None:
    """One value for each output of a layer, from one for each neuron behind it, if the places of an output agree."""
    if not isinstance(layer, (Affine, Conv)):
        return None
    if isinstance(layer, Conv) and values.ndim:
        if values.ndim != layer.weight.ndim - 1:
            return None
        flat = values.reshape(len(values), -1)
        if np.ptp(flat, axis=1).any():
            return None
        values = flat[:, 0]
    return None if values.ndim > 1 else np.broadcast_to(values, (layer.weight.shape[0],))
