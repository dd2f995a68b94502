"""The layers of NIR that are no neurons, as nodes of a graph.

Axes are counted without time and batch, as everywhere in NIR and in the graph. A layer may become several nodes: the
last of them has its name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from ...toolchain.errors import GraphError
from ...toolchain.graph.nodes import Activation, Affine, Contract, Delay, Flatten, Input, Output, Scale
from ...toolchain.graph.nodes.base import Array, need, shown
from ...toolchain.passes.plain import small
from .neurons_in import fitted
from .place_in import Nodes, Place, bias_of, counts, known_counts, numbers
from .space_in import conv, flatten, pool
from .tree import Leaf

WHOLE = 1e-6
"""How far from a whole number of steps a delay may be, in steps or relative to it."""
LETTERS = "abcdefghijklmnop"


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
        found = known_counts(leaf, "shape")
        if found != place.shape:
            known = "none" if found is None else shown(found)
            place.remark(f"its shape is {known} in the file; {shown(place.shape)} comes in")
    return [("", Output(place.readout))]


def _affine(leaf: Leaf, place: Place) -> Nodes:
    weight = numbers(leaf, "weight")
    need(weight.ndim >= 2 and min(weight.shape) >= 1, "weight", f"shape {shown(weight.shape)}", "(…, out, in)")
    out, width = weight.shape[-2:]
    before = _flat_before(place, width)
    has_bias = leaf.kind == "Affine" or "bias" in leaf.values
    bias = bias_of(leaf, place, (*weight.shape[:-2], out)) if has_bias else None
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
    "Conv1d": conv,
    "Conv2d": conv,
    "SumPool2d": pool,
    "AvgPool2d": pool,
    "Flatten": flatten,
    "Delay": _delay,
}
"""What each layer of NIR becomes."""
