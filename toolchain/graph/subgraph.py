"""A graph as a node of another graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from .graph import Graph
from .nodes import KINDS, Array, Node, Output, State
from .nodes.base import need
from .signal import Signal


@dataclass(frozen=True, eq=False)
class SubGraph(Node):
    """y[t] = what the inner graph's one output sends in step t, when x_k[t] is what its k-th input sends.

    Its state is that of the inner nodes, `name/key` for each, and `name/~` for what a delayed wire hands on.

    Args:
        graph: the inner graph; one output, which hands out every step.
    """

    graph: Graph

    arity: ClassVar[tuple[int, int | None]] = (1, None)

    def check(self) -> None:
        """There is one output, and it hands out every step."""
        need(isinstance(self.graph, Graph), "graph", type(self.graph).__name__, "a graph")
        need(len(self.graph.outputs) == 1, "graph", f"{len(self.graph.outputs)} outputs", "one")
        end = self.graph.nodes[self.graph.outputs[0]]
        readout = end.readout if isinstance(end, Output) else ""
        need(readout == "steps", "graph", f"an output that reads out '{readout}'", "readout 'steps'")

    @property
    def dt(self) -> float | None:
        """The inner graph's."""
        return self.graph.dt

    @property
    def stateful(self) -> bool:
        """Whether an inner node remembers anything, or an inner wire is delayed."""
        return any(node.stateful for node in self.graph.nodes.values()) or bool(self._remembered)

    @property
    def _remembered(self) -> frozenset[str]:
        return frozenset(edge.source for edge in self.graph.edges if edge.delayed)

    def arrays(self) -> Mapping[str, Array]:
        """Every inner array as `name.field`."""
        inner = self.graph.nodes.items()
        return {f"{name}.{field}": value for name, node in inner for field, value in node.arrays().items()}

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """What the inner output sends; what comes in keeps what the inner inputs promise."""
        names = self.graph.inputs
        need(len(inputs) == len(names), "inputs", f"{len(inputs)}", f"{len(names)}, as the inner graph has")
        for name, given in zip(names, inputs, strict=True):
            promised = self.graph.signals[name]
            fits = given.shape == promised.shape and promised.carries.holds(given.carries)
            need(fits, name, f"{given}", f"{promised}, as the inner input promises")
        return self._sent

    def guess(self, inputs: Sequence[Signal]) -> Signal:  # noqa: ARG002
        """What the inner output sends, whatever comes in."""
        return self._sent

    @property
    def _sent(self) -> Signal:
        return self.graph.signals[self.graph.outputs[0]]

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:  # noqa: ARG002
        """Every inner node's start, and 0 on every delayed wire."""
        graph = self.graph
        state = {f"{name}/~": np.zeros((batch, *graph.signals[name].shape), dtype) for name in self._remembered}
        for name, node in graph.nodes.items():
            received = graph.received(name)
            inner = received[0].shape if received else graph.signals[name].shape
            state.update({f"{name}/{key}": value for key, value in node.start(inner, batch, dtype).items()})
        return state

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """One step of every inner node, in the inner graph's order."""
        handed = dict(zip(self.graph.inputs, inputs, strict=True))
        own: dict[str, State] = {name: {} for name in self.graph.nodes}
        for key, value in state.items():
            name, _, inner = key.partition("/")
            own[name][inner] = value
        past = {name: own[name].pop("~") for name in self._remembered}
        sent: dict[str, Array] = {}
        for name in self.graph.order:
            wires = self.graph.wires[name]
            received = [(past if wire.delayed else sent)[wire.source] for wire in wires] or [handed[name]]
            y, own[name] = self.graph.nodes[name].step(own[name], *received)
            # In C order, as a run of the outer graph stores what it hands on: sums of strided views round differently.
            sent[name] = np.ascontiguousarray(y)
        new = {f"{name}/{key}": value for name, inner in own.items() for key, value in inner.items()}
        return sent[self.graph.outputs[0]], {**new, **{f"{name}/~": sent[name] for name in past}}


EVERY_KIND: Mapping[str, type[Node]] = {**KINDS, SubGraph.__name__: SubGraph}
"""Every kind of node by name."""
