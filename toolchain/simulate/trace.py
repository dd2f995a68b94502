"""What ran: what was recorded of every node, what the network answered, and how much passed on the way."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from ..errors import UsageError
from ..graph.nodes.base import Array, State
from ..writing import written_whole


@dataclass(frozen=True)
class Count:
    """What a node sent in a run, counted as it passed, recorded or not.

    Args:
        values: how many values: steps · batch · size.
        nonzero: how many of them were not 0.
        total: their sum, for spikes and small integers; None for graded values.
    """

    values: int = 0
    nonzero: int = 0
    total: int | None = None

    def __add__(self, other: Count) -> Count:
        total = None if self.total is None or other.total is None else self.total + other.total
        return Count(self.values + other.values, self.nonzero + other.nonzero, total)

    @property
    def rate(self) -> float:
        """The share of values that were not 0."""
        return self.nonzero / self.values if self.values else 0.0


@dataclass(frozen=True, eq=False)
class NodeTrace:
    """What was recorded of one node; every array is [T, B, *shape] and read-only.

    Args:
        name: the node.
        dtype: the run's dtype.
        sent: what the node sent; binary signals are kept as uint8.
        voltage: v[t], after the reset.
        current: u[t]; of a neuron without a synaptic current, what came in.
        states: on a chip, the states that were recorded, by name; v and u among them in place of the two above.
    """

    name: str
    dtype: np.dtype[Any]
    sent: Array | None = None
    voltage: Array | None = None
    current: Array | None = None
    states: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "states", MappingProxyType(dict(self.states)))

    @property
    def values(self) -> Array:
        """What the node sent, in the run's dtype."""
        return self._kept(self.sent, "what it sends", self.name).astype(self.dtype, copy=False)

    @property
    def spikes(self) -> Array:
        """What the node sent, as uint8 zeros and ones."""
        sent = self._kept(self.sent, "what it sends", self.name)
        if sent.dtype != np.uint8:
            raise UsageError(
                self.name, "it sends other values than 0 and 1", "a node that sends spikes", "read .values"
            )
        return sent

    @property
    def voltages(self) -> Array:
        """v[t], after the reset."""
        found = self.states.get("v") if self.voltage is None else self.voltage
        return self._kept(found, "its voltage", f"{self.name}.voltage")

    @property
    def currents(self) -> Array:
        """u[t]; i[t] of an ATRLIF."""
        held = self.states.get("u", self.states.get("i"))
        return self._kept(held if self.current is None else self.current, "its current", f"{self.name}.current")

    def _kept(self, array: Array | None, what: str, item: str) -> Array:
        if array is None:
            raise UsageError(self.name, f"{what} was not recorded", fix=f"run with record=[..., '{item}']")
        return array


@dataclass(frozen=True, eq=False)
class RunState:
    """Where a run ended, so that another can go on from there.

    Args:
        step: how many steps have run since the first.
        batch: how many samples run side by side.
        dtype: the run's dtype.
        nodes: the state of every node that remembers something, as `Node.step` hands it on.
        held: what the source of every delayed wire sent last.
        readouts: what every output has gathered since the first step, unless it hands out every step.
    """

    step: int
    batch: int
    dtype: np.dtype[Any]
    nodes: Mapping[str, State]
    held: Mapping[str, Array]
    readouts: Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class Trace:
    """A run.

    Args:
        outputs: each output's readout: [T, B, *shape] for every step, else [B, *shape] over all steps since the first,
            those before a `state` that the run went on from among them.
        nodes: what was recorded, by node.
        counts: what passed, for inputs, neurons, whatever sends spikes or integers, and what layers with weights read.
        steps: how many steps this run had.
        batch: how many samples.
        dtype: what it was computed in.
        dt: the length of a step in seconds.
        first: the number of its first step; 0 unless it went on from a state.
        state: where it ended; None from a backend that cannot go on.
        name: the network's name.
    """

    outputs: Mapping[str, Array]
    nodes: Mapping[str, NodeTrace]
    counts: Mapping[str, Count]
    steps: int
    batch: int
    dtype: np.dtype[Any]
    dt: float = 1e-3
    first: int = 0
    state: RunState | None = field(default=None, repr=False)
    name: str = "network"

    def __post_init__(self) -> None:
        for each in ("outputs", "nodes", "counts"):
            object.__setattr__(self, each, MappingProxyType(dict(getattr(self, each))))
        for array in self._arrays().values():
            array.flags.writeable = False

    def __getitem__(self, name: str) -> NodeTrace:
        """What was recorded of a node."""
        if name not in self.nodes:
            known = ", ".join(self.nodes) or "nothing but the outputs"
            raise UsageError(name, "was not recorded", known, f"run with record=[..., '{name}']")
        return self.nodes[name]

    def __contains__(self, name: str) -> bool:
        return name in self.nodes

    def rate(self, name: str) -> float:
        """The share of a node's values that were not 0: for spikes, spikes per neuron and step."""
        if name not in self.counts:
            raise UsageError(name, "was not counted", ", ".join(self.counts), "record it, and look at its values")
        return self.counts[name].rate

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything but the state as one .npz file: arrays by name, and `about`, a JSON text.

        Args:
            path: where to; the name ends in .npz.
        """
        if not str(path).endswith(".npz"):
            raise UsageError("save", f"'{path}'", "a name that ends in .npz")
        with written_whole(path) as draft:
            np.savez(draft, allow_pickle=False, **self._arrays(), about=np.array(json.dumps(self._about())))

    def _arrays(self) -> dict[str, Array]:
        arrays = {f"outputs/{name}": array for name, array in self.outputs.items()}
        for name, node in self.nodes.items():
            parts = {"sent": node.sent, "voltage": node.voltage, "current": node.current}
            arrays |= {f"nodes/{name}/{part}": array for part, array in parts.items() if array is not None}
            arrays |= {f"nodes/{name}/states/{state}": array for state, array in node.states.items()}
        return arrays

    def _about(self) -> dict[str, Any]:
        plain = {"name": self.name, "dt": self.dt, "steps": self.steps, "batch": self.batch, "first": self.first}
        counts = {name: [count.values, count.nonzero, count.total] for name, count in self.counts.items()}
        return {**plain, "dtype": self.dtype.name, "counts": counts}
