"""Arithmetic, value by value: sums, products, quotients, powers, extremes, choices."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ...toolchain.errors import GraphError
from ...toolchain.graph.nodes import Activation, Add, Host, Multiply, Scale
from ...toolchain.graph.nodes.base import Array, need
from .call import Call, plain_number
from .layout import Layout
from .values import Constant, Signal, Value, known

Row = Callable[[Call], Signal]
LARGEST = float(np.finfo(np.float32).max)
HALF = float(np.float32(LARGEST / 2))


def reals(call: Call, *, whole: bool = False) -> list[Signal | Constant]:
    """The inputs, each a constant or a signal of floating-point numbers; of whole ones too where nothing can wrap."""
    found: list[Signal | Constant] = []
    for index, value in enumerate(call.inputs):
        if isinstance(value, Signal):
            need(value.real or whole, f"input {index}", f"values of type {value.kind}", "floating-point numbers")
        if not isinstance(value, (Signal, Constant)):
            raise GraphError(f"input {index}", "nothing", "a signal or a constant")
        found.append(value)
    return found


def signals_of(values: Sequence[Value | None]) -> list[Signal]:
    """The signals among values."""
    return [value for value in values if isinstance(value, Signal)]


def scaled(call: Call, x: Signal, factor: Array | float, shift: Array | None = None, part: str = "") -> Signal:
    """s·x + c; s and c lie beside a sample and do not enlarge it."""
    return call.emit(Scale(np.asarray(factor), shift), x, part=part)


def added(call: Call, values: Sequence[Value | None], part: str = "") -> Signal:
    """Σ x, of signals and constants."""
    target, signals = call.together(*values), signals_of(values)
    shifts = [call.beside(finite(call, v.plain()), target) for v in values if isinstance(v, Constant)]
    y = signals[0]
    if len(signals) > 1:
        wide = call.together(*signals)
        fits = [call.fitted(v, wide, f"fit{k}") for k, v in enumerate(signals)]
        y = call.emit(Add(), *fits, layout=wide, part=f"{part}sum" if shifts else part)
    if not shifts:
        return y
    return scaled(call, call.stretched(y, target), 1.0, functools.reduce(np.add, shifts), part)


def finite(call: Call, value: Array) -> Array:
    """−∞, as masks of attention have it, as a number that no sum brings back; all else stays for the node to refuse."""
    if value.dtype.kind != "f" or not np.isneginf(value).any():
        return value
    call.building.remark(
        f"node '{call.label}': -infinity in a constant was read as {-HALF:.3g}, half the largest float32"
    )
    return np.where(np.isneginf(value), value.dtype.type(max(-HALF, np.finfo(value.dtype).min)), value)


def times(call: Call, values: Sequence[Value | None], part: str = "") -> Signal:
    """Π x, of signals and constants."""
    target, signals = call.together(*values), signals_of(values)
    factors = [call.beside(v.plain(), target) for v in values if isinstance(v, Constant)]
    y = signals[0]
    if len(signals) > 1:
        wide = call.together(*signals)
        fits = [call.fitted(v, wide, f"fit{k}") for k, v in enumerate(signals)]
        y = call.emit(Multiply(), *fits, layout=wide, part=f"{part}product" if factors else part)
    if not factors:
        return y
    return scaled(call, call.stretched(y, target), functools.reduce(np.multiply, factors), None, part)


def add(call: Call) -> Signal:
    """a + b."""
    call.ignore("broadcast", "axis")
    return added(call, reals(call))


def subtract(call: Call) -> Signal:
    """a − b."""
    a, b = reals(call)
    if isinstance(b, Constant):
        return added(call, [a, known(-b.plain())])
    if isinstance(a, Constant):
        target = call.together(a, b)
        return scaled(call, call.stretched(b, target), -1.0, call.beside(a.plain(), target))
    return added(call, [a, scaled(call, b, -1.0, None, "minus")])


def multiply(call: Call) -> Signal:
    """a · b."""
    return times(call, reals(call))


def divide(call: Call) -> Signal:
    """a / b; by a signal it is work for a host."""
    a, b = reals(call)
    if isinstance(b, Constant):
        divisor = b.plain("the divisor")
        need(bool((divisor != 0).all()), "input 1", "a divisor of 0", "one that is not 0")
        return times(call, [a, known(1.0 / divisor.astype(np.float64))])
    if isinstance(a, Constant):
        return times(call, [call.emit(Host("reciprocal"), b, part="reciprocal"), a])
    return of_two(call, "divide", a, b)


def of_two(call: Call, operation: str, a: Signal, b: Signal, part: str = "", kind: str = "") -> Signal:
    """An operation of the host on two signals that broadcast."""
    target = call.together(a, b)
    fits = [call.fitted(each, target, name) for each, name in ((a, "a"), (b, "b"))]
    return call.emit(Host(operation), *fits, layout=target, part=part, kind=kind)


def mean(call: Call) -> Signal:
    """The mean of all inputs."""
    values = reals(call)
    total = added(call, values, "total.") if len(values) > 1 else call.real()
    return scaled(call, total, 1 / len(values))


def power(call: Call) -> Signal:
    """aᵇ for a constant b, or for a constant a above 0."""
    a, b = reals(call)
    if isinstance(b, Constant):
        exponents = b.plain("the exponent")
        need(
            isinstance(a, Signal) and np.unique(exponents).size == 1, "exponent", "several", "one number for all values"
        )
        x = call.stretched(call.real(), call.together(a, b))
        exponent = plain_number(exponents)
        if exponent == 1:
            return x
        if exponent == 2:
            return call.emit(Activation("square"), x)
        return call.emit(Host("sqrt") if exponent == 0.5 else Host("power", {"exponent": exponent}), x)
    if isinstance(a, Signal):
        raise GraphError("exponent", "a signal", "a constant")
    base = a.plain("the base")
    need(bool((base > 0).all()), "base", "not above 0", "a base above 0 where the exponent is a signal")
    return call.emit(Host("exp"), times(call, [b, known(np.log(base.astype(np.float64)))], "log"))


def extreme(operation: str) -> Row:
    """The maximum or minimum of all inputs, value by value."""

    def row(call: Call) -> Signal:
        values = reals(call, whole=True)
        y = signals_of(values)[0]
        rest = list(values)
        rest.remove(y)
        for index, value in enumerate(rest):
            part = "" if index == len(rest) - 1 else f"of{index + 2}"
            y = (
                _bounded(call, operation, y, value, part)
                if isinstance(value, Constant)
                else of_two(call, operation, y, value, part)
            )
        return y

    return row


def _bounded(call: Call, operation: str, x: Signal, bound: Constant, part: str) -> Signal:
    """The extreme of a signal and a constant: a clip by one number, or a host's work with a constant signal."""
    value, target = bound.plain(), call.together(x, bound)
    x = call.stretched(x, target)
    if value.size == 1:
        number = plain_number(value)
        return clipped(call, x, *((number, LARGEST) if operation == "maximum" else (-LARGEST, number)), part=part)
    held = scaled(call, x, 0.0, call.beside(value, target), f"{part}bound")
    return of_two(call, operation, x, held, part)


