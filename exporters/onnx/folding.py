"""Operators on constants: what exporters write to work out shapes and to reorder weights is computed here, in numpy.

One row for each operator, a function of the call and of arrays. What may grow is counted before it is made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...toolchain.errors import GraphError
from ...toolchain.graph.nodes import FUNCTIONS
from ...toolchain.graph.nodes.base import Array, brief, need, shown
from .call import Call
from .ranges import check_axes, product_of, ranges, resolved, span, split_sizes
from .tensors import TYPES, type_name
from .values import Constant, Value, known, paired

Fold = Callable[..., Any]


def fold(call: Call) -> list[Value]:
    """What a call of constants gives, for both batch sizes."""
    function = FOLDS[call.operator]
    inputs = [value if isinstance(value, Constant) else None for value in call.inputs]
    if call.operator in SIZED:
        inputs = _without_batch(call, inputs)
    first = _worked_out(call, function, [None if each is None else each.value for each in inputs])
    if all(each is None or each.fixed for each in inputs):
        return [known(_sealed(value)) for value in first]
    second = _worked_out(call, function, [None if each is None else each.second for each in inputs])
    return [paired(_sealed(a), _sealed(b)) for a, b in zip(first, second, strict=True)]


def _worked_out(call: Call, function: Fold, inputs: Sequence[Array | None]) -> list[Array]:
    """What numpy makes of arrays.

    What it does not take is the file's fault: sizes that are no whole numbers, integers to negative powers.
    """
    try:
        with np.errstate(all="ignore"):
            return _results(function(call, *inputs))
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise GraphError("inputs", brief(str(error)), f"constants that {call.operator} is defined for") from None


SIZED = {"ConstantOfShape": 0, "Expand": 1}
"""Operators that make as many values as an input says: along the batch one of them stands for all."""


def _without_batch(call: Call, inputs: Sequence[Constant | None]) -> list[Constant | None]:
    index, every = SIZED[call.operator], list(inputs)
    sizes = every[index] if index < len(every) else None
    if sizes is not None and not sizes.fixed and sizes.value.shape == sizes.second.shape:
        first, second = call.building.batches
        batch = (sizes.value == first) & (sizes.second == second)
        every[index] = paired(np.where(batch, 1, sizes.value), np.where(batch, 1, sizes.second))
    return every


def _results(value: Any) -> list[Array]:
    return [np.asarray(each) for each in value] if isinstance(value, tuple) else [np.asarray(value)]


def _sealed(value: Array) -> Array:
    if value.base is None:
        value.flags.writeable = False
    return value


def _both(function: Callable[..., Any], like: int = 0) -> Fold:
    """Element by element, shapes broadcast; the type is that of the input `like`."""

    def folded(call: Call, *x: Array) -> Any:
        try:
            shape = np.broadcast_shapes(*(each.shape for each in x))
        except ValueError:
            shape = ()
            need(False, "inputs", " and ".join(shown(each.shape) for each in x), "shapes that broadcast")
        call.building.afford(shape, 8)
        value = function(*x)
        return value if value.dtype == np.bool_ else value.astype(x[like].dtype, copy=False)

    return folded


def _divided(a: Array, b: Array) -> Array:
    """Integers are cut towards 0."""
    if a.dtype.kind == "f":
        return np.asarray(a / b)
    need(bool((b != 0).all()), "input 1", "0", "a divisor that is not 0")
    return np.asarray(np.abs(a) // np.abs(b) * np.sign(a) * np.sign(b))


def _remainder(call: Call, a: Array, b: Array) -> Any:
    need(a.dtype.kind == "f" or bool((b != 0).all()), "input 1", "0", "a divisor that is not 0")
    return _both(np.fmod if call.flag("fmod") else np.mod)(call, a, b)


def _function(name: str) -> Fold:
    """An activation of the graph's own table, where it has no parameters."""
    return _both(FUNCTIONS[name][1])


def _many(function: Callable[[Array, Array], Array]) -> Fold:
    def folded(call: Call, *x: Array) -> Any:
        value = x[0]
        for each in x[1:]:
            value = _both(function)(call, value, each)
        return value

    return folded


def _reduced(function: Callable[..., Any]) -> Fold:
    def folded(call: Call, x: Array, axes: Array | None = None) -> Any:
        over = tuple(int(n) for n in axes.reshape(-1)) if axes is not None else call.ints("axes")
        keep, idle = call.flag("keepdims", True), call.flag("noop_with_empty_axes")
        if not over:
            return x if idle else function(x, axis=None, keepdims=keep).astype(x.dtype)
        check_axes(over, x.ndim)
        return function(x, axis=over, keepdims=keep).astype(x.dtype)

    return folded


