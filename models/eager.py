"""The equation of a layer step by step in torch operations, with Norse's spike function and resets.

This is what the fused pass has to equal, and what runs where the fused pass cannot.
"""

from __future__ import annotations

import torch
from norse.torch.functional.reset import reset_subtract, reset_value
from torch import Tensor

from ..toolchain.kernels.gradients import Surrogate
from .fields import Fields, NeuronState, Value
from .surrogates import spike


def run_eagerly(x: Tensor, fields: Fields, state: NeuronState) -> tuple[Tensor, NeuronState]:
    """Runs x [T, B, *shape] from `state`; gives spikes (a leaky integrator: v) [T, B, *shape] and the state after."""
    alpha, beta, gain, bias, threshold, v_reset = (_in_dtype(value, x) for value in fields.values())
    u, v, s = state
    rows = []
    for step in x:
        u = u if alpha is None else alpha * u + step
        guard = v
        v = beta * v + gain * (step if alpha is None else u) + bias
        if fields.surrogate is None:
            rows.append(v)
            continue
        v = _reset_before(v, s, guard, fields, threshold, v_reset)
        s = spike(v - threshold, fields.surrogate, fields.inclusive)
        v = _reset_after(v, s, guard, fields, threshold, v_reset)
        rows.append(s)
    return torch.stack(rows), NeuronState(u, v, s)


def _in_dtype(value: Value | None, x: Tensor) -> Value | None:
    return value.to(x.dtype) if isinstance(value, Tensor) else value


def _caused(s: Tensor, surrogate: Surrogate | None) -> Tensor:
    """The spikes as the reset sees them: without a gradient when the surrogate detaches it."""
    return s.detach() if surrogate is not None and surrogate.detach else s


def _guard(before: Tensor, fields: Fields, threshold: Value) -> Tensor:
    """r = v[t−1] > θ of a guarded reset, a constant."""
    fired = before >= threshold if fields.inclusive else before > threshold
    return fired.to(before.dtype)


def _reset_before(v: Tensor, s: Tensor, before: Tensor, fields: Fields, threshold: Value, v_reset: Value) -> Tensor:
    if fields.when == "guarded":
        return v - _guard(before, fields, threshold) * threshold
    if fields.when == "now" or fields.reset == "none":
        return v
    caused = _caused(s, fields.surrogate)
    return (reset_value if fields.reset == "value" else reset_subtract)(caused, v, v_reset, threshold)


def _reset_after(v: Tensor, s: Tensor, before: Tensor, fields: Fields, threshold: Value, v_reset: Value) -> Tensor:
    if fields.when == "next" or fields.reset == "none":
        return v
    caused = _caused(s, fields.surrogate)
    if fields.when == "guarded":
        return v - (caused - _guard(before, fields, threshold)) * threshold
    return (reset_value if fields.reset == "value" else reset_subtract)(caused, v, v_reset, threshold)
