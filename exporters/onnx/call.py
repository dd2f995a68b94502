"""One call of an operator in the file: its inputs, its attributes, and the ways in which it becomes nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...toolchain.errors import GraphError
from ...toolchain.graph.nodes import Contract, Node, Permute, Reshape
from ...toolchain.graph.nodes.base import Array, brief, need, shown
from .building import Building
from .layout import Layout, joint, laid_on
from .messages import AttributePart
from .tensors import Folder, array_of
from .values import Constant, Signal, Value, known

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXY"


class Call:
    """A node of the file.

    Args:
        building: the graph so far.
        label: what its nodes are called.
        operator: its type.
        version: of the operators of its domain.
        inputs: what it reads; None for an input that is left out.
        attributes: by name.
        wanted: for each of its outputs, whether anybody reads it.
        folder: of the model.
    """

    def __init__(
        self,
        building: Building,
        label: str,
        operator: str,
        version: int,
        inputs: Sequence[Value | None],
        attributes: Mapping[str, AttributePart],
        wanted: Sequence[bool],
        folder: Folder,
    ) -> None:
        self.building = building
        self.label = label
        self.operator = operator
        self.version = version
        self.inputs = tuple(inputs)
        self.attributes = attributes
        self.wanted = tuple(wanted)
        self.folder = folder
        self._read: set[str] = set()

    # Attributes: each has to be asked for, or the call is refused in the end.

    def _attribute(self, name: str, kind: int) -> AttributePart | None:
        self._read.add(name)
        found = self.attributes.get(name)
        if found is None:
            return None
        need(found.type in (0, kind), name, f"an attribute of type {found.type}", f"one of type {kind}")
        return found

    def whole(self, name: str, default: int | None = None) -> int:
        """A whole number."""
        found = self._attribute(name, 2)
        value = default if found is None else (found.i or 0)
        need(value is not None, name, "no such attribute", "a whole number")
        return int(value or 0)

    def flag(self, name: str, default: bool = False) -> bool:
        """Yes or no."""
        return bool(self.whole(name, int(default)))

    def amount(self, name: str, default: float | None = None) -> float:
        """A number, the shortest that is the float32 of the file: 0.1, not 0.10000000149."""
        found = self._attribute(name, 1)
        value = default if found is None else float(str(np.float32(found.f or 0.0)))
        if value is None:
            raise GraphError(name, "no such attribute", "a number")
        need(bool(np.isfinite(value)), name, f"{value}", "a finite number")
        return value

    def ints(self, name: str, default: Sequence[int] | None = None) -> tuple[int, ...] | None:
        """Whole numbers, or the default."""
        found = self._attribute(name, 7)
        if found is None:
            return None if default is None else tuple(default)
        return tuple(found.ints.tolist())

    def floats(self, name: str) -> Array:
        """Numbers."""
        found = self._attribute(name, 6)
        return np.zeros(0, np.float32) if found is None else found.floats

    def text(self, name: str, default: str = "") -> str:
        """A word."""
        found = self._attribute(name, 3)
        if found is None or found.s is None:
            return default
        need(len(found.s) < 1000, name, f"a text of {len(found.s)} bytes", "a word")
        return str(found.s, "utf-8", "replace")

    def attribute_array(self, name: str) -> Array | None:
        """A tensor that is an attribute."""
        found = self._attribute(name, 4)
        if found is None:
            return None
        if found.t is None:
            raise GraphError(name, "nothing", "a tensor")
        return array_of(found.t, self.folder)

    def has(self, name: str) -> bool:
        """Whether an attribute stands there."""
        return name in self.attributes

    def ignore(self, *names: str) -> None:
        """Attributes that change nothing here."""
        self._read.update(names)

    def check_all_read(self) -> None:
        """Refuse attributes that nobody has asked for: they would change something."""
        left = sorted(set(self.attributes) - self._read)
        need(not left, "attribute", f"'{brief(', '.join(left))}'", f"those of {self.operator} in opset {self.version}")

    # Inputs

    def input(self, index: int) -> Value | None:
        """An input; None where there is none."""
        return self.inputs[index] if index < len(self.inputs) else None

    def given(self, index: int) -> bool:
        """Whether the input is there."""
        return self.input(index) is not None

    def signal(self, index: int = 0) -> Signal:
        """An input that is a signal."""
        found = self.input(index)
        if not isinstance(found, Signal):
            what = "nothing" if found is None else "a constant"
            raise GraphError(f"input {index}", what, "a signal")
        return found

    def real(self, index: int = 0) -> Signal:
        """An input that is a signal of floating-point numbers."""
        found = self.signal(index)
        need(found.real, f"input {index}", f"values of type {found.kind}", "floating-point numbers")
        return found

    def constant(self, index: int, what: str = "") -> Array:
        """An input that is known, the same for every batch."""
        return self.maybe(index, what).plain(what or f"input {index}")

    def maybe(self, index: int, what: str = "") -> Constant:
        """An input that is known, perhaps another for every batch."""
        found = self.input(index)
        if not isinstance(found, Constant):
            expected = "a constant, or what follows from constants and shapes"
            raise GraphError(what or f"input {index}", "nothing" if found is None else "a signal", expected)
        return found

    def counts(self, index: int, what: str = "") -> tuple[int, ...]:
        """An input that is a known row of integers."""
        value = self.constant(index, what)
        need(
            value.dtype.kind in "iu" and value.ndim <= 1,
            what or f"input {index}",
            str(value.dtype),
            "integers in a row",
        )
        return tuple(int(n) for n in value.reshape(-1))

    def number(self, index: int, what: str = "") -> float:
        """An input that is one known number."""
        value = self.constant(index, what)
        need(value.size == 1, what or f"input {index}", f"shape {shown(value.shape)}", "one number")
        return plain_number(value)

    def axes(self, attribute: str, index: int) -> tuple[int, ...] | None:
        """Axes that are an attribute in old versions and an input in new ones."""
        if self.given(index):
            return self.counts(index, attribute)
        return self.ints(attribute)

    # Nodes

    def emit(
        self, node: Node, *sources: Signal, layout: Layout | None = None, part: str = "", kind: str = ""
    ) -> Signal:
        """A node; `part` names it where the operator takes more than one."""
        label = f"{self.label}.{part}" if part else self.label
        kind = kind or sources[0].kind
        return self.building.add(label, node, sources, sources[0].layout if layout is None else layout, kind)

    def reshaped(self, signal: Signal, layout: Layout, part: str = "reshape") -> Signal:
        """The same values in another layout; a node only where a sample has another shape in it."""
        if layout.sample == signal.layout.sample:
            return Signal(signal.node, layout, signal.kind)
        return self.emit(Reshape(layout.sample), signal, layout=layout, part=part)

    def permuted(self, signal: Signal, axes: Sequence[int], part: str = "permute") -> Signal:
        """The axes of the file's tensor in another order."""
        layout, order = signal.layout.permuted(axes)
        if order == tuple(range(len(order))):
            return Signal(signal.node, layout, signal.kind)
        return self.emit(Permute(order), signal, layout=layout, part=part)

    def fitted(self, signal: Signal, target: Layout, part: str = "fit") -> Signal:
        """A signal whose samples broadcast to those of `target` as the file's tensors do."""
        shape = laid_on(signal.layout, target)
        own = signal.layout.sample
        if len(own) <= len(shape) and (1,) * (len(shape) - len(own)) + own == shape:
            return signal
        return self.emit(Reshape(shape), signal, layout=Layout(shape), part=part)

    def stretched(self, signal: Signal, target: Layout, part: str = "expand") -> Signal:
        """A signal made as large as `target`, which it broadcasts to."""
        if signal.layout.sample == target.sample:
            return Signal(signal.node, target, signal.kind)
        shape, out = laid_on(signal.layout, target), target.sample
        grown = [k for k, (n, m) in enumerate(zip(shape, out, strict=True)) if n != m]
        flat = self.reshaped(signal, Layout(shape), f"{part}.axes")
        if not grown:
            return Signal(flat.node, target, signal.kind)
        x, y = LETTERS[: len(shape)], list(LETTERS[: len(shape)])
        for k in grown:
            y[k] = LETTERS[len(shape) + k]
        inner = "".join(x[k] for k in grown) + "".join(y[k] for k in grown)
        ones = self.building.ones([1] * len(grown) + [out[k] for k in grown])
        return self.emit(Contract(f"{x},{inner}->{''.join(y)}", ones), flat, layout=target, part=part)

    def beside(self, value: Array, target: Layout, what: str = "a constant") -> Array:
        """A constant as it lies beside the samples of `target`, which it broadcasts to."""
        need(value.ndim <= target.rank, "inputs", f"shapes {shown(value.shape)} and {target}", "shapes that broadcast")
        if target.batch is None:
            return value
        axis = target.batch - target.rank + value.ndim
        if axis < 0:
            return self._under(value, target)
        rows = np.moveaxis(value, axis, 0)
        same = len(rows) == 1 or bool((rows == rows[:1]).all())
        need(
            same, "batch", f"{what} of shape {shown(value.shape)} with numbers of their own for the samples", "one row"
        )
        return self._under(np.expand_dims(rows[0], axis), target)

    @staticmethod
    def _under(value: Array, target: Layout) -> Array:
        """The axis of the batch, of size 1 here, as the axes a sample has of it."""
        missing = target.rank - value.ndim
        shape: list[int] = []
        for axis in range(missing, target.rank):
            folded = axis == target.batch
            shape += [1] * len(target.pieces(axis)) if folded else [value.shape[axis - missing]]
        return value.reshape(shape)

    def together(self, *values: Value | None) -> Layout:
        """The layout that signals and constants broadcast to together."""
        signals = [value.layout for value in values if isinstance(value, Signal)]
        lead = joint(signals)
        constants = [value.plain().shape for value in values if isinstance(value, Constant)]
        return joint([*signals, *(self._constant_layout(shape, lead) for shape in constants)])

    @staticmethod
    def _constant_layout(shape: tuple[int, ...], lead: Layout) -> Layout:
        """Rows for every sample of a batch count as one here; `beside` sees whether they are all the same."""
        if lead.batch is None:
            return Layout(shape)
        axis = lead.batch - lead.rank + len(shape)
        return Layout(tuple(1 if k == axis else n for k, n in enumerate(shape)))


def constant(value: Any) -> Constant:
    """A constant from a number or an array."""
    return known(np.asarray(value))


def plain_number(value: Array) -> float:
    """The one number of an array, the shortest that is it: 0.1, not 0.10000000149."""
    one = value.reshape(-1)[0]
    return float(str(one)) if value.dtype.kind == "f" else float(one)
