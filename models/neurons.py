"""Our neurons: layers that run all time steps in one call, time first, [T, B, *shape] in and out.

    u[t] = α·u[t−1] + x[t]                    CubaLIF, RecurrentCubaLIF, LI with a current; else u[t] = x[t]
    v̂[t] = β·v[t−1] + g·u[t] + b              leak and integrate
    s[t] = v̂[t] > θ          (≥: inclusive)   compare
    v[t] = reset(v̂[t], s[t])                  to a value, by subtraction, none; now, next, guarded

Norse's functional steps and surrogate gradients are the definition: `LIF.from_tau(τ)` is `lif_box_feed_forward_step`,
`CubaLIF.from_tau(τ_syn, τ)` is `lif_feed_forward_step`, `IF()` is `iaf_feed_forward_step`, `LI.from_tau(τ, τ_syn)` is
`li_feed_forward_step` and `RecurrentCubaLIF` is `lif_step`, all with the same gradients.

A layer keeps nothing between two calls: `layer(x)` starts at u = 0, v = v_init. `layer.run(x, state)` takes and gives
the state, so that a sequence can be run window by window.

What a tracer reads, on every layer: `alpha` (None without a current), `beta`, `gain`, `bias`, `threshold`, `v_reset`,
`v_init`: numbers, or tensors that broadcast to the feature shape; `reset`, `when`, `inclusive`, `dt`, and `rule`, which
says how the decays came about: "euler" β = 1 − dt/τ, "exact" β = exp(−dt/τ), "decay" when they were given as they are.
"""

from __future__ import annotations

import math
from typing import TypedDict, Unpack, final

from torch import Tensor

from ..toolchain.errors import UsageError
from ..toolchain.kernels.gradients import Surrogate
from ..toolchain.kernels.lif import Reset, When
from .fields import Fields, Value
from .layer import Neurons, Rule


class Firing(TypedDict, total=False):
    """Options of every layer that fires; what is not given is as in `Fields`."""

    threshold: Value
    v_reset: Value
    reset: Reset
    when: When
    inclusive: bool
    surrogate: Surrogate


class Options(TypedDict, total=False):
    """Options of every layer; what is not given is as in `Neurons`."""

    learn: tuple[str, ...]
    v_init: Value
    dt: float
    rule: Rule


class FiringOptions(Firing, Options, total=False):
    """Options of every layer that fires."""


def decay(tau: Value, dt: float, rule: Rule) -> Value:
    """What is left of a value after one step of dt: euler 1 − dt/τ, exact exp(−dt/τ)."""
    if rule == "euler":
        return 1 - dt / tau
    if rule == "exact":
        return (-dt / tau).exp() if isinstance(tau, Tensor) else math.exp(-dt / tau)
    raise UsageError("neuron", f"rule {rule!r} for a time constant", "euler or exact")


def driven(tau: Value, dt: float, rule: Rule) -> Value:
    """What one step of dt adds of the input, 1 − β: euler dt/τ, exact 1 − exp(−dt/τ)."""
    return dt / tau if rule == "euler" else 1 - decay(tau, dt, rule)


@final
class IF(Neurons):
    """Integrate and fire: v̂[t] = v[t−1] + x[t]; β = g = 1, b = 0."""

    def __init__(self, **options: Unpack[FiringOptions]) -> None:
        firing, rest = split(options)
        super().__init__(Fields(**firing), **rest)


@final
class LIF(Neurons):
    """Leaky integrate and fire without a synaptic current: v̂[t] = β·v[t−1] + g·x[t] + b."""

    def __init__(
        self, beta: Value = 0.9, gain: Value = 1.0, bias: Value = 0.0, **options: Unpack[FiringOptions]
    ) -> None:
        firing, rest = split(options)
        super().__init__(Fields(None, beta, gain, bias, **firing), **rest)

    @classmethod
    def from_tau(
        cls,
        tau: Value,
        v_leak: Value = 0.0,
        **options: Unpack[FiringOptions],
    ) -> LIF:
        """τ·dv/dt = v_leak − v + x, stepped by `rule`: g = 1 − β, b = (1 − β)·v_leak, v_init = v_leak."""
        dt, rule = _stepping(options)
        beta, gain = decay(tau, dt, rule), driven(tau, dt, rule)
        filled: FiringOptions = {"v_init": v_leak, **options, "dt": dt, "rule": rule}
        return cls(beta, gain, gain * v_leak, **filled)


@final
class CubaLIF(Neurons):
    """Leaky integrate and fire with a synaptic current: u[t] = α·u[t−1] + x[t], v̂[t] = β·v[t−1] + g·u[t] + b."""

    def __init__(
        self,
        alpha: Value = 0.8,
        beta: Value = 0.9,
        gain: Value = 1.0,
        bias: Value = 0.0,
        **options: Unpack[FiringOptions],
    ) -> None:
        firing, rest = split(options)
        super().__init__(Fields(alpha, beta, gain, bias, **firing), **rest)

    @classmethod
    def from_tau(
        cls,
        tau_syn: Value,
        tau_mem: Value,
        v_leak: Value = 0.0,
        **options: Unpack[FiringOptions],
    ) -> CubaLIF:
        """τ_syn·du/dt = −u, τ_mem·dv/dt = v_leak − v + u, and x jumps onto u; g = 1 − β, b = (1 − β)·v_leak."""
        dt, rule = _stepping(options)
        beta, gain = decay(tau_mem, dt, rule), driven(tau_mem, dt, rule)
        filled: FiringOptions = {"v_init": v_leak, **options, "dt": dt, "rule": rule}
        return cls(decay(tau_syn, dt, rule), beta, gain, gain * v_leak, **filled)


@final
class LI(Neurons):
    """Leaky integrator, the usual last layer: v[t] = β·v[t−1] + g·u[t] + b, never a spike; gives v [T, B, *shape]."""

    def __init__(
        self,
        beta: Value = 0.9,
        gain: Value = 1.0,
        bias: Value = 0.0,
        alpha: Value | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(Fields(alpha, beta, gain, bias, reset="none", surrogate=None), **options)

    @classmethod
    def from_tau(
        cls,
        tau_mem: Value,
        tau_syn: Value | None = None,
        v_leak: Value = 0.0,
        **options: Unpack[Options],
    ) -> LI:
        """As `CubaLIF.from_tau` (without τ_syn as `LIF.from_tau`), and no threshold."""
        dt, rule = _stepping(options)
        beta, gain = decay(tau_mem, dt, rule), driven(tau_mem, dt, rule)
        alpha = None if tau_syn is None else decay(tau_syn, dt, rule)
        filled: Options = {"v_init": v_leak, **options, "dt": dt, "rule": rule}
        return cls(beta, gain, gain * v_leak, alpha, **filled)


def _stepping(options: Options) -> tuple[float, Rule]:
    """dt and the rule that makes decays of time constants, Euler's with a millisecond unless said otherwise."""
    return options.get("dt", 1e-3), options.get("rule", "euler")


def split(options: FiringOptions) -> tuple[Firing, Options]:
    """The options that are fields of the equation, and the rest."""
    firing = {name: value for name, value in options.items() if name in Firing.__annotations__}
    rest = {name: value for name, value in options.items() if name not in Firing.__annotations__}
    return firing, rest  # type: ignore[return-value]
