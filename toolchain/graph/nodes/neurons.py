"""Neurons that integrate, compare and reset.

One step, in this order (x[t] is what comes in, every parameter a number or an array that broadcasts to the shape):

    u[t] = α·u[t−1] + x[t]                     synaptic current (where there is an α)
    v̂[t] = β·v[t−1] + g·u[t] + b               leak and integrate
    s[t] = v̂[t] > θ   (≥ with at_least)        compare
    v[t] = reset(v̂[t], s[t])                   to v_reset · by subtraction of θ · none

`when` says when the reset happens:

    now      in the step of the spike, as above
    next     in the next step, after leak and integrate and before the compare:
             v̂[t] = reset(β·v[t−1] + g·u[t] + b, s[t−1]);  v[t] = v̂[t]
    guarded  in the step of the spike; a potential that stays above θ lowers the next compare, not the state:
             r = [v[t−1] > θ];  v̂[t] = β·v[t−1] + g·u[t] + b − r·θ;  v[t] = v̂[t] − (s[t] − r)·θ   (subtraction only)

`emit` says what leaves the neuron: its spikes s[t], its voltage v[t] after the reset, or its charge v̂[t] before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..signal import GRADED, SPIKES
from .base import Array, ArrayLike, State, array, need
from .integrators import Integrating, number, one_of

Reset = Literal["value", "subtract", "none"]
When = Literal["now", "next", "guarded"]
Emit = Literal["spikes", "voltage", "charge"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Firing(Integrating):
    """The fields and the compare-and-reset that all spiking neurons share."""

    threshold: ArrayLike = number(1.0)
    at_least: bool = False
    reset: Reset = "value"
    when: When = "now"
    v_reset: ArrayLike = number(0.0)
    emit: Emit = "spikes"

    def check(self) -> None:
        """Reset, its time and what is sent go together."""
        super().check()
        one_of(self.reset, Reset, "reset")
        one_of(self.when, When, "when")
        one_of(self.emit, Emit, "emit")
        need(self.when != "guarded" or self.reset == "subtract", "when", "'guarded'", "reset by subtraction with it")
        needless = self.reset != "value" and bool(self.v_reset.any())
        need(not needless, "v_reset", "another value than 0", "0 unless the reset is to a value")

    def carried(self) -> Any:
        """Spikes, or a voltage."""
        return SPIKES if self.emit == "spikes" else GRADED

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:
        """v = v_start, u = 0, and no spike before the first step."""
        state = super().start(shape, batch, dtype)
        return {**state, "s": np.zeros((batch, *shape), dtype)} if self.when == "next" else state

    def level(self, state: State, kind: npt.DTypeLike) -> Array:  # noqa: ARG002
        """θ of this step."""
        level: Array = self.threshold.astype(kind)
        return level

    def fire(self, v: Array, level: Array) -> Array:
        """s[t]."""
        return (v >= level if self.at_least else v > level).astype(v.dtype)

    def settle(self, v: Array, s: Array, level: Array) -> Array:
        """reset(v̂, s)."""
        if self.reset == "value":
            return np.where(s > 0, self.v_reset.astype(v.dtype), v)
        return v - s * level if self.reset == "subtract" else v

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Integrate, compare, reset, in the order at the head of this module."""
        new = self.integrate(state, inputs[0])
        kind = inputs[0].dtype
        level = self.level(new, kind)
        before = self.fire(state["v"], level) if self.when == "guarded" else None
        charge = new["v"]
        if self.when == "next":
            charge = self.settle(charge, state["s"], level)
        if before is not None:
            charge = charge - before * level
        s = self.fire(charge, level)
        new["v"] = charge if self.when == "next" else self.settle(charge, s if before is None else s - before, level)
        if self.when == "next":
            new["s"] = s
        return {"spikes": s, "voltage": new["v"], "charge": charge}[self.emit], self.after(new, s, level)

    def after(self, state: State, s: Array, level: Array) -> State:  # noqa: ARG002
        """The state with what a spike does beyond the reset."""
        return state


