"""A run that was recorded once and is shipped with a network, so that whoever runs it elsewhere can compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from ..errors import UsageError
from ..graph import Graph
from ..graph.nodes.base import Array
from ..simulate import simulate
from ..simulate.trace import NodeTrace, Trace
from .pairs import compared


@dataclass(frozen=True, eq=False)
class Golden:
    """What went into a network and what its neurons and outputs sent, every array [T, B, *shape].

    Args:
        called: where it comes from, in words.
        dt: the length of a step in seconds.
        inputs: what went in, by input.
        sent: what was sent, by node; spikes as booleans.
    """

    called: str
    dt: float
    inputs: Mapping[str, Array]
    sent: Mapping[str, Array]

    def __post_init__(self) -> None:
        for name in ("inputs", "sent"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def size(self) -> tuple[int, int]:
        """Steps and samples."""
        steps, batch = next(iter(self.inputs.values())).shape[:2]
        return steps, batch


@dataclass(frozen=True, eq=False)
class Recorded:
    """A side of a comparison that does not run: what it sends was recorded.

    Args:
        golden: the record.
        network: the network it is a record of.
    """

    golden: Golden
    network: Graph

    def __post_init__(self) -> None:
        golden, network = self.golden, self.network
        if set(golden.inputs) != set(network.inputs):
            found = f"a record of the inputs {', '.join(golden.inputs)}"
            raise UsageError(golden.called, found, f"{', '.join(network.inputs)}, as {network.name} has")
        steps, batch = golden.size
        for name, values in [*golden.inputs.items(), *golden.sent.items()]:
            if name not in network.signals:
                raise UsageError(golden.called, f"a record of '{name}', which {network.name} has not")
            expected = (steps, batch, *network.signals[name].shape)
            if values.shape != expected:
                raise UsageError(golden.called, f"'{name}' of shape {list(values.shape)}", f"{list(expected)}")
        if not np.isclose(golden.dt, network.dt, rtol=1e-6, atol=0.0):
            raise UsageError(golden.called, f"steps of {golden.dt:g} s", f"{network.dt:g} s, as {network.name} has")
        if not golden.sent:
            raise UsageError(golden.called, "no record of what is sent", "one of a neuron or an output")

    def trace(self, names: Sequence[str], steps: int, samples: slice) -> Trace:
        """The record of these nodes as a run of so many steps; zeros behind its end, and nothing but what was sent."""
        kind = np.dtype(np.float64)
        nodes = {n: NodeTrace(n, kind, self._piece(n, steps, samples)) for n in names if self._held(n) is not None}
        outputs = {name: nodes[name].values for name in self.network.outputs if name in nodes}
        batch = len(range(*samples.indices(self.golden.size[1])))
        return Trace(outputs, nodes, {}, steps, batch, kind, self.golden.dt, name=self.network.name)

    def _held(self, name: str) -> Array | None:
        return self.golden.sent.get(name, self.golden.inputs.get(name))

    def _piece(self, name: str, steps: int, samples: slice) -> Array:
        values = np.asarray(self._held(name))[:steps, samples].astype(np.float64)
        missing = steps - len(values)
        return values if missing == 0 else np.concatenate([values, np.zeros((missing, *values.shape[1:]))])


def recorded(graph: Graph, inputs: Mapping[str, Array]) -> Golden:
    """What the reference simulation sends in float64, from every neuron and output."""
    names = compared(graph)
    trace = simulate(graph, inputs, backend="reference", record=list(names), dtype="float64")
    sent = {name: trace[name].values for name in names}
    binary = {name for name in names if graph.signals[name].carries.binary}
    return Golden(
        f"a run of {graph.name}",
        graph.dt,
        inputs,
        {name: values.astype(bool) if name in binary else values for name, values in sent.items()},
    )
