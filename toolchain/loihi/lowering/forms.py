"""Each path as one synapse in floating point: a convolution, the identity, or a matrix, with moves before and behind.

Moves (flatten, reshape, permute) at the ends of a path take no arithmetic: they become joins of ports. What is left
is one convolution where it is one, the identity times a number where nothing is left, and otherwise the matrix whose
columns are what the path makes of each unit vector.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ...errors import SpikeportError
from ...graph.nodes import Affine, Flatten, Permute, Reshape, Scale
from ...graph.nodes.base import Array
from .convolutions import Convolution, convolution
from .paths import Op, Path, Shape

MOST_MATRIX = 1 << 24
"""The most weights of one matrix: 128 MB as the chip graph holds them."""

CHUNK = 1 << 22
"""Values that go through a path at once while its matrix is made."""


@dataclass(frozen=True)
class Move:
    """A transpose, and then a reshape.

    Args:
        shape: the new shape.
        axes: the order of the axes before the reshape; none to leave them.
    """

    shape: Shape
    axes: tuple[int, ...] | None = None


@dataclass(frozen=True, eq=False)
class Form:
    """One synapse.

    Args:
        name: what to call it: the last node with weights on its path, else the target.
        source: the node that sends.
        delay: steps that the path takes in the graph.
        before: moves in front of it.
        map: a convolution, or a matrix (out, in).
        after: moves behind it.
    """

    name: str
    source: str
    delay: int
    before: tuple[Move, ...]
    map: Convolution | Array
    after: tuple[Move, ...]

    @property
    def weight(self) -> Array:
        """The weights in floating point, as precise as the graph has them; the outputs (or output channels) first."""
        return self.map.weight if isinstance(self.map, Convolution) else self.map


MOVES = (Flatten, Reshape, Permute)


def form(path: Path, sends: Shape, target: str, receives: Shape) -> Form | SpikeportError:
    """The synapse of a path from a source that sends one shape to a target that receives another."""
    ops, factor = _without_factors(path.ops)
    first = next((i for i, op in enumerate(ops) if not isinstance(op.node, MOVES)), len(ops))
    last = next((i for i in range(len(ops), first, -1) if not isinstance(ops[i - 1].node, MOVES)), first)
    before, middle, after = ops[:first], ops[first:last], ops[last:]
    shape = before[-1].sent if before else sends
    weighted = [op.name for op in middle if op.node is not None]
    name = weighted[-1] if weighted else f"{path.source}.to.{target}"
    if not middle:
        return _identity(name, path, sends, ops, factor, receives)
    conv = convolution(middle)
    if conv is not None:
        put = _reshaped(shape, conv.received)
        back = _reshaped(conv.sent, middle[-1].sent)
        scaled = replace(conv, weight=_scaled(conv.weight, factor))
        ahead, behind = settled(sends, (*_moves(before), *put)), settled(conv.sent, (*back, *_moves(after)))
        return Form(name, path.source, path.delay, ahead, scaled, behind)
    inward, outward = math.prod(shape), math.prod(middle[-1].sent)
    if inward * outward > MOST_MATRIX:
        found = f"linear layers from {path.source} that are a matrix of {outward} × {inward}"
        fix = "put a neuron between the layers, or make one convolution of them"
        return SpikeportError(weighted[-1] if weighted else target, found, f"at most {MOST_MATRIX} weights", fix)
    matrix = _scaled(_matrix(middle, shape), factor)
    put, back = _reshaped(shape, (inward,)), _reshaped((outward,), middle[-1].sent)
    ahead, behind = settled(sends, (*_moves(before), *put)), settled((outward,), (*back, *_moves(after)))
    return Form(name, path.source, path.delay, ahead, matrix, behind)


def settled(shape: Shape, moves: tuple[Move, ...]) -> tuple[Move, ...]:
    """The moves, or none where they only give a shape that was there before."""
    there_and_back = all(move.axes is None for move in moves) and bool(moves) and moves[-1].shape == shape
    return () if there_and_back else moves


def times(given: Form, factor: float) -> Form:
    """The synapse with all weights multiplied."""
    held = given.map
    if isinstance(held, Convolution):
        return replace(given, map=replace(held, weight=_scaled(held.weight, factor)))
    return replace(given, map=_scaled(held, factor))


def _scaled(weight: Array, factor: float) -> Array:
    """The weights times a factor, in float64; the very same array, in its own type, for a factor of 1."""
    return weight if factor == 1 else weight.astype(np.float64) * factor


def _without_factors(ops: tuple[Op, ...]) -> tuple[tuple[Op, ...], float]:
    """The maps without those that only multiply by one number, and that number."""
    kept, factor = [], 1.0
    for op in ops:
        if isinstance(op.node, Scale) and op.node.scale.size == 1:
            factor *= float(op.node.scale.reshape(()))
        else:
            kept.append(op)
    return tuple(kept), factor


def _identity(name: str, path: Path, sends: Shape, ops: tuple[Op, ...], factor: float, receives: Shape) -> Form:
    """A kernel of one value over all values in a row."""
    line = (1, 1, math.prod(sends))
    conv = Convolution(np.full((1, 1, 1, 1), factor), (1, 1), (0, 0), (1, 1), 1, line, line)
    moves = _moves(ops)
    put = _reshaped(moves[-1].shape if moves else sends, line)
    return Form(name, path.source, path.delay, (*moves, *put), conv, _reshaped(line, receives))


def _moves(ops: tuple[Op, ...]) -> tuple[Move, ...]:
    moves: list[Move] = []
    for op in ops:
        if isinstance(op.node, Permute):
            moves.append(Move(op.sent, op.node.axes))
        elif moves:
            moves[-1] = Move(op.sent, moves[-1].axes)
        else:
            moves.append(Move(op.sent))
    return tuple(moves)


def _reshaped(shape: Shape, wanted: Shape) -> tuple[Move, ...]:
    return () if shape == wanted else (Move(wanted),)


def _matrix(ops: tuple[Op, ...], shape: Shape) -> Array:
    """What the maps make of each unit vector, (out, in)."""
    if len(ops) == 1 and isinstance(ops[0].node, Affine) and len(shape) == 1:
        weight: Array = ops[0].node.weight
        return weight
    size, widest = math.prod(shape), max(math.prod(op.sent) for op in ops)
    at_once = max(1, CHUNK // max(size, widest))
    columns = []
    for first in range(0, size, at_once):
        x = np.eye(min(at_once, size - first), size, first).reshape(-1, *shape)
        for op in ops:
            x = op(x)
        columns.append(x.reshape(len(x), -1))
    return np.ascontiguousarray(np.concatenate(columns).T)
