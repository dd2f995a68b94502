"""Delays, kernels over time and state-space recursions. What came in before is kept as [batch, steps, *shape]."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..graph.nodes import Delay, StateSpace, TemporalKernel
from ..graph.nodes.base import Array
from .parts import Ops


def delay(node: Delay, ops: Ops, inputs: Sequence[str]) -> str:
    """y[c, t] = x[c, t − d_c]: one place of the line of steps, or one for each channel."""
    if not node.stateful:
        return inputs[0]
    line, shape = _line(ops, inputs[0], max(node.steps)), ops.shapes[0]
    if len(node.steps) == 1:
        return ops("Gather", line, ops.sheet.index(node.steps[0]), axis=1, label="delayed")
    flat = ops.reshape(line, ((max(node.steps) + 1) * shape[0], *shape[1:]), "steps_and_channels")
    places = ops.sheet.ints(d * shape[0] + c for c, d in enumerate(node.steps))
    return ops("Gather", flat, places, axis=1, label="delayed")


def _line(ops: Ops, x: str, steps: int) -> str:
    """This step and those before it, the newest first; it also becomes the new state, without the oldest."""
    ints = ops.sheet.ints
    line = ops("Concat", ops("Unsqueeze", x, ints([1]), label="now"), ops.state["past"], axis=1, label="line")
    ops.new["past"] = ops("Slice", line, ints([0]), ints([steps]), ints([1]), label="past")
    return line


def temporal_kernel(node: TemporalKernel, ops: Ops, inputs: Sequence[str]) -> str:
    """y[o, t] = Σ_{k,i} W[k, o, i] · x[i, t − k] + b[o], as one product with all taps side by side."""
    taps, out, width = node.weight.shape
    line = _line(ops, inputs[0], taps - 1) if node.stateful else inputs[0]
    seen = ops.reshape(line, (taps * width, math.prod(ops.shapes[0][1:])), "taps")
    weight = ops.parameter("weight", node.weight)
    turned = ops.sheet.prepare("Transpose", f"{weight}/turned", weight, perm=[1, 0, 2])
    y = ops("MatMul", ops.shaped(turned, (out, taps * width), "taps"), seen)
    if node.bias is not None:
        y = ops("Add", y, ops.shaped(ops.parameter("bias", node.bias), (-1, 1)), label="bias_added")
    return ops.reshape(y, ops.shape, "places")


def state_space(node: StateSpace, ops: Ops, inputs: Sequence[str]) -> str:
    """h = A·h + B·x; y = Re Σ C·h + D·x, a complex number as two real ones."""
    rank = len(ops.shapes[0])
    decay, inward, outward = (_parts(ops, field, getattr(node, field)) for field in ("decay", "inward", "outward"))
    x = ops("Unsqueeze", inputs[0], ops.sheet.ints([rank + 1]), label="wide")
    old = (ops.state["h"], ops.state.get("h_imag"))
    new = _times(ops, decay, old, "decay")
    fed = _times(ops, inward, (x, None), "inward")
    for key, a, b in zip(("h", "h_imag"), new, fed, strict=True):
        if a is not None:
            ops.new[key] = a if b is None else ops("Add", a, b, label=key)
    real, _ = _times(ops, outward, (ops.new["h"], ops.new.get("h_imag")), "outward", real=True)
    y = ops("ReduceSum", str(real), ops.sheet.ints([rank + 1]), keepdims=0, label="sum")
    if node.through is None:
        return y
    through = ops.shaped(ops.parameter("through", node.through), (-1, *[1] * (rank - 1)))
    return ops("Add", y, ops("Mul", through, inputs[0], label="passed"), label="sent")


Complex = tuple[str | None, str | None]
"""The values of the real and of the imaginary part; none for 0."""


def _parts(ops: Ops, field: str, array: Array) -> Complex:
    """A constant (channels, states) with its parts shaped for the signal."""
    sides = (array.shape[0], *[1] * (len(ops.shapes[0]) - 1), array.shape[1])
    if array.dtype.kind != "c":
        return ops.shaped(ops.parameter(field, array), sides), None
    parts = {"real": array.real, "imag": array.imag}
    real, imag = (ops.shaped(ops.parameter(f"{field}.{name}", part), sides) for name, part in parts.items())
    return real, imag


def _times(ops: Ops, a: Complex, b: Complex, label: str, *, real: bool = False) -> Complex:
    """(a + a′i)(b + b′i)."""
    first = _mul(ops, a[0], b[0], f"{label}_rr")
    second = _mul(ops, a[1], b[1], f"{label}_ii")
    whole = first if second is None else ops("Sub", str(first), second, label=f"{label}_real")
    if real:
        return whole, None
    across = [_mul(ops, a[0], b[1], f"{label}_ri"), _mul(ops, a[1], b[0], f"{label}_ir")]
    present = [each for each in across if each is not None]
    return whole, ops("Add", *present, label=f"{label}_imag") if len(present) == 2 else next(iter(present), None)


def _mul(ops: Ops, a: str | None, b: str | None, label: str) -> str | None:
    return None if a is None or b is None else ops("Mul", a, b, label=label)
