"""The same network in Loihi's integers: processes and the connections between their ports.

A chip graph is another type than a graph, so that neither is taken for the other. Wires are those of a graph. A wire
into a synapse is always a delayed one: a synapse sends in a step what the spikes of the step before gave, as Lava's
synapses do, so every layer adds a step of latency. All other wires hand on in the same step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..graph.network import Network
from ..graph.nodes import Node
from ..graph.nodes.base import need
from .processes import ChipInput, ChipOutput
from .processes.base import Process
from .processes.neurons import Firing


@dataclass(frozen=True, eq=False)
class ChipGraph(Network):
    """A network of processes in integers. A chip graph that exists is a correct one."""

    nodes: Mapping[str, Process]

    word: ClassVar[str] = "chip"
    holds: ClassVar[tuple[type[Node], str]] = (Process, "a process of a chip")
    ends: ClassVar[tuple[type[Node], type[Node]]] = (ChipInput, ChipOutput)

    def check(self) -> None:
        """Wires are delayed where a synapse reads and nowhere else, and go where Lava's ports let them."""
        for name, node in self.nodes.items():
            synapse = node.role == "synapse"
            for wire in self.wires[name]:
                self._check_voltage(name, wire.source)
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

    def _check_voltage(self, name: str, source: str) -> None:
        node = self.nodes[source]
        read = not (isinstance(node, Firing) and node.emit == "voltage") or isinstance(self.nodes[name], ChipOutput)
        fix = "let it emit spikes, or give the readers a neuron of their own"
        need(read, source, f"'{name}' reads its voltage", "outputs alone: no spike carries a voltage", fix)

    @property
    def neurons(self) -> tuple[str, ...]:
        """The names of the neurons, in order."""
        return tuple(name for name, node in self.nodes.items() if node.role == "neuron")
