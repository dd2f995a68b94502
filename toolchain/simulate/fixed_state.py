"""Where a run of a chip graph starts: before the first step, or where another run ended."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import SimulationError
from ..graph.nodes.base import Array, State
from ..loihi.processes import ConvInTime
from .fixed_plan import FixedPlan
from .trace import RunState


def started(plan: FixedPlan, batch: int) -> RunState:
    """Before the first step; states have 32 bits, but what is on its way in a ConvInTime."""
    nodes: dict[str, State] = {}
    for name in plan.rolls:
        dtype = np.int64 if isinstance(plan.nodes[name], ConvInTime) else np.int32
        nodes[name] = plan.nodes[name].start(plan.received(name)[0].shape, batch, dtype)
    held = {name: np.zeros((batch, *plan.signals[name].shape), plan.formats[name]) for name in plan.delayed}
    return RunState(0, batch, plan.dtype, nodes, held, {})


def refuse_another_batch(state: RunState, plan: FixedPlan, batch: int) -> None:
    """A SimulationError for where a run of other samples, or of a graph in real numbers, ended."""
    if state.dtype != plan.dtype or state.batch != batch:
        found = f"a run of {state.batch} samples in {state.dtype}"
        fix = "go on with the same batch, on the same network"
        raise SimulationError("state", found, f"{batch} samples in {plan.dtype}", fix)


def continued(state: RunState, plan: FixedPlan, batch: int) -> RunState:
    """A copy of where another run ended, if it was a run of the same network."""
    fresh = started(plan, batch)
    if _kinds(state) != _kinds(fresh) or set(state.readouts) - set(plan.outputs):
        raise SimulationError("state", "another network's state", f"the state of a run of '{plan.name}'")
    kept = {name: state.nodes.get(name, {}) for name in fresh.nodes}  # another plan has others without a state
    nodes = {name: {key: _copy(value) for key, value in values.items()} for name, values in kept.items()}
    held, readouts = ({n: _copy(v) for n, v in part.items()} for part in (state.held, state.readouts))
    return RunState(state.step, batch, plan.dtype, nodes, held, readouts)


def _copy(values: Array) -> Array:
    return np.array(values, order="K")


def _kinds(state: RunState) -> dict[tuple[str, str], Any]:
    found = {(n, k): (value.shape, value.dtype) for n, values in state.nodes.items() for k, value in values.items()}
    return found | {(name, "held"): (value.shape, value.dtype) for name, value in state.held.items()}
