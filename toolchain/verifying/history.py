"""A close look at the first difference: the same neuron on both sides, over the steps that led there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..graph import Graph
from ..graph.nodes import Firing, Integrating
from ..graph.nodes.base import Array
from ..loihi.limits import LOIHI2
from .sides import Side
from .verdict import Difference, Moment, NodeVerdict

Inputs = Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class _Seen:
    """What one side shows of the neuron, step by step up to the difference; None where it does not show it."""

    received: Array | None
    voltage: Array | None
    sent: Array
    level: float | None


def difference(node: NodeVerdict, sides: tuple[Side, Side], inputs: tuple[Inputs, Inputs], steps: int) -> Difference:
    """The first difference of a pair with its history; both sides run again, up to there."""
    step, sample, *index = node.first or (0, 0)
    at = (sample, *index)
    if node.a not in sides[0].network.nodes:  # a module's own answer: nothing inside of it can be shown
        return Difference((node.a, node.b), step, node.late, sample, tuple(index), (np.nan, np.nan))
    every = zip(sides, (node.a, node.b), inputs, (0, node.late), strict=True)
    mine, theirs = (_look(side, name, given, step + late, at) for side, name, given, late in every)
    first = max(0, -node.late, step + 1 - steps)
    moments = tuple(_moment(t, (mine, t), (theirs, t + node.late)) for t in range(first, step + 1))
    names, place, levels = (node.a, node.b), tuple(index), (mine.level, theirs.level)
    return Difference(names, step, node.late, sample, place, moments[-1].sent, levels, moments)


def _moment(step: int, *seen: tuple[_Seen, int]) -> Moment:
    """One step of A; each side's own number of it beside what was seen there."""
    (a, at), (b, later) = seen
    received = (_at(a.received, at), _at(b.received, later))
    voltage = (_at(a.voltage, at), _at(b.voltage, later))
    return Moment(step, received, voltage, (float(a.sent[at]), float(b.sent[later])))


def _at(rows: Array | None, step: int) -> float | None:
    return None if rows is None else float(rows[step])


def _look(side: Side, name: str, inputs: Inputs, last: int, at: tuple[int, ...]) -> _Seen:
    """Run a side again up to a step, and look at one neuron."""
    network, wires = side.network, side.network.wires[name]
    node = network.nodes[name]
    source = wires[0].source if wires and not wires[0].delayed else None
    integrates = side.record is None and (isinstance(node, Integrating) or "v" in _states(side, name))
    record = [name, *([source] if source else []), *([f"{name}.voltage"] if integrates else [])]
    sample = at[0]
    length = max(last, *(getattr(network.nodes[output], "after", 0) for output in network.outputs)) + 1
    trace = side.run_one(inputs, record, length, sample)
    place: tuple[Any, ...] = (slice(None), 0, *at[1:])
    shape = network.signals[name].shape
    received = None
    if source is not None and source in trace and network.signals[source].shape == shape:
        received = trace[source].values[place]
    voltage = trace[name].voltages[place] if integrates else None
    return _Seen(received, voltage, trace[name].values[place], _level(side, name, at[1:]))


def _states(side: Side, name: str) -> tuple[str, ...]:
    network = side.network
    node = network.nodes[name]
    if isinstance(network, Graph) or not network.wires[name]:
        return ()
    shape = network.received(name)[0].shape
    return tuple(node.start(shape, 1, np.int64)) if getattr(node, "role", "") == "neuron" else ()


def _level(side: Side, name: str, index: tuple[int, ...]) -> float | None:
    """The threshold of a neuron, as its voltage counts."""
    node = side.network.nodes[name]
    threshold = getattr(node, "threshold", None)
    if threshold is None:
        return None
    shape = side.network.signals[name].shape
    value = float(np.broadcast_to(np.asarray(threshold), shape)[index])
    if isinstance(node, Firing):
        return value
    return value * (1 << LOIHI2.align_bits) if "v" in _states(side, name) else value