def clipped(call: Call, x: Signal, low: float, high: float, part: str = "") -> Signal:
    """low..high; where the lower bound lies above, all is the upper one, as ONNX has it."""
    low, high = max(min(low, LARGEST), -LARGEST), max(min(high, LARGEST), -LARGEST)
    if low == 0 and high == LARGEST:
        return call.emit(Activation("relu"), x, part=part)
    return call.emit(Activation("clip", {"low": min(low, high), "high": high}), x, part=part)


def clip(call: Call) -> Signal:
    """The bounds are attributes before opset 11, and inputs from then on."""
    bounds = [-LARGEST, LARGEST]
    for index, name in enumerate(("min", "max")):
        if call.version < 11:
            bounds[index] = call.amount(name, bounds[index])
        elif call.given(index + 1):
            bounds[index] = call.number(index + 1, name)
    return clipped(call, call.signal(), bounds[0], bounds[1])


def choose(call: Call) -> Signal:
    """a where c holds, else b: c·a + (1 − c)·b."""
    condition, a, b = call.inputs[:3] if len(call.inputs) >= 3 else (None, None, None)
    target = call.together(condition, a, b)
    if isinstance(condition, Constant):
        mask = condition.plain() != 0
        if mask.all() or not mask.any():
            chosen = a if mask.all() else b
            held = chosen if isinstance(chosen, Signal) else None
            need(held is not None, "condition", "one that always chooses a constant", "one that chooses a signal")
            return call.stretched(held or call.signal(), target)
        first: Value = known(mask.astype(np.float32))
        other: Value = known(1 - mask.astype(np.float32))
    else:
        first = call.signal(0)
        other = scaled(call, call.signal(0), -1.0, np.asarray(1.0), "otherwise")
    parts = [_chosen(call, first, a, "first"), _chosen(call, other, b, "second")]
    kind = next(value.kind for value in (a, b, first) if isinstance(value, Signal))
    y = call.stretched(added(call, parts), target)
    return Signal(y.node, y.layout, kind if isinstance(a, Signal) or isinstance(b, Signal) else "float32")


def _chosen(call: Call, mask: Value, value: Value | None, part: str) -> Value:
    if isinstance(mask, Constant) and isinstance(value, Constant):
        return known(np.where(mask.value != 0, finite(call, value.plain()), 0).astype(np.float32))
    if isinstance(value, Constant):
        return times(call, [mask, known(finite(call, value.plain()))], part)
    return times(call, [mask, value], part)


def same_layout(call: Call, x: Signal, value: Array) -> tuple[Signal, Layout]:
    """A signal made as large as it is together with a constant."""
    target = call.together(x, known(value))
    return call.stretched(x, target), target


OPERATORS: Mapping[str, Row] = {
    "Add": add,
    "Sub": subtract,
    "Mul": multiply,
    "Div": divide,
    "Neg": lambda call: scaled(call, call.real(), -1.0),
    "Sum": lambda call: added(call, reals(call)) if len(call.inputs) > 1 else call.real(),
    "Mean": mean,
    "Max": extreme("maximum"),
    "Min": extreme("minimum"),
    "Pow": power,
    "Clip": clip,
    "Where": choose,
}