def _constant(call: Call) -> Any:
    """The one attribute that is there."""
    tensor = call.attribute_array("value")
    if tensor is not None:
        return tensor
    if call.has("value_int"):
        return np.asarray(call.whole("value_int"), np.int64)
    if call.has("value_float"):
        return np.asarray(call.amount("value_float"), np.float32)
    if call.has("value_floats"):
        return np.asarray(call.floats("value_floats"), np.float32)
    found = call.ints("value_ints")
    need(found is not None, "value", "none that is a number", "a tensor, integers or real numbers")
    return np.asarray(found, np.int64)


def _of_shape(call: Call, sizes: Array) -> Any:
    value = call.attribute_array("value")
    fill = np.zeros(1, np.float32) if value is None else value
    need(
        fill.size == 1 and bool((sizes >= 0).all()), "shape", shown(sizes.reshape(-1).tolist()), "sizes, and one value"
    )
    call.building.afford(sizes.reshape(-1).tolist(), fill.dtype.itemsize)
    return np.full(tuple(sizes.reshape(-1).tolist()), fill.reshape(-1)[0])


def _expand(call: Call, x: Array, sizes: Array) -> Any:
    asked = tuple(sizes.reshape(-1).tolist())
    need(all(n >= 0 for n in asked), "shape", shown(asked), "sizes")
    try:
        shape = np.broadcast_shapes(x.shape, asked)
    except ValueError:
        shape = ()
        need(False, "shape", f"{shown(asked)} for {shown(x.shape)}", "shapes that broadcast")
    call.building.afford(shape, x.dtype.itemsize)
    return np.broadcast_to(x, shape).copy()


def _reshape(call: Call, x: Array, sizes: Array | None = None) -> Any:
    asked = call.ints("shape") or () if sizes is None else tuple(sizes.reshape(-1).tolist())
    return x.reshape(resolved(asked, x.shape, zero_counts=call.flag("allowzero")))


def _transpose(call: Call, x: Array) -> Any:
    axes = call.ints("perm") or tuple(range(x.ndim))[::-1]
    need(sorted(axes) == list(range(x.ndim)), "perm", brief(str(axes)), f"each of {x.ndim} axes once")
    return x.transpose(axes)


def _squeeze(call: Call, x: Array, axes: Array | None = None) -> Any:
    over = tuple(axes.reshape(-1).tolist()) if axes is not None else call.ints("axes")
    if over is None:
        return x.reshape([n for n in x.shape if n != 1])
    check_axes(over, x.ndim)
    need(all(x.shape[a] == 1 for a in over), "axes", brief(str(over)), f"axes of size 1 of {shown(x.shape)}")
    return x.squeeze(over)


def _unsqueeze(call: Call, x: Array, axes: Array | None = None) -> Any:
    over = tuple(axes.reshape(-1).tolist()) if axes is not None else (call.ints("axes") or ())
    need(len(over) + x.ndim <= 32, "axes", f"{len(over)} more", "at most 32 in all")
    check_axes(over, x.ndim + len(over))
    return np.expand_dims(x, over)


def _flatten(call: Call, x: Array) -> Any:
    axis = call.whole("axis", 1)
    need(-x.ndim <= axis <= x.ndim, "axis", f"{axis}", f"one of {shown(x.shape)}")
    axis = axis + x.ndim if axis < 0 else axis
    return x.reshape(product_of(x.shape[:axis]), product_of(x.shape[axis:]))


def _gather(call: Call, x: Array, index: Array) -> Any:
    axis = call.whole("axis", 0)
    check_axes((axis,), x.ndim)
    need(index.dtype.kind in "iu", "indices", str(index.dtype), "integers")
    n = x.shape[axis]
    need(bool(((index >= -n) & (index < n)).all()), "indices", "beyond the axis", f"-{n} to {n - 1}")
    axis %= x.ndim
    call.building.afford((*x.shape[:axis], *index.shape, *x.shape[axis + 1 :]), x.dtype.itemsize)
    return x.take(index, axis)


def _concat(call: Call, *x: Array) -> Any:
    axis = call.whole("axis", 1 if call.version < 4 else None)
    rank = x[0].ndim
    check_axes((axis,), rank)
    shapes = {(*each.shape[: axis % rank], *each.shape[axis % rank + 1 :]) for each in x}
    need(
        len(shapes) == 1 and len({each.ndim for each in x}) == 1,
        "inputs",
        "shapes that differ",
        "one shape, but for one axis",
    )
    call.building.afford([sum(each.size for each in x)], x[0].dtype.itemsize)
    return np.concatenate(x, axis)


def _slice(call: Call, x: Array, *given: Array | None) -> Any:
    index: list[slice] = [slice(None)] * x.ndim
    for axis, start, end, step in ranges(call, x.ndim, given):
        index[axis] = span(start, end, step, x.shape[axis])
    return x[tuple(index)]


