"""Activations: ONNX's own operation where there is one in the model's type, else basic ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..graph.nodes import Activation
from .parts import Ops

NATIVE: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    # a function: (ONNX's operation, its attributes; a text among them may name a parameter of the function)
    "leaky_relu": ("LeakyRelu", {"alpha": "slope"}),
    "elu": ("Elu", {"alpha": "alpha"}),
    "selu": ("Selu", {"alpha": 1.6732632423543772, "gamma": 1.0507009873554805}),
    "mish": ("Mish", {}),
    "softplus": ("Softplus", {}),
    "softsign": ("Softsign", {}),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
    "hard_swish": ("HardSwish", {}),
    "gelu": ("Gelu", {}),
    "gelu_tanh": ("Gelu", {"approximate": "tanh"}),
}
"""What ONNX Runtime has in float32 alone."""


def activation(node: Activation, ops: Ops, inputs: Sequence[str]) -> str:
    """f(x)."""
    held = node.parameters or {}
    if ops.single and node.function in NATIVE:
        kind, settings = NATIVE[node.function]
        named: dict[str, Any] = {k: held.get(v, v) if isinstance(v, str) else v for k, v in settings.items()}
        return ops(kind, inputs[0], **named)
    return FUNCTIONS[node.function](ops, inputs[0], **held)


def _one(kind: str) -> Callable[..., str]:
    return lambda ops, x: ops(kind, x)


def _clip(ops: Ops, x: str, low: float, high: float) -> str:
    return ops("Clip", x, ops.sheet.number(low), ops.sheet.number(high))


def _leaky_relu(ops: Ops, x: str, slope: float) -> str:
    below = ops("Mul", x, ops.sheet.number(slope), label="below")
    return ops("Where", ops("GreaterOrEqual", x, ops.sheet.number(0), label="above"), x, below)


def _elu(ops: Ops, x: str, alpha: float) -> str:
    zero, one = ops.sheet.number(0), ops.sheet.number(1)
    grown = ops("Exp", ops("Min", x, zero))
    below = ops("Mul", ops.sheet.number(alpha), ops("Sub", grown, one), label="below")
    return ops("Where", ops("Greater", x, zero, label="above"), x, below)


def _selu(ops: Ops, x: str) -> str:
    return ops("Mul", ops.sheet.number(1.0507009873554805), _elu(ops, x, 1.6732632423543772), label="scaled")


def erf(ops: Ops, x: str) -> str:
    """ONNX Runtime has erf in float32 alone, about 1e-7 from the true value."""
    if ops.single:
        return ops("Erf", x)
    ops.sheet.remarks.append(f"{ops.name}: erf is computed in float32, because ONNX Runtime has no other")
    narrow = ops("Cast", x, to=np.dtype(np.float32), label="narrow")
    return ops("Cast", ops("Erf", narrow), to=ops.dtype, label="wide")


def _gelu(ops: Ops, x: str) -> str:
    curve = erf(ops, ops("Div", x, ops.sheet.number(math.sqrt(2)), label="inner"))
    half = ops("Div", x, ops.sheet.number(2), label="half")
    return ops("Mul", half, ops("Add", ops.sheet.number(1), curve, label="share"))


def _gelu_tanh(ops: Ops, x: str) -> str:
    number = ops.sheet.number
    cubed = ops("Mul", ops("Mul", ops("Mul", x, x, label="squared"), x, label="cubed"), number(0.044715), label="bent")
    inner = ops("Mul", ops("Add", x, cubed, label="sum"), number(math.sqrt(2 / math.pi)), label="inner")
    half = ops("Div", x, number(2), label="half")
    return ops("Mul", half, ops("Add", number(1), ops("Tanh", inner), label="share"))


def _silu(ops: Ops, x: str) -> str:
    return ops("Mul", x, ops("Sigmoid", x))


def _softplus(ops: Ops, x: str) -> str:
    less = ops("Exp", ops("Neg", ops("Abs", x)))
    rest = ops("Log", ops("Add", less, ops.sheet.number(1), label="one_more"))
    return ops("Add", ops("Max", x, ops.sheet.number(0)), rest, label="softplus")


def _mish(ops: Ops, x: str) -> str:
    return ops("Mul", x, ops("Tanh", _softplus(ops, x)))


def _hard_sigmoid(ops: Ops, x: str) -> str:
    moved = ops("Add", x, ops.sheet.number(3), label="moved")
    return ops("Div", _clip(ops, moved, 0, 6), ops.sheet.number(6))


def _hard_swish(ops: Ops, x: str) -> str:
    return ops("Mul", x, _hard_sigmoid(ops, x))


def _softsign(ops: Ops, x: str) -> str:
    return ops("Div", x, ops("Add", ops.sheet.number(1), ops("Abs", x), label="one_more"))


def _square(ops: Ops, x: str) -> str:
    return ops("Mul", x, x)


def _quantise(ops: Ops, x: str, scale: float, zero: float, low: float, high: float) -> str:
    """Round takes halves to even, as numpy does."""
    whole = ops("Round", ops("Div", x, ops.sheet.number(scale), label="scaled"))
    return _clip(ops, ops("Add", whole, ops.sheet.number(zero), label="moved"), low, high)


def _step(compare: str) -> Callable[..., str]:
    def step(ops: Ops, x: str, threshold: float) -> str:
        return ops("Cast", ops(compare, x, ops.sheet.number(threshold), label="above"), to=ops.dtype)

    return step


FUNCTIONS: Mapping[str, Callable[..., str]] = {
    "relu": _one("Relu"),
    "clip": _clip,
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "selu": _selu,
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
    "erf": erf,
    "silu": _silu,
    "mish": _mish,
    "sigmoid": _one("Sigmoid"),
    "hard_sigmoid": _hard_sigmoid,
    "hard_swish": _hard_swish,
    "tanh": _one("Tanh"),
    "softplus": _softplus,
    "softsign": _softsign,
    "abs": _one("Abs"),
    "square": _square,
    "quantise": _quantise,
    "step": _step("Greater"),
    "step_or_equal": _step("GreaterOrEqual"),
}
"""Every activation in basic operations; a test holds this table to the graph's."""
