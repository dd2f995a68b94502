"""Sigma-delta coding in integers: messages say what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from ...graph.nodes.base import Array, ArrayLike, State, need
from ...graph.nodes.linear import check_broadcast
from ...graph.signal import GRADED, Signal
from ..arithmetic import INT32, int32, magnitude
from .base import Process, Role, whole, within


@dataclass(frozen=True, eq=False, kw_only=True)
class Coding(Process):
    """The fields that Delta and SigmaDelta share: changes are compared with θ' = θ·2^(spike + state exponent)."""

    threshold: ArrayLike = whole()
    spike_exponent: int = 0
    state_exponent: int = 0
    cumulative: bool = False

    role: ClassVar[Role] = "neuron"

    def check(self) -> None:
        """Every register holds what it is given."""
        need(self.threshold.ndim == 0, "threshold", "several values", "one for the process, as Lava takes it")
        within(self.spike_exponent, 0, 15, "spike_exponent")
        within(self.state_exponent, 0, 15, "state_exponent")
        within(self.level, 0, INT32, "threshold", " once it is scaled")

    @property
    def level(self) -> int:
        """θ'."""
        return int(self.threshold) << (self.spike_exponent + self.state_exponent)

    @property
    def stateful(self) -> bool:
        """It remembers the last value and what it still owes."""
        return True

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """Integers, most of them 0."""
        for name, value in self.arrays().items():
            check_broadcast(value, inputs[0].shape, name)
        return Signal(inputs[0].shape, GRADED)

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:
        """Nothing seen, nothing owed."""
        return {name: np.zeros((batch, *shape), dtype) for name in ("last", "owed", "error")}

    def send(self, value: Array, state: State) -> tuple[Array, State]:
        """δ = value − last + owed, sent where it (or, cumulative, the sum of changes) reaches θ'; the rest is owed."""
        delta = int32(value - state["last"] + state["owed"])
        error = int32(state["error"] + delta) if self.cumulative else state["error"]
        sent = np.where(magnitude(error if self.cumulative else delta) >= self.level, delta, 0)
        kept = np.where(sent != 0, 0, error) if self.cumulative else error
        return sent >> self.state_exponent, {"last": value, "owed": delta - sent, "error": kept}


@dataclass(frozen=True, eq=False, kw_only=True)
class Delta(Coding):
    """x̂ = x·2^(spike_exponent + state_exponent); send what changed of x̂, 2^(state_exponent) times smaller.

    Args:
        threshold: θ, in units of x.
        spike_exponent: bits that a message keeps behind the unit.
        state_exponent: bits that the state keeps behind those.
        cumulative: compare the sum of changes since the last message.
    """

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Scale, compare, send or owe."""
        return self.send(int32(inputs[0] << (self.spike_exponent + self.state_exponent)), state)


@dataclass(frozen=True, eq=False, kw_only=True)
class SigmaDelta(Coding):
    """σ[t] = σ[t−1] + a; send what changed of f(σ + b'), f = ReLU or the identity, 2^(state_exponent) times smaller.

    b' = b·2^(spike_exponent + state_exponent).

    Args:
        threshold: θ, in units before scaling.
        spike_exponent: bits that a message keeps behind the unit.
        state_exponent: bits that the state keeps behind those.
        cumulative: compare the sum of changes since the last message.
        bias: b, in units before scaling.
        activation: relu or unit.
    """

    bias: ArrayLike = whole(default=0)
    activation: Literal["relu", "unit"] = "relu"

    def check(self) -> None:
        """The activation is one there is, and the state's register holds the bias."""
        super().check()
        need(self.activation in ("relu", "unit"), "activation", f"'{self.activation}'", "relu or unit")
        within(self.offset, -INT32 - 1, INT32, "bias", " once it is scaled")

    @property
    def offset(self) -> Array:
        """b'."""
        scaled: Array = self.bias.astype(np.int64) << (self.spike_exponent + self.state_exponent)
        return scaled

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:
        """Nothing summed, seen or owed."""
        return {**super().start(shape, batch, dtype), "sigma": np.zeros((batch, *shape), dtype)}

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Sum, activate, send or owe."""
        sigma = int32(state["sigma"] + inputs[0])
        value = int32(sigma + self.offset)
        sent, new = self.send(np.maximum(value, 0) if self.activation == "relu" else value, state)
        return sent, {**new, "sigma": sigma}


@dataclass(frozen=True, eq=False)
class Sigma(Process):
    """σ[t] = σ[t−1] + a;  y[t] = σ[t]."""

    role: ClassVar[Role] = "neuron"

    @property
    def stateful(self) -> bool:
        """It remembers the sum."""
        return True

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """Integers."""
        return Signal(inputs[0].shape, GRADED)

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:
        """σ = 0."""
        return {"sigma": np.zeros((batch, *shape), dtype)}

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """One sum."""
        sigma = int32(state["sigma"] + inputs[0])
        return sigma, {"sigma": sigma}
