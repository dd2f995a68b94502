"""What a model is made of, as plain values: operations, typed values and constants. proto.py makes ONNX of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..graph.content import INLINE, hash_of
from ..graph.nodes.base import Array

DType = np.dtype[Any]
Shape = tuple[int | str, ...]
"""Sizes; a name where a size is open."""
MANY = 1 << 12
"""More equal values than this are no constant of a model."""


@dataclass(frozen=True)
class Op:
    """One operation of ONNX.

    Args:
        kind: which one.
        name: what it is called.
        inputs: the values it reads.
        outputs: the values it makes.
        settings: its attributes; a Block where one is a graph.
    """

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    settings: Mapping[str, Any]

    def renamed(self, old: str, new: str) -> Op:
        """The same operation, where the value `old` is called `new`."""
        inputs, outputs = (tuple(new if v == old else v for v in side) for side in (self.inputs, self.outputs))
        return replace(self, inputs=inputs, outputs=outputs)


@dataclass(frozen=True)
class Value:
    """A typed value at the edge of a block.

    Args:
        name: what it is called.
        dtype: the type of its numbers.
        shape: its sizes.
    """

    name: str
    dtype: DType
    shape: Shape


@dataclass(frozen=True)
class Block:
    """Operations in an order in which they can run, and what goes in and out.

    Args:
        name: what it is called.
        inputs: what goes in.
        outputs: what comes out.
        ops: the operations.
    """

    name: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    ops: tuple[Op, ...]


@dataclass
class Sheet:
    """What all nodes of a model share: constants, and what is made of constants once.

    Args:
        dtype: what the model computes in.
        constants: initialisers by name.
        prepared: operations on constants alone; they stand before all others.
        remarks: what whoever runs the model has to know.
    """

    dtype: DType
    constants: dict[str, Array] = field(default_factory=dict)
    prepared: list[Op] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    """Large constants: content hash and name."""

    def large(self, name: str, array: Array) -> str:
        """A constant as it is; equal ones are there once, under the first name."""
        whole = hash_of(array)
        if whole not in self.held:
            self.held[whole] = name
            self.constants[name] = array
        return self.held[whole]

    def small(self, name: str, array: Array) -> str:
        """A constant under its own name."""
        self.constants[name] = array
        return name

    def ints(self, values: Iterable[int]) -> str:
        """Sizes or axes, shared by all who need the same."""
        numbers = np.array(list(values), np.int64)
        return self.small("ints/" + ",".join(map(str, numbers)), numbers)

    def index(self, value: int) -> str:
        """One axis or place."""
        return self.small(f"int/{value}", np.array(value, np.int64))

    def number(self, value: float) -> str:
        """A number in the model's type, shared by all who need the same."""
        return self.small(f"number/{float(value)!r}", np.array(value, self.dtype))

    def prepare(self, kind: str, name: str, *inputs: str, **settings: Any) -> str:
        """An operation on constants; asked for again, the same value."""
        made = Op(kind, name, inputs, (name,), settings)
        if not any(op.name == name for op in self.prepared):
            self.prepared.append(made)
        return name


class Ops:
    """Writes down the operations of one node."""

    def __init__(
        self,
        name: str,
        sheet: Sheet,
        shapes: Sequence[tuple[int, ...]],
        shape: tuple[int, ...],
        state: Mapping[str, str],
    ) -> None:
        """Nothing yet.

        Args:
            name: the node.
            sheet: what all nodes share.
            shapes: the shapes it receives, without the batch.
            shape: the shape it sends.
            state: the values that hold its state, by key.
        """
        self.name, self.sheet, self.dtype = name, sheet, sheet.dtype
        self.shapes, self.shape, self.state = shapes, shape, state
        self.new: dict[str, str] = {}
        """The values of its state after the step."""
        self.ops: list[Op] = []

    @property
    def single(self) -> bool:
        """Whether the model computes in float32, for which ONNX Runtime has every operation."""
        return self.dtype == np.float32

    def __call__(self, kind: str, *inputs: str, label: str = "", **settings: Any) -> str:
        """One operation; the name of its value, which is that of the operation."""
        name = self._free(f"{self.name}/{label or kind.lower()}")
        self.ops.append(Op(kind, name, inputs, (name,), settings))
        return name

    def _free(self, name: str) -> str:
        taken, free, count = {op.name for op in self.ops}, name, 2
        while free in taken:
            free, count = f"{name}_{count}", count + 1
        return free

    def parameter(self, field: str, array: Array) -> str:
        """An array of the node in the model's type; a long one is stored as it is, and cast where it has to be."""
        name = f"{self.name}/{field}"
        if array.size <= INLINE:
            return self.sheet.small(name, array.astype(self.dtype))
        held = self.sheet.large(name, array)
        return held if array.dtype == self.dtype else self.sheet.prepare("Cast", f"{held}/cast", held, to=self.dtype)

    def derived(self, field: str, array: Array) -> str:
        """A constant that is no array of the node, but follows from its fields."""
        return self.sheet.small(f"{self.name}/{field}", array)

    def ones(self, shape: Sequence[int]) -> str:
        """Ones; where they are many they are made when the model is loaded."""
        if math.prod(shape) <= MANY:
            return self.derived("ones", np.ones(shape, self.dtype))
        return self.sheet.prepare("Expand", f"{self.name}/ones", self.sheet.number(1), self.sheet.ints(shape))

    def shaped(self, value: str, shape: Iterable[int], label: str = "") -> str:
        """A constant in another shape."""
        sizes = tuple(shape)
        name = f"{value}/{label or 'as_' + 'x'.join(map(str, sizes))}"
        return self.sheet.prepare("Reshape", name, value, self.sheet.ints(sizes))

    def reshape(self, value: str, shape: Iterable[int], label: str = "") -> str:
        """A batch whose samples have another shape."""
        return self("Reshape", value, self.sheet.ints((0, *shape)), label=label)

    def aligned(self, values: Sequence[str]) -> list[str]:
        """Batches with axes of size one put in behind the batch, so that they broadcast as samples do."""
        rank = max(map(len, self.shapes))
        return [
            value if len(shape) == rank else self.reshape(value, (*[1] * (rank - len(shape)), *shape), "align")
            for value, shape in zip(values, self.shapes, strict=True)
        ]

    def finish(self, sent: str, names: Mapping[str, str], called: str) -> list[Op]:
        """The operations, with what the node sends under its own name, and its new state under `names`."""
        renamed: dict[str, str] = {}
        for value, target in [(sent, called), *((self.new[key], target) for key, target in names.items())]:
            mine = any(value in op.outputs for op in self.ops)
            if mine and value not in renamed:
                self.ops = [op.renamed(value, target) for op in self.ops]
                renamed[value] = target
            else:
                label = "hand_on" if target == called else f"keep_{target.rpartition('.')[2]}"
                self.ops.append(Op("Identity", f"{self.name}/{label}", (renamed.get(value, value),), (target,), {}))
        if len(self.ops) == 1:
            self.ops = [replace(self.ops[0], name=self.name)]
        return self.ops
