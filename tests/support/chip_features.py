"""What a chip graph has in it, in words, so that a set of random ones can be shown to hold everything."""

import heapq
from collections.abc import Iterator

import numpy as np
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import (
    LIF,
    ChipOutput,
    Conv,
    InvSqrt,
    Joined,
    LIFReset,
    NormVecDelay,
    Port,
    Process,
    Shaped,
    SigmaDelta,
)
from spikeport.toolchain.loihi.processes.delta import Coding
from spikeport.toolchain.loihi.processes.synapses import Delayed, Matrix, Synapse


def features(graph: ChipGraph) -> set[str]:
    """All that can be said of it."""
    found = {text for name, node in graph.nodes.items() for text in (*of_node(node), *_of_place(graph, name, node))}
    for text, several in (("inputs", graph.inputs), ("outputs", graph.outputs)):
        if len(several) > 1:
            found.add(f"several {text}")
    return found


def of_node(node: Process) -> Iterator[str]:
    """What can be said of a node by itself."""
    match node:
        case Matrix():
            yield f"{node.mode} weights"
            yield f"exponent {'up' if node.exponent > 0 else 'down' if node.exponent else '0'}"
            if node.bits != 8:
                yield "fewer bits" if node.bits < 8 else "nine bits"
            if np.any(node.held != node.weight):
                yield "weights that are cut"
            if np.abs(node.weight).max() > 256:
                yield "weights that are clipped"
        case Conv():
            yield from (
                text
                for text, there in {
                    "groups": node.groups > 1,
                    "depthwise": node.groups > 1 and node.weight.shape[1] == 1,
                    "dilation": max(node.dilation) > 1,
                    "stride": max(node.stride) > 1,
                    "stride of its own": node.stride[0] != node.stride[1],
                    "padding": max(node.padding) > 0,
                    "padding of its own": node.padding[0] != node.padding[1],
                    "kernel of two sizes": node.kernel[0] != node.kernel[1],
                }.items()
                if there
            )
        case LIF(emit="voltage") | LIFReset(emit="voltage"):
            yield f"voltage of {node.kind}"
        case Coding():
            yield f"cumulative {node.cumulative} of {node.kind}"
            if isinstance(node, SigmaDelta):
                yield f"activation {node.activation}"
        case NormVecDelay():
            yield f"sends {node.sends}"
        case ChipOutput():
            yield f"readout {node.readout}"
    if isinstance(node, Delayed):
        longest = int(node.delay.max())
        yield "delay 63" if longest == 63 else "delay" if longest else "delay 0"
    if node.role == "neuron" and any(value.ndim for value in node.arrays().values()):
        yield "one value for each neuron"


def _of_place(graph: ChipGraph, name: str, node: Process) -> Iterator[str]:
    """What can be said of a node where it is."""
    received, wires = graph.received(name), graph.wires[name]
    kinds = [graph.nodes[wire.source] for wire in wires]
    if isinstance(node, Synapse):
        binary = received[0].carries.binary
        yield f"{'spikes' if binary else 'values'} {'as payload' if node.message_bits else 'as spikes'}"
        if _hears_itself(graph, name):
            yield f"loop through {'an image' if isinstance(node, Conv) else 'a matrix'}"
    if isinstance(node, Conv) and isinstance(kinds[0], (LIF, Joined, Shaped)):
        yield "image into image"
    if isinstance(node, Joined):
        yield f"joined {len(received[0].shape)}d along {node.axis % len(received[0].shape)}"
        yield f"joined {kinds[0].role}s"
        if isinstance(kinds[0], Conv):
            yield "joined convolutions"
    if isinstance(node, Port):
        depths = {_depth(graph, wire.source) for wire in wires}
        common = set.intersection(*(_before(graph, wire.source) for wire in wires))
        if len(depths) > 1 and common:
            yield f"residual {len(received[0].shape)}d"
        if any(kind.role != "synapse" for kind in kinds):
            yield "sum with what is no synapse"
    if isinstance(node, InvSqrt) and any(isinstance(graph.nodes[n], NormVecDelay) for n in _before(graph, name)):
        yield "norm chain"
    if node.role == "neuron" and len(wires) == 2:
        yield f"two inputs of {node.kind}"
    if node.role == "neuron" and kinds[0].role == "neuron":
        yield "neuron into neuron"


def _before(graph: ChipGraph, name: str) -> set[str]:
    """All that a node depends on, itself among them."""
    found, waiting = set(), [name]
    while waiting:
        if (at := waiting.pop()) not in found:
            found.add(at)
            waiting += [wire.source for wire in graph.wires[at]]
    return found


def _hears_itself(graph: ChipGraph, name: str) -> bool:
    return any(name in _before(graph, wire.source) for wire in graph.wires[name])


def _depth(graph: ChipGraph, name: str) -> int:
    """The fewest synapses between an input and a node."""
    waiting = [(0, name)]
    while True:
        depth, at = heapq.heappop(waiting)
        if at in graph.inputs:
            return depth
        further = depth + (graph.nodes[at].role == "synapse")
        for wire in graph.wires[at]:
            heapq.heappush(waiting, (further, wire.source))
