"""A graph cut into sources, targets, and the linear paths between them.

    x_target[t] = Σ_paths L_path(y_source[t − δ_path]) + c

Sources are inputs and what neurons send; targets are neurons and outputs. Everything between is linear: an Add is a
sum of paths, a Concat a sum of padded ones, a Delay and a delayed wire add to δ, a kernel over time is a path for each
tap. Each path keeps the list of its linear maps; c is what the maps make of zeros.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ...errors import SpikeportError
from ...graph import Graph, Node, Wire
from ...graph.nodes import (
    Activation,
    AdaptiveLIF,
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
    Sum,
    SumPool,
    TemporalKernel,
)
from ...graph.nodes.base import Array
from ...passes.base import one
from .recursions import Value

Shape = tuple[int, ...]

MAPS: tuple[type[Node], ...] = (
    *(Affine, Scale, BatchNorm, Contract, Conv, ConvTranspose),
    *(SumPool, AveragePool, Mean, Sum),
    *(Flatten, Reshape, Permute, Slice, Pad),
)
"""Nodes with one input that are linear, up to a constant, and remember nothing."""

MOST_PATHS = 256
"""The most paths into one target: beyond it a network of sums and branches without neurons explodes."""

STEPS = ("step", "step_or_equal")
"""Activations that send spikes."""
VALUES = ("relu", "square")
"""Activations that send values which a neuron of the chip computes."""


@dataclass(frozen=True, eq=False)
class Op:
    """One linear map of a path: y = node(x) − node(0), or the broadcast to a shape where there is no node.

    Args:
        name: the node of the graph.
        node: what it does; none for a broadcast.
        received: the shape it receives.
        sent: the shape it sends.
    """

    name: str
    node: Node | None
    received: Shape
    sent: Shape

    def __call__(self, x: Array) -> Array:
        """The map on a batch in float64."""
        if self.node is None:
            full = x.reshape(x.shape[0], *([1] * (len(self.sent) - x.ndim + 1)), *x.shape[1:])
            return np.broadcast_to(full, (x.shape[0], *self.sent))
        zeros = np.zeros((1, *self.received))
        return applied(self.node, x) - applied(self.node, zeros)


def applied(node: Node, x: Array) -> Array:
    """What a node without memory makes of a batch."""
    y: Array = node.step(node.start(x.shape[1:], x.shape[0], x.dtype), x)[0]
    return y


@dataclass(frozen=True, eq=False)
class Path:
    """One linear way from a source to a target.

    Args:
        source: the node that sends.
        delay: δ, the steps that it takes in the graph.
        ops: the maps on the way, in order.
    """

    source: str
    delay: int = 0
    ops: tuple[Op, ...] = ()

    def through(self, *ops: Op, delay: int = 0) -> Path:
        """The path made longer."""
        return Path(self.source, self.delay + delay, (*self.ops, *ops))


@dataclass(frozen=True, eq=False)
class Cut:
    """The parts of a graph.

    Args:
        graph: the graph.
        targets: neurons and outputs, in the graph's order.
        paths: for each target and each of its ports, the paths into it.
        constants: for each target and each of its ports, c.
        refusals: what could not be cut.
    """

    graph: Graph
    targets: tuple[str, ...]
    paths: Mapping[str, tuple[tuple[Path, ...], ...]]
    constants: Mapping[str, tuple[Array, ...]]
    refusals: tuple[SpikeportError, ...] = field(default=())


def fires(node: Node) -> bool:
    """Whether a node becomes a neuron that integrates and fires."""
    usual = isinstance(node, Integrating) and not isinstance(node, AdaptiveLIF)
    return usual or (isinstance(node, Activation) and node.function in STEPS)


def computes(node: Node) -> bool:
    """Whether a node becomes another neuron (devices.py)."""
    others = (Multiply, Value, Sigma, Delta, SigmaDelta, ResonateFire, AdaptiveLIF)
    return isinstance(node, others) or (isinstance(node, Activation) and node.function in VALUES)


def sends(node: Node) -> bool:
    """Whether a path starts at a node."""
    return isinstance(node, Input) or fires(node) or computes(node)


def cut(graph: Graph) -> Cut:
    """Cut a graph; what has no place on a chip is among the refusals."""
    cutter = _Cutter(graph)
    ends = [name for name in graph.order if isinstance(graph.nodes[name], Output)]
    targets = tuple(name for name in graph.order if sends(graph.nodes[name]) and name not in graph.inputs)
    every = (*targets, *ends)
    paths = {name: tuple(cutter.port(name, wire) for wire in graph.wires[name]) for name in every}
    constants = {name: tuple(cutter.constant_into(wire, name) for wire in graph.wires[name]) for name in every}
    return Cut(graph, every, paths, constants, tuple(cutter.refusals.values()))


FIXES: Mapping[type[Node], str] = {
    Host: "exchange it before training, or leave it to the host: convert --to netx-parts",
    MaxPool: "pool spikes, or take an average or a sum",
    Activation: "exchange it for a ReLU, or for a neuron, before training",
}
"""What to do about a node that has no place on a chip, where there is more to say than to exchange it."""
BEFORE = "convert the network as it was before quantising: weights and values are quantised here"


class _Cutter:
    """Walks from the targets back to the sources, each node once.

    Args:
        graph: the graph.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.refusals: dict[str, SpikeportError] = {}
        self._paths: dict[str, tuple[Path, ...]] = {}
        self._constants: dict[str, Array] = {}
        self._open: set[str] = set()

    def _refuse(self, name: str, found: str, expected: str, fix: str) -> None:
        self.refusals.setdefault(name, SpikeportError(name, found, expected, fix))

    def port(self, name: str, wire: Wire) -> tuple[Path, ...]:
        """The paths into one port of a target, as wide as the target where its inputs broadcast."""
        received, sent = self.graph.signals[wire.source].shape, self.graph.signals[name].shape
        spread = _spread(name, received, sent) if isinstance(self.graph.nodes[name], Multiply) else ()
        return tuple(path.through(*spread) for path in self.into(wire, name))

    def into(self, wire: Wire, reader: str) -> tuple[Path, ...]:
        """The paths that end in a wire."""
        paths = self._from(wire.source)
        if len(paths) > MOST_PATHS:
            self._refuse(reader, f"{len(paths)} linear paths into it", f"at most {MOST_PATHS}", "put a neuron between")
            return ()
        return tuple(path.through(delay=int(wire.delayed)) for path in paths)

    def _from(self, name: str) -> tuple[Path, ...]:
        node = self.graph.nodes[name]
        if sends(node):
            return (Path(name),)
        if name in self._open:
            self._refuse(name, "a loop without a neuron", "a neuron in every loop", "put a neuron into the loop")
            return ()
        if name not in self._paths:
            self._open.add(name)
            self._paths[name] = self._extended(name, node)
            self._open.discard(name)
        return self._paths[name]

    def _extended(self, name: str, node: Node) -> tuple[Path, ...]:
        if not isinstance(node, (*MAPS, Add, Concat, Delay, TemporalKernel)):
            function = node.function if isinstance(node, Activation) else ""
            words = f"{one(node)} '{function}'" if function else one(node)
            fix = BEFORE if function == "quantise" else FIXES.get(type(node), "exchange it before training")
            self._refuse(name, f"{words} between neurons", "neurons, linear layers, ReLU and products", fix)
            return ()
        ported = [self.into(wire, name) for wire in self.graph.wires[name]]
        shapes = [signal.shape for signal in self.graph.received(name)]
        sent = self.graph.signals[name].shape
        if isinstance(node, Add):
            return tuple(p.through(*_spread(name, s, sent)) for ps, s in zip(ported, shapes, strict=True) for p in ps)
        if isinstance(node, Concat):
            ops = _embedded(name, node, shapes, sent)
            return tuple(p.through(op) for ps, op in zip(ported, ops, strict=True) for p in ps)
        if isinstance(node, Delay):
            return tuple(p.through(*o, delay=d) for d, o in _delays(name, node, sent) for p in ported[0])
        if isinstance(node, TemporalKernel):
            taps = ((k, Op(name, TemporalKernel(w[None]), shapes[0], sent)) for k, w in enumerate(node.weight))
            return tuple(path.through(op, delay=k) for k, op in taps for path in ported[0])
        return tuple(path.through(Op(name, node, shapes[0], sent)) for path in ported[0])

    def constant_into(self, wire: Wire, reader: str) -> Array:
        """c as a wire hands it on."""
        c = self._constant(wire.source)
        if wire.delayed and c.any():
            self._late(reader)
        return c

    def _late(self, reader: str) -> None:
        found = "a bias that arrives later than the first step"
        self._refuse(reader, found, "biases without a delay", "leave the bias away, or put it behind the delay")

    def _constant(self, name: str) -> Array:
        node, shape = self.graph.nodes[name], self.graph.signals[name].shape
        if sends(node) or name in self.refusals or not self._paths.get(name):
            return np.zeros(shape)
        if name not in self._constants:
            received = [self.constant_into(wire, name) for wire in self.graph.wires[name]]
            memory = isinstance(node, Delay) or (isinstance(node, TemporalKernel) and len(node.weight) > 1)
            if memory and any(c.any() for c in received):
                self._late(name)
            inputs = [c[None] for c in received]
            state = node.start(inputs[0].shape[1:], 1, np.float64)
            self._constants[name] = node.step(state, *inputs)[0][0]
        return self._constants[name]


def _spread(name: str, received: Shape, sent: Shape) -> tuple[Op, ...]:
    return () if received == sent else (Op(name, None, received, sent),)


def _embedded(name: str, node: Concat, shapes: list[Shape], sent: Shape) -> list[Op]:
    """Each input of a Concat with zeros where the others are."""
    axis = node.axis % len(sent)
    ops, before = [], 0
    for shape in shapes:
        widths = [(0, 0)] * len(sent)
        widths[axis] = (before, sent[axis] - before - shape[axis])
        ops.append(Op(name, Pad(tuple(widths)), shape, sent))
        before += shape[axis]
    return ops


def _delays(name: str, node: Delay, shape: Shape) -> list[tuple[int, tuple[Op, ...]]]:
    """Each delay of a Delay with the channels that have it."""
    if len(set(node.steps)) == 1:
        return [(node.steps[0], ())]
    steps = np.array(node.steps).reshape(-1, *([1] * (len(shape) - 1)))
    return [(int(d), (Op(name, Scale((steps == d).astype(float)), shape, shape),)) for d in np.unique(steps)]
