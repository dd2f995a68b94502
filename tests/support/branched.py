"""A network that is no chain: branches, sums of synapses, a concatenation and a loop."""

import numpy as np
from spikeport.toolchain.graph import Wire, later
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import LIF, ChipInput, ChipOutput, Conv, Dense, Joined, Port, Shaped

RNG = np.random.default_rng(0)


def matrix(*shape):
    values = 2 * RNG.integers(-60, 100, shape)
    values.flat[0] = 200
    return values


def lif():
    return LIF(current_decay=int(RNG.integers(4096)), voltage_decay=300, threshold=60, bias=4, bias_exponent=6)


class Builder:
    def __init__(self):
        self.nodes = {"in": ChipInput((2, 5, 4))}
        self.wires = {}

    def layer(self, name, synapse, source):
        self.nodes |= {f"{name}.w": synapse, name: lif()}
        self.wires |= {f"{name}.w": (later(source),), name: (Wire(f"{name}.w"),)}
        return name

    def added(self, name, port, synapses):
        self.nodes |= {key: node for key, (node, _) in synapses.items()} | {port: Port(), name: lif()}
        self.wires |= {key: (later(source),) for key, (_, source) in synapses.items()}
        self.wires |= {port: tuple(map(Wire, synapses)), name: (Wire(port),)}


def branched():
    """a → b, and a's input beside b's output into the same neurons; two outputs; a concatenation; a loop."""
    builder = Builder()
    first = builder.layer("n1", Conv(weight=matrix(3, 2, 3, 3), padding=1), "in")
    second = {
        "c2": (Conv(weight=matrix(3, 3, 3, 3), padding=1), first),
        "skip": (Conv(weight=matrix(3, 2, 1, 1)), "in"),
    }
    builder.added("n2", "sum", second)
    builder.nodes["flat"], builder.wires["flat"] = Shaped((60,)), (Wire("n2"),)
    builder.layer("n3", Dense(weight=matrix(4, 60)), "flat")
    builder.layer("n4", Dense(weight=matrix(5, 60)), "flat")
    builder.nodes["both"], builder.wires["both"] = Joined(0), (Wire("n3"), Wire("n4"))
    third = {"d3": (Dense(weight=matrix(3, 9)), "both"), "rec": (Dense(weight=matrix(3, 3)), "n5")}
    builder.added("n5", "port", {**third, "top": (Dense(weight=matrix(3, 4)), "n3")})
    builder.layer("n6", Dense(weight=matrix(2, 3)), "n5")
    builder.nodes |= {"out": ChipOutput("sum", 4), "early": ChipOutput()}
    builder.wires |= {"out": (Wire("n6"),), "early": (Wire("n3"),)}
    nodes, wires = builder.nodes, builder.wires
    return ChipGraph(nodes, wires, 2e-3, "net", {"made": "here"})
