"""Which networks can be turned into spikes: linear maps with ReLUs between, each step by itself.

    z = Σ_paths L_path(a_source) + c,   a = max(z, 0)  or  min(max(z, 0), h)

Batch normalisation is folded first. Whatever else a network has is refused, all of it at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..errors import Refused, SpikeportError
from ..graph import Graph, Node, Signal, replace_graph
from ..graph.nodes import (
    Activation,
    Add,
    Affine,
    AveragePool,
    BatchNorm,
    Concat,
    Contract,
    Conv,
    ConvTranspose,
    Delay,
    Delta,
    Flatten,
    Host,
    Input,
    Integrating,
    MaxPool,
    Mean,
    Multiply,
    Output,
    Pad,
    Permute,
    Reshape,
    ResonateFire,
    Scale,
    Sigma,
    SigmaDelta,
    Slice,
    StateSpace,
    Sum,
    SumPool,
    TemporalKernel,
)
from ..graph.nodes.base import Array
from ..passes import pipeline
from ..passes.base import one
from ..passes.rescale import rescale_of, tight
from ..simulate import simulate

PASSES = ("inline_subgraphs", "drop_dead_nodes", "drop_identities", "fold_batchnorm")
"""What a network is brought to first."""
LINEAR: tuple[type[Node], ...] = (
    *(Affine, Scale, BatchNorm, Contract, Conv, ConvTranspose, SumPool, AveragePool, Mean, Sum, Add, Concat),
    *(Flatten, Reshape, Permute, Slice, Pad),
)
"""Nodes that stay as they are."""
REMEMBERS = (Integrating, ResonateFire, Sigma, Delta, SigmaDelta)
IN_TIME = (Delay, TemporalKernel, StateSpace)
LOGITS = "cut it off and read what comes into it: the largest stays the largest"


@dataclass(frozen=True, eq=False)
class Relus:
    """A network that can be turned into spikes.

    Args:
        graph: the network, batch normalisation folded.
        heights: h of every ReLU by name, in the graph's order; infinite where nothing is cut off above.
    """

    graph: Graph
    heights: Mapping[str, float]

    def constants(self) -> dict[str, Array]:
        """c of every ReLU and output, as small as it broadcasts: a run on zeros in which every ReLU is silent."""
        graph = self.graph
        silent = {name: Scale(np.zeros(())) if name in self.heights else node for name, node in graph.nodes.items()}
        ends = {name: graph.wires[name][0].source for name in (*self.heights, *graph.outputs)}
        zeros = {name: np.zeros((1, 1, *graph.signals[name].shape)) for name in graph.inputs}
        trace = simulate(replace_graph(graph, nodes=silent), zeros, record=list(dict.fromkeys(ends.values())))
        return {name: _small(trace[source].values[0, 0]) for name, source in ends.items()}


def relus_of(graph: Graph, *, rates: bool) -> Relus:
    """The network of ReLUs that a graph is.

    Args:
        graph: a trained network without spikes.
        rates: whether it shall send rates of spikes, rather than changes.

    Raises:
        Refused: when it is none, with every reason.
    """
    folded = pipeline(*PASSES)(graph).graph
    found = {name: refusal(folded, name, rates=rates) for name in folded.order}
    reasons = [each for each in found.values() if each is not None]
    heights = {name: height_of(node) for name, node in folded.nodes.items() if isinstance(node, Activation)}
    if not heights and not reasons:
        reasons = [SpikeportError(graph.name, "a network without a ReLU", "ReLUs between its layers")]
    if reasons:
        raise Refused(f"{graph.name} as spikes", reasons)
    return Relus(folded, {name: height for name, height in heights.items() if height is not None})


def height_of(node: Activation) -> float | None:
    """h of min(max(z, 0), h); none for other functions."""
    if node.function == "relu":
        return math.inf
    if node.function == "clip" and node.parameters is not None and node.parameters["low"] == 0:
        return node.parameters["high"] or None
    return None


def refusal(graph: Graph, name: str, *, rates: bool) -> SpikeportError | None:
    """Why a node cannot be; nothing where it can."""
    node = graph.nodes[name]
    if any(wire.delayed for wire in graph.wires[name]):
        return SpikeportError(name, "it reads what was sent a step before", "each step by itself", "unroll the loop")
    if isinstance(node, (Input, Output, *LINEAR)):
        return None
    if isinstance(node, Activation):
        return None if height_of(node) is not None else _other(name, node)
    if isinstance(node, MaxPool):
        how = "rates" if rates else "changes"
        fix = "train it with an average pool, or with a stride in the convolution before"
        return SpikeportError(
            name, f"a MaxPool: the maximum of {how} is not that of values", "an average or a sum", fix
        )
    if isinstance(node, Host):
        last = all(isinstance(graph.nodes[edge.target], Output) for edge in graph.readers(name))
        fix = LOGITS if last and node.operation in ("softmax", "log_softmax") else "exchange it before training"
        return SpikeportError(name, f"the host operation '{node.operation}'", "linear layers and ReLUs", fix)
    if isinstance(node, Multiply):
        return SpikeportError(
            name, "a product of two signals, which is not linear", "sums", "exchange it before training"
        )
    return _with_memory(name, node)


def _other(name: str, node: Activation) -> SpikeportError:
    low = (node.parameters or {}).get("low", 0.0)
    word = f"clip from {low:g}" if node.function == "clip" else node.function
    fix = "convert the network as it was before quantising" if word == "quantise" else "exchange it before training"
    return SpikeportError(name, f"the activation {word}", "a ReLU, or a clip from 0", fix)


def _with_memory(name: str, node: Node) -> SpikeportError:
    if isinstance(node, REMEMBERS):
        fix = "convert the network as it is: it has neurons already"
        return SpikeportError(name, one(node), "ReLUs, and nothing that remembers", fix)
    what = "which looks at earlier steps" if isinstance(node, IN_TIME) else "which is no linear layer"
    return SpikeportError(name, f"{one(node)}, {what}", "linear layers and ReLUs", "exchange it before training")


def without_constant(node: Node, received: Signal) -> Node:
    """The same linear map without what it makes of zeros."""
    if isinstance(node, (Affine, Conv, ConvTranspose)):
        return node if node.bias is None else replace(node, bias=None)
    if isinstance(node, Scale):
        return node if node.shift is None else replace(node, shift=None)
    scale = rescale_of(node, len(received.shape)) if isinstance(node, BatchNorm) else None
    return node if scale is None else Scale(scale.scale)


def _small(values: Array) -> Array:
    """A constant with size one where it does not vary; a single number where it never does."""
    kept = tight(values)
    return kept.reshape(()) if kept.size == 1 else kept
