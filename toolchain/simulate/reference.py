"""The reference simulation: what `Node.step` defines, a window of steps at a time.

Parts of the graph without a loop run window by window: layers as one call on steps and samples folded into one batch,
neurons as one call of a fused kernel. Parts with a loop run step by step. What nobody reads any more is let go, so
memory is bounded by one window and by what is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch

from ..graph import Graph
from ..graph.nodes.base import Array
from .groups import fold, fold_in_groups
from .inputs import Feed, feed
from .loops import loop_of
from .memory import refuse_what_cannot_fit, refuse_what_has_grown
from .plan import Plan, plan
from .readout import GATHER, answer
from .recording import SENT, Recorder, Viewer, Viewers, tallied, wanted
from .schedule import Schedule, schedule
from .start import continued, started
from .trace import RunState, Trace


def simulate(
    graph: Graph,
    inputs: Any,
    *,
    record: str | Iterable[str],
    dtype: np.dtype[Any] | None,
    window: int | None,
    state: RunState | None,
) -> Trace:
    """The reference backend; the arguments are those of `simulate` in `run.py`."""
    given = feed(inputs, _inputs(graph), state.dtype if dtype is None and state is not None else dtype)
    planned = plan(graph, given.dtype)
    scheduled = schedule(planned, given.batch)
    length = scheduled.window if window is None else window
    keep = wanted(record, planned)
    refuse_what_cannot_fit(planned, scheduled, length, keep, given.batch, given.steps or 1)
    recorder = Recorder(planned, keep, given.batch, given.steps, tallied(planned))
    run = Run(planned, scheduled, recorder, keep, given, state)
    run.over(given, length)
    return run.trace(recorder)


def watch(
    graph: Graph,
    inputs: Any,
    viewers: Callable[[int, np.dtype[Any]], Mapping[str, Viewer]],
    *,
    window: int | None = None,
) -> tuple[int, int]:
    """Run a network and show what its nodes send, window by window, while it runs; nothing is kept.

    In each window every node is shown once, after all it reads from without a delay; loops show all their nodes at
    their end. A wire that is delayed hands on what was sent one step before, and 0 before the first.

    Args:
        graph: the network, without sub-graphs.
        inputs: as `simulate` takes them.
        viewers: makes, for the number of samples and the dtype of the run, the viewer of each node that is looked at.
        window: steps that run at once; by default as many as stay in the caches.

    Returns:
        How many steps there were, and how many samples.
    """
    given = feed(inputs, _inputs(graph), None)
    planned = plan(graph, given.dtype)
    scheduled = schedule(planned, given.batch)
    length = scheduled.window if window is None else window
    refuse_what_cannot_fit(planned, scheduled, length, {}, given.batch, 1)
    run = Run(planned, scheduled, Viewers(viewers(given.batch, given.dtype)), {}, given, None)
    run.over(given, length)
    return run.step, given.batch


def _inputs(graph: Graph) -> Mapping[str, Any]:
    return {name: graph.nodes[name] for name in graph.inputs}


class Run:
    """One run while it goes on."""

    def __init__(
        self,
        plan: Plan,
        schedule: Schedule,
        recorder: Recorder | Viewers,
        keep: Mapping[str, frozenset[str]],
        feed: Feed,
        state: RunState | None,
    ) -> None:
        """Everything at its start, or where `state` left it.

        Args:
            plan: the network.
            schedule: how it runs on this batch.
            recorder: who is shown what passes.
            keep: what is recorded.
            feed: what comes in.
            state: where an earlier run ended.
        """
        self.plan, self.schedule, self.batch = plan, schedule, feed.batch
        self.recorder = recorder
        self.keep = {name: keep.get(name, frozenset()) - {SENT} for name in plan.nodes}
        start = started(plan, feed.batch) if state is None else continued(state, plan, feed.batch)
        self.first = self.step = start.step
        self.states = {name: dict(values) for name, values in start.nodes.items()}
        self.held, self.readouts = dict(start.held), dict(start.readouts)
        self.room = 0
        self.loops = {part: loop_of(plan, part, self.recorder.watched, self.keep) for part in plan.parts if part.loops}

    def over(self, feed: Feed, length: int) -> None:
        """Run all windows there are, each of so many steps."""
        with torch.inference_mode(), np.errstate(all="ignore"):  # infinities are values here, as they are in torch
            for first, rows in feed.windows(self.step, length):
                self.window(first, rows)
                if feed.steps is None:
                    self.look_at_memory()

    def window(self, first: int, inputs: Mapping[str, Array]) -> None:
        """Run one window."""
        sent = dict(inputs)
        last: dict[str, Array] = {}
        for part, dead in zip(self.plan.parts, self.schedule.last_read, strict=True):
            if part.loops:
                held = {name: self.held[name] for name in part.names if name in self.plan.delayed}
                found = self.loops[part](self._outer(part.names, sent), self.states, held)
                last.update(held)
            else:
                found = {part.names[0]: self._node(part.names[0], sent, first)}
            for name, (values, kept) in found.items():
                sent[name] = values
                self.recorder.take(name, values, kept)
                self._read_out(name, values)
                if name in self.plan.delayed and not part.loops:
                    last[name] = values[-1].copy()
            for name in dead:
                sent.pop(name, None)
        self.held.update(last)
        self.step += len(next(iter(inputs.values())))

    def look_at_memory(self) -> None:
        """Refuse to go on once what a stream has left behind takes all there is."""
        kept = self.recorder.sizes()
        if sum(kept.values()) > self.room:
            self.room = refuse_what_has_grown(kept, self.step - self.first)

    def _node(self, name: str, sent: Mapping[str, Array], first: int) -> tuple[Array, Mapping[str, Array]]:
        """A window of one node."""
        received = [self._wire(wire.source, wire.delayed, sent) for wire in self.plan.wires[name]]
        if not received:
            return sent[name], {}
        if name in self.plan.rolls:
            return self.plan.rolls[name](self.states[name], received, self.keep[name])
        run = self.plan.folds[name].run
        if name in self.schedule.groups:
            return fold_in_groups(run, received, first, self.schedule.groups[name]), {}
        return fold(run, received), {}

    def _wire(self, source: str, delayed: bool, sent: Mapping[str, Array]) -> Array:
        """A window of what a wire hands on."""
        if not delayed:
            return sent[source]
        return np.concatenate([self.held[source][None], sent[source][:-1]])

    def _outer(self, names: Iterable[str], sent: Mapping[str, Array]) -> Mapping[tuple[str, bool], Array]:
        """What the wires hand on that come into a part from outside."""
        inside = set(names)
        wires = {(w.source, w.delayed) for name in names for w in self.plan.wires[name] if w.source not in inside}
        return {(source, delayed): self._wire(source, delayed, sent) for source, delayed in wires}

    def _read_out(self, name: str, values: Array) -> None:
        readout = self.plan.outputs[name].readout if name in self.plan.outputs else "steps"
        if readout != "steps":
            self.readouts[name] = GATHER[readout](self.readouts.get(name), values)

    def trace(self, recorder: Recorder) -> Trace:
        """What came of it."""
        plan = self.plan
        outputs = {
            name: recorder.outputs[name].joined()
            if node.readout == "steps"
            else answer(node.readout, self.readouts[name], self.step, plan.dtype)
            for name, node in plan.outputs.items()
        }
        end = RunState(self.step, self.batch, plan.dtype, self.states, self.held, self.readouts)
        steps = self.step - self.first
        return Trace(
            outputs, recorder.nodes(), recorder.counts(), steps, self.batch, plan.dtype, plan.dt, self.first,
            end, plan.name,
        )  # fmt: skip
