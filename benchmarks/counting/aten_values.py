"""Arithmetic, comparisons and functions, one value at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ...toolchain.graph.signal import GRADED, SPIKES, Carries, integers
from .aten_calls import Call, Row, size
from .aten_pools import extreme
from .aten_synapses import biased, multiplied, real, together
from .book import Entry, Shape
from .provenance import Origin, added, joined, made, negated, number
from .provenance import multiplied as times


def plain(call: Call, kind: str, *, name: str = "", **held: int) -> Entry:
    """A layer that works value by value; received are the values of all signals."""
    signals = [each for each in call.tensors if call.live(each)]
    entry = call.layer(Shape(kind, "elementwise", held), *map(call.origin, signals), name=name or call.name)
    values = sum(each.numel() for each in signals)
    return entry.add(received=values, events=values)


def add(call: Call) -> None:
    """a + b: one addition for each value; with a number that is 0, none."""
    a, b = call.args[:2]
    if not isinstance(b, Tensor) and b == 0:
        return
    if call.name == "add" and isinstance(a, Tensor) and biased(call, a, b):
        return
    alpha = call.arg(2, "alpha", 1)
    two = call.live(a) and call.live(b)
    held = {} if two else {"biases": constants(call, a, b)}
    plain(call, "Add" if two else "Scale", name="add", **held).add(
        adds=size(call.out), multiplies=0 if abs(alpha) == 1 else size(call.out)
    )


def constants(call: Call, a: Any, b: Any) -> int:
    """How many constants there are beside a signal."""
    other = b if call.live(a) else a
    return other.numel() if isinstance(other, Tensor) else 1


def summed(call: Call) -> Origin:
    """a + α·b."""
    a, b, factor = call.origin(call.args[0]), call.origin(call.args[1]), call.arg(2, "alpha", 1)
    b = b if factor == 1 else times((b, number(factor)))
    return added((a, b))


def less(call: Call) -> Origin:
    """a − α·b."""
    a, b, factor = call.origin(call.args[0]), call.origin(call.args[1]), call.arg(2, "alpha", 1)
    return added((a, negated(b if factor == 1 else times((b, number(factor))))))


def reversed_less(call: Call) -> Origin:
    """b − α·a."""
    a, b, factor = call.origin(call.args[0]), call.origin(call.args[1]), call.arg(2, "alpha", 1)
    return added((b, negated(a if factor == 1 else times((a, number(factor))))))


def mul(call: Call) -> None:
    """a · b: a product of two signals, or a multiplication by a constant; by 1, nothing."""
    a, b = call.args[:2]
    if call.live(a) and call.live(b):
        multiplied(call)
    else:
        scaled(call, b if call.live(a) else a)


def scaled(call: Call, factor: Any) -> None:
    """c · x: a multiplication wherever c is neither 1 nor −1."""
    held = factor.numel() if isinstance(factor, Tensor) else 1
    other = int((factor.abs() != 1).sum()) if isinstance(factor, Tensor) else int(abs(factor) != 1)
    if other:
        plain(call, "Scale", weights=held).add(multiplies=size(call.out) // held * other)


def multiplied_origin(call: Call) -> Origin:
    """a · b."""
    return times((call.origin(call.args[0]), call.origin(call.args[1])))


def div(call: Call) -> None:
    """a / b: by a constant a multiplication, by a signal a division."""
    b = call.args[1]
    if call.live(b):
        plain(call, "divide").function("divide", size(call.out))
    else:
        scaled(call, b)


def power(call: Call) -> None:
    """x²: a product of a signal with itself; any other power is a function."""
    x, exponent = call.args[:2]
    if exponent == 2 and call.live(x):
        numbers = together(call, x, x)
        call.layer(Shape("Multiply", "products"), call.origin(x), call.origin(x), name="pow").add(**numbers)
    else:
        plain(call, "power", name="pow").function("power", size(call.out))


def squared(call: Call) -> Origin:
    """x², or any other power."""
    x, exponent = call.args[:2]
    return times((call.origin(x),) * 2) if isinstance(x, Tensor) and exponent == 2 else made(call.parts())


def addcmul(call: Call) -> None:
    """a + v·b·c."""
    a, b, c = call.args[:3]
    if call.live(b) and call.live(c):
        shape = Shape("Multiply", "products")
        call.layer(shape, call.origin(b), call.origin(c), name="addcmul").add(**together(call, b, c))
    else:
        signals = [each for each in (b, c) if call.live(each)]
        values = sum(each.numel() for each in signals)
        entry = call.layer(Shape("Scale", "elementwise"), *map(call.origin, signals), name="addcmul_product")
        entry.add(multiplies=size(call.out), received=values, events=values)
    plus = call.layer(Shape("Add", "elementwise"), call.origin(a), name="addcmul_sum")
    values = a.numel() + size(call.out)
    plus.add(adds=size(call.out), received=values, events=values)


def lerp(call: Call) -> None:
    """a + w·(b − a)."""
    values = size(call.out)
    plain(call, "Scale").add(multiplies=values, adds=2 * values)


def function(name: str, carries: Carries = GRADED) -> Row:
    """A row for a function of each value."""

    def count(call: Call) -> None:
        plain(call, "Activation", name=name).function(name, size(call.out))

    return Row(lambda call: made(call.parts(), carries), count)


def bounded(call: Call) -> Origin:
    """Whole numbers stay whole between whole bounds."""
    x = call.origin(call.args[0])
    low, high = (-1, 1) if call.name == "hardtanh" else (None, None)
    least, most = call.arg(1, "min", low), call.arg(2, "max", high)
    if x.carries.graded or any(isinstance(each, Tensor) or each is None for each in (least, most)):
        return made(call.parts())
    from_, to = x.carries.bounds
    if not (float(least).is_integer() and float(most).is_integer()):
        return made(call.parts(), x.carries if least <= from_ and to <= most else GRADED)
    return made(call.parts(), integers(min(max(from_, least), most), min(max(to, least), most)))


def rectified(call: Call) -> Origin:
    """Nothing below 0."""
    low, high = call.origin(call.args[0]).carries.bounds
    return made(call.parts(), integers(max(low, 0), max(high, 0)))


def size_of(call: Call) -> Origin:
    """|x|."""
    carries = call.origin(call.args[0]).carries
    low, high = carries.bounds
    least = 0 if low <= 0 <= high else min(abs(low), abs(high))
    return made(call.parts(), carries if carries.graded else integers(least, max(abs(low), abs(high))))


def relu(call: Call) -> None:
    """max(x, 0): a comparison."""
    plain(call, "Activation", name="relu").add(comparisons=size(call.out))


def larger(call: Call) -> None:
    """The larger or smaller of two values; or of all along an axis."""
    if len(call.args) < 2 or not isinstance(call.args[1], Tensor):
        extreme(call)
    else:
        plain(call, call.name).add(comparisons=size(call.out))


def one_of(call: Call) -> Origin:
    """One of the values there were."""
    return joined(tuple(call.origin(each) for each in call.args if isinstance(each, Tensor)))


def truth(call: Call) -> Origin:
    """True or false."""
    return made(call.parts(), SPIKES)


def sign_changed(call: Call) -> Origin:
    """−x."""
    return negated(call.origin(call.args[0]))


def running(call: Call) -> None:
    """Sums or products up to each place."""
    name: Any = {"cumsum": "adds"}.get(call.name, "multiplies")
    plain(call, call.name).add(**{name: size(call.out)})


COMPARISONS = {"gt": "step", "ge": "step_or_equal", "lt": "step", "le": "step_or_equal", "eq": "equal", "ne": "equal"}
LOGIC = ("logical_and", "logical_or", "logical_xor", "logical_not", "bitwise_and", "bitwise_or", "bitwise_xor")
ACTIVATIONS: Mapping[str, str] = {
    # torch's name: the graph's
    **{name: name for name in ("elu", "selu", "gelu", "silu", "mish", "sigmoid", "tanh", "softplus", "softsign")},
    **{name: name for name in ("leaky_relu", "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "rsqrt", "erf")},
    **{name: name for name in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "atan2", "reciprocal")},
    **{name: name for name in ("erfc", "exp2", "frac", "fmod", "remainder", "sinc", "xlogy", "polar", "angle")},
    "hardsigmoid": "hard_sigmoid",
    "hardswish": "hard_swish",
    "rrelu_with_noise": "leaky_relu",
    "celu": "elu",
    "_prelu_kernel": "leaky_relu",
    "log_sigmoid_forward": "log_sigmoid",
    "glu": "sigmoid",
    "logit": "logit",
    "hardshrink": "hardshrink",
    "softshrink": "softshrink",
    "threshold": "threshold",
    "floor_divide": "divide",
}

ROWS: Mapping[str, Row] = {
    "add": Row(summed, add),
    "sub": Row(less, add),
    "rsub": Row(reversed_less, add),
    "mul": Row(multiplied_origin, mul),
    **dict.fromkeys(("div", "true_divide"), Row(real, div)),
    "neg": Row(sign_changed),
    "pow": Row(squared, power),
    "addcmul": Row(real, addcmul),
    "lerp": Row(real, lerp),
    "relu": Row(rectified, relu),
    "relu6": Row(bounded, function("clip").count),
    **dict.fromkeys(("clamp", "hardtanh", "clamp_min", "clamp_max"), Row(bounded, function("clip").count)),
    "abs": Row(size_of, function("abs").count),
    **{name: function(name, Carries(-1, 1)) for name in ("sign", "sgn")},
    **{name: function(name) for name in ("round", "floor", "ceil", "trunc")},
    "heaviside": function("step", SPIKES),
    **{name: Row(truth, function(other).count) for name, other in COMPARISONS.items()},
    **dict.fromkeys(("isnan", "isinf", "isfinite", "signbit"), Row(truth, function("step").count)),
    **{name: Row(truth, function(name).count) for name in LOGIC},
    "bitwise_not": Row(truth, function("logical_not").count),
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin", "max", "min"), Row(one_of, larger)),
    **dict.fromkeys(("cumsum", "cumprod"), Row(real, running)),
    **{name: function(other) for name, other in ACTIVATIONS.items()},
}
"""An operation by its name."""
