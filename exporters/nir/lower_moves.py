"""Linear maps that NIR has no node for, up to where the signal is flat, as one matrix: y = W·flat(x) + b.

A permutation, a reshape, a strided transposed convolution cannot be said alone. With what follows them, as long as
that is linear, they are one Affine behind a Flatten: W[i, j] = y_i(e_j) − y_i(0). Where values only move before an
Affine, its columns move and not a bit changes. Neurons and scales work place by place, so a move changes places with
them on the way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from ...toolchain.graph import Node, Wire
from ...toolchain.graph.nodes import (
    Activation,
    Affine,
    Array,
    AveragePool,
    BatchNorm,
    Contract,
    Conv,
    ConvTranspose,
    Delay,
    Flatten,
    Integrating,
    Mean,
    Pad,
    Permute,
    Reshape,
    Scale,
    Slice,
    Sum,
    SumPool,
)
from ...toolchain.passes.base import Change, Stays, one
from ...toolchain.passes.draft import Draft
from ...toolchain.passes.neighbours import only_reader
from .exact import with_arrays
from .lower_shapes import merges

MOVES = (Permute, Reshape, Flatten, Slice, Pad)
LINEAR = (*MOVES, Affine, Scale, BatchNorm, Conv, ConvTranspose, SumPool, AveragePool, Contract, Sum, Mean)
MOST = 2**24
"""The most weights of the matrix."""
MOST_BETWEEN = 2**27
"""The most values in between while it is worked out."""


def moves(draft: Draft, name: str, kind: Any) -> Change | None:
    """One map that NIR cannot say, together with what follows it."""
    if not stuck(draft, name):
        return None
    apart = _apart(draft, name)
    if apart is not None:
        return apart
    row = _row(draft, name)
    if row is None:
        return _behind_next(draft, name)
    found = _matrix(draft, row, kind)
    if found is None:
        return None
    return _put(draft, row, found)


def stuck(draft: Draft, name: str) -> bool:
    """Whether NIR has no node for this linear map."""
    node = draft.nodes[name]
    if not isinstance(node, LINEAR):
        return False
    shape, sent = draft.received(name)[0].shape, draft.signals[name].shape
    if not shape or not sent:
        return False
    if isinstance(node, (Reshape, Flatten)):
        return merges(shape, sent) is None
    if isinstance(node, (Slice, Pad, Sum, Mean)):
        return len(shape) not in (2, 3)
    if isinstance(node, (Conv, SumPool, AveragePool)):
        return len(shape) > 3
    return isinstance(node, (Permute, ConvTranspose, Contract))


def _apart(draft: Draft, name: str) -> Change | None:
    """A move that several nodes read, once for each of them."""
    readers = draft.readers(name)
    if not isinstance(draft.nodes[name], MOVES) or len(readers) < 2:
        return None
    edge = readers[-1]
    copy = draft.insert(name, draft.nodes[name], *draft.wires[name], before=name)
    wires = list(draft.wires[edge.target])
    wires[edge.port] = Wire(copy, edge.delayed)
    draft.rewire(edge.target, *wires)
    return Change((name,), f"copied {name}, which several nodes read, for {edge.target}")


def _row(draft: Draft, name: str) -> list[str] | None:
    """The node and those behind it, as far as they are linear and lead to a flat signal."""
    row = [name]
    while True:
        flat = len(draft.signals[row[-1]].shape) == 1
        only_moves = all(isinstance(draft.nodes[each], MOVES) for each in row)
        if flat and not only_moves:
            return row
        reader = only_reader(draft, row[-1])
        after = None if isinstance(reader, Stays) else draft.nodes[reader]
        takes = isinstance(after, Affine) if flat else isinstance(after, LINEAR)
        if isinstance(reader, Stays) or not takes:
            return row if flat else None
        row.append(reader)


def _matrix(draft: Draft, row: Sequence[str], kind: Any) -> Affine | None:
    """The one Affine; none where it would be too large."""
    nodes = [draft.nodes[name] for name in row]
    shape, out = draft.received(row[0])[0].shape, math.prod(draft.signals[row[-1]].shape)
    size = math.prod(shape)
    last = nodes[-1]
    if isinstance(last, Affine) and all(isinstance(node, MOVES) for node in nodes[:-1]):
        return _columns(nodes[:-1], last, shape)
    if size * out > MOST:
        return None
    widest = max(math.prod(draft.signals[name].shape) for name in row)
    if (size + 1) * max(widest, size) > MOST_BETWEEN:
        return None
    ones = np.eye(size + 1, size, -1).reshape(size + 1, *shape)
    sent = _through(nodes, ones).reshape(size + 1, out)
    types = [value.dtype for node in nodes for value in node.arrays().values()]
    own = np.result_type(*types) if types else kind
    bias = sent[0].astype(own) if sent[0].any() else None
    return Affine((sent[1:] - sent[0]).T.astype(own), bias)


def _columns(moved: Sequence[Node], last: Affine, shape: tuple[int, ...]) -> Affine | None:
    """The Affine with its columns where the values are before they are moved."""
    size = math.prod(shape)
    columns = _through(moved, np.arange(1.0, size + 1).reshape(1, *shape)).reshape(-1).astype(np.int64)
    if columns.size == size and columns.all():
        return Affine(last.weight[:, np.argsort(columns)], last.bias)
    out = last.weight.shape[0]
    if size * out > max(MOST, last.weight.size):
        return None
    weight = np.zeros((out, size + 1), last.weight.dtype)
    weight[:, columns] = last.weight
    return Affine(weight[:, 1:], last.bias)


def _through(nodes: Sequence[Node], x: Array) -> Array:
    for node in nodes:
        x, _ = node.step({}, x)
    return x


def _put(draft: Draft, row: Sequence[str], matrix: Affine) -> Change:
    first, last = row[0], row[-1]
    source = draft.wires[first][0]
    kinds = " and ".join(dict.fromkeys(one(draft.nodes[name]) for name in row))
    if len(draft.signals[source.source].shape) > 1:
        source = Wire(draft.insert(f"{first}_flat", Flatten(), source, before=last))
    draft.replace(last, matrix, source)
    for name in reversed(row[:-1]):
        draft.remove(name)
    size = " × ".join(map(str, matrix.weight.shape))
    return Change(tuple(row), f"wrote {', '.join(row)}, {kinds}, as one Affine of {size}")


def _behind_next(draft: Draft, name: str) -> Change | None:
    """A permutation or a reshape and the one node behind it that works place by place, in the other order."""
    node, reader = draft.nodes[name], only_reader(draft, name)
    if isinstance(reader, Stays) or not isinstance(node, (Permute, Reshape, Flatten)):
        return None
    after, shape = draft.nodes[reader], draft.received(name)[0].shape
    moved = _unmoved(node, after, shape, draft.signals[name].shape)
    if moved is None:
        return None
    readers = draft.readers(reader)
    draft.bypass(name)
    # The two change places, so that the shape which the neuron sends changes: its readers are rewired first.
    draft.nodes[reader] = moved
    draft.signals[reader] = replace(draft.signals[reader], shape=shape)
    behind = draft.insert(name, node, reader, before=reader)
    for edge in readers:
        wires = list(draft.wires[edge.target])
        wires[edge.port] = Wire(behind, edge.delayed)
        draft.rewire(edge.target, *wires)
    return Change((name, reader), f"put {name}, {one(node)}, behind {reader}, what {reader} has for each place with it")


def _unmoved(
    node: Permute | Reshape | Flatten, after: Node, shape: tuple[int, ...], sent: tuple[int, ...]
) -> Node | None:
    """The node behind, for places as they are before the move."""
    if isinstance(after, Delay):
        return after if len(after.steps) == 1 else None
    if isinstance(after, Activation):
        return after
    if not isinstance(after, (Integrating, Scale)):
        return None
    arrays = {each.name: getattr(after, each.name) for each in fields(after) if each.name in after.arrays()}
    back = {name: _back(node, value, shape, sent) for name, value in arrays.items() if value.ndim}
    return with_arrays(after, back) if back else after


def _back(node: Permute | Reshape | Flatten, value: Array, shape: tuple[int, ...], sent: tuple[int, ...]) -> Array:
    if value.size == 1:
        return value.reshape(())
    full = np.broadcast_to(value, sent)
    return full.transpose(np.argsort(node.axes)) if isinstance(node, Permute) else full.reshape(shape)
