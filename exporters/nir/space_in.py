"""The layers of NIR that look at places next to each other: convolutions, pools and Flatten."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...toolchain.graph.nodes import AveragePool, Conv, Flatten, SumPool
from ...toolchain.graph.nodes.base import need, shown
from .neurons_in import Shape
from .place_in import Nodes, Place, bias_of, counts, known_counts, numbers
from .tree import Leaf


def conv(leaf: Leaf, place: Place) -> Nodes:
    """Torch's cross-correlation; padding is numbers, 'same' or 'valid'."""
    dims = 1 if leaf.kind == "Conv1d" else 2
    weight = numbers(leaf, "weight")
    need(weight.ndim == dims + 2, "weight", f"shape {shown(weight.shape)}", f"(out, in/groups, {dims} of kernel)")
    groups = counts(leaf, "groups") if "groups" in leaf.values else (1,)
    need(len(groups) == 1 and groups[0] >= 1, "groups", shown(groups), "one number, at least 1")
    bias = bias_of(leaf, place, weight.shape[:1])
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
    kept = known_counts(leaf, "input_shape")
    if kept != place.shape[-dims:]:
        known = "none" if kept is None else shown(kept)
        place.remark(f"input_shape is {known} in the file; {shown(place.shape[-dims:])} comes in")


def pool(leaf: Leaf, place: Place) -> Nodes:  # noqa: ARG001
    """Sums or means over windows; padding counts in a mean, since NIR says nothing else."""
    window = _per_axis(leaf, "kernel_size", 2, 1)
    need("kernel_size" in leaf.values, "kernel_size", "is not there", "the size of a window")
    stride = _per_axis(leaf, "stride", 2, 1) if "stride" in leaf.values else window
    node = SumPool if leaf.kind == "SumPool2d" else AveragePool
    return [("", node(window, stride, _per_axis(leaf, "padding", 2, 0)))]


def flatten(leaf: Leaf, place: Place) -> Nodes:
    """Axes made one, counted without the batch; some writers count it."""
    first, last = (_per_axis(leaf, name, 1, default)[0] for name, default in (("start_dim", 1), ("end_dim", -1)))
    shape = place.shape
    if shape is None:
        return [("", Flatten(first, last))]
    kept = known_counts(leaf, "input_type")
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
