"""Functions of one value, comparisons, and what is true or false."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...toolchain.errors import GraphError
from ...toolchain.graph.nodes import Activation, Add, Host, Multiply
from ...toolchain.graph.nodes.base import need
from .call import Call, plain_number
from .operators_values import LARGEST, added, clipped, of_two, reals, same_layout, scaled, times
from .values import Constant, Signal, known

Row = Callable[[Call], Signal]


def function(name: str, **attributes: tuple[str, float]) -> Row:
    """An activation of the graph: its parameters, and for each the attribute that tells it and its default."""

    def row(call: Call) -> Signal:
        call.ignore("consumed_inputs")
        parameters = {key: call.amount(*told) for key, told in attributes.items()}
        return call.emit(Activation(name, parameters or None), call.real())

    return row


def host(name: str) -> Row:
    """A function that stays on the host."""
    return lambda call: call.emit(Host(name), call.real())


def selu(call: Call) -> Signal:
    """γ·(x, and α·(eˣ − 1) below 0)."""
    alpha, gamma = call.amount("alpha", 1.6732632), call.amount("gamma", 1.050701)
    if abs(alpha - 1.6732632423543772) < 1e-6 and abs(gamma - 1.0507009873554805) < 1e-6:
        return call.emit(Activation("selu"), call.real())
    return scaled(call, call.emit(Activation("elu", {"alpha": alpha}), call.real(), part="elu"), gamma)


def celu(call: Call) -> Signal:
    """x, and α·(e^(x/α) − 1) below 0: α·elu(x/α)."""
    alpha = call.amount("alpha", 1.0)
    need(alpha > 0, "alpha", f"{alpha}", "above 0")
    small = scaled(call, call.real(), 1 / alpha, None, "by_alpha")
    return scaled(call, call.emit(Activation("elu", {"alpha": 1.0}), small, part="elu"), alpha)


def gelu(call: Call) -> Signal:
    """x·Φ(x), or its approximation by tanh."""
    how = call.text("approximate", "none")
    need(how in ("none", "tanh"), "approximate", f"'{how}'", "none or tanh")
    return call.emit(Activation("gelu" if how == "none" else "gelu_tanh"), call.real())


def swish(call: Call) -> Signal:
    """x·σ(α·x)."""
    alpha = call.amount("alpha", 1.0)
    if alpha == 1:
        return call.emit(Activation("silu"), call.real())
    gate = call.emit(Activation("sigmoid"), scaled(call, call.real(), alpha, None, "by_alpha"), part="gate")
    return call.emit(Multiply(), call.real(), gate)


def hard_sigmoid(call: Call) -> Signal:
    """α·x + β, cut to 0..1."""
    alpha, beta = call.amount("alpha", 0.2), call.amount("beta", 0.5)
    if abs(alpha - 1 / 6) < 1e-7 and beta == 0.5:
        return call.emit(Activation("hard_sigmoid"), call.real())
    return clipped(call, scaled(call, call.real(), alpha, np.asarray(beta), "line"), 0.0, 1.0)


def prelu(call: Call) -> Signal:
    """x above 0, slope·x below, a slope for each channel: relu(x) − slope·relu(−x)."""
    slope, x = call.constant(1, "slope"), call.real()
    if slope.size == 1:
        return call.emit(Activation("leaky_relu", {"slope": plain_number(slope)}), x)
    above = call.emit(Activation("relu"), x, part="above")
    below = call.emit(Activation("relu"), scaled(call, x, -1.0, None, "minus"), part="below")
    return added(call, [above, times(call, [below, known(-slope)], "slope")])


def thresholded(call: Call) -> Signal:
    """x above α, else 0."""
    open_ = call.emit(Activation("step", {"threshold": call.amount("alpha", 1.0)}), call.real(), part="open")
    return call.emit(Multiply(), call.real(), open_)


def shrink(call: Call) -> Signal:
    """x − bias above λ, x + bias below −λ, else 0."""
    bias, bound, x = call.amount("bias", 0.0), call.amount("lambd", 0.5), call.real()
    parts: list[Signal] = []
    for sign, name in ((1.0, "above"), (-1.0, "below")):
        turned = x if sign > 0 else scaled(call, x, -1.0, None, "minus")
        open_ = call.emit(Activation("step", {"threshold": bound}), turned, part=f"{name}.open")
        moved = scaled(call, x, 1.0, np.asarray(-sign * bias), f"{name}.moved")
        parts.append(call.emit(Multiply(), moved, open_, part=name))
    return call.emit(Add(), *parts)


def sign(call: Call) -> Signal:
    """1 above 0, −1 below, 0 at 0."""
    x = call.real()
    above = call.emit(Activation("step", {"threshold": 0.0}), x, part="above")
    below = call.emit(Activation("step", {"threshold": 0.0}), scaled(call, x, -1.0, None, "minus"), part="below")
    return call.emit(Add(), above, scaled(call, below, -1.0, None, "negative"))


def rounded(call: Call) -> Signal:
    """To the nearest integer, halves to even."""
    parameters = {"scale": 1.0, "zero": 0.0, "low": -LARGEST, "high": LARGEST}
    return call.emit(Activation("quantise", parameters), call.real())


def compare(*, strict: bool, swapped: bool) -> Row:
    """a > b (strict) or a ≥ b; a < b and a ≤ b with the two swapped."""

    def row(call: Call) -> Signal:
        call.ignore("broadcast", "axis")
        a, b = reals(call, whole=True)
        a, b = (b, a) if swapped else (a, b)
        step = "step" if strict else "step_or_equal"
        if isinstance(a, Signal) and isinstance(b, Signal):
            if strict:
                return of_two(call, "greater", a, b, kind="bool")
            less = of_two(call, "greater", b, a, "less", "bool")
            return scaled(call, less, -1.0, np.asarray(1.0))
        if isinstance(b, Constant) and isinstance(a, Signal):
            return _beyond(call, a, b, step, 1.0)
        if isinstance(a, Constant) and isinstance(b, Signal):
            return _beyond(call, b, a, step, -1.0)
        raise GraphError("inputs", "two constants", "a signal")

    return row


def _beyond(call: Call, x: Signal, bound: Constant, step: str, turn: float) -> Signal:
    """turn·x beyond turn·bound."""
    value = bound.plain("the bound")
    x, target = same_layout(call, x, value)
    if value.size == 1:
        x = x if turn == 1 else scaled(call, x, turn, None, "turned")
        threshold = turn * plain_number(value)
        return call.emit(Activation(step, {"threshold": threshold}), x, kind="bool")
    gap = scaled(call, x, turn, -turn * call.beside(value, target), "gap")
    return call.emit(Activation(step, {"threshold": 0.0}), gap, kind="bool")


def equal(call: Call) -> Signal:
    """1 where |a − b| = 0."""
    a, b = (_as_number(each) for each in call.inputs)
    gap = added(
        call, [a, known(-b.value)] if isinstance(b, Constant) else [a, scaled(call, b, -1.0, None, "minus")], "gap"
    )
    apart = call.emit(
        Activation("step", {"threshold": 0.0}), call.emit(Activation("abs"), gap, part="abs"), part="apart"
    )
    return scaled(call, Signal(apart.node, apart.layout, "bool"), -1.0, np.asarray(1.0))


def _as_number(value: Any) -> Any:
    return known(value.plain().astype(np.float32)) if isinstance(value, Constant) else value


def logical(operator: str) -> Row:
    """Of two that are true or false: a·b; a + b > ½; |a − b|."""

    def row(call: Call) -> Signal:
        call.ignore("broadcast", "axis")
        a, b = (_as_number(each) for each in call.inputs)
        if operator == "And":
            y = times(call, [a, b])
        elif operator == "Or":
            y = call.emit(Activation("step", {"threshold": 0.5}), added(call, [a, b], "count"))
        else:
            minus = known(-b.value) if isinstance(b, Constant) else scaled(call, b, -1.0, None, "minus")
            y = call.emit(Activation("abs"), added(call, [a, minus], "gap"))
        return Signal(y.node, y.layout, "bool")

    return row


OPERATORS: Mapping[str, Row] = {
    "Relu": function("relu"),
    "LeakyRelu": function("leaky_relu", slope=("alpha", 0.01)),
    "Elu": function("elu", alpha=("alpha", 1.0)),
    "Sigmoid": function("sigmoid"),
    "Tanh": function("tanh"),
    "Softplus": function("softplus"),
    "Softsign": function("softsign"),
    "Erf": function("erf"),
    "Abs": function("abs"),
    "Mish": function("mish"),
    "HardSwish": function("hard_swish"),
    "PRelu": prelu,
    "Selu": selu,
    "Celu": celu,
    "Gelu": gelu,
    "Swish": swish,
    "HardSigmoid": hard_sigmoid,
    "ThresholdedRelu": thresholded,
    "Shrink": shrink,
    "Sign": sign,
    "Round": rounded,
    "Sqrt": host("sqrt"),
    "Exp": host("exp"),
    "Log": host("log"),
    "Reciprocal": host("reciprocal"),
    "Sin": host("sin"),
    "Cos": host("cos"),
    "Greater": compare(strict=True, swapped=False),
    "GreaterOrEqual": compare(strict=False, swapped=False),
    "Less": compare(strict=True, swapped=True),
    "LessOrEqual": compare(strict=False, swapped=True),
    "Equal": equal,
    "Not": lambda call: scaled(call, call.signal(), -1.0, np.asarray(1.0)),
    "And": logical("And"),
    "Or": logical("Or"),
    "Xor": logical("Xor"),
}
