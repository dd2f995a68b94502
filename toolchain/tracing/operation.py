"""One torch call that met a tracked tensor, and what the rows of the function tables may do with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from ..graph.nodes import Add, Affine, AveragePool, BatchNorm, Contract, Conv, Mean, Node, Scale, Sum, SumPool
from ..graph.nodes import Concat, Flatten, Pad, Permute, Reshape, Slice
from ..graph.nodes.base import Array
from .recorder import Recorder
from .values import Tracked, Value

MOVES: tuple[type[Node], ...] = (Flatten, Reshape, Permute, Slice, Concat)
LINEAR: tuple[type[Node], ...] = (
    *MOVES,
    Pad,
    Add,
    Affine,
    Conv,
    Contract,
    Scale,
    Mean,
    Sum,
    AveragePool,
    SumPool,
    BatchNorm,
)


class Cannot(Exception):  # noqa: N818 - not an error of the user's program, a row that gives up
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

    def value(self, tensor: Any) -> Value:
        """The value of a tracked argument."""
        if not isinstance(tensor, Tracked):
            raise Cannot(
                f"{self.name} of a constant in the place of a signal", "a signal", "compute constants outside forward"
            )
        return tensor.value

    def tensors(self, value: Any) -> list[Tracked]:
        """A list of tracked tensors."""
        return [each for each in value if isinstance(each, Tracked)]

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
        if not value.plain:
            raise Cannot(
                f"{self.name} with axes {value.axes}", "time first, then the batch", "permute time to the front"
            )
        if most is not None and value.lead > most:
            fix = "fold time into the batch with x.flatten(0, 1), or lift the layer over time"
            raise Cannot(f"{self.name} on [time, batch, ...]", "one batch axis", fix)
        return value

    def emit(
        self,
        node: Node,
        inputs: Sequence[Value],
        result: Tensor | None = None,
        axes: str | None = None,
        *,
        name: str = "",
    ) -> Tracked:
        """Record a node and hand its result back, tracked; the axes are those of the first input unless given."""
        out: Tensor = self.result if result is None else result
        if axes is None:
            axes = self.widest(inputs, out.ndim)
        return self.recorder.wrap(out, self.send(node, inputs, axes, name=name))

    def send(self, node: Node, inputs: Sequence[Value], axes: str, *, name: str = "") -> Value:
        """Record a node whose result has no tensor of its own."""
        readout = self._readout(node, inputs)
        key = self.recorder.emit(name or self.label, node, inputs)
        return Value(key, axes, self.step_of(inputs), readout)

    @staticmethod
    def widest(inputs: Sequence[Value], rank: int) -> str:
        """The axes of a result: time and batch of the input that has most of them, then features."""
        lead = max((value.axes[: value.lead] for value in inputs), key=len)
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
        shifted = any(np.any(value) for name, value in node.arrays().items() if name in ("bias", "shift"))
        allowed = MOVES if readout == "max" else LINEAR
        if not isinstance(node, allowed) and readout != "last":
            raise Cannot(f"{self.name} after the {readout} over time", "only linear operations there", LATE)
        if readout == "sum" and shifted:
            raise Cannot(f"{self.name} with a bias after the sum over time", "no bias there", "use the mean over time")
        return readout

    def across(self, value: Value, constant: Any, what: str = "constant") -> Array:
        """A constant that broadcasts over a signal, without the axes of time and batch."""
        if isinstance(constant, Tensor):
            array = self.constant(constant, what)
        else:
            array = np.asarray(float(constant))
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

    def same(self, value: Value, result: Tensor | None = None, axes: str | None = None) -> Tracked:
        """The result sent by the same node: nothing happened to the numbers."""
        out: Tensor = self.result if result is None else result
        return self.recorder.wrap(out, value if axes is None else replace(value, axes=axes))


Row = Callable[..., Any]
AXES = {"T": "time axis", "B": "batch", "F": "time and batch folded into one"}
LATE = "move it before the reduction over time"
MIXES = {
    "T": "time mixes only inside stateful modules: use a delay, a temporal kernel or a readout",
    "B": "samples of a batch do not mix",
    "F": "unfold time and batch first",
}
