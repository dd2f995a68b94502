"""Integrators, which never spike, and what the spiking neurons share with them.

    u[t] = α·u[t−1] + x[t]                     synaptic current (where there is an α)
    v[t] = β·v[t−1] + g·u[t] + b               leak and integrate (β = 1 where there is none)

`rule` remembers how the decays came from time constants, so that a format that wants τ gets the same τ back:
euler is β = 1 − dt/τ, exact is β = exp(−dt/τ), given is neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from ..signal import GRADED, Signal
from .base import Array, ArrayLike, Node, State, array, need
from .linear import check_broadcast

Rule = Literal["given", "euler", "exact"]


def one_of(value: str, choices: Any, where: str) -> None:
    """A choice is one of those that there are."""
    need(value in get_args(choices), where, f"'{value}'", " or ".join(get_args(choices)))


def number(default: float) -> Any:
    """A field that holds a number or an array of them, real."""
    return array(default=default)


@dataclass(frozen=True, eq=False, kw_only=True)
class Integrating(Node):
    """The fields and checks that all integrating neurons share."""

    gain: ArrayLike = number(1.0)
    bias: ArrayLike = number(0.0)
    v_start: ArrayLike = number(0.0)
    rule: Rule = "given"

    def check(self) -> None:
        """The rule is one there is."""
        one_of(self.rule, Rule, "rule")

    @property
    def stateful(self) -> bool:
        """It remembers its potential."""
        return True

    @property
    def decays(self) -> tuple[Array | None, Array | None]:
        """α of the current and β of the voltage; none where there is no current, or no leak."""
        return None, None

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The same shape."""
        for name, value in self.arrays().items():
            check_broadcast(value, inputs[0].shape, name)
        return Signal(inputs[0].shape, self.carried())

    def carried(self) -> Any:
        """What leaves it."""
        return GRADED

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:
        """v = v_start, u = 0."""
        state = {"v": np.broadcast_to(self.v_start.astype(dtype), (batch, *shape)).copy()}
        if self.decays[0] is not None:
            state["u"] = np.zeros((batch, *shape), dtype)
        return state

    def integrate(self, state: State, x: Array) -> State:
        """u and v̂ of this step."""
        alpha, beta = self.decays
        kind = x.dtype
        new = dict(state)
        if alpha is not None:
            new["u"] = x = alpha.astype(kind) * state["u"] + x
        v = state["v"] if beta is None else beta.astype(kind) * state["v"]
        new["v"] = v + self.gain.astype(kind) * x + self.bias.astype(kind)
        return new

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Integrate and send the voltage."""
        new = self.integrate(state, inputs[0])
        return new["v"], new


@dataclass(frozen=True, eq=False, kw_only=True)
class LeakyIntegrator(Integrating):
    """v[t] = β·v[t−1] + g·x[t] + b;  y[t] = v[t].

    Args:
        beta: β; the other fields are those of Integrator.
    """

    beta: ArrayLike = array()

    @property
    def decays(self) -> tuple[Array | None, Array | None]:
        """No current; β."""
        return None, self.beta


@dataclass(frozen=True, eq=False, kw_only=True)
class CubaIntegrator(Integrating):
    """u[t] = α·u[t−1] + x[t];  v[t] = β·v[t−1] + g·u[t] + b;  y[t] = v[t].

    Args:
        alpha: α.
        beta: β; the other fields are those of Integrator.
    """

    alpha: ArrayLike = array()
    beta: ArrayLike = array()

    @property
    def decays(self) -> tuple[Array | None, Array | None]:
        """α; β."""
        return self.alpha, self.beta


@dataclass(frozen=True, eq=False, kw_only=True)
class Integrator(Integrating):
    """v[t] = v[t−1] + g·x[t] + b;  y[t] = v[t].

    Args:
        gain: g.
        bias: b.
        v_start: v before the first step.
        rule: where the decays came from.
    """
