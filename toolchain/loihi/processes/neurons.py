"""Spiking neurons in integers: current, voltage, compare, reset, in one step.

    u[t] = wrap24(decay(u[t−1], d_u) + a·2⁶)
    v̂[t] = saturate24(decay(v[t−1], d_v) + u[t] + b·2ᵉ)
    s[t] = v̂[t] > θ·2⁶;  v[t] = 0 where it spikes

decay(x, d) = sign(x)·⌊|x|·(4096 − d)/4096⌋. `current_decay` is what is really taken off; Lava's own `du` is one less,
because the chip adds one. Decays and thresholds are numbers, or one for each neuron; netx files take numbers alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt

from ...graph.nodes.base import Array, ArrayLike, State, need
from ...graph.nodes.linear import check_broadcast
from ...graph.signal import GRADED, SPIKES, Carries, Signal, integers
from ..arithmetic import decay, int32, saturate24, wrap24
from ..limits import LOIHI2
from .base import Process, Role, whole, within

Emit = Literal["spikes", "voltage"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Integrating(Process):
    """The fields and the integration that all these neurons share."""

    current_decay: ArrayLike = whole()
    voltage_decay: ArrayLike = whole()
    bias: ArrayLike = whole(default=0)
    bias_exponent: ArrayLike = whole(default=0)

    role: ClassVar[Role] = "neuron"

    def check(self) -> None:
        """Every register holds what it is given."""
        within(self.current_decay, 0, LOIHI2.decay_unity, "current_decay")
        within(self.voltage_decay, 0, LOIHI2.decay_unity, "voltage_decay")
        within(self.bias, -LOIHI2.most_bias - 1, LOIHI2.most_bias, "bias")
        within(self.bias_exponent, 0, LOIHI2.bias_exponent, "bias_exponent")

    @property
    def stateful(self) -> bool:
        """It remembers current and voltage."""
        return True

    @property
    def emits(self) -> Carries:
        """What it sends."""
        return SPIKES

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The same shape."""
        for name, value in self.arrays().items():
            check_broadcast(value, inputs[0].shape, name)
        return Signal(inputs[0].shape, self.emits)

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:
        """At rest."""
        return {name: np.zeros((batch, *shape), dtype) for name in ("u", "v")}

    def integrate(self, state: State, a: Array) -> tuple[Array, Array]:
        """u and v̂ of this step."""
        u = wrap24(int32(decay(state["u"], self.current_decay) + int32(a << LOIHI2.align_bits)))
        bias = self.bias.astype(np.int64) << self.bias_exponent
        return u, saturate24(int32(decay(state["v"], self.voltage_decay) + u + bias))


@dataclass(frozen=True, eq=False, kw_only=True)
class Firing(Integrating):
    """The fields that LIF and LIFReset share, and what happens after the integration."""

    threshold: ArrayLike = whole()
    emit: Emit = "spikes"

    def check(self) -> None:
        """Every register holds what it is given."""
        super().check()
        within(self.threshold, 0, LOIHI2.most_threshold, "threshold")
        need(self.emit in get_args(Emit), "emit", f"'{self.emit}'", " or ".join(get_args(Emit)))

    @property
    def emits(self) -> Carries:
        """Spikes, or the voltage."""
        return SPIKES if self.emit == "spikes" else GRADED

    def fire(self, u: Array, v: Array) -> tuple[Array, State]:
        """Compare, reset to zero, send."""
        spikes = v > (self.threshold.astype(np.int64) << LOIHI2.align_bits)
        state = {"u": u, "v": np.where(spikes, 0, v)}
        return spikes.astype(np.int64) if self.emit == "spikes" else state["v"], state


@dataclass(frozen=True, eq=False, kw_only=True)
class LIF(Firing):
    """u, v̂, s and v as at the head of this module.

    Args:
        current_decay: d_u, 0..4096.
        voltage_decay: d_v, 0..4096.
        bias: b, the mantissa.
        bias_exponent: e.
        threshold: θ, the mantissa, 0..131071.
        emit: what is sent: spikes; or the voltage v, which the host can read, and no synapse.
    """

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Integrate, compare, reset to zero."""
        return self.fire(*self.integrate(state, inputs[0]))


@dataclass(frozen=True, eq=False, kw_only=True)
class LIFReset(Firing):
    """u, v̂, s and v as LIF, and u = v = 0 before every step t with t mod interval = offset, t counted from 1.

    Args:
        current_decay: d_u, 0..4096.
        voltage_decay: d_v, 0..4096.
        bias: b, the mantissa.
        bias_exponent: e.
        threshold: θ, the mantissa, 0..131071.
        emit: what is sent: spikes; or the voltage v, which the host can read, and no synapse.
        interval: steps between two resets.
        offset: the step of the first.
    """

    interval: int = 1
    offset: int = 0

    def check(self) -> None:
        """Every register holds what it is given."""
        super().check()
        need(self.interval >= 1, "interval", f"{self.interval}", "at least 1 step")
        self._set("offset", self.offset % self.interval)

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:
        """At rest, before step 1."""
        return {**super().start(shape, batch, dtype), "t": np.zeros((batch,), np.int64)}

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Reset by the clock, integrate, compare, reset to zero."""
        t = state["t"] + 1
        rest = int(t[0]) % self.interval == self.offset
        before = {name: np.zeros_like(state[name]) if rest else state[name] for name in "uv"}
        sent, after = self.fire(*self.integrate(before, inputs[0]))
        return sent, {**after, "t": t}


@dataclass(frozen=True, eq=False, kw_only=True)
class TernaryLIF(Integrating):
    """u and v̂ as LIF; s[t] = 1 above θ₊·2⁶, −1 below θ₋·2⁶; v[t] = 0 where it spikes.

    Args:
        current_decay: d_u, 0..4096.
        voltage_decay: d_v, 0..4096.
        bias: b, the mantissa.
        bias_exponent: e.
        high: θ₊.
        low: θ₋.
    """

    high: ArrayLike = whole()
    low: ArrayLike = whole()

    @property
    def emits(self) -> Carries:
        """Spikes of either sign."""
        return integers(-1, 1)

    def check(self) -> None:
        """Every register holds what it is given, and the thresholds are in order."""
        super().check()
        for name, value in (("high", self.high), ("low", self.low)):
            need(value.ndim == 0, name, "several values", "one for the process, as Lava takes it")
            within(value, -LOIHI2.most_threshold, LOIHI2.most_threshold, name)
        need(bool(np.all(self.low <= self.high)), "low", "a threshold above high", "at most high")

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Integrate, compare twice, reset to zero."""
        u, v = self.integrate(state, inputs[0])
        levels = [value.astype(np.int64) << LOIHI2.align_bits for value in (self.high, self.low)]
        s = (v > levels[0]).astype(np.int64) - (v < levels[1])
        return s, {"u": u, "v": np.where(s != 0, 0, v)}
