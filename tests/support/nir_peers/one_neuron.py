"""One layer of neurons by itself: as a tree, as it runs, and compared with another."""

from __future__ import annotations

import itertools
from dataclasses import fields

import numpy as np
from spikeport.exporters.nir.tree import Leaf, Tree
from spikeport.toolchain.graph.nodes import Array
from spikeport.toolchain.graph.nodes.integrators import Integrating

SIZE, STEPS = 4, 24
INPUTS = (np.random.default_rng(1).normal(0.6, 0.8, (STEPS, SIZE))).astype(np.float32)
"""What comes in, [T, neurons]."""


def each(rng: np.random.Generator, low: float, high: float) -> Array:
    """A value for each neuron, in float32."""
    return rng.uniform(low, high, SIZE).astype(np.float32)


def alone(leaf: Leaf, shape: tuple[int, ...] = (SIZE,)) -> Tree:
    """Input → the node → Output."""
    ends = {"input": Leaf("Input", {"shape": np.array(shape)}), "output": Leaf("Output", {"shape": np.array(shape)})}
    nodes = {"input": ends["input"], "neuron": leaf, "output": ends["output"]}
    return Tree(nodes, (("input", "neuron"), ("neuron", "output")))


def behind(kind: type, leaf: Leaf) -> Tree:
    """A tree of weights of this type and a neuron, as a trained network has them, and ends of the usual names."""
    size = next(len(value) for value in leaf.values.values() if np.ndim(value))
    nodes = {
        "input": Leaf("Input", {"shape": np.array([size])}),
        "0": Leaf("Linear", {"weight": np.eye(size).astype(kind)}),
    }
    nodes |= {"1": leaf, "output": Leaf("Output", {"shape": np.array([size])})}
    return Tree(nodes, tuple(itertools.pairwise(nodes)))


def run(node: Integrating, x: Array = INPUTS) -> tuple[Array, Array]:
    """What it sends, and its voltage after each step, in double precision."""
    state = node.start((SIZE,), 1, np.float64)
    sent, voltages = [], []
    for step in x:
        y, state = node.step(state, step[None].astype(np.float64))
        sent.append(y[0])
        voltages.append(state["v"][0])
    return np.stack(sent), np.stack(voltages)


def close_nodes(a: Integrating, b: Integrating, room: float = 1e-5) -> None:
    """The same kind, the same words, and numbers as near as float32 brings them."""
    assert type(a) is type(b)
    for field in fields(b):
        got, wanted = getattr(a, field.name), getattr(b, field.name)
        if isinstance(wanted, np.ndarray):
            np.testing.assert_allclose(np.broadcast_to(got, (SIZE,)), np.broadcast_to(wanted, (SIZE,)), room, room)
        elif field.name != "rule":
            assert got == wanted, field.name
