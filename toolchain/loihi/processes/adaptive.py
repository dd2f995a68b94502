"""The adaptive neuron of Lava, and neurons that resonate, in integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ...graph.nodes.base import Array, ArrayLike, State, need
from ...graph.nodes.linear import check_broadcast
from ...graph.signal import GRADED, SPIKES, Signal
from ..arithmetic import decay, int32, saturate24, wrap24
from ..limits import LOIHI2
from .base import Process, Role, one_shape, whole, within


def scaled(x: Array, bits: int) -> Array:
    """sign(x)·⌊|x| / 2ᵏ⌋."""
    magnitude: Array = np.abs(x) >> bits
    return np.sign(x) * magnitude


@dataclass(frozen=True, eq=False, kw_only=True)
class ATRLIF(Process):
    """A neuron whose threshold rises with each spike and which holds itself back; its voltage is not reset.

        i[t] = wrap24(keep(i[t−1], D_i + 1) + a·2⁶)
        v[t] = saturate24(keep(v[t−1], D_v) + i[t] + b·2ᵉ)
        θ̂ = keep(θ[t−1] − θ₀, D_θ) + θ₀;  r̂ = keep(r[t−1], D_r)
        s[t] = v[t] − r̂ ≥ θ̂;  where it spikes r[t] = r̂ + 2·θ̂ and θ[t] = θ̂ + Δ

    keep(x, d) = sign(x)·⌊|x|·(4096 − d)/4096⌋. θ₀ and Δ count in steps of 2⁶. Lava takes the decays as D/4096.

    Args:
        current_decay: D_i, 0..4095.
        voltage_decay: D_v, 0..4096.
        threshold_decay: D_θ, 0..4096.
        refractory_decay: D_r, 0..4096.
        threshold: θ₀.
        threshold_step: Δ.
        bias: b, the mantissa.
        bias_exponent: e.
    """

    current_decay: int
    voltage_decay: int
    threshold_decay: int
    refractory_decay: int
    threshold: int
    threshold_step: int
    bias: ArrayLike = whole(default=0)
    bias_exponent: ArrayLike = whole(default=0)

    role: ClassVar[Role] = "neuron"

    def check(self) -> None:
        """Every register holds what it is given."""
        within(self.current_decay, 0, LOIHI2.decay_unity - 1, "current_decay")
        for name in ("voltage_decay", "threshold_decay", "refractory_decay"):
            within(getattr(self, name), 0, LOIHI2.decay_unity, name)
        within(self.threshold, 0, LOIHI2.most_threshold, "threshold")
        within(self.threshold_step, 0, LOIHI2.most_threshold, "threshold_step")
        within(self.bias, -LOIHI2.most_bias - 1, LOIHI2.most_bias, "bias")
        within(self.bias_exponent, 0, LOIHI2.bias_exponent, "bias_exponent")

    @property
    def stateful(self) -> bool:
        """It remembers four states."""
        return True

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The same shape; spikes."""
        for name, value in self.arrays().items():
            check_broadcast(value, inputs[0].shape, name)
        return Signal(inputs[0].shape, SPIKES)

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:
        """At rest, θ = θ₀."""
        state = {name: np.zeros((batch, *shape), dtype) for name in ("i", "v", "r")}
        return {**state, "theta": np.full((batch, *shape), self.threshold << LOIHI2.align_bits, dtype)}

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Integrate, move threshold and refractory state, compare."""
        base = self.threshold << LOIHI2.align_bits
        i = wrap24(int32(decay(state["i"], self.current_decay + 1) + int32(inputs[0] << LOIHI2.align_bits)))
        bias = self.bias.astype(np.int64) << self.bias_exponent
        v = saturate24(int32(decay(state["v"], self.voltage_decay) + i + bias))
        theta = int32(decay(state["theta"] - base, self.threshold_decay) + base)
        r = int32(decay(state["r"], self.refractory_decay))
        spikes = int32(v - r) >= theta
        held = {"r": np.where(spikes, int32(r + 2 * theta), r)}
        raised = int32(theta + (self.threshold_step << LOIHI2.align_bits))
        return spikes.astype(np.int64), {**held, "i": i, "v": v, "theta": np.where(spikes, raised, theta)}


@dataclass(frozen=True, eq=False, kw_only=True)
class Resonating(Process):
    """The fields and the rotation that RF and RF_IZ share.

        p̂ = saturate24(scale(c·p) − scale(d·q) + a·2ᵉ);  q̂ = saturate24(scale(d·p) + scale(c·q) + a′·2ᵉ)

    scale(x) = sign(x)·⌊|x| / 2ᵏ⌋ with k the decay's bits.
    """

    cos: int
    sin: int
    threshold: int
    state_exponent: int = 0
    decay_bits: int = LOIHI2.decay_bits

    arity: ClassVar[tuple[int, int | None]] = (1, 2)
    role: ClassVar[Role] = "neuron"

    def check(self) -> None:
        """Every register holds what it is given."""
        within(self.state_exponent, 0, 15, "state_exponent")
        within(self.decay_bits, 1, 15, "decay_bits")
        for name in ("cos", "sin"):
            within(getattr(self, name), -(1 << self.decay_bits), 1 << self.decay_bits, name)
        within(self.threshold, 0, LOIHI2.most_state, "threshold")

    @property
    def stateful(self) -> bool:
        """It remembers where it is on its circle."""
        return True

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The same shape; spikes."""
        return Signal(one_shape(inputs), SPIKES)

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:
        """At rest."""
        return {name: np.zeros((batch, *shape), dtype) for name in ("p", "q")}

    def turn(self, state: State, inputs: Sequence[Array]) -> tuple[Array, Array]:
        """p̂ and q̂."""
        real = int32(inputs[0] << self.state_exponent)
        imaginary = int32(inputs[1] << self.state_exponent) if len(inputs) == 2 else 0
        p, q = state["p"], state["q"]
        turned = [
            scaled(k * x, self.decay_bits) for k, x in ((self.cos, p), (self.sin, q), (self.sin, p), (self.cos, q))
        ]
        return saturate24(turned[0] - turned[1] + real), saturate24(turned[2] + turned[3] + imaginary)


