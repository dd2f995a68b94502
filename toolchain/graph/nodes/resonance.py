"""Resonate-and-fire neurons and sigma-delta coding: state that turns, and messages that say what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt

from ..signal import GRADED, SPIKES, Signal
from .base import Array, ArrayLike, Node, State, array, need, shown
from .linear import check_broadcast

Spike = Literal["phase", "izhikevich"]


@dataclass(frozen=True, eq=False, kw_only=True)
class ResonateFire(Node):
    """A damped rotation: c = λ·cos ω, d = λ·sin ω, with a real input x and, where there are two, an imaginary x′.

        p̂[t] = c·p[t−1] − d·q[t−1] + x[t];  q̂[t] = d·p[t−1] + c·q[t−1] + x′[t]
        phase:       s[t] = (p̂[t] ≥ θ) · (q̂[t] ≥ 0) · (q[t−1] < 0);  p[t], q[t] = p̂[t], q̂[t]
        izhikevich:  s[t] = (q̂[t] ≥ θ);  where it spikes p[t] = 0 and q[t] = θ − ε, elsewhere p̂[t], q̂[t]

    Args:
        cos: c.
        sin: d.
        threshold: θ.
        spike: phase or izhikevich.
        epsilon: ε, how far below θ the izhikevich neuron is put.
    """

    cos: ArrayLike = array()
    sin: ArrayLike = array()
    threshold: ArrayLike = array(default=1.0)
    spike: Spike = "phase"
    epsilon: float = 1e-5

    arity: ClassVar[tuple[int, int | None]] = (1, 2)

    def check(self) -> None:
        """The kind of spike is one there is."""
        need(self.spike in get_args(Spike), "spike", f"'{self.spike}'", " or ".join(get_args(Spike)))

    @property
    def stateful(self) -> bool:
        """It remembers where it is on its circle."""
        return True

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The same shape; spikes."""
        shape = inputs[0].shape
        need(all(x.shape == shape for x in inputs), "inputs", " and ".join(shown(x.shape) for x in inputs), "one shape")
        for name, value in self.arrays().items():
            check_broadcast(value, shape, name)
        return Signal(shape, SPIKES)

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:
        """At rest."""
        return {"p": np.zeros((batch, *shape), dtype), "q": np.zeros((batch, *shape), dtype)}

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Turn, compare, reset."""
        kind = inputs[0].dtype
        c, d, level = (value.astype(kind) for value in (self.cos, self.sin, self.threshold))
        p = c * state["p"] - d * state["q"] + inputs[0]
        q = d * state["p"] + c * state["q"] + (inputs[1] if len(inputs) == 2 else 0)
        if self.spike == "phase":
            s = (p >= level) & (q >= 0) & (state["q"] < 0)
            return s.astype(kind), {"p": p, "q": q}
        s = q >= level
        return s.astype(kind), {
            "p": np.where(s, 0, p).astype(kind),
            "q": np.where(s, level - kind.type(self.epsilon), q),
        }


@dataclass(frozen=True, eq=False)
class Sigma(Node):
    """σ[t] = σ[t−1] + x[t];  y[t] = σ[t]: changes become values again."""

    @property
    def stateful(self) -> bool:
        """It remembers the sum."""
        return True

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """Real values."""
        return Signal(inputs[0].shape, GRADED)

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:
        """σ = 0."""
        return {"sigma": np.zeros((batch, *shape), dtype)}

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """One sum."""
        sigma = state["sigma"] + inputs[0]
        return sigma, {"sigma": sigma}


@dataclass(frozen=True, eq=False, kw_only=True)
class Delta(Node):
    """Send a change once it is large enough, and keep what was not sent.

        δ[t] = x[t] − x[t−1] + e[t−1];  y[t] = δ[t] where |δ[t]| ≥ θ, else 0;  e[t] = δ[t] − y[t]

    cumulative compares |Σ δ| since the last message instead, as Lava's cum_error does.

    Args:
        threshold: θ.
        cumulative: compare the sum of changes since the last message.
    """

    threshold: ArrayLike = array()
    cumulative: bool = False

    @property
    def stateful(self) -> bool:
        """It remembers the last value and what it still owes."""
        return True

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """Real values, most of them 0."""
        check_broadcast(self.threshold, inputs[0].shape, "threshold")
        return Signal(inputs[0].shape, GRADED)

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:
        """Nothing seen, nothing owed."""
        return {name: np.zeros((batch, *shape), dtype) for name in ("last", "owed", "error")}

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Compare the change, send it or owe it."""
        y, new = send(inputs[0], state, self.threshold, cumulative=self.cumulative)
        return y, new


@dataclass(frozen=True, eq=False, kw_only=True)
class SigmaDelta(Node):
    """σ[t] = σ[t−1] + x[t];  a[t] = f(σ[t] + b), f = ReLU or the identity;  y[t] = what Delta sends for a[t].

    Args:
        threshold: θ of the Delta.
        bias: b.
        activation: relu or unit.
        cumulative: compare the sum of changes since the last message.
    """

    threshold: ArrayLike = array()
    bias: ArrayLike = array(default=0.0)
    activation: Literal["relu", "unit"] = "relu"
    cumulative: bool = False

    def check(self) -> None:
        """The activation is one there is."""
        need(self.activation in ("relu", "unit"), "activation", f"'{self.activation}'", "relu or unit")

    @property
    def stateful(self) -> bool:
        """It remembers the sum, the last value and what it still owes."""
        return True

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """Real values, most of them 0."""
        for name, value in self.arrays().items():
            check_broadcast(value, inputs[0].shape, name)
        return Signal(inputs[0].shape, GRADED)

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:
        """Nothing seen, nothing owed."""
        return {name: np.zeros((batch, *shape), dtype) for name in ("sigma", "last", "owed", "error")}

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Sum, activate, send or owe."""
        sigma = state["sigma"] + inputs[0]
        act = sigma + self.bias.astype(sigma.dtype)
        act = np.maximum(act, 0) if self.activation == "relu" else act
        y, new = send(act, state, self.threshold, cumulative=self.cumulative)
        return y, {**new, "sigma": sigma}


def send(value: Array, state: State, threshold: Array, *, cumulative: bool) -> tuple[Array, State]:
    """What Delta sends for `value`, and its new state."""
    delta = value - state["last"] + state["owed"]
    error = state["error"] + delta if cumulative else state["error"]
    sends = np.abs(error if cumulative else delta) >= threshold.astype(value.dtype)
    y = np.where(sends, delta, 0).astype(value.dtype)
    return y, {"last": value, "owed": delta - y, "error": np.where(y != 0, 0, error).astype(value.dtype)}
