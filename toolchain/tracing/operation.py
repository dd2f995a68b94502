"""One torch call that met a tracked tensor, and what the rows of the function tables may do with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from ..graph import nodes
from ..graph.nodes import Node
from ..graph.nodes.base import Array, shown
from .recorder import Recorder
from .values import Tracked, Value

MOVES: tuple[type[Node], ...] = (nodes.Flatten, nodes.Reshape, nodes.Permute, nodes.Slice, nodes.Concat)
LINEAR: tuple[type[Node], ...] = (
    *MOVES,
    *(nodes.Pad, nodes.Add, nodes.Mean, nodes.Sum, nodes.AveragePool, nodes.SumPool),
    *(nodes.Affine, nodes.Conv, nodes.ConvTranspose, nodes.Contract, nodes.Scale, nodes.BatchNorm),
)
"""What may stand behind a sum or a mean over time and, in the graph, in front of it."""
SHIFTS = frozenset({"bias", "shift", "mean"})
"""The arrays of a linear node that add a constant."""


class Cannot(Exception):
    """A row that cannot express the call: why, and what to do instead."""

    def __init__(self, found: str, expected: str = "", fix: str = "") -> None:
        super().__init__(found, expected, fix)
        self.found, self.expected, self.fix = found, expected, fix


@dataclass
class Operation:
    """A call and its result.

    Args:
        recorder: where nodes are recorded.
        name: the function's name.
        args: its arguments, tracked where they were.
        kwargs: its named arguments.
        result: what torch computed.
    """

    recorder: Recorder
    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    result: Any

    @property
    def label(self) -> str:
        """What a node made here is called."""
        where = self.recorder.where
        if where and self.recorder.alone:
            return where
        return f"{where}.{self.name}" if where else self.name

    def kept(self, target: Tensor) -> Tensor | None:
        """What a call that wrote into `target` answers: that very tensor, or nothing."""
        return None if self.result is None else target

    def value(self, tensor: Any) -> Value:
        """The value of a tracked argument."""
        if not isinstance(tensor, Tracked):
            raise Cannot(
                f"{self.name} of a constant in the place of a signal", "a signal", "compute constants outside forward"
            )
        return tensor.value

    def constant(self, tensor: Tensor, what: str = "constant") -> Array:
        """A constant argument as an array."""
        if isinstance(tensor, Tracked):
            raise Cannot(f"{self.name} with a {what} that is a signal", f"a constant {what}")
        return self.recorder.constant(tensor, what)

    def feature(self, value: Value, dim: int) -> int:
        """The feature axis that a tensor's axis is."""
        dim = self.dim(value, dim)
        if value.axes[dim] != "f":
            raise Cannot(f"{self.name} over the {AXES[value.axes[dim]]}", "a feature axis", MIXES[value.axes[dim]])
        return value.axes[:dim].count("f")

    def dim(self, value: Value, dim: int) -> int:
        """A tensor's axis counted from the front."""
        return dim % max(len(value.axes), 1)

    def ordered(self, tensor: Any, most: int | None = None) -> Value:
        """The value of an argument whose time and batch come first; `most` of them at the most."""
        value = self.value(tensor)
        if "T" in value.axes[value.lead :]:
            raise Cannot(
                f"{self.name} with time as axis {value.axes.index('T')} of {len(value.axes)}", FIRST, MIXES["T"]
            )
        if "f" in value.axes.rstrip("f"):
            raise Cannot(
                f"{self.name} with the batch as axis {value.axes.index('B')}", FIRST, "permute it to the front"
            )
        if most is not None and value.lead > most:
            raise Cannot(f"{self.name} on [time, batch, ...]", "one batch axis", FOLD)
        return value

    def emit(self, node: Node, inputs: Sequence[Value], axes: str | None = None, *, name: str = "") -> Tracked:
        """Record a node and hand the call's result back, tracked; the axes are those of the inputs unless given."""
        axes = self.widest(inputs, self.result.ndim) if axes is None else axes
        value = self.send(node, inputs, axes, name=name)
        signal, shape = self.recorder.entries[value.key].signal, features(self.result.shape, axes)
        if signal is not None and signal.shape != shape:
            found = f"{self.name} that makes {shown(shape)} of each sample"
            raise Cannot(
                found, f"{shown(signal.shape)}, as its inputs have", "let the signal have its full shape first"
            )
        return self.recorder.wrap(self.result, value)

    def send(self, node: Node, inputs: Sequence[Value], axes: str, *, name: str = "") -> Value:
        """Record a node whose result has no tensor of its own."""
        readout = self._readout(node, inputs)
        key = self.recorder.emit(name or self.label, node, inputs)
        return Value(key, axes, self.recorder.entries[key].step, readout)

    def scaled(self, value: Value, factor: Any, label: str, shift: float | None = None) -> Value:
        """factor · x + shift, on the way to the result."""
        node = nodes.Scale(np.asarray(factor), None if shift is None else np.asarray(shift))
        return self.send(node, [value], value.axes, name=f"{self.label}_{label}")

    @staticmethod
    def widest(inputs: Sequence[Value], rank: int) -> str:
        """The axes of a result: those of the input that has most, or time and batch and then features."""
        widest = max(inputs, key=lambda value: len(value.axes))
        if len(widest.axes) == rank:
            return widest.axes
        lead = widest.axes[: widest.lead]
        return lead + "f" * (rank - len(lead))

    @staticmethod
    def step_of(inputs: Sequence[Value]) -> int | None:
        """The step that a result belongs to."""
        steps = [value.step for value in inputs if value.step is not None]
        return max(steps) if steps else None

    def _readout(self, node: Node, inputs: Sequence[Value]) -> str:
        readouts = {value.readout for value in inputs}
        if readouts == {""}:
            return ""
        if len(readouts) > 1:
            raise Cannot(
                f"{self.name} of a value and of a {max(readouts)} over time", "both before time is reduced", LATE
            )
        readout = readouts.pop()
        shifted = any(np.any(value) for name, value in node.arrays().items() if name in SHIFTS)
        allowed = MOVES if readout == "max" else LINEAR
        if not isinstance(node, allowed) and readout != "last":
            raise Cannot(f"{self.name} after the {readout} over time", "only linear operations there", LATE)
        if readout == "sum" and shifted:
            raise Cannot(f"{self.name} with a bias after the sum over time", "no bias there", "use the mean over time")
        return readout

    def across(self, value: Value, constant: Any, what: str = "constant") -> Array:
        """A constant that broadcasts over a signal, without the axes of time and batch."""
        array = self.constant(constant, what) if isinstance(constant, Tensor) else np.asarray(number(constant, what))
        if array.ndim > len(value.axes):
            raise Cannot(f"{self.name} with a constant of {array.ndim} axes", f"at most {len(value.axes)}")
        behind = value.axes[len(value.axes) - array.ndim :]
        for axis, role in reversed(list(enumerate(behind))):
            if role != "f":
                first = array.take(0, axis)
                if array.shape[axis] > 1 and not np.array_equal(
                    array, np.broadcast_to(np.expand_dims(first, axis), array.shape)
                ):
                    raise Cannot(
                        f"{self.name} with a constant that differs over the {AXES[role]}", "one for all", MIXES[role]
                    )
                array = first
        return array

    def suffix(self, a: Value, b: Value) -> None:
        """Two signals line up axis by axis, counted from the last."""
        short, long = sorted((a.axes, b.axes), key=len)
        if not long.endswith(short):
            raise Cannot(f"{self.name} of axes {a.axes} and {b.axes}", "the same axes", "reshape one of them")

    def same(self, value: Value, axes: str | None = None) -> Tracked:
        """The result sent by the same node: nothing happened to the numbers."""
        return self.recorder.wrap(self.result, value if axes is None else replace(value, axes=axes))


