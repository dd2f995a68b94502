"""What is kept of a run: recorded windows, counts of what passes, and the outputs' readouts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import UsageError
from ..graph import Signal, nodes
from ..graph.nodes import Firing, Integrating, ResonateFire
from ..graph.nodes.base import Array
from .schedule import Planned
from .trace import Count, NodeTrace

DType = np.dtype[Any]
SENT, VOLTAGE, CURRENT = "sent", "voltage", "current"
WEIGHTED = (nodes.Affine, nodes.Conv, nodes.ConvTranspose, nodes.Contract, nodes.TemporalKernel, nodes.StateSpace)
"""The layers with weights: what they read is counted."""


def wanted(record: str | Iterable[str], plan: Planned) -> dict[str, frozenset[str]]:
    """What to keep of each node; a UsageError for what cannot be recorded.

    Args:
        record: "outputs", "spikes", "all", or items such as "node", "node.voltage", "node.current".
        plan: the network.
    """
    spikes = [name for name, node in plan.nodes.items() if isinstance(node, (Firing, ResonateFire))]
    parts = {True: frozenset({SENT, VOLTAGE, CURRENT}), False: frozenset({SENT})}
    every = {name: parts[isinstance(node, Integrating)] for name, node in plan.nodes.items()}
    return asked(record, spikes, every, lambda item: _item(item, plan))


def asked(
    record: str | Iterable[str],
    spikes: Iterable[str],
    every: Mapping[str, frozenset[str]],
    item: Callable[[str], tuple[str, str]],
) -> dict[str, frozenset[str]]:
    """What `record` asks for.

    Args:
        record: a word for a group, or items.
        spikes: the nodes that "spikes" means.
        every: what "all" keeps of each node.
        item: the node and the part of it that an item means.
    """
    if not isinstance(record, str):
        found: dict[str, set[str]] = {}
        for each in record:
            name, what = item(str(each))
            found.setdefault(name, set()).add(what)
        return {name: frozenset(parts) for name, parts in found.items()}
    groups = {"outputs": {}, "spikes": {name: frozenset({SENT}) for name in spikes}, "all": dict(every)}
    if record not in groups:
        fix = f"for one node, write record=['{record}']"
        raise UsageError("record", f"'{record}'", "outputs, spikes, all, or a list of names", fix)
    return groups[record]


def _item(item: str, plan: Planned) -> tuple[str, str]:
    if item in plan.nodes:
        return item, SENT
    name, _, what = item.rpartition(".")
    if name not in plan.nodes or what not in (VOLTAGE, CURRENT):
        names = ", ".join(plan.nodes)
        raise UsageError("record", f"'{item}'", f"a node, perhaps with .voltage or .current; nodes are {names}")
    if not isinstance(plan.nodes[name], Integrating):
        raise UsageError("record", f"'{item}'", "a neuron", f"record '{name}' itself: it is a {plan.nodes[name].kind}")
    return name, what


@dataclass
class Store:
    """Windows of one recorded signal, one after the other.

    Args:
        shape: of one step, with the batch.
        dtype: as it is kept: uint8 for binary signals.
        steps: how many there will be, or None when that is not known.
    """

    shape: tuple[int, ...]
    dtype: DType
    steps: int | None
    filled: int = 0
    windows: list[Array] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.steps is not None:
            self.windows = [np.empty((self.steps, *self.shape), self.dtype)]

    def put(self, window: Array) -> None:
        """Keep a window."""
        if self.steps is None:
            self.windows.append(window.astype(self.dtype, order="C", copy=True))
        else:
            self.windows[0][self.filled : self.filled + len(window)] = window
        self.filled += len(window)

    @property
    def size(self) -> int:
        """Bytes kept so far."""
        return self.filled * math.prod(self.shape) * self.dtype.itemsize

    def joined(self) -> Array:
        """All windows as one array; the windows themselves are let go."""
        if len(self.windows) > 1:
            self.windows = [np.concatenate(self.windows)]
        return self.windows[0]


def stored_as(signal: Signal, what: str, dtype: DType) -> DType:
    """The type in which something is kept."""
    return np.dtype(np.uint8) if what == SENT and signal.carries.binary else dtype


@dataclass
class Tally:
    """Counts of what one node sends.

    Args:
        signal: what it sends.
    """

    signal: Signal
    values: int = 0
    nonzero: int = 0
    total: int = 0

    def add(self, window: Array) -> None:
        """Count a window."""
        self.values += window.size
        nonzero = int(np.count_nonzero(window != 0))  # of truth values, which numpy counts fast
        self.nonzero += nonzero
        carries = self.signal.carries
        if not carries.graded:
            self.total += nonzero if carries.binary else int(window.sum(dtype=np.float64))

    def count(self) -> Count:
        """The counts."""
        return Count(self.values, self.nonzero, None if self.signal.carries.graded else self.total)


def tallied(plan: Planned) -> Sequence[str]:
    """The nodes whose values are counted: inputs, neurons, spikes and integers, and what layers with weights read."""
    read = {w.source for name, node in plan.nodes.items() if isinstance(node, WEIGHTED) for w in plan.wires[name]}
    counted = (nodes.Input, Integrating, ResonateFire)
    return [
        name
        for name, node in plan.nodes.items()
        if (name in read or isinstance(node, counted) or not plan.signals[name].carries.graded)
        and name not in plan.outputs
    ]


class Recorder:
    """Keeps what is asked for while windows pass."""

    def __init__(
        self,
        plan: Planned,
        keep: Mapping[str, frozenset[str]],
        batch: int,
        steps: int | None,
        counted: Iterable[str],
    ) -> None:
        """Room for everything that is kept.

        Args:
            plan: the network.
            keep: what to keep of each node.
            batch: how many samples.
            steps: how many steps, if known.
            counted: the nodes whose values are counted.
        """
        self.plan = plan
        self.tallies = {name: Tally(plan.signals[name]) for name in counted}
        self.stores: dict[tuple[str, str], Store] = {}
        shapes = {name: (batch, *signal.shape) for name, signal in plan.signals.items()}
        steady = [name for name, node in plan.outputs.items() if node.readout == "steps"]
        self.outputs = {name: Store(shapes[name], plan.dtype, steps) for name in steady}
        for name, parts in keep.items():
            for what in parts:
                self.stores[name, what] = Store(shapes[name], stored_as(plan.signals[name], what, plan.dtype), steps)

    @property
    def watched(self) -> frozenset[str]:
        """The nodes that have to be shown what they send."""
        return frozenset({*self.tallies, *self.outputs, *(name for name, what in self.stores if what == SENT)})

    def take(self, name: str, window: Array, kept: Mapping[str, Array]) -> None:
        """A window of what a node sends, and of what else is kept of it."""
        if name in self.tallies:
            self.tallies[name].add(window)
        if name in self.outputs:
            self.outputs[name].put(window)
        for what, values in {SENT: window, **kept}.items():
            if (name, what) in self.stores:
                self.stores[name, what].put(values)

    def sizes(self) -> dict[str, int]:
        """Bytes kept so far, by item as `record` names it."""
        found = {name if what == SENT else f"{name}.{what}": s.size for (name, what), s in self.stores.items()}
        return {**found, **{f"every step of {name}": store.size for name, store in self.outputs.items()}}

    def nodes(self) -> dict[str, NodeTrace]:
        """What was recorded."""
        parts: dict[str, dict[str, Array]] = {}
        for (name, what), store in self.stores.items():
            parts.setdefault(name, {})[what] = store.joined()
        return {name: self._node(name, found) for name, found in parts.items()}

    def _node(self, name: str, parts: dict[str, Array]) -> NodeTrace:
        known = [parts.pop(what, None) for what in (SENT, VOLTAGE, CURRENT)]
        return NodeTrace(name, self.plan.dtype, known[0], known[1], known[2], parts)

    def counts(self) -> dict[str, Count]:
        """What was counted."""
        return {name: tally.count() for name, tally in self.tallies.items()}


Viewer = Callable[[Array], None]
"""Is shown each window [W, B, *shape] of what a node sends. It may look at a window, and not change it."""


@dataclass(frozen=True)
class Viewers:
    """Stands where a recorder does, and keeps nothing.

    Args:
        by_node: the viewer of each node that is looked at.
    """

    by_node: Mapping[str, Viewer]

    @property
    def watched(self) -> frozenset[str]:
        """The nodes that have to be shown what they send."""
        return frozenset(self.by_node)

    def take(self, name: str, window: Array, kept: Mapping[str, Array]) -> None:  # noqa: ARG002 - as a recorder does
        """A window of what a node sends."""
        if name in self.by_node:
            self.by_node[name](window)

    def sizes(self) -> dict[str, int]:
        """Nothing is kept."""
        return {}
