"""The layers of NIR that are no neurons, as nodes of a graph.

Axes are counted without time and batch, as everywhere in NIR and in the graph. A layer may become several nodes: the
last of them has its name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...toolchain.errors import GraphError
from ...toolchain.graph.nodes import (
    Activation,
    Affine,
    AveragePool,
    Contract,
    Conv,
    Delay,
    Flatten,
    Input,
    Node,
    Output,
    Scale,
    SumPool,
)
from ...toolchain.graph.nodes.base import MOST_AXES, Array, need, shown
from ...toolchain.graph.nodes.ends import Readout
from ...toolchain.passes.plain import small
from .neurons_in import Shape, fitted
from .said import Said
from .tree import Leaf

WHOLE = 1e-6
"""How far from a whole number of steps a delay may be, in steps or relative to it."""
LETTERS = "abcdefghijklmnop"


@dataclass(frozen=True)
class Place:
    """Where a layer stands.

    Args:
        path: of the layer.
        shape: of what comes in; None where that is not known.
        said: where repairs go.
        dt: the length of a step in seconds.
        widths: how long each reader wants the last axis.
        carries: what an input promises.
        readout: of an output.
        shorter: whether a Delay is one step shorter, since a wire of its loop has that step.
        batched: whether the file counts the batch among the axes of Flatten.
        kind: what Spikeport has written as this layer, where NIR has another word for it.
        spaces: of an input: the dimensions of space that its readers have.
    """

    path: str
    shape: Shape | None
    said: Said
    dt: float
    widths: tuple[int, ...] = ()
    carries: str = "graded"
    readout: Readout = "steps"
    shorter: bool = False
    batched: bool = False
    kind: str = ""
    spaces: tuple[tuple[int, Shape | None], ...] = ()

    def remark(self, text: str) -> None:
        """A line about this layer."""
        self.said.remark(self.path, text)


Nodes = list[tuple[str, Node]]
"""What a layer becomes: (what stands behind its name, the node), the last one with nothing behind."""


def numbers(leaf: Leaf, name: str) -> Array:
    """A field, as real numbers."""
    value = leaf.values.get(name)
    if value is None or isinstance(value, str):
        raise GraphError(name, "is not there" if value is None else "text", f"numbers, as {leaf.kind} has")
    need(value.dtype.kind != "b", name, "true or false", "numbers")
    return value


def counts(leaf: Leaf, name: str) -> tuple[int, ...]:
    """A field, as whole numbers: one, or one for each dimension."""
    value = numbers(leaf, name)
    fits = value.ndim <= 1 and 1 <= value.size <= MOST_AXES and bool(np.isfinite(value).all())
    need(fits and bool((value == np.round(value)).all()), name, _brief(value), "whole numbers, one for each dimension")
    need(bool((np.abs(value.astype(np.float64)) < 2**53).all()), name, _brief(value), "smaller numbers")
    return tuple(int(n) for n in value.ravel())


def _brief(value: Array) -> str:
    return f"{value.tolist()}" if value.size <= 8 else f"{value.dtype} of shape {shown(value.shape)}"


def _input(leaf: Leaf, place: Place) -> Nodes:
    shape = counts(leaf, "shape")
    for dims, space in place.spaces:
        extra = len(shape) - dims - 1
        if extra == 1 and (shape[0] == 1 or shape[2:] == space):
            place.remark(f"its shape {shown(shape)} has an axis for the batch, which is left out")
            shape = shape[1:]
        break
    return [("", Input(shape, place.carries))]


def _output(leaf: Leaf, place: Place) -> Nodes:
    if place.shape is not None and "shape" in leaf.values:
        held = leaf.values["shape"]
        found = tuple(int(n) for n in np.ravel(held)) if not isinstance(held, str) and held.size <= MOST_AXES else None
        if found != place.shape:
            known = "a text" if isinstance(held, str) else shown(found or ())
            place.remark(f"its shape is {known} in the file; {shown(place.shape)} comes in")
    return [("", Output(place.readout))]


def _affine(leaf: Leaf, place: Place) -> Nodes:
    weight = numbers(leaf, "weight")
    need(weight.ndim >= 2 and min(weight.shape) >= 1, "weight", f"shape {shown(weight.shape)}", "(…, out, in)")
    out, width = weight.shape[-2:]
    before = _flat_before(place, width)
    has_bias = leaf.kind == "Affine" or "bias" in leaf.values
    bias = _bias(leaf, place, (*weight.shape[:-2], out)) if has_bias else None
    if weight.ndim == 2 and place.kind != "Scale":
        return [*before, ("", Affine(weight, bias))]
    return _ours(weight, bias, place.kind) or _batched(weight, bias)


def _ours(weight: Array, bias: Array | None, kind: str) -> Nodes:
    """The node that Spikeport has written as this layer, if the numbers are what it writes."""
    out, width = weight.shape[-2:]
    if kind == "Affine":
        each = weight.reshape(-1, out, width)
        shift = None if bias is None else bias.reshape(-1, out)
        same = bool((each == each[0]).all()) and (shift is None or bool((shift == shift[0]).all()))
        return [("", Affine(each[0].copy(), None if shift is None else shift[0].copy()))] if same else []
    if kind == "Scale" and out == width:
        diagonal = np.diagonal(weight, axis1=-2, axis2=-1)
        alone = np.count_nonzero(weight) == np.count_nonzero(diagonal)
        return [("", Scale(small(diagonal.copy()), None if bias is None else small(bias)))] if alone else []
    return []


def _batched(weight: Array, bias: Array | None) -> Nodes:
    """y[…, o] = Σ_i W[…, o, i]·x[…, i], every leading axis its own matrix."""
    need(weight.ndim - 2 <= len(LETTERS), "weight", f"{weight.ndim} axes", f"at most {len(LETTERS) + 2}")
    lead = LETTERS[: weight.ndim - 2]
    product = Contract(f"{lead}x,{lead}yx->{lead}y", weight)
    if bias is None:
        return [("", product)]
    return [(".weight", product), ("", Scale(np.ones((), weight.dtype), bias))]


def _flat_before(place: Place, width: int) -> Nodes:
    """A Flatten where a layer takes everything that comes in as one axis, and none is there."""
    shape = place.shape
    if shape is None or len(shape) < 2 or shape[-1] == width or math.prod(shape) != width:
        return []
    place.remark(f"takes {width} values of {shown(shape)}, and nothing flattens them; flattened, in C order")
    return [(".flat", Flatten())]


def _bias(leaf: Leaf, place: Place, shape: Shape) -> Array | None:
    if "bias" not in leaf.values:
        place.remark("bias is not there: 0")
        return None
    bias = numbers(leaf, "bias")
    if bias.shape == shape:
        return bias
    least, repair = fitted(bias, shape, "bias")
    place.remark(f"bias {repair}")
    return np.ascontiguousarray(np.broadcast_to(least, shape))


def _scale(leaf: Leaf, place: Place) -> Nodes:
    scale = numbers(leaf, "scale")
    if place.shape is None or scale.shape == place.shape:
        return [("", Scale(small(scale)))]
    least, repair = fitted(scale, place.shape, "scale")
    place.remark(f"scale {repair}")
    return [("", Scale(least))]


def _threshold(leaf: Leaf, place: Place) -> Nodes:
    """y = H(x − θ): exactly what x > θ is, since two numbers that differ have a difference."""
    level = numbers(leaf, "threshold")
    repair = ""
    if place.shape is not None and level.shape != place.shape:
        level, repair = fitted(level, place.shape, "threshold")
    least = small(level)
    if repair:
        place.remark(f"threshold {repair}")
    function = place.kind if place.kind == "step_or_equal" else "step"
    if least.ndim == 0:
        return [("", Activation(function, {"threshold": float(least)}))]
    shift = Scale(np.ones((), least.dtype), -least)
    return [(".shift", shift), ("", Activation(function, {"threshold": 0.0}))]


def _conv(leaf: Leaf, place: Place) -> Nodes:
    dims = 1 if leaf.kind == "Conv1d" else 2
    weight = numbers(leaf, "weight")
    need(weight.ndim == dims + 2, "weight", f"shape {shown(weight.shape)}", f"(out, in/groups, {dims} of kernel)")
    groups = counts(leaf, "groups") if "groups" in leaf.values else (1,)
    need(len(groups) == 1 and groups[0] >= 1, "groups", shown(groups), "one number, at least 1")
    bias = _bias(leaf, place, weight.shape[:1])
    window = {name: _per_axis(leaf, name, dims, 1) for name in ("stride", "dilation")}
    node = Conv(weight, bias, padding=_padding(leaf, dims), groups=groups[0], **window)
    _check_space(leaf, place, dims)
    return [("", node)]


def _per_axis(leaf: Leaf, name: str, dims: int, default: int) -> tuple[int, ...]:
    if name not in leaf.values:
        return (default,) * dims
    found = counts(leaf, name)
    return found * dims if len(found) == 1 else found


def _padding(leaf: Leaf, dims: int) -> Any:
    padding = leaf.values.get("padding")
    if isinstance(padding, str):
        need(padding in ("same", "valid"), "padding", f"'{padding}'", "'same', 'valid' or numbers")
        return 0 if padding == "valid" else padding
    return _per_axis(leaf, "padding", dims, 0)


def _check_space(leaf: Leaf, place: Place, dims: int) -> None:
    """NIR keeps the size of what comes in beside a convolution; some writers turn it round, or leave it out."""
    if place.shape is None or "input_shape" not in leaf.values:
        return
    kept = counts(leaf, "input_shape")
    if kept != place.shape[-dims:]:
        place.remark(f"input_shape is {shown(kept)} in the file; {shown(place.shape[-dims:])} comes in")


def _pool(leaf: Leaf, place: Place) -> Nodes:  # noqa: ARG001
    window = _per_axis(leaf, "kernel_size", 2, 1)
    need("kernel_size" in leaf.values, "kernel_size", "is not there", "the size of a window")
    stride = _per_axis(leaf, "stride", 2, 1) if "stride" in leaf.values else window
    node = SumPool if leaf.kind == "SumPool2d" else AveragePool
    return [("", node(window, stride, _per_axis(leaf, "padding", 2, 0)))]


def _flatten(leaf: Leaf, place: Place) -> Nodes:
    first, last = (_per_axis(leaf, name, 1, default)[0] for name, default in (("start_dim", 1), ("end_dim", -1)))
    shape = place.shape
    if shape is None:
        return [("", Flatten(first, last))]
    kept = counts(leaf, "input_type") if "input_type" in leaf.values and np.size(leaf.values["input_type"]) else None
    without = (first - 1 if first > 0 else first, last - 1 if last > 0 else last)
    if place.batched:
        return [("", Flatten(*without))]
    if kept is not None and len(kept) == len(shape) + 1 and kept[1:] == shape:
        place.remark(
            f"its axes {first} to {last} count the batch, as its input_type {shown(kept)} does; counted without"
        )
        return [("", Flatten(*without))]
    if not _fits(shape, (first, last), place.widths) and _fits(shape, without, place.widths):
        place.remark(f"its axes {first} to {last} count the batch, as what reads it shows; counted without")
        return [("", Flatten(*without))]
    return [("", Flatten(first, last))]


def _fits(shape: Shape, axes: tuple[int, int], widths: Sequence[int]) -> bool:
    """Whether those axes can be made one, and what comes out is as wide as the readers want."""
    rank = len(shape)
    first, last = (axis + rank if axis < 0 else axis for axis in axes)
    if not 0 <= first <= last < rank:
        return False
    sent = (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :])
    return all(sent[-1] == width for width in widths)


def _delay(leaf: Leaf, place: Place) -> Nodes:
    delay = numbers(leaf, "delay")
    if place.shape is not None and delay.shape != place.shape:
        delay, repair = fitted(delay, place.shape, "delay")
        place.remark(f"delay {repair}")
    least = small(delay).astype(np.float64)
    per_channel = least.ndim == 0 or (place.shape is not None and least.ndim == len(place.shape))
    need(
        least.ndim <= 1 or (per_channel and math.prod(least.shape[1:]) == 1),
        "delay",
        "different along more than the first axis",
        "one delay for each channel",
    )
    if least.ndim == 1 and place.shape is not None and len(place.shape) > 1:
        need(False, "delay", "different along the last axis", "one delay for each channel")
    steps = tuple(whole_steps(float(seconds), place.dt) - place.shorter for seconds in least.ravel())
    return [("", Delay(steps))]


def whole_steps(seconds: float, dt: float) -> int:
    """A delay in steps.

    Raises:
        GraphError: when it is none, with the two nearest.
    """
    need(math.isfinite(seconds) and seconds >= 0, "delay", f"{seconds} s", "0 s or more")
    steps = seconds / dt
    near = round(steps) if steps < 2**53 else 0
    if abs(steps - near) > WHOLE * max(1.0, steps):
        low = math.floor(steps)
        text = f"{low * dt:.6g} s or {(low + 1) * dt:.6g} s, {low} or {low + 1} steps of {dt:g} s"
        raise GraphError("delay", f"{seconds:.9g} s, {steps:.6g} steps", text, "tell another --dt")
    return near


LAYERS: Mapping[str, Callable[[Leaf, Place], Nodes]] = {
    "Input": _input,
    "Output": _output,
    "Linear": _affine,
    "Affine": _affine,
    "Scale": _scale,
    "Threshold": _threshold,
    "Conv1d": _conv,
    "Conv2d": _conv,
    "SumPool2d": _pool,
    "AvgPool2d": _pool,
    "Flatten": _flatten,
    "Delay": _delay,
}
"""What each layer of NIR becomes."""
