"""Backend onnxruntime: a graph as an ONNX model in ONNX Runtime, as the same trace the reference gives.

A window of steps is one call of the model. What the network remembers goes in and out with every window, in the form in
which the reference keeps it: so runs go on from a state, and either backend goes on from the other's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast
from weakref import WeakKeyDictionary

import numpy as np

from ..graph import Graph, Node
from ..graph.inline import inline
from ..graph.nodes import Input
from ..graph.nodes.base import Array, State
from ..onnx.memory import SENT as HELD
from ..onnx.memory import Memory, memories, state_of, tensors_of
from ..onnx.model import build_run
from ..onnx.unrolled import END, START, Tap
from .inputs import Feed, feed
from .memory import refuse_what_cannot_fit, refuse_what_has_grown
from .onnx_session import Session
from .plan import Plan, plan
from .readout import GATHER, answer
from .recording import SENT, Recorder, tallied, wanted
from .schedule import schedule
from .start import continued, started
from .trace import RunState, Trace

DType = np.dtype[Any]


def simulate(
    graph: Graph,
    inputs: Any,
    *,
    record: str | Iterable[str],
    dtype: DType | None,
    window: int | None,
    state: RunState | None,
) -> Trace:
    """The backend; the arguments are those of `simulate` in `run.py`."""
    flat = inline(graph)
    nodes = {name: cast(Input, flat.nodes[name]) for name in flat.inputs}
    given = feed(inputs, nodes, state.dtype if dtype is None and state is not None else dtype)
    planned = plan(graph, given.dtype)
    scheduled = schedule(planned, given.batch)
    length = scheduled.window if window is None else window
    keep = wanted(record, planned)
    refuse_what_cannot_fit(planned, scheduled, length, keep, given.batch, given.steps or 1)
    recorder = Recorder(planned, keep, given.batch, given.steps, tallied(planned))
    run = _Run(graph, flat, planned, recorder, given, state)
    with np.errstate(all="ignore"):
        for _, rows in given.windows(run.step, length):
            run.window(rows)
            if given.steps is None:
                run.look_at_memory()
    return run.trace()


def _taps(planned: Plan, recorder: Recorder) -> tuple[Tap, ...]:
    """What has to be handed out for every step; inputs are known already."""
    wanted = {(name, SENT) for name in (*recorder.watched, *planned.outputs)} | set(recorder.stores)
    places = {name: place for place, name in enumerate(planned.nodes)}
    ordered = sorted(wanted, key=lambda item: (places[item[0]], item[1]))
    return tuple(Tap(f"{name}.{what}/tap", name, what) for name, what in ordered if (name, what) not in _known(planned))


def _known(planned: Plan) -> set[tuple[str, str]]:
    return {(name, SENT) for name in planned.inputs}


class _Run:
    """One run while it goes on."""

    def __init__(
        self, graph: Graph, flat: Graph, planned: Plan, recorder: Recorder, given: Feed, state: RunState | None
    ) -> None:
        """Everything at its start, or where `state` left it."""
        self.plan, self.recorder, self.batch = planned, recorder, given.batch
        self.taps = _taps(planned, recorder)
        self.kept = memories(flat, planned.dtype)
        self.session = _session(graph, flat, self.kept, planned.dtype, self.taps)
        start = started(planned, given.batch) if state is None else continued(state, planned, given.batch)
        self.first = self.step = start.step
        self.carried = _tensors(self.kept, start, planned.nodes)
        self.readouts = dict(start.readouts)
        self.room = 0

    def window(self, rows: Mapping[str, Array]) -> None:
        """One window: one call."""
        known = {START + name: value for name, value in self.carried.items()}
        ends = [END + each.name for each in self.kept]
        found = dict(
            zip(
                [*ends, *(tap.name for tap in self.taps)],
                self.session.run([*ends, *(tap.name for tap in self.taps)], {**rows, **known}),
                strict=True,
            )
        )
        self.carried = {each.name: found[END + each.name] for each in self.kept}
        parts: dict[str, dict[str, Array]] = {name: {SENT: values} for name, values in rows.items()}
        for tap in self.taps:
            parts.setdefault(tap.node, {})[tap.what] = found[tap.name]
        for name, each in parts.items():
            self._take(name, each)
        self.step += len(next(iter(rows.values())))

    def _take(self, name: str, parts: dict[str, Array]) -> None:
        """Show the recorder a window of one node, and gather its readout."""
        sent = parts.pop(SENT, None)
        if sent is not None:
            self.recorder.take(name, sent, parts)
            readout = self.plan.outputs[name].readout if name in self.plan.outputs else "steps"
            if readout != "steps":
                self.readouts[name] = GATHER[readout](self.readouts.get(name), sent)
        else:
            for what, values in parts.items():
                self.recorder.stores[name, what].put(values)

    def look_at_memory(self) -> None:
        """Refuse to go on once what a stream has left behind takes all there is."""
        kept = self.recorder.sizes()
        if sum(kept.values()) > self.room:
            self.room = refuse_what_has_grown(kept, self.step - self.first)

    def trace(self) -> Trace:
        """What came of it."""
        plan, recorder = self.plan, self.recorder
        outputs = {
            name: recorder.outputs[name].joined()
            if node.readout == "steps"
            else answer(node.readout, self.readouts[name], self.step, plan.dtype)
            for name, node in plan.outputs.items()
        }
        nodes, held = _states(self.kept, self.carried, plan.nodes)
        end = RunState(self.step, self.batch, plan.dtype, nodes, held, self.readouts)
        return Trace(
            outputs, recorder.nodes(), recorder.counts(), self.step - self.first, self.batch, plan.dtype, plan.dt,
            self.first, end, plan.name,
        )  # fmt: skip


def _tensors(kept: Sequence[Memory], state: RunState, nodes: Mapping[str, Node]) -> dict[str, Array]:
    """What is remembered, as the model takes it."""
    every = {name: tensors_of(nodes[name], own) for name, own in state.nodes.items()}
    found = {f"{name}.{key}": value for name, own in every.items() for key, value in own.items()}
    found |= {f"{name}.{HELD}": value for name, value in state.held.items()}
    return {each.name: np.ascontiguousarray(found[each.name]) for each in kept}


def _states(
    kept: Sequence[Memory], carried: Mapping[str, Array], nodes: Mapping[str, Node]
) -> tuple[dict[str, State], dict[str, Array]]:
    """What is remembered, as the reference keeps it: of nodes, and of delayed wires."""
    own: dict[str, dict[str, Array]] = {}
    for each in kept:
        if each.key != HELD:
            own.setdefault(each.node, {})[each.key] = carried[each.name]
    held = {each.node: carried[each.name] for each in kept if each.key == HELD}
    return {name: state_of(nodes[name], tensors) for name, tensors in own.items()}, held


_SESSIONS: WeakKeyDictionary[Graph, dict[tuple[str, tuple[Tap, ...]], Session]] = WeakKeyDictionary()


def forget(graph: Graph) -> None:
    """Lets go of what was made for it."""
    _SESSIONS.pop(graph, None)


def _session(graph: Graph, flat: Graph, kept: Sequence[Memory], dtype: DType, taps: tuple[Tap, ...]) -> Session:
    """The model in ONNX Runtime: made at the first call, kept as long as the graph is."""
    made = _SESSIONS.setdefault(graph, {})
    key = (dtype.name, taps)
    if key not in made:
        made[key] = Session(build_run(flat, kept, dtype, taps), graph.name)
    return made[key]
