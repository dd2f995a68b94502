"""Stateless activations: one node, and a table of the functions it knows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..signal import GRADED, SPIKES, Carries, Signal, integers
from .base import Array, Node, State, named_numbers, need


def _erf(x: Array) -> Array:
    y: Array = np.vectorize(math.erf, otypes=[x.dtype])(x)
    return y


def _sigmoid(x: Array, _: Mapping[str, float] | None = None) -> Array:
    e = np.exp(-np.abs(x))
    y: Array = np.where(x >= 0, 1 / (1 + e), e / (1 + e))
    return y.astype(x.dtype, copy=False)


def _softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _expm1(x: Array) -> Array:
    return np.expm1(np.minimum(x, 0))


def _gelu_tanh(x: Array) -> Array:
    y: Array = x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return y


def _quantised(x: Array, scale: float, zero: float, low: float, high: float) -> Array:
    y: Array = np.clip(np.rint(x / x.dtype.type(scale)) + x.dtype.type(zero), low, high)
    return y


FUNCTIONS: Mapping[str, tuple[tuple[str, ...], Callable[..., Array]]] = {
    # name: (its parameters, the function of x and of them)
    "relu": ((), lambda x: np.maximum(x, 0)),
    "clip": (("low", "high"), lambda x, low, high: np.clip(x, low, high)),
    "leaky_relu": (("slope",), lambda x, slope: np.where(x >= 0, x, x * slope)),
    "elu": (("alpha",), lambda x, alpha: np.where(x > 0, x, alpha * _expm1(x))),
    "selu": ((), lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * _expm1(x))),
    "gelu": ((), lambda x: x / 2 * (1 + _erf(x / math.sqrt(2)))),
    "gelu_tanh": ((), _gelu_tanh),
    "silu": ((), lambda x: x * _sigmoid(x)),
    "mish": ((), lambda x: x * np.tanh(_softplus(x))),
    "sigmoid": ((), _sigmoid),
    "hard_sigmoid": ((), lambda x: np.clip(x + 3, 0, 6) / 6),
    "hard_swish": ((), lambda x: x * np.clip(x + 3, 0, 6) / 6),
    "tanh": ((), np.tanh),
    "softplus": ((), _softplus),
    "softsign": ((), lambda x: x / (1 + np.abs(x))),
    "erf": ((), _erf),
    "abs": ((), np.abs),
    "square": ((), np.square),
    "step": (("threshold",), lambda x, threshold: (x > threshold).astype(x.dtype)),
    "step_or_equal": (("threshold",), lambda x, threshold: (x >= threshold).astype(x.dtype)),
    "quantise": (("scale", "zero", "low", "high"), _quantised),
}
"""Every activation by name. `relu6` is clip(0, 6), `hardtanh` clip(−1, 1); `quantise` rounds halves to even."""


@dataclass(frozen=True, eq=False)
class Activation(Node):
    """y = f(x), element by element, with f from the table FUNCTIONS.

    Args:
        function: f's name.
        parameters: f's parameters by name.
    """

    function: str
    parameters: Mapping[str, float] | None = None

    def check(self) -> None:
        """The function is known and has exactly its parameters."""
        need(self.function in FUNCTIONS, "function", f"'{self.function}'", ", ".join(FUNCTIONS))
        held = named_numbers(self.parameters, FUNCTIONS[self.function][0], "parameters", self.function)
        self._set("parameters", held)
        if self.function == "clip":
            _need_order(held)
        if self.function == "quantise":
            _need_order(held)
            need(held["scale"] > 0, "parameters", f"scale {held['scale']}", "a scale above 0")
            whole = all(held[name].is_integer() for name in ("zero", "low", "high"))
            need(whole, "parameters", "zero, low or high between two integers", "integers")

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The same shape; integers stay integers under relu, clip, abs and a step; `quantise` makes them."""
        return Signal(inputs[0].shape, self._carries(inputs[0].carries))

    def _carries(self, values: Carries) -> Carries:
        low, high = values.bounds
        if self.function.startswith("step"):
            return SPIKES
        if self.function == "quantise":
            _, _, least, most = (self.parameters or {}).values()
            return integers(least, most)
        if values.graded:
            return GRADED
        if self.function == "relu":
            return integers(max(low, 0), max(high, 0))
        if self.function == "clip":
            least, most = (self.parameters or {}).values()
            inside = least <= low and high <= most
            whole = inside or (least.is_integer() and most.is_integer())
            return integers(min(max(low, least), most), min(max(high, least), most)) if whole else GRADED
        if self.function == "abs":
            return integers(0 if low <= 0 <= high else min(abs(low), abs(high)), max(abs(low), abs(high)))
        return GRADED

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """The function of the table."""
        x = inputs[0]
        y = FUNCTIONS[self.function][1](x, **(self.parameters or {}))
        return y.astype(x.dtype, copy=False), state


def _need_order(held: Mapping[str, float]) -> None:
    need(held["low"] <= held["high"], "parameters", f"low {held['low']} above high {held['high']}", "low first")
