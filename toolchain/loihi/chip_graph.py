"""The same network in Loihi's integers: processes and the connections between their ports.

A chip graph is another type than a graph, so that neither is taken for the other. Wires are those of a graph. A wire
into a synapse is always a delayed one: a synapse sends in a step what the spikes of the step before gave, as Lava's
synapses do, so every layer adds a step of latency. All other wires hand on in the same step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ..graph.graph import Wire, check_name, check_wires
from ..graph.inference import infer, order_of
from ..graph.nodes.base import need, plain
from ..graph.signal import Signal
from .processes import ChipInput, ChipOutput
from .processes.base import Process


@dataclass(frozen=True, eq=False)
class ChipGraph:
    """A network of processes in integers. A chip graph that exists is a correct one.

    Args:
        nodes: the processes by name.
        wires: for each process, one wire for each of its inputs, in order.
        dt: the length of a step in seconds.
        name: what the network is called.
        notes: how it came to be, as text.
        signals: (derived) what each process sends.
        order: (derived) the processes in an order in which one step can run.
    """

    nodes: Mapping[str, Process]
    wires: Mapping[str, tuple[Wire, ...]]
    dt: float = 1e-3
    name: str = "network"
    notes: Mapping[str, str] = field(default_factory=dict)
    signals: Mapping[str, Signal] = field(init=False)
    order: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dt", plain(self.dt, "float", "dt"))
        need(self.dt > 0, "dt", f"{self.dt}", "a positive number of seconds")
        check_name(self.name)
        object.__setattr__(self, "nodes", MappingProxyType(dict(self.nodes)))
        object.__setattr__(self, "notes", MappingProxyType(dict(self.notes)))
        for name, node in self.nodes.items():
            check_name(name)
            need(isinstance(node, Process), name, f"{type(node).__name__}", "a process of a chip")
        object.__setattr__(self, "wires", check_wires(self.nodes, self.wires, ChipOutput))
        self._check_roles()
        object.__setattr__(self, "order", order_of(self.nodes, self.wires))
        object.__setattr__(self, "signals", MappingProxyType(infer(self.nodes, self.wires, self.order)))
        need(bool(self.inputs) and bool(self.outputs), self.name, "no input or no output", "at least one of each")

    def _check_roles(self) -> None:
        for name, node in self.nodes.items():
            synapse = node.role == "synapse"
            for wire in self.wires[name]:
                found = f"a {'delayed' if wire.delayed else 'direct'} wire from '{wire.source}'"
                need(wire.delayed == synapse, name, found, "delayed wires into synapses, and no others")
                into = self.nodes[wire.source].role
                need(
                    not (synapse and into == "synapse"),
                    name,
                    f"the synapse '{wire.source}' before it",
                    "a neuron between",
                )
                fits = node.role != "neuron" or into in ("synapse", "join", "end", "neuron")
                need(fits, name, f"an input from '{wire.source}'", "a synapse, a join of ports, or an input")

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs, in order."""
        return tuple(name for name, node in self.nodes.items() if isinstance(node, ChipInput))

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs, in order."""
        return tuple(name for name, node in self.nodes.items() if isinstance(node, ChipOutput))

    @property
    def neurons(self) -> tuple[str, ...]:
        """The names of the neurons, in order."""
        return tuple(name for name, node in self.nodes.items() if node.role == "neuron")

    def received(self, name: str) -> tuple[Signal, ...]:
        """What a process receives, in the order of its inputs."""
        return tuple(self.signals[wire.source] for wire in self.wires[name])
