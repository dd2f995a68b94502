"""The fields of a neuron of NIR, made whole: fields that old files lack, and shapes that do not fit what comes in."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...toolchain.errors import GraphError
from ...toolchain.graph.nodes.base import Array, shown
from ...toolchain.passes.plain import small
from .said import Said
from .tree import Leaf

LEAK = ("r", "v_leak")
FIRE = ("v_threshold", "v_reset")
CURRENT = ("tau_syn", "tau_mem", "w_in")
NEURON_FIELDS: Mapping[str, tuple[str, ...]] = {
    "I": ("r",),
    "IF": ("r", *FIRE),
    "LI": ("tau", *LEAK),
    "LIF": ("tau", *LEAK, *FIRE),
    "CubaLI": (*CURRENT, *LEAK),
    "CubaLIF": (*CURRENT, *LEAK, *FIRE),
}
ABSENT: Mapping[str, tuple[float, str]] = {
    "v_reset": (0.0, "NIR before 1.0 has none"),
    "v_leak": (0.0, "no leak potential is said"),
    "w_in": (1.0, "NIR before 1.0 does not write it"),
}
"""What a field is that is not there, and why it may not be."""
Shape = tuple[int, ...]


def whole(path: str, leaf: Leaf, shape: Shape | None, said: Said) -> Leaf:
    """The neuron with all its fields, each one number or fitting the shape of what comes in.

    Args:
        path: of the neuron.
        leaf: the neuron, its fields checked.
        shape: of what comes in; none where that is not known, and the fields have to say it.
        said: where repairs go.
    """
    values, absent = {}, {}
    for name in NEURON_FIELDS[leaf.kind]:
        value = leaf.values.get(name)
        if value is None and name in ABSENT:
            number, why = ABSENT[name]
            said.remark(path, f"{name} is not there ({why}): {number:g}")
            absent[name] = np.asarray(number, np.float32)
        elif value is not None and not isinstance(value, str):
            values[name] = _real(value)
    shape = shape if shape is not None else max((value.shape for value in values.values()), key=len)
    return Leaf(leaf.kind, {**_fitting(path, values, shape, said), **absent}, leaf.metadata)


def _real(value: Array) -> Array:
    return value.astype(np.float32 if value.dtype.itemsize <= 2 else np.float64) if value.dtype.kind != "f" else value


def _fitting(path: str, values: Mapping[str, Array], shape: Shape, said: Said) -> dict[str, Array]:
    """Every field as small as it varies, in a shape that fits what comes in."""
    found: dict[str, Array] = {}
    repairs: dict[str, list[str]] = {}
    for name, value in values.items():
        if value.shape == shape:
            found[name] = small(value)
            continue
        found[name], repair = fitted(value, shape, name)
        repairs.setdefault(repair, []).append(name)
    for repair, names in repairs.items():
        said.remark(path, f"{', '.join(names)} {repair}")
    return found


def fitted(value: Array, shape: Shape, name: str) -> tuple[Array, str]:
    """A parameter for a signal of this shape, and what was made of it.

    Raises:
        GraphError: when it does not fit.
    """
    least = small(value)
    plain = tuple(n for n in value.shape if n > 1)
    same = plain == tuple(n for n in shape if n > 1)
    same_rank = value.ndim == len(shape) and all(n in (1, m) for n, m in zip(value.shape, shape, strict=True))
    row = value.ndim == 1 and len(shape) > 1
    channels = row and value.shape[0] == shape[0] != shape[-1]
    if least.ndim == 0 and (not plain or same or same_rank or (row and value.size in (shape[0], shape[-1]))):
        return least, f"of shape {shown(value.shape)}, one value, stands for all {shown(shape)}"
    if same:
        return small(value.reshape(shape)), f"of shape {shown(value.shape)} stands for {shown(shape)}"
    if channels:
        laid = value.reshape(-1, *([1] * (len(shape) - 1)))
        return laid, f"of shape {shown(value.shape)}, one value for each channel, stands for {shown(shape)}"
    if same_rank:
        return least, f"of shape {shown(value.shape)} stands for {shown(shape)}"
    raise GraphError(name, f"shape {shown(value.shape)}", f"{shown(shape)}, as comes in")
