"""Samples of a batch that run one after the other, because their states do not fit the caches all at once.

In a window, the states of all neurons come from memory once. A window's length times its samples is what fits the
caches, so many samples leave few steps, and a run would spend its time on fetching states. Samples have nothing to do
with each other: some of them, a lane, run through all steps before the next do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..graph.nodes.base import Array, State
from .fixed_plan import FixedPlan
from .inputs import Feed
from .schedule import schedule
from .trace import RunState, Trace

LEAST = 16
"""Steps in a window over which fetching the states costs next to nothing."""
COMING = "coming"
"""The state whose samples are its second axis: what is on its way, by steps."""


def lanes(plan: FixedPlan, given: Feed, keep: Mapping[str, frozenset[str]]) -> list[slice]:
    """The samples that run together: all, where windows are long enough, little runs, or much is recorded."""
    width = given.batch
    if given.steps is not None and not keep:
        least = min(LEAST, given.steps)
        while width > 1 and schedule(plan, width).window < least:
            width = -(-width // 2)
    return [slice(first, min(first + width, given.batch)) for first in range(0, given.batch, width)]


def feeds(given: Feed, parts: Sequence[slice]) -> list[Feed]:
    """What each lane is fed with."""
    if len(parts) == 1:
        return [given]
    whole = next(given.chunks)
    return [
        replace(given, batch=lane.stop - lane.start, chunks=iter([{name: x[:, lane] for name, x in whole.items()}]))
        for lane in parts
    ]


def portion(state: RunState | None, lane: slice) -> RunState | None:
    """The lane's part of a state of all samples."""
    if state is None:
        return None
    nodes = {name: {key: _cut(key, x, lane) for key, x in values.items()} for name, values in state.nodes.items()}
    held, readouts = ({name: x[lane] for name, x in part.items()} for part in (state.held, state.readouts))
    return replace(state, batch=lane.stop - lane.start, nodes=nodes, held=held, readouts=readouts)


def joined(traces: Sequence[Trace], plan: FixedPlan) -> Trace:
    """The traces of all lanes as one."""
    first = traces[0]
    if len(traces) == 1:
        return first
    outputs = {
        name: np.concatenate([trace.outputs[name] for trace in traces], int(plan.outputs[name].readout == "steps"))
        for name in first.outputs
    }
    counts = {name: sum((trace.counts[name] for trace in traces[1:]), first.counts[name]) for name in first.counts}
    return replace(first, outputs=outputs, counts=counts, batch=_batch(traces), state=_end(traces))


def _batch(traces: Sequence[Trace]) -> int:
    return sum(trace.batch for trace in traces)


def _end(traces: Sequence[Trace]) -> RunState:
    ends = [trace.state for trace in traces if trace.state is not None]
    first = ends[0]
    nodes: dict[str, State] = {
        name: {key: np.concatenate([end.nodes[name][key] for end in ends], int(key == COMING)) for key in values}
        for name, values in first.nodes.items()
    }
    held = {name: np.concatenate([end.held[name] for end in ends]) for name in first.held}
    readouts = {name: np.concatenate([end.readouts[name] for end in ends]) for name in first.readouts}
    return replace(first, batch=_batch(traces), nodes=nodes, held=held, readouts=readouts)


def _cut(key: str, values: Array, lane: slice) -> Array:
    return values[:, lane] if key == COMING else values[lane]
