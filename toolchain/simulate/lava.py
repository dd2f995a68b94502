"""Backend lava: a chip graph on Lava's own simulator, in Lava's own environment, as the same trace the others give.

Lava's processes are asked for what is recorded, counted or read by an output, and for nothing else. Joins of ports are
no processes of Lava's; what they send is worked out here from what goes into them.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from ..graph.nodes.base import Array
from ..loihi.chip_graph import ChipGraph
from ..loihi.lava_rows import ROWS, WHC
from ..loihi.processes import ChipInput, ChipOutput, Conv
from ..loihi.to_lava import SENT, Item, to_lava
from .fixed_recording import counted, wanted
from .inputs import feed
from .lava_env import lava_python
from .lava_runner import Limits, Report, run_lava
from .readout import chip_answer, gathered
from .trace import Count, NodeTrace, Trace

INT32 = np.dtype(np.int32)
ALL_STEPS = 1 << 62
CORES_EACH = 4
"""Lava starts a process for each of its own, so a worker keeps several cores busy."""


def simulate(
    graph: ChipGraph,
    inputs: Any,
    *,
    record: str | Iterable[str] = "outputs",
    report: Report | None = None,
    limits: Limits | None = None,
) -> Trace:
    """Run a chip graph on Lava.

    Args:
        graph: the network.
        inputs: whole numbers [T, B, *shape], or as `simulate` takes them.
        record: what to keep, as `simulate` has it.
        report: is told the steps done and the steps in all, over all samples, whenever that has changed.
        limits: how long it may take.

    Raises:
        SimulationError: when Lava's environment is not there, or the run fails, hangs or takes too long.
    """
    keep = wanted(record, graph)
    given = _integers(graph, inputs)
    _refuse_too_few_steps(graph, len(next(iter(given.values()))))
    whole = {*counted(graph), *graph.outputs, *(name for name, parts in keep.items() if SENT in parts)}
    items = {(name, SENT) for name in _processes(graph, whole)}
    items |= {(name, what) for name, parts in keep.items() for what in parts if what != SENT}
    found = _run(graph, given, items, report, limits)
    return _Home(graph, given, found).trace(keep)


def _integers(graph: ChipGraph, inputs: Any) -> dict[str, Array]:
    """All steps of every input, checked, as whole numbers."""
    ends = {name: node for name, node in graph.nodes.items() if isinstance(node, ChipInput)}
    windows = feed(inputs, ends, np.dtype(np.float64)).windows(0, ALL_STEPS)
    return {name: values.astype(np.int64) for _, window in windows for name, values in window.items()}


def _refuse_too_few_steps(graph: ChipGraph, steps: int) -> None:
    """Before Lava has run, not after it: no output may be without an answer."""
    for name, node in graph.nodes.items():
        if isinstance(node, ChipOutput) and node.readout != "steps" and steps <= node.after:
            chip_answer(name, node, None, steps)


def _processes(graph: ChipGraph, names: Collection[str]) -> set[str]:
    """The processes of Lava's from which follows what these nodes send."""
    found, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if type(graph.nodes[name]) in ROWS:
            found.add(name)
        else:
            waiting += [wire.source for wire in graph.wires[name]]
    return found


def _run(
    graph: ChipGraph, given: Mapping[str, Array], items: Collection[Item], report: Report | None, limits: Limits | None
) -> Mapping[Item, Array]:
    """What Lava recorded, images turned back to (channels, height, width)."""
    if not items:
        return {}  # a network of joins alone
    program, record = to_lava(graph, given, items)
    workers = max(1, (os.cpu_count() or 1) // CORES_EACH)
    values = run_lava(program, lava_python(), workers=workers, limits=limits, report=report).values
    return {item: _turned(graph, item, values[member]) for item, member in record.items()}


def _turned(graph: ChipGraph, item: Item, values: Array) -> Array:
    if not isinstance(graph.nodes[item[0]], Conv):
        return values
    turned: Array = values.transpose(0, 1, *(2 + axis for axis in WHC))
    return turned


class _Home:
    """What came home from Lava, and what follows from it."""

    def __init__(self, graph: ChipGraph, inputs: Mapping[str, Array], found: Mapping[Item, Array]) -> None:
        self.graph = graph
        self.found = found
        self.steps, self.batch = next(iter(inputs.values())).shape[:2]
        self.known = dict(inputs)

    def trace(self, keep: Mapping[str, frozenset[str]]) -> Trace:
        """The trace, with what is to be kept."""
        outputs = {name: self.output(name) for name in self.graph.outputs}
        nodes = {name: self.node(name, parts) for name, parts in keep.items()}
        counts = {name: self.count(name) for name in counted(self.graph)}
        return Trace(outputs, nodes, counts, self.steps, self.batch, INT32, dt=self.graph.dt, name=self.graph.name)

    def sent(self, name: str) -> Array:
        """What a node sends, [T, B, *shape]."""
        if name not in self.known:
            self.known[name] = self.found[name, SENT] if (name, SENT) in self.found else self.join(name)
        return self.known[name]

    def join(self, name: str) -> Array:
        """What a join of ports sends: it has no state, so all steps are one batch."""
        received = [self.sent(wire.source) for wire in self.graph.wires[name]]
        batch = (x.reshape(-1, *x.shape[2:]).astype(np.int64) for x in received)
        y, _ = self.graph.nodes[name].step({}, *batch)
        return y.reshape(self.steps, self.batch, *y.shape[1:])

    def node(self, name: str, parts: frozenset[str]) -> NodeTrace:
        """What is kept of a node."""
        binary = self.graph.signals[name].carries.binary
        sent = self.sent(name).astype(np.uint8 if binary else INT32, order="C") if SENT in parts else None
        states = {what: self.found[name, what].astype(INT32, order="C") for what in parts if what != SENT}
        return NodeTrace(name, INT32, sent, states=states)

    def count(self, name: str) -> Count:
        """What passed."""
        values = self.sent(name)
        total = None if self.graph.signals[name].carries.graded else int(values.sum(dtype=np.int64))
        return Count(values.size, int(np.count_nonzero(values)), total)

    def output(self, name: str) -> Array:
        """An output's readout."""
        node, every = self.graph.nodes[name], self.sent(name).astype(INT32, order="C")
        if not isinstance(node, ChipOutput) or node.readout == "steps":
            return every
        return chip_answer(name, node, gathered(node, None, every, 0), self.steps)
