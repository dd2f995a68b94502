"""Whole numbers that stand for real ones: q = round(x / s) + z, and x = (q − z)·s.

A quantised signal of the file is a signal of whole numbers here, exact in floating point: sums of products of 8-bit
numbers are exact below 2²⁴ in float32. Rounding is by the activation `quantise`, which divides and rounds as ONNX does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ...toolchain.graph.nodes import Activation, Scale
from ...toolchain.graph.nodes.base import Array, need, shown
from .call import Call, plain_number
from .operators_linear import convolved, multiplied
from .tensors import type_name
from .values import Constant, Signal, Value, known

Row = Callable[[Call], Signal | list[Value]]
WHOLE = ("uint8", "int8", "uint16", "int16")


def _along(value: Array, rank: int, axis: int) -> Array:
    """One number, or a row of them, to lie along an axis of a tensor."""
    if value.size == 1:
        return value.reshape(())
    need(value.ndim == 1, "scale", f"shape {shown(value.shape)}", "one number, or one for each place of an axis")
    axis %= max(rank, 1)
    return value.reshape([-1 if k == axis else 1 for k in range(rank)])


def _told(call: Call, index: int, rank: int) -> tuple[Array, Array, str]:
    """Scale and zero point, and the type of the whole numbers."""
    axis = call.whole("axis", 1)
    need(
        not call.whole("block_size", 0),
        "block_size",
        "scales for blocks",
        "one for all, or one for each place of an axis",
    )
    scale = call.constant(index, "scale")
    zero = call.constant(index + 1, "zero point") if call.given(index + 1) else None
    kind = zero.dtype.name if zero is not None else "uint8"
    return _along(scale, rank, axis), _along(np.zeros(1, np.int64) if zero is None else zero, rank, axis), kind


def quantise(call: Call) -> list[Value]:
    """Constants become whole numbers; a signal is divided, rounded and cut."""
    call.ignore("saturate", "precision")
    value = call.input(0)
    rank = value.value.ndim if isinstance(value, Constant) else call.signal().layout.rank
    scale, zero, kind = _told(call, 1, rank)
    asked = call.whole("output_dtype", 0)
    kind = kind if call.given(2) or not asked else type_name(asked)
    need(kind in WHOLE, "zero point", f"of type {kind}", ", ".join(WHOLE))
    low, high = float(np.iinfo(kind).min), float(np.iinfo(kind).max)
    if isinstance(value, Constant):
        x = value.plain()
        rounded = np.clip(np.rint(x / scale.astype(x.dtype)) + zero.astype(np.float64), low, high)
        return [known(rounded.astype(kind))]
    need(
        scale.size == 1 and zero.size == 1,
        "scale",
        f"{scale.size} of them on a signal",
        "one number for the whole signal",
    )
    numbers = {"scale": plain_number(scale), "zero": float(zero), "low": low, "high": high}
    return [call.emit(Activation("quantise", numbers), call.real(), kind=kind)]


def dequantise(call: Call) -> list[Value]:
    """(q − z)·s; a constant is worked out."""
    value = call.input(0)
    rank = value.value.ndim if isinstance(value, Constant) else call.signal().layout.rank
    call.ignore("output_dtype")
    scale, zero, _ = _told(call, 1, rank)
    if isinstance(value, Constant):
        q = value.plain()
        need(q.dtype.kind in "iu", "input 0", f"{q.dtype}", "whole numbers")
        return [known(((q.astype(np.int64) - zero.astype(np.int64)).astype(scale.dtype) * scale).astype(scale.dtype))]
    x = call.signal()
    need("int" in x.kind, "input 0", f"values of type {x.kind}", "whole numbers")
    x = Signal(_less(call, x, zero, "centred").node, x.layout, "float32")
    return [call.emit(Scale(call.beside(scale, x.layout)), x, kind=scale.dtype.name)]


def _less(call: Call, x: Signal, zero: Array, part: str) -> Signal:
    """q − z, exact."""
    if not np.any(zero):
        return x
    return call.emit(Scale(np.asarray(1.0), call.beside(-zero.astype(np.float32), x.layout)), x, part=part)


def _requantised(call: Call, total: Signal, gain: Array, zero: Array, kind: str) -> Signal:
    """round(total·gain) + z, cut to the type."""
    need(kind in WHOLE and zero.size == 1, "y_zero_point", f"{zero.size} of type {kind}", f"one of {', '.join(WHOLE)}")
    real = call.emit(Scale(call.beside(gain, total.layout)), total, part="scaled")
    limits = {"low": float(np.iinfo(kind).min), "high": float(np.iinfo(kind).max)}
    return call.emit(Activation("quantise", {"scale": 1.0, "zero": float(zero.reshape(())), **limits}), real, kind=kind)


def _centred(call: Call, x: int, zero: int | None, rank: int) -> Value:
    """q − z of an input, signal or constant, as real numbers."""
    value = call.input(x)
    z = call.constant(zero, "zero point") if zero is not None and call.given(zero) else np.zeros(1, np.int64)
    if isinstance(value, Constant):
        q = value.plain().astype(np.float32)
        along = z if z.size == 1 else z.reshape([-1 if k == rank else 1 for k in range(q.ndim)])
        return known(q - along.astype(np.float32))
    signal = call.signal(x)
    need(
        "int" in signal.kind and z.size == 1,
        f"input {x}",
        f"values of type {signal.kind}",
        "whole numbers and one zero",
    )
    less = _less(call, signal, z.reshape(()), f"centred{x}")
    return Signal(less.node, less.layout, "float32")


def linear_convolution(call: Call) -> Signal:
    """A convolution of whole numbers, brought to the scale of its result."""
    x, weight = _centred(call, 0, 2, 0), _centred(call, 3, 5, 0)
    gain = (
        call.constant(1).astype(np.float64) * call.constant(4).astype(np.float64) / call.constant(6).astype(np.float64)
    )
    bias = call.constant(8, "B").astype(np.float32) if call.given(8) else None
    need(
        isinstance(x, Signal) and isinstance(weight, Constant),
        "inputs",
        "a weight that is a signal",
        "a constant weight",
    )
    total = _whole_convolution(call, x, weight, bias, "sum")
    zero = call.constant(7, "y_zero_point")
    return _requantised(call, total, _along(gain.reshape(-1), total.layout.rank, 1), zero, zero.dtype.name)


def _whole_convolution(call: Call, x: Value, weight: Value, bias: Array | None, part: str) -> Signal:
    if not isinstance(x, Signal) or not isinstance(weight, Constant):
        return call.signal(3)
    return convolved(call, x, weight.value, bias, part)


def whole_convolution(call: Call) -> Signal:
    """A convolution of whole numbers."""
    y = _whole_convolution(call, _centred(call, 0, 2, 0), _centred(call, 1, 3, 0), None, "")
    return Signal(y.node, y.layout, "int32")


def whole_product(call: Call) -> Signal:
    """A matrix product of whole numbers."""
    for index in (2, 3):
        need(not call.given(index) or call.constant(index).size == 1, f"input {index}", "several zero points", "one")
    y = multiplied(call, _centred(call, 0, 2, -2), _centred(call, 1, 3, -1))
    return Signal(y.node, y.layout, "int32")


def linear_product(call: Call) -> Signal:
    """A matrix product of whole numbers, brought to the scale of its result."""
    gain = (
        call.constant(1).astype(np.float64) * call.constant(4).astype(np.float64) / call.constant(6).astype(np.float64)
    )
    need(gain.size == 1, "scales", f"{gain.size} of them", "one number for each tensor")
    total = multiplied(call, _centred(call, 0, 2, -2), _centred(call, 3, 5, -1), "sum")
    zero = call.constant(7, "y_zero_point")
    return _requantised(call, total, gain.reshape(()), zero, zero.dtype.name)


OPERATORS: Mapping[str, Row] = {
    "QuantizeLinear": quantise,
    "DequantizeLinear": dequantise,
    "QLinearConv": linear_convolution,
    "QLinearMatMul": linear_product,
    "ConvInteger": whole_convolution,
    "MatMulInteger": whole_product,
}