@dataclass(frozen=True, eq=False, kw_only=True)
class RF(Resonating):
    """s[t] = (p̂ ≥ θ) · (q̂ ≥ 0) · (q[t−1] < 0);  p[t], q[t] = p̂, q̂.

    Args:
        cos: c, in steps of 2⁻ᵏ.
        sin: d, in steps of 2⁻ᵏ.
        threshold: θ, as the state counts.
        state_exponent: e.
        decay_bits: k.
    """

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Turn, compare."""
        p, q = self.turn(state, inputs)
        spikes = (p >= self.threshold) & (q >= 0) & (state["q"] < 0)
        return spikes.astype(np.int64), {"p": p, "q": q}


@dataclass(frozen=True, eq=False, kw_only=True)
class RF_IZ(Resonating):  # noqa: N801 - Lava's name
    """s[t] = (q̂ ≥ θ);  where it spikes p[t] = 0 and q[t] = θ − 1, elsewhere p̂, q̂.

    Args:
        cos: c, in steps of 2⁻ᵏ.
        sin: d, in steps of 2⁻ᵏ.
        threshold: θ, as the state counts.
        state_exponent: e.
        decay_bits: k.
    """

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Turn, compare, reset."""
        p, q = self.turn(state, inputs)
        spikes = q >= self.threshold
        return spikes.astype(np.int64), {"p": np.where(spikes, 0, p), "q": np.where(spikes, self.threshold - 1, q)}


@dataclass(frozen=True, eq=False, kw_only=True)
class RFZero(Process):
    """A resonator that sends its amplitude when it passes phase zero.

        u[t] = ⌊c·u[t−1]/2¹⁵⌋ − ⌊d·v[t−1]/2¹⁵⌋ + a;  v[t] = ⌊c·v[t−1]/2¹⁵⌋ + ⌊d·u[t−1]/2¹⁵⌋ + a′
        y[t] = u[t] where u[t] > θ, v[t] ≥ 0 and v[t−1] < 0, else 0

    Args:
        cos: c, in steps of 2⁻¹⁵, for each neuron.
        sin: d, in steps of 2⁻¹⁵, for each neuron.
        threshold: θ.
    """

    cos: ArrayLike = whole()
    sin: ArrayLike = whole()
    threshold: int = 1

    arity: ClassVar[tuple[int, int | None]] = (1, 2)
    role: ClassVar[Role] = "neuron"

    def check(self) -> None:
        """Every register holds what it is given."""
        for name, value in self.arrays().items():
            within(value, -(1 << 15), 1 << 15, name)
        within(self.threshold, 0, LOIHI2.most_state, "threshold")
        need(self.cos.shape == self.sin.shape, "sin", "another shape than cos", "one shape")

    @property
    def stateful(self) -> bool:
        """It remembers where it is on its circle."""
        return True

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The same shape; integers."""
        shape = one_shape(inputs)
        for name, value in self.arrays().items():
            check_broadcast(value, shape, name)
        return Signal(shape, GRADED)

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:
        """At rest."""
        return {name: np.zeros((batch, *shape), dtype) for name in ("u", "v")}

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Turn, compare, send the amplitude."""
        u, v, c, d = state["u"], state["v"], self.cos.astype(np.int64), self.sin.astype(np.int64)
        imaginary = inputs[1] if len(inputs) == 2 else 0
        real = int32((int32(c * u) >> 15) - (int32(d * v) >> 15) + inputs[0])
        other = int32((int32(c * v) >> 15) + (int32(d * u) >> 15) + imaginary)
        fires = (real > self.threshold) & (other >= 0) & (v < 0)
        return np.where(fires, real, 0), {"u": real, "v": other}
