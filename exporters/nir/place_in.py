"""Where a layer of NIR stands, and its fields as numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...toolchain.errors import GraphError
from ...toolchain.graph.nodes import Node
from ...toolchain.graph.nodes.base import MOST_AXES, Array, need, shown
from ...toolchain.graph.nodes.ends import Readout
from .neurons_in import Shape, fitted
from .said import Said
from .tree import Leaf


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


def known_counts(leaf: Leaf, name: str) -> tuple[int, ...] | None:
    """The same, none where it is not there or something else."""
    try:
        return counts(leaf, name)
    except GraphError:
        return None


def _brief(value: Array) -> str:
    return f"{value.tolist()}" if value.size <= 8 else f"{value.dtype} of shape {shown(value.shape)}"


def bias_of(leaf: Leaf, place: Place, shape: Shape) -> Array | None:
    """The bias of a layer, in its own shape; none where it is not there."""
    if "bias" not in leaf.values:
        place.remark("bias is not there: 0")
        return None
    bias = numbers(leaf, "bias")
    if bias.shape == shape:
        return bias
    least, repair = fitted(bias, shape, "bias")
    place.remark(f"bias {repair}")
    return np.ascontiguousarray(np.broadcast_to(least, shape))