def _split(call: Call, x: Array, sizes: Array | None = None) -> Any:
    axis = call.whole("axis", 0)
    check_axes((axis,), x.ndim)
    parts = split_sizes(call, x.shape[axis], None if sizes is None else tuple(sizes.reshape(-1).tolist()))
    return tuple(np.split(x, np.cumsum(parts)[:-1], axis))


def _cast(call: Call, x: Array, *_: Array) -> Any:
    kind = call.whole("to")
    call.ignore("saturate", "round_mode")
    need(kind in TYPES and kind != 16, "to", type_name(kind), "a type of numbers that numpy has")
    return x.astype(np.dtype(TYPES[kind][1]).newbyteorder("="))


def _range(call: Call, start: Array, limit: Array, delta: Array) -> Any:
    first, last, step = (each.reshape(-1)[0].item() for each in (start, limit, delta))
    need(step != 0, "delta", "0", "another step")
    call.building.afford([max(0, math.ceil((last - first) / step))], 8)
    return np.arange(first, last, step).astype(start.dtype)


def _matmul(call: Call, a: Array, b: Array) -> Any:
    need(a.ndim >= 1 and b.ndim >= 1, "inputs", "a number", "matrices")
    rows = a.shape[:-1] if a.ndim > 1 else ()
    columns = b.shape[-1:] if b.ndim > 1 else ()
    call.building.afford((*b.shape[:-2], *rows, *columns), a.dtype.itemsize)
    try:
        return np.matmul(a, b)
    except ValueError:
        need(False, "inputs", f"{shown(a.shape)} and {shown(b.shape)}", "matrices that fit")


def _tile(call: Call, x: Array, repeats: Array) -> Any:
    times = tuple(repeats.reshape(-1).tolist())
    need(len(times) == x.ndim and all(n >= 0 for n in times), "repeats", brief(str(times)), f"{x.ndim} counts")
    call.building.afford([n * k for n, k in zip(x.shape, times, strict=True)], x.dtype.itemsize)
    return np.tile(x, times)


def _triangle(call: Call, x: Array, k: Array | None = None) -> Any:
    need(x.ndim >= 2, "input", shown(x.shape), "matrices")
    diagonal = int(k.reshape(-1)[0]) if k is not None else 0
    return np.triu(x, diagonal) if call.flag("upper", True) else np.tril(x, diagonal)


def _clip(call: Call, x: Array, low: Array | None = None, high: Array | None = None) -> Any:
    if call.version < 11:
        low, high = np.asarray(call.amount("min", -3.4e38)), np.asarray(call.amount("max", 3.4e38))
    value = x if low is None else np.maximum(x, low)
    return (value if high is None else np.minimum(value, high)).astype(x.dtype)


FOLDS: Mapping[str, Fold] = {
    "Constant": _constant,
    "ConstantOfShape": _of_shape,
    "Range": _range,
    "Cast": _cast,
    "Identity": lambda _, x: x,
    **dict.fromkeys(("Reshape",), _reshape),
    "Transpose": _transpose,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Flatten": _flatten,
    "Expand": _expand,
    "Tile": _tile,
    "Gather": _gather,
    "Concat": _concat,
    "Slice": _slice,
    "Split": _split,
    "Trilu": _triangle,
    "Where": _both(np.where, like=1),
    "MatMul": _matmul,
    "Clip": _clip,
    "Add": _both(np.add),
    "Sub": _both(np.subtract),
    "Mul": _both(np.multiply),
    "Div": _both(_divided),
    "Mod": _remainder,
    "Pow": _both(np.power),
    "Min": _many(np.minimum),
    "Max": _many(np.maximum),
    "Sum": _many(np.add),
    "Equal": _both(np.equal),
    "Greater": _both(np.greater),
    "GreaterOrEqual": _both(np.greater_equal),
    "Less": _both(np.less),
    "LessOrEqual": _both(np.less_equal),
    "And": _both(np.logical_and),
    "Or": _both(np.logical_or),
    "Xor": _both(np.logical_xor),
    "Not": _both(np.logical_not),
    "Neg": _both(np.negative),
    "Abs": _both(np.abs),
    "Sign": _both(np.sign),
    "Floor": _both(np.floor),
    "Ceil": _both(np.ceil),
    "Round": _both(np.rint),
    "Sqrt": _both(np.sqrt),
    "Exp": _both(np.exp),
    "Log": _both(np.log),
    "Reciprocal": _both(np.reciprocal),
    "Sin": _both(np.sin),
    "Cos": _both(np.cos),
    "Tanh": _function("tanh"),
    "Relu": _function("relu"),
    "Sigmoid": _function("sigmoid"),
    "Softplus": _function("softplus"),
    "ReduceSum": _reduced(np.sum),
    "ReduceMean": _reduced(np.mean),
    "ReduceProd": _reduced(np.prod),
    "ReduceMax": _reduced(np.max),
    "ReduceMin": _reduced(np.min),
}
"""An operator and what it gives for constants. `DequantizeLinear` and `QuantizeLinear` stand with the operators."""
