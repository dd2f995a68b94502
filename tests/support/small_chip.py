"""A chip graph as small as one can be, for tests of what runs it."""

import numpy as np
from spikeport.toolchain.graph import Wire, later
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import LIF, ChipInput, ChipOutput, Dense, Process


def small(**more: Process) -> ChipGraph:
    """An input, a synapse, a neuron and an output."""
    neuron = LIF(current_decay=4096, voltage_decay=200, threshold=20)
    nodes = {"in": ChipInput((3,)), "fc": Dense(weight=np.full((2, 3), 8)), "lif": neuron, "out": ChipOutput()}
    return ChipGraph({**nodes, **more}, {"fc": (later("in"),), "lif": (Wire("fc"),), "out": (Wire("lif"),)}, name="net")


def ones(steps: int, samples: int = 1) -> np.ndarray:
    return np.ones((steps, samples, 3), np.uint8)


def dense(weight: np.ndarray) -> ChipGraph:
    """One matrix between an input and an output."""
    lif = LIF(current_decay=4096, voltage_decay=0, threshold=1)
    nodes = {"in": ChipInput((weight.shape[1],)), "fc": Dense(weight=weight), "lif": lif, "out": ChipOutput()}
    return ChipGraph(nodes, {"fc": (later("in"),), "lif": (Wire("fc"),), "out": (Wire("lif"),)}, name="dense")
