"""The messages of an ONNX file, as far as a reader needs them: each field stands with its number and its form.

The numbers are those of onnx.proto. Fields that are not listed are documentation, or say how to train the model or on
which machines to place it.
"""

# ruff: noqa: RUF009 - `_part` makes a field, as dataclasses' own `field` does

from __future__ import annotations

import sys
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from ...toolchain.graph.nodes.base import Array
from . import wire

Raw = memoryview
T = TypeVar("T")
NOTHING = np.zeros(0, np.int64)
NOTHING.flags.writeable = False


def _part(number: int, form: Any, default: Any) -> Any:
    """A field of a message; `form` is a word of FORMS, a message or (many,) of one."""
    facts = {"number": number, "form": form}
    if isinstance(default, np.ndarray):
        return field(default_factory=lambda: default, metadata=facts)
    return field(default=default, metadata=facts)


@dataclass(frozen=True, slots=True)
class Entry:
    """A text by its key."""

    key: str = _part(1, "text", "")
    value: str = _part(2, "text", "")


@dataclass(frozen=True, slots=True)
class OpsetPart:
    """A domain and the version of its operators."""

    domain: str = _part(1, "text", "")
    version: int = _part(2, "int", 0)


@dataclass(frozen=True, slots=True)
class TensorPart:
    """An array: its numbers lie in one of the rows, as raw bytes, or in another file."""

    dims: Array = _part(1, "ints", NOTHING)
    type: int = _part(2, "int", 0)
    segment: Raw | None = _part(3, "bytes", None)
    floats: Array = _part(4, "floats", NOTHING)
    int32s: Array = _part(5, "ints", NOTHING)
    texts: tuple[Raw, ...] = _part(6, ("bytes",), ())
    int64s: Array = _part(7, "ints", NOTHING)
    name: str = _part(8, "text", "")
    raw: Raw | None = _part(9, "bytes", None)
    doubles: Array = _part(10, "doubles", NOTHING)
    uint64s: Array = _part(11, "ints", NOTHING)
    external: tuple[Entry, ...] = _part(13, (Entry,), ())
    location: int = _part(14, "int", 0)


@dataclass(frozen=True, slots=True)
class AttributePart:
    """An attribute of a node; graphs stay bytes until somebody asks for them."""

    name: str = _part(1, "text", "")
    f: float | None = _part(2, "float", None)
    i: int | None = _part(3, "int", None)
    s: Raw | None = _part(4, "bytes", None)
    t: TensorPart | None = _part(5, TensorPart, None)
    g: Raw | None = _part(6, "bytes", None)
    floats: Array = _part(7, "floats", NOTHING)
    ints: Array = _part(8, "ints", NOTHING)
    strings: tuple[Raw, ...] = _part(9, ("bytes",), ())
    tensors: tuple[TensorPart, ...] = _part(10, (TensorPart,), ())
    graphs: tuple[Raw, ...] = _part(11, ("bytes",), ())
    type: int = _part(20, "int", 0)
    reference: str = _part(21, "text", "")
    sparse: Raw | None = _part(22, "bytes", None)


@dataclass(frozen=True, slots=True)
class NodePart:
    """One call of an operator."""

    inputs: tuple[str, ...] = _part(1, ("text",), ())
    outputs: tuple[str, ...] = _part(2, ("text",), ())
    name: str = _part(3, "text", "")
    operator: str = _part(4, "text", "")
    attributes: tuple[AttributePart, ...] = _part(5, (AttributePart,), ())
    domain: str = _part(7, "text", "")
    overload: str = _part(8, "text", "")


@dataclass(frozen=True, slots=True)
class SizePart:
    """One size of a shape: a number, a name, or nothing."""

    value: int | None = _part(1, "int", None)
    name: str = _part(2, "text", "")


@dataclass(frozen=True, slots=True)
class ShapePart:
    """The sizes of a tensor."""

    sizes: tuple[SizePart, ...] = _part(1, (SizePart,), ())


@dataclass(frozen=True, slots=True)
class TensorTypePart:
    """What a tensor holds, and its shape where that is told."""

    element: int = _part(1, "int", 0)
    shape: ShapePart | None = _part(2, ShapePart, None)


@dataclass(frozen=True, slots=True)
class TypePart:
    """The type of a value; only tensors are read."""

    tensor: TensorTypePart | None = _part(1, TensorTypePart, None)


@dataclass(frozen=True, slots=True)
class ValuePart:
    """The name and type of an input or output."""

    name: str = _part(1, "text", "")
    type: TypePart | None = _part(2, TypePart, None)


@dataclass(frozen=True, slots=True)
class GraphPart:
    """Nodes, their constants, and what comes in and goes out."""

    nodes: tuple[NodePart, ...] = _part(1, (NodePart,), ())
    name: str = _part(2, "text", "")
    initialisers: tuple[TensorPart, ...] = _part(5, (TensorPart,), ())
    inputs: tuple[ValuePart, ...] = _part(11, (ValuePart,), ())
    outputs: tuple[ValuePart, ...] = _part(12, (ValuePart,), ())
    sparse: tuple[Raw, ...] = _part(15, ("bytes",), ())


