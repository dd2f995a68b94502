"""How each kind of node runs over a window. A kind without a row runs by its own `step`, so every kind runs.

A node without state is folded: the window's steps and samples become one batch, and it runs once. A node with state
rolls: a function takes its state and the window [W, B, *shape].
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import GraphError
from ..graph import Node, Signal, nodes
from ..graph.nodes.base import Array, State
from . import adaptive, layers, neurons, temporal, values
from .schedule import Fold
from .tensors import Operation, on_arrays

DType = np.dtype[Any]
Shapes = Sequence[tuple[int, ...]]
Kept = dict[str, Array]
Roll = Callable[[State, Sequence[Array], Collection[str]], tuple[Array, Kept]]
"""(state, inputs, what to keep: current, voltage) → (what is sent, what was kept); the state moves on in place."""


LAYERS: Mapping[type[Node], Callable[[Any, Shapes, DType], Operation]] = {
    nodes.Affine: layers.affine,
    nodes.AveragePool: layers.average_pool,
    nodes.BatchNorm: layers.batch_norm,
    nodes.Contract: layers.contract,
    nodes.Conv: layers.conv,
    nodes.ConvTranspose: layers.conv_transpose,
    nodes.MaxPool: layers.max_pool,
    nodes.Mean: layers.mean,
    nodes.Sum: layers.total,
    nodes.SumPool: layers.sum_pool,
}
"""Kinds that add many values up, by torch."""

VALUES: Mapping[type[Node], Callable[[Any, Shapes, DType], Operation | None]] = {
    nodes.Activation: values.activation,
    nodes.Add: values.add,
    nodes.Concat: values.concat,
    nodes.Multiply: values.multiply,
    nodes.Pad: values.pad,
    nodes.Scale: values.scale,
}
"""Kinds that work value by value, by torch; None: not this one."""

EXACT: tuple[type[Node], ...] = (
    *(nodes.Add, nodes.Multiply, nodes.Scale),
    *(nodes.Concat, nodes.Flatten, nodes.Pad, nodes.Permute, nodes.Reshape, nodes.Slice),
    *(nodes.Delay, nodes.Output),
)
"""Kinds that are exact in the sense of Fold; an Activation is if its function is."""

ROLLS: Mapping[type[Node], Callable[[Any, Shapes, DType], Roll]] = {
    nodes.AdaptiveLIF: adaptive.adaptive,
    nodes.CubaIntegrator: neurons.neuron,
    nodes.CubaLIF: neurons.neuron,
    nodes.Delay: temporal.DelayLine,
    nodes.IF: neurons.neuron,
    nodes.Integrator: neurons.neuron,
    nodes.LIF: neurons.neuron,
    nodes.LeakyIntegrator: neurons.neuron,
    nodes.TemporalKernel: temporal.KernelOverTime,
}
"""Kinds with state: neurons by the fused kernels."""


def fold_of(name: str, node: Node, received: Sequence[Signal], dtype: DType) -> Fold:
    """A node without state, ready to run."""
    shapes = [signal.shape for signal in received]
    if type(node) in LAYERS:
        return Fold(on_arrays(LAYERS[type(node)](node, shapes, dtype)), exact=False)
    operation = VALUES[type(node)](node, shapes, dtype) if type(node) in VALUES else None
    exact = isinstance(node, EXACT) or (isinstance(node, nodes.Activation) and node.function in values.EXACT)
    return Fold(on_arrays(operation) if operation is not None else _by_step(name, node), exact)


def _by_step(name: str, node: Node) -> Callable[..., Array]:
    """One step of the definition on the folded batch."""

    def run(*inputs: Array) -> Array:
        state = node.start(inputs[0].shape[1:], len(inputs[0]), inputs[0].dtype)
        try:
            return node.step(state, *inputs)[0]
        except GraphError as error:
            raise error.inside(name) from None

    return run


def roll_of(node: Node, received: Sequence[Signal], dtype: DType) -> Roll:
    """A node with state, ready to run."""
    if type(node) in ROLLS:
        return ROLLS[type(node)](node, [signal.shape for signal in received], dtype)
    return _step_by_step(node)


def _step_by_step(node: Node) -> Roll:
    """The definition, one step after the other."""

    def run(state: State, inputs: Sequence[Array], keep: Collection[str]) -> tuple[Array, Kept]:
        sent = []
        kept: dict[str, list[Array]] = {name: [] for name in keep}
        now = dict(state)
        for row in zip(*inputs, strict=True):
            y, now = node.step(now, *row)
            sent.append(y)
            for name, rows in kept.items():
                rows.append(now[STATES[name]])
        state.update(now)
        return np.stack(sent), {name: np.stack(rows) for name, rows in kept.items()}

    return run


STATES: Mapping[str, str] = {"current": "u", "voltage": "v"}
"""What can be recorded of a neuron beside what it sends, and where its state has it."""
