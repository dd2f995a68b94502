"""From a chip graph to a program of Lava's processes, connected as the graph is.

A chip graph knows images as (channels, height, width); Lava's Conv knows (width, height, channels) and turns its kernel
over, so weights, strides and what goes in and out are turned here. Joins of ports become what Lava has for them:
several connections into one port, transforms on a connection, and a Concat.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from ..errors import SimulationError
from ..graph.nodes.base import Array
from ..simulate.lava_program import LavaConnection, LavaProcess, LavaProgram, Transform
from .chip_graph import ChipGraph
from .lava_rows import ROWS, WHC, sent_member
from .processes import ChipInput, ChipOutput, Conv, Joined, NormVecDelay, Port, Shaped

SENT = "sent"
Item: TypeAlias = tuple[str, str]
"""A node and what is recorded of it: SENT, or the name of a state."""


@dataclass(frozen=True)
class _From:
    """One source of a port: an output port, and the transforms on the way."""

    port: str
    transforms: tuple[Transform, ...] = ()


@dataclass
class _Translation:
    """A chip graph on its way into a program."""

    graph: ChipGraph
    processes: list[LavaProcess] = field(default_factory=list)
    connections: list[LavaConnection] = field(default_factory=list)

    def sources(self, name: str) -> list[_From]:
        """What a node sends, as ports of Lava's; several add up."""
        node, wires = self.graph.nodes[name], self.graph.wires[name]
        match node:
            case Port():
                return [each for wire in wires for each in self.sources(wire.source)]
            case Shaped():
                turned: tuple[Transform, ...] = () if node.axes is None else (("transpose", node.axes),)
                return [
                    _From(each.port, (*each.transforms, *turned, ("reshape", node.shape)))
                    for each in self.sources(wires[0].source)
                ]
            case ChipInput() | Joined():
                return [_From(f"{name}.s_out")]
            case Conv():
                return [_From(f"{name}.a_out", (("transpose", WHC),))]
            case NormVecDelay(sends="square"):
                return [_From(f"{name}.s2_out")]
            case _:
                return [_From(f"{name}.{ROWS[type(node)].output}")]

    def connect(self, source: str, port: str, last: tuple[Transform, ...] = ()) -> None:
        """Connect all that a node sends with a port."""
        found = self.sources(source)
        if len({each.port for each in found}) < len(found):
            fix = "double the weights before it instead"
            raise SimulationError(port, f"two connections from '{source}'", "one, as Lava allows", fix)
        self.connections += [LavaConnection(each.port, port, (*each.transforms, *last)) for each in found]

    def add(self, name: str) -> None:
        """A node's process, and the connections into it."""
        node, wires = self.graph.nodes[name], self.graph.wires[name]
        if isinstance(node, (ChipInput, ChipOutput, Port, Shaped)):
            return
        received = [signal.shape for signal in self.graph.received(name)]
        if isinstance(node, Joined):
            axis = node.axis % len(received[0])
            self.processes.append(LavaProcess(name, "Concat", {"shapes": tuple(received), "axis": axis}))
            ports: Sequence[str] = [f"in{index}" for index in range(len(wires))]
        else:
            row = ROWS[type(node)]
            self.processes.append(LavaProcess(name, node.kind, row.parameters(node, received[0]), row.initial(node)))
            ports = row.inputs
        turned: tuple[Transform, ...] = (("transpose", WHC),) if isinstance(node, Conv) else ()
        for wire, port in zip(wires, ports, strict=False):
            self.connect(wire.source, f"{name}.{port}", turned)


def to_lava(
    graph: ChipGraph, inputs: Mapping[str, Array], keep: Collection[Item] | None = None
) -> tuple[LavaProgram, Mapping[Item, str]]:
    """A program that runs a chip graph on inputs [T, B, *shape], and what it records.

    Args:
        graph: the network.
        inputs: integers by the names of the network's inputs.
        keep: what to record of it; all there is by default.

    Returns:
        The program; and what it calls what it records, by (node, SENT) and (node, state).
    """
    translation = _Translation(graph)
    for name in graph.order:
        translation.add(name)
    record: dict[Item, str] = {}
    for name, node in graph.nodes.items():
        if type(node) in ROWS:
            row = ROWS[type(node)]
            members = {SENT: sent_member(node, row), **row.states}
            record |= {(name, what): f"{name}.{member}" for what, member in members.items()}
    if keep is not None:
        record = {item: member for item, member in record.items() if item in keep}
    steps, samples = next(iter(inputs.values())).shape[:2]
    given = {name: np.asarray(inputs[name]).astype(np.int32) for name in graph.inputs}
    program = LavaProgram(
        steps,
        samples,
        given,
        tuple(translation.processes),
        tuple(translation.connections),
        tuple(dict.fromkeys(record.values())),
        graph.name,
    )
    return program, record