@dataclass(frozen=True, slots=True)
class FunctionPart:
    """An operator that the model defines itself."""

    name: str = _part(1, "text", "")
    inputs: tuple[str, ...] = _part(4, ("text",), ())
    outputs: tuple[str, ...] = _part(5, ("text",), ())
    attributes: tuple[str, ...] = _part(6, ("text",), ())
    nodes: tuple[NodePart, ...] = _part(7, (NodePart,), ())
    opsets: tuple[OpsetPart, ...] = _part(9, (OpsetPart,), ())
    domain: str = _part(10, "text", "")
    defaults: tuple[AttributePart, ...] = _part(11, (AttributePart,), ())
    overload: str = _part(13, "text", "")


@dataclass(frozen=True, slots=True)
class ModelPart:
    """A whole file."""

    version: int = _part(1, "int", 0)
    producer: str = _part(2, "text", "")
    graph: GraphPart | None = _part(7, GraphPart, None)
    opsets: tuple[OpsetPart, ...] = _part(8, (OpsetPart,), ())
    metadata: tuple[Entry, ...] = _part(14, (Entry,), ())
    functions: tuple[FunctionPart, ...] = _part(25, (FunctionPart,), ())


@cache
def _numbered(kind: Any) -> MappingProxyType[int, tuple[str, Any]]:
    return MappingProxyType({f.metadata["number"]: (f.name, f.metadata["form"]) for f in fields(kind)})


def message(kind: type[T], data: Raw, meter: wire.Meter) -> T:
    """The message of this kind that the bytes are; of a field that stands twice, the last one."""
    meter.message()
    known: Mapping[int, tuple[str, Any]] = _numbered(kind)  # type: ignore[arg-type]
    found: dict[str, Any] = {}
    rows: dict[str, Any] = {}
    for number, sort, value, content in wire.fields(data, meter):
        if number not in known:
            continue
        name, form = known[number]
        if isinstance(form, tuple):
            rows.setdefault(name, []).append(_one(form[0], sort, value, content, meter))
        elif form in ROWS:
            _extend(rows, name, form, sort, value, content)
        elif name in found and not isinstance(form, str):
            raise wire.broken(f"'{name}' twice in one part")
        else:
            found[name] = _one(form, sort, value, content, meter)
    for name, row in rows.items():
        found[name] = tuple(row) if isinstance(row, list) else _joined(row)
    return kind(**found)


def _one(form: Any, sort: int, value: int, content: Raw, meter: wire.Meter) -> Any:
    """A value that stands alone."""
    asked = {"int": wire.VARINT, "float": wire.FOUR}.get(form, wire.BYTES) if isinstance(form, str) else wire.BYTES
    if sort != asked:
        raise wire.broken(f"a field of kind {sort} where one of kind {asked} belongs")
    if form == "int":
        return wire.signed(value)
    if form == "float":
        return float(np.frombuffer(content, "<f4")[0])
    if form == "bytes":
        return content
    return _text(content) if form == "text" else message(form, content, meter)


def _text(content: Raw) -> str:
    try:
        return sys.intern(str(content, "utf-8"))
    except UnicodeDecodeError:
        raise wire.broken("a name that is no text") from None


ROWS = {"ints": ("q", wire.VARINT), "floats": ("f", wire.FOUR), "doubles": ("d", wire.EIGHT)}
"""Rows of numbers: how they are kept while they come one by one, and as what they then come."""


def _extend(rows: dict[str, Any], name: str, form: str, sort: int, value: int, content: Raw) -> None:
    """Numbers more: a whole row of them at once, as a rule, or one."""
    code, alone = ROWS[form]
    parts = rows.setdefault(name, _Row(form))
    if sort == wire.BYTES:
        parts.whole.append(content)
        parts.order.append(len(parts.single))
    elif sort == alone:
        parts.single.append(wire.signed(value) if form == "ints" else np.frombuffer(content, f"<{code}")[0])
    else:
        raise wire.broken(f"numbers as a field of kind {sort}")


class _Row:
    """The numbers of a row, in parts that came at once and numbers that came alone."""

    def __init__(self, form: str) -> None:
        self.form = form
        self.whole: list[Raw] = []
        self.order: list[int] = []
        self.single = array(ROWS[form][0])


def _joined(row: _Row) -> Array:
    """All numbers of a row in order; a row that came at once is not copied."""
    alone = np.array(row.single, {"ints": np.int64, "floats": np.float32, "doubles": np.float64}[row.form])
    if not row.whole:
        return alone
    parts, before = [], 0
    for content, place in zip(row.whole, row.order, strict=True):
        parts += [alone[before:place], _unpacked(row.form, content)]
        before = place
    parts = [part for part in (*parts, alone[before:]) if part.size]
    return parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else alone


def _unpacked(form: str, content: Raw) -> Array:
    if form == "ints":
        return wire.varints(content)
    size = 4 if form == "floats" else 8
    if len(content) % size:
        raise wire.broken("a row of numbers with a piece left over")
    return np.frombuffer(content, f"<f{size}")
