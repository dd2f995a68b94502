"""The networks of `spikeport bench lava`: chip graphs with weights that keep every layer spiking, and their inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...toolchain.graph import Wire, later
from ...toolchain.graph.nodes.base import Array
from ...toolchain.loihi.chip_graph import ChipGraph
from ...toolchain.loihi.processes import LIF, ChipInput, ChipOutput, Conv, Dense, Port, Process, Shaped

CURVE = (10, 100, 1000)
"""Lengths of run at which cost and memory are measured."""


@dataclass(frozen=True, eq=False)
class Case:
    """A network to run.

    Args:
        name: what it is.
        graph: the network.
        rate: the share of inputs that spike.
        lava_steps: the lengths of run that Lava is asked for with one sample: as long as one can wait for.
        lava_batch: its steps for each sample of a batch.
    """

    name: str
    graph: ChipGraph
    rate: float
    lava_steps: tuple[int, ...]
    lava_batch: int

    def spikes(self, steps: int, batch: int) -> Array:
        """An input, int8, the same at every call."""
        shape = self.graph.signals[self.graph.inputs[0]].shape
        found: Array = np.random.default_rng(1).random((steps, batch, *shape), np.float32) < self.rate
        return found.astype(np.int8)


class _Chain:
    """A chip graph that grows layer by layer."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.nodes: dict[str, Process] = {"in": ChipInput(shape)}
        self.wires: dict[str, tuple[Wire, ...]] = {}
        self.last = "in"
        self.rng = np.random.default_rng(0)

    def add(self, name: str, node: Process, *, late: bool = False) -> None:
        """A process behind the last."""
        self.nodes[name] = node
        self.wires[name] = (Wire(self.last, delayed=late),)
        self.last = name

    def weights(self, *shape: int) -> Array:
        """Even integers, a few more above 0 than below."""
        found: Array = 2 * self.rng.integers(-60, 62, shape)
        return found

    def synapse(self, name: str, node: Process, threshold: int) -> None:
        """A synapse and its neurons."""
        self.add(name, node, late=True)
        self.add(f"{name}_lif", LIF(current_decay=1024, voltage_decay=256, threshold=threshold))

    def built(self, name: str) -> ChipGraph:
        """The network."""
        self.add("out", ChipOutput("sum"))
        return ChipGraph(self.nodes, self.wires, name=name)


PILOTNET = (
    (24, (2, 2), (0, 0)),
    (36, (2, 2), (0, 0)),
    (48, (2, 2), (0, 0)),
    (64, (2, 1), (1, 0)),
    (64, (1, 1), (0, 0)),
)
"""(channels, stride, padding) of the 3 × 3 convolutions."""
THRESHOLDS = (1200, 1000, 800, 700, 700)
"""Of the neurons behind them."""


def pilotnet(quick: bool) -> Case:
    """The shape of PilotNet: five convolutions, four dense layers."""
    height, width = (56, 60) if quick else (66, 200)
    chain, channels = _Chain((3, height, width)), 3
    for index, (out, stride, padding) in enumerate(PILOTNET):
        conv = Conv(weight=chain.weights(out, channels, 3, 3), stride=stride, padding=padding)
        chain.synapse(f"conv{index}", conv, THRESHOLDS[index])
        height, width = ((n + 2 * p - 3) // s + 1 for n, p, s in zip((height, width), padding, stride, strict=True))
        channels = out
    size = channels * height * width
    chain.add("flat", Shaped((size,)))
    for index, out in enumerate((100, 50, 10, 1)):
        chain.synapse(f"dense{index}", Dense(weight=chain.weights(out, size)), 200)
        size = out
    return Case("PilotNet shape", chain.built("pilotnet"), 0.3, (2,) if quick else (8,), 1)


def dense(quick: bool) -> Case:
    """Three dense layers."""
    chain, size = _Chain((784,)), 784
    for index, out in enumerate((128, 64, 10)):
        chain.synapse(f"dense{index}", Dense(weight=chain.weights(out, size)), 600)
        size = out
    return Case("784-128-64-10", chain.built("dense"), 0.2, (5, 20) if quick else CURVE, 20)


def recurrent(quick: bool) -> Case:
    """256 neurons that hear themselves, behind 64 inputs."""
    chain = _Chain((64,))
    chain.add("into", Dense(weight=chain.weights(256, 64)), late=True)
    chain.nodes["back"] = Dense(weight=2 * chain.rng.integers(-60, 61, (256, 256)))
    chain.nodes["port"] = Port()
    chain.nodes["lif"] = LIF(current_decay=1024, voltage_decay=256, threshold=600)
    chain.wires |= {"port": (Wire("into"), Wire("back")), "lif": (Wire("port"),), "back": (later("lif"),)}
    chain.last = "lif"
    chain.synapse("dense", Dense(weight=chain.weights(10, 256)), 600)
    return Case("recurrent 256", chain.built("recurrent"), 0.2, (5, 20) if quick else CURVE, 20)


CASES: tuple[Callable[[bool], Case], ...] = (pilotnet, dense, recurrent)
"""Each makes one network, smaller when it has to be quick."""
