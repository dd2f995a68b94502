"""Where a run starts: before the first step, or where another run of the same network ended."""

from __future__ import annotations

import numpy as np

from ..errors import SimulationError
from ..graph.nodes.base import State
from .plan import Plan
from .trace import RunState


def started(plan: Plan, batch: int) -> RunState:
    """Before the first step."""
    nodes: dict[str, State] = {
        name: plan.nodes[name].start(plan.received(name)[0].shape, batch, plan.dtype) for name in plan.rolls
    }
    held = {name: np.zeros((batch, *plan.signals[name].shape), plan.dtype) for name in plan.delayed}
    return RunState(0, batch, plan.dtype, nodes, held, {})


def continued(state: RunState, plan: Plan, batch: int) -> RunState:
    """A copy of where another run ended, if it was a run of the same network."""
    fresh = started(plan, batch)
    if (state.batch, state.dtype) != (batch, plan.dtype):
        found = f"a run of {state.batch} samples in {state.dtype}"
        raise SimulationError("state", found, f"{batch} samples in {plan.dtype}", "go on with the same batch and dtype")
    if _shapes(state) != _shapes(fresh) or set(state.readouts) - set(plan.outputs):
        raise SimulationError("state", "another network's state", f"the state of a run of '{plan.name}'")
    nodes = {name: {key: np.array(value) for key, value in values.items()} for name, values in state.nodes.items()}
    held, readouts = ({n: np.array(v) for n, v in part.items()} for part in (state.held, state.readouts))
    return RunState(state.step, batch, plan.dtype, nodes, held, readouts)


def _shapes(state: RunState) -> dict[tuple[str, str], tuple[int, ...]]:
    found = {(name, key): value.shape for name, values in state.nodes.items() for key, value in values.items()}
    return found | {(name, "held"): value.shape for name, value in state.held.items()}