def features(shape: Sequence[int], axes: str) -> tuple[int, ...]:
    """A tensor's shape without the axes of time and batch."""
    return tuple(n for n, role in zip(shape, axes, strict=True) if role == "f")


def wide(array: Array) -> Array:
    """An array in float64, before arithmetic that would round it in less."""
    return array.astype(np.float64)


def number(value: Any, what: str = "constant") -> float:
    """A Python number as a float."""
    if isinstance(value, complex) or not isinstance(value, (bool, int, float, np.integer, np.floating)):
        raise Cannot(f"a {what} of type {type(value).__name__}", "a number or a tensor")
    if not np.isfinite(value):
        raise Cannot(f"a {what} of {value}", "a finite number")
    return float(value)


Row = Callable[..., Any]
AXES = {"T": "time axis", "B": "batch", "F": "time and batch folded into one", "G": "batch and time folded into one"}
FIRST = "time first, then the batch, then features"
FOLD = "fold time into the batch with x.flatten(0, 1), or lift the layer over time"
LATE = "move it before the reduction over time"
MIXES = {
    "T": "time mixes only inside stateful modules: use a delay, a temporal kernel or a readout",
    "B": "samples of a batch do not mix",
    "F": "unfold time and batch first",
    "G": "unfold batch and time first",
}
