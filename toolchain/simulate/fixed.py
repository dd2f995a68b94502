"""The fast simulation of chip graphs: in integers, bit for bit what every process' `step` defines, and what Lava does.

Every wire into a synapse is a delayed one, so a network without feedback has no loop: it runs window by window,
synapses as one call of torch on steps and samples folded into one batch, neurons as one call of a kernel. Parts with
feedback run step by step, or as one kernel where they are the usual recurrent layer. All numbers are integers, so
nothing depends on how a run is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ..graph.nodes.base import Array
from ..loihi.chip_graph import ChipGraph
from ..loihi.processes import ChipInput
from .fixed_choice import LEDGER
from .fixed_lanes import feeds, joined, lanes, portion
from .fixed_loops import loop_of
from .fixed_plan import FixedPlan
from .fixed_recording import wanted
from .fixed_state import continued, refuse_another_batch, started
from .fixed_windows import Windows
from .inputs import Feed, feed
from .memory import refuse_what_cannot_fit, refuse_what_has_grown
from .readout import chip_answer, gathered
from .recording import SENT, Recorder, Viewer, Viewers
from .schedule import schedule
from .trace import RunState, Trace


def simulate(
    graph: ChipGraph,
    inputs: Any,
    *,
    record: str | Iterable[str] = "outputs",
    window: int | None = None,
    state: RunState | None = None,
) -> Trace:
    """The backend fixed; the arguments are those of `simulate` in `run.py`."""
    given = feed(inputs, {n: node for n, node in graph.nodes.items() if isinstance(node, ChipInput)}, FixedPlan.dtype)
    planned = LEDGER.plan(graph, given.steps, given.batch)
    if state is not None:
        refuse_another_batch(state, planned, given.batch)
    keep = wanted(record, graph)
    parts = lanes(planned, given, keep) if window is None else [slice(0, given.batch)]
    scheduled = schedule(planned, parts[0].stop)
    length = scheduled.window if window is None else window
    refuse_what_cannot_fit(planned, scheduled, length, keep, given.batch, given.steps or 1)
    traces = []
    with planned.within():
        for lane, fed in zip(parts, feeds(given, parts), strict=True):
            recorder = Recorder(planned, keep, fed.batch, fed.steps, planned.counted)
            run = Run(planned, recorder, keep, fed, portion(state, lane), lane.start)
            run.over(fed, length)
            traces.append(run.trace(recorder))
    return joined(traces, planned)


def watch(
    graph: ChipGraph,
    inputs: Any,
    viewers: Callable[[int, np.dtype[Any]], Mapping[str, Viewer]],
    *,
    window: int | None = None,
) -> tuple[int, int]:
    """Run a chip graph and show what its nodes send, window by window, while it runs; nothing is kept.

    The arguments, the order in which nodes are shown and the result are those of `watch` in `reference.py`; windows
    hold whole numbers in whatever type the node is computed in.
    """
    given = feed(inputs, {n: node for n, node in graph.nodes.items() if isinstance(node, ChipInput)}, FixedPlan.dtype)
    planned = LEDGER.plan(graph, given.steps, given.batch)
    scheduled = schedule(planned, given.batch)
    length = scheduled.window if window is None else window
    refuse_what_cannot_fit(planned, scheduled, length, {}, given.batch, 1)
    with planned.within():
        run = Run(planned, Viewers(viewers(given.batch, FixedPlan.dtype)), {}, given, None)
        run.over(given, length)
    return run.step, given.batch


class Run:
    """One run while it goes on."""

    def __init__(
        self,
        plan: FixedPlan,
        recorder: Recorder | Viewers,
        keep: Mapping[str, frozenset[str]],
        feed: Feed,
        state: RunState | None,
        sample: int = 0,
    ) -> None:
        """Everything at its start, or where `state` left it.

        Args:
            plan: the network.
            recorder: who is shown what passes.
            keep: what is recorded.
            feed: what comes in.
            state: where an earlier run ended.
            sample: the number of the first sample.
        """
        self.plan, self.schedule, self.batch = plan, schedule(plan, feed.batch), feed.batch
        self.sample = sample
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
        for first, rows in feed.cut(self.step, length):
            self.window(first, rows)
            if feed.steps is None:
                self.look_at_memory()

    def window(self, first: int, inputs: Mapping[str, Array]) -> None:
        """Run one window."""
        steps = len(next(iter(inputs.values())))
        windows = Windows(self.plan, self.batch, steps, self.held, self.sample)
        for part, dead in zip(self.plan.parts, self.schedule.last_read, strict=True):
            if part.loops:
                found = self.loops[part](windows, self.states)
            else:
                (name,) = part.names
                found = {name: self._node(name, windows, inputs, first)}
            for name, (values, kept) in found.items():
                windows.put(name, values)
                self.recorder.take(name, values, kept)
                self._read_out(name, values, first)
            windows.drop(dead)
        self.step += steps

    def look_at_memory(self) -> None:
        """Refuse to go on once what a stream has left behind takes all there is."""
        kept = self.recorder.sizes()
        if sum(kept.values()) > self.room:
            self.room = refuse_what_has_grown(kept, self.step - self.first)

    def _node(
        self, name: str, windows: Windows, inputs: Mapping[str, Array], first: int
    ) -> tuple[Array, Mapping[str, Array]]:
        """A window of one process, and what was kept of its states."""
        plan = self.plan
        if name in plan.inputs:
            return plan.take(name, plan.inputs[name], inputs[name], windows, first), {}
        received = [windows.wire(wire) for wire in plan.wires[name]]
        if name in plan.folds:
            return plan.folds[name].run(*received), {}
        out = windows.room(name, received[0])
        kept = plan.rolls[name](self.states[name], received, self.keep[name], out)
        return out, kept

    def _read_out(self, name: str, values: Array, first: int) -> None:
        output = self.plan.outputs.get(name)
        if output is not None and output.readout != "steps":
            found = gathered(output, self.readouts.get(name), values, first)
            if found is not None:
                self.readouts[name] = found

    def trace(self, recorder: Recorder) -> Trace:
        """What came of it."""
        plan = self.plan
        outputs = {
            name: recorder.outputs[name].joined()
            if output.readout == "steps"
            else chip_answer(name, output, self.readouts.get(name), self.step)
            for name, output in plan.outputs.items()
        }
        end = RunState(self.step, self.batch, plan.dtype, self.states, self.held, self.readouts)
        steps = self.step - self.first
        return Trace(
            outputs, recorder.nodes(), recorder.counts(), steps, self.batch, plan.dtype, plan.dt, self.first,
            end, plan.name,
        )  # fmt: skip
