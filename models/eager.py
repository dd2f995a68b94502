"""The equation of a layer step by step in torch operations, with Norse's spike function and resets.

This is what the fused pass has to equal, and what runs where the fused pass cannot.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from norse.torch.functional.reset import reset_subtract, reset_value
from torch import Tensor

from ..toolchain.kernels.gradients import Surrogate
from .fields import NAMES, Fields, NeuronState
from .surrogates import spike


def run_eagerly(x: Tensor, fields: Fields, state: NeuronState) -> tuple[Tensor, NeuronState]:
    """Runs x [T, B, *shape] from `state`; gives spikes (a leaky integrator: v) [T, B, *shape] and the state after."""
    ready = in_dtype(fields, x)
    rows = []
    for current in x:
        state = step(current, ready, state)
        rows.append(state.v if fields.surrogate is None else state.s)
    return torch.stack(rows) if rows else x, state


def step(x: Tensor, fields: Fields, state: NeuronState) -> NeuronState:
    """One step of x [B, *shape]; the state after holds the spikes, and the voltage after the reset."""
    u = state.u if fields.alpha is None else fields.alpha * state.u + x
    v = fields.beta * state.v + fields.gain * (x if fields.alpha is None else u) + fields.bias
    if fields.surrogate is None:
        return NeuronState(u, v, state.s)
    v = _reset_before(v, state, fields)
    s = spike(v - fields.threshold, fields.surrogate, fields.inclusive)
    return NeuronState(u, _reset_after(v, s, state, fields), s)


def in_dtype(fields: Fields, x: Tensor) -> Fields:
    """The fields with their tensors in the dtype of x."""
    values = (value.to(x.dtype) if isinstance(value, Tensor) else value for value in fields.values())
    return replace(fields, **dict(zip(NAMES, values, strict=True)))  # type: ignore[arg-type]


def _caused(s: Tensor, surrogate: Surrogate | None) -> Tensor:
    """The spikes as the reset sees them: without a gradient when the surrogate detaches it."""
    return s.detach() if surrogate is not None and surrogate.detach else s


def _guard(before: Tensor, fields: Fields) -> Tensor:
    """r = v[t−1] > θ of a guarded reset, a constant."""
    fired = before >= fields.threshold if fields.inclusive else before > fields.threshold
    return fired.to(before.dtype)


def _reset(s: Tensor, v: Tensor, fields: Fields) -> Tensor:
    method = reset_value if fields.reset == "value" else reset_subtract
    after: Tensor = method(_caused(s, fields.surrogate), v, fields.v_reset, fields.threshold)
    return after


def _reset_before(v: Tensor, state: NeuronState, fields: Fields) -> Tensor:
    if fields.when == "guarded":
        return v - _guard(state.v, fields) * fields.threshold
    if fields.when == "now" or fields.reset == "none":
        return v
    return _reset(state.s, v, fields)


def _reset_after(v: Tensor, s: Tensor, state: NeuronState, fields: Fields) -> Tensor:
    if fields.when == "next" or fields.reset == "none":
        return v
    if fields.when == "guarded":
        return v - (_caused(s, fields.surrogate) - _guard(state.v, fields)) * fields.threshold
    return _reset(s, v, fields)
