"""What a chip cannot do: host nodes, each one operation of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..signal import GRADED, Signal
from .base import Array, Node, State, axis_of, named_numbers, need, shown
from .merge import aligned, broadcast

Settings = Mapping[str, float]
WHOLE = {"axis", "axes", "groups"}
"""The settings that count something."""


@dataclass(frozen=True)
class Operation:
    """One host operation.

    Args:
        inputs: how many signals it takes.
        settings: the names of its numbers.
        shape: the shape of its result, from the inputs' shapes and the settings.
        run: the result, from batched arrays and the settings.
    """

    inputs: int
    settings: tuple[str, ...]
    shape: Callable[[Sequence[tuple[int, ...]], Settings], tuple[int, ...]]
    run: Callable[[Sequence[Array], Settings], Array]


def _same(shapes: Sequence[tuple[int, ...]], _: Settings) -> tuple[int, ...]:
    return shapes[0]


def _along_axis(shapes: Sequence[tuple[int, ...]], settings: Settings) -> tuple[int, ...]:
    axis_of(int(settings["axis"]), len(shapes[0]), "axis")
    return shapes[0]


def _last_axes(shapes: Sequence[tuple[int, ...]], settings: Settings) -> tuple[int, ...]:
    rank, axes = len(shapes[0]), int(settings["axes"])
    need(1 <= axes <= rank, "axes", f"{axes}", f"1 to {rank}, the axes of {shown(shapes[0])}")
    return shapes[0]


def _in_groups(shapes: Sequence[tuple[int, ...]], settings: Settings) -> tuple[int, ...]:
    shape, groups = shapes[0], int(settings["groups"])
    fits = len(shape) >= 1 and groups >= 1 and shape[0] % groups == 0
    need(fits, "groups", f"{groups}", f"a divisor of the first axis of {shown(shape)}")
    return shape


def _broadcast(shapes: Sequence[tuple[int, ...]], _: Settings) -> tuple[int, ...]:
    return broadcast(shapes)


def _product(shapes: Sequence[tuple[int, ...]], _: Settings) -> tuple[int, ...]:
    a, b = shapes
    fits = len(a) >= 2 and len(b) >= 2 and a[-1] == b[-2]
    need(fits, "inputs", f"shapes {shown(a)} and {shown(b)}", "two matrices that fit, [.., n, k] and [.., k, m]")
    return (*broadcast([a[:-2], b[:-2]]), a[-2], b[-1])


def _without_axis(shapes: Sequence[tuple[int, ...]], settings: Settings) -> tuple[int, ...]:
    axis = axis_of(int(settings["axis"]), len(shapes[0]), "axis")
    return tuple(n for i, n in enumerate(shapes[0]) if i != axis)


def _complex_pair(shapes: Sequence[tuple[int, ...]], settings: Settings) -> tuple[int, ...]:
    axis_of(int(settings["axis"]), len(shapes[0]), "axis")
    return (2, *shapes[0])


def _axis(x: Array, settings: Settings) -> int:
    return axis_of(int(settings["axis"]), x.ndim - 1, "axis") + 1


def _softmax(x: Array, axis: int) -> Array:
    e = np.exp(x - x.max(axis, keepdims=True))
    y: Array = e / e.sum(axis, keepdims=True)
    return y


def _log_softmax(x: Array, axis: int) -> Array:
    shifted = x - x.max(axis, keepdims=True)
    y: Array = shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))
    return y


def _normalised(x: Array, axes: tuple[int, ...], epsilon: float) -> Array:
    centred = x - x.mean(axes, keepdims=True)
    y: Array = centred / np.sqrt((centred**2).mean(axes, keepdims=True) + x.dtype.type(epsilon))
    return y


def _layer_norm(inputs: Sequence[Array], settings: Settings) -> Array:
    x = inputs[0]
    return _normalised(x, tuple(range(x.ndim - int(settings["axes"]), x.ndim)), settings["epsilon"])


def _group_norm(inputs: Sequence[Array], settings: Settings) -> Array:
    x, groups = inputs[0], int(settings["groups"])
    split = x.reshape(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:])
    return _normalised(split, tuple(range(2, split.ndim)), settings["epsilon"]).reshape(x.shape)


def _matrix_product(inputs: Sequence[Array], _: Settings) -> Array:
    return np.matmul(*aligned(inputs))


def _fft(inputs: Sequence[Array], settings: Settings) -> Array:
    spectrum = np.fft.fft(inputs[0], axis=_axis(inputs[0], settings))
    return np.stack([spectrum.real, spectrum.imag], axis=1)


def _power(inputs: Sequence[Array], settings: Settings) -> Array:
    return np.power(inputs[0], settings["exponent"])


def _extreme(inputs: Sequence[Array], settings: Settings) -> Array:
    reduce = np.max if settings["largest"] else np.min
    y: Array = reduce(inputs[0], axis=_axis(inputs[0], settings))
    return y


OPERATIONS: Mapping[str, Operation] = {
    "softmax": Operation(1, ("axis",), _along_axis, lambda x, s: _softmax(x[0], _axis(x[0], s))),
    "log_softmax": Operation(1, ("axis",), _along_axis, lambda x, s: _log_softmax(x[0], _axis(x[0], s))),
    "layer_norm": Operation(1, ("axes", "epsilon"), _last_axes, _layer_norm),
    "group_norm": Operation(1, ("groups", "epsilon"), _in_groups, _group_norm),
    "matmul": Operation(2, (), _product, _matrix_product),
    "divide": Operation(2, (), _broadcast, lambda x, _: np.divide(*aligned(x))),
    "maximum": Operation(2, (), _broadcast, lambda x, _: np.maximum(*aligned(x))),
    "minimum": Operation(2, (), _broadcast, lambda x, _: np.minimum(*aligned(x))),
    "greater": Operation(2, (), _broadcast, lambda x, _: np.greater(*aligned(x)).astype(x[0].dtype)),
    "exp": Operation(1, (), _same, lambda x, _: np.exp(x[0])),
    "log": Operation(1, (), _same, lambda x, _: np.log(x[0])),
    "sqrt": Operation(1, (), _same, lambda x, _: np.sqrt(x[0])),
    "reciprocal": Operation(1, (), _same, lambda x, _: np.reciprocal(x[0])),
    "sin": Operation(1, (), _same, lambda x, _: np.sin(x[0])),
    "cos": Operation(1, (), _same, lambda x, _: np.cos(x[0])),
    "power": Operation(1, ("exponent",), _same, _power),
    "cumsum": Operation(1, ("axis",), _along_axis, lambda x, s: np.cumsum(x[0], axis=_axis(x[0], s))),
    "extreme": Operation(1, ("axis", "largest"), _without_axis, _extreme),
    "fft": Operation(1, ("axis",), _complex_pair, _fft),
}
"""Every host operation by name. Weights and biases of a normalisation are Scale nodes behind it."""


@dataclass(frozen=True, eq=False)
class Host(Node):
    """y[t] = f(x_0[t], …), with f from the table OPERATIONS: work that stays on the host, kept in the graph.

    Args:
        operation: f's name.
        settings: f's numbers by name.
    """

    operation: str
    settings: Mapping[str, float] | None = None

    arity: ClassVar[tuple[int, int | None]] = (1, None)

    def check(self) -> None:
        """The operation is known and has exactly its settings."""
        need(self.operation in OPERATIONS, "operation", f"'{self.operation}'", ", ".join(OPERATIONS))
        held = named_numbers(self.settings, OPERATIONS[self.operation].settings, "settings", self.operation)
        self._set("settings", held)
        for name in WHOLE & set(held):
            need(held[name].is_integer(), name, f"{held[name]}", "a whole number")
        need(held.get("epsilon", 0) >= 0, "epsilon", f"{held.get('epsilon')}", "at least 0")

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The operation's rule."""
        rule = OPERATIONS[self.operation]
        need(len(inputs) == rule.inputs, "inputs", f"{len(inputs)}", f"{rule.inputs} for {self.operation}")
        return Signal(rule.shape([x.shape for x in inputs], self.settings or {}), GRADED)

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """The operation's function."""
        y: Any = OPERATIONS[self.operation].run(inputs, self.settings or {})
        return y.astype(inputs[0].dtype, copy=False), state