@dataclass(frozen=True, eq=False, kw_only=True)
class IF(Firing):
    """v̂[t] = v[t−1] + g·x[t] + b; compare and reset as at the head of this module.

    Args:
        gain: g.
        bias: b.
        v_start: v before the first step.
        rule: where the decays came from.
        threshold: θ.
        at_least: compare with ≥ instead of >.
        reset: to a value, by subtraction, or none.
        when: now, next or guarded.
        v_reset: the value.
        emit: spikes, voltage or charge.
    """


@dataclass(frozen=True, eq=False, kw_only=True)
class LIF(Firing):
    """v̂[t] = β·v[t−1] + g·x[t] + b; compare and reset as at the head of this module.

    Args:
        beta: β; the other fields are those of IF.
    """

    beta: ArrayLike = array()

    @property
    def decays(self) -> tuple[Array | None, Array | None]:
        """No current; β."""
        return None, self.beta


@dataclass(frozen=True, eq=False, kw_only=True)
class CubaLIF(Firing):
    """u[t] = α·u[t−1] + x[t];  v̂[t] = β·v[t−1] + g·u[t] + b; compare and reset as at the head of this module.

    Args:
        alpha: α.
        beta: β; the other fields are those of IF.
    """

    alpha: ArrayLike = array()
    beta: ArrayLike = array()

    @property
    def decays(self) -> tuple[Array | None, Array | None]:
        """α; β."""
        return self.alpha, self.beta


@dataclass(frozen=True, eq=False, kw_only=True)
class AdaptiveLIF(Firing):
    """A CUBA-LIF neuron whose spikes raise its threshold and hold it back.

        â = ρ·a[t−1];  r̂ = ρ_r·r[t−1];  s[t] = v̂[t] > θ + â + r̂
        a[t] = â + κ·s[t];  r[t] = r̂ + γ·(θ + â)·s[t]

    u, v̂ and the reset are those of CUBA-LIF; a reset by subtraction takes θ + â + r̂ away.

    Args:
        alpha: α; 0 for no current.
        beta: β.
        adapt_decay: ρ.
        adapt_step: κ.
        refractory_decay: ρ_r.
        refractory_gain: γ; 0 for no refractory state. The other fields are those of IF.
    """

    alpha: ArrayLike = number(0.0)
    beta: ArrayLike = array()
    adapt_decay: ArrayLike = array()
    adapt_step: ArrayLike = array()
    refractory_decay: ArrayLike = number(0.0)
    refractory_gain: ArrayLike = number(0.0)

    def check(self) -> None:
        """A moving threshold has no guarded reset."""
        super().check()
        need(self.when != "guarded", "when", "'guarded'", "now or next")

    @property
    def decays(self) -> tuple[Array | None, Array | None]:
        """α; β."""
        return self.alpha, self.beta

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:
        """Nothing has been raised yet."""
        zeros = np.zeros((batch, *shape), dtype)
        return {**super().start(shape, batch, dtype), "a": zeros, "r": zeros.copy()}

    def integrate(self, state: State, x: Array) -> State:
        """u, v̂, â and r̂ of this step."""
        new = super().integrate(state, x)
        new["a"] = self.adapt_decay.astype(x.dtype) * state["a"]
        new["r"] = self.refractory_decay.astype(x.dtype) * state["r"]
        return new

    def level(self, state: State, kind: npt.DTypeLike) -> Array:
        """θ + â + r̂."""
        level: Array = self.threshold.astype(kind) + state["a"] + state["r"]
        return level

    def after(self, state: State, s: Array, level: Array) -> State:
        """a and r after the spike."""
        grown = self.refractory_gain.astype(s.dtype) * (level - state["r"])
        raised = state["a"] + self.adapt_step.astype(s.dtype) * s
        return {**state, "a": raised, "r": state["r"] + grown * s}
