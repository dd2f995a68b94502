"""What lava-dl's loader makes of a matrix of integers, and which integers make it build a given synapse.

The loader shifts a matrix W up until it fills eight bits, W' = W·2ᵏ, and gives Lava W', the exponent −k and the number
of bits that are left, so that (W'·x)·2⁻ᵏ = W·x. Lava then clips W' to the range of its signs and cuts its low bits off.
For most matrices nothing is lost. All zeros make the loader fail; what is beyond the range becomes zeros; and where all
weights are negative, or none is positive, powers of two do not survive.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..toolchain.graph.arrays import NARROW
from ..toolchain.graph.nodes.base import Array
from ..toolchain.loihi.arithmetic import held_weights, sign_mode
from ..toolchain.loihi.processes import DelayDense, Dense
from ..toolchain.loihi.processes.synapses import Matrix

LEAST, MOST = -256, 254
"""Where the loader clips weights of both signs."""
FULL = 8
"""Bits of a weight."""


class NotLoaded(Exception):
    """A matrix that the loader fails on, or turns into another."""


@dataclass(frozen=True, eq=False)
class Form:
    """How the loader hands a matrix to Lava.

    Args:
        weight: W'.
        exponent: −k.
        bits: of a weight.
    """

    weight: Array
    exponent: int
    bits: int

    @property
    def held(self) -> Array:
        """The weights that Lava's synapse holds."""
        return held_weights(self.weight, sign_mode(self.weight), self.bits)

    def dense(self, message_bits: int, *, exponent: int | None = None) -> Dense:
        """The same as a node; in the form Lava is given where a node can have it, else in one that does the same."""
        shown = self.exponent if exponent is None else exponent
        if 1 <= self.bits <= FULL:
            return Dense(weight=self.weight, exponent=shown, bits=self.bits, message_bits=message_bits)
        held = self.held
        both = sign_mode(held) == "mixed" and bool(np.any(held % 2))
        return Dense(weight=held, exponent=shown, bits=FULL + 1 if both else FULL, message_bits=message_bits)


def loaded(weight: Array) -> Form:
    """The loader's `optimize_weight_bits`, restated.

    Raises:
        NotLoaded: where the loader fails.
    """
    values = weight if weight.dtype in NARROW else np.asarray(weight, np.int64)
    if not np.any(values):
        raise NotLoaded("all weights are zero, on which lava-dl's loader fails")
    low, high = int(values.min()), int(values.max())
    if (high > MOST and low < 0) or (low < LEAST and high > 0):
        values = np.clip(values, LEAST, MOST)
        low, high = int(values.min()), int(values.max())
    mixed = low < 0 <= high
    alone = -256 / low if high < 0 else 255 / high if high else math.inf
    up = math.floor(math.log2(min(127 / high if high else math.inf, -128 / low) if mixed else alone)) + mixed
    even = next((n for n in range(8, 0, -1) if not np.any(values % (1 << n))), 0) - mixed
    shifted = values if up == 0 else values.astype(np.int32) << up if up > 0 else np.zeros_like(values)
    return Form(shifted, -up, FULL - up - even)


def loaded_pair(weight: Array, recurrent: Array) -> tuple[Form, Form]:
    """What the loader makes of the two matrices of a recurrent layer: one exponent and one number of bits for both."""
    both = loaded(np.hstack([weight, recurrent]))
    width = weight.shape[1]
    return replace(both, weight=both.weight[:, :width]), replace(both, weight=both.weight[:, width:])


def plain_weights(node: Matrix) -> Iterator[Array]:
    """Integer matrices that may make the loader build this synapse, the likely one first.

    Raises:
        NotLoaded: when there is none.
    """
    none = True
    for matrix in ("held", "weight"):
        found = _raised(getattr(node, matrix), node.exponent)
        if found is not None:
            none = False
            yield found
    if none:
        raise NotLoaded(f"weights times 2^{node.exponent} are no integers, and a file holds integers alone")


def _raised(matrix: Array, exponent: int) -> Array | None:
    """M·2ᵉ where that is whole."""
    if exponent >= 0:
        return matrix if exponent == 0 else matrix.astype(np.int64) << exponent
    matrix = matrix.astype(np.int64)
    return None if np.any(matrix % (1 << -exponent)) else matrix >> -exponent


def same(node: Matrix, other: Matrix) -> bool:
    """Whether two synapses send the same for every input: W·2ᵉ is equal and whole, or all there is to them is equal."""
    if isinstance(node, DelayDense) and not _same_delays(node, other):
        return False
    if node.exponent == other.exponent:
        return np.array_equal(node.held, other.held)
    mine, its = _raised(node.held, node.exponent), _raised(other.held, other.exponent)
    return mine is not None and its is not None and np.array_equal(mine, its)


def _same_delays(node: DelayDense, other: Matrix) -> bool:
    return isinstance(other, DelayDense) and not np.any((node.delay != other.delay) & (node.held != 0))


def file_weights(node: Matrix) -> Array:
    """The integers to write, so that the loader builds this synapse.

    Raises:
        NotLoaded: when there are none.
    """
    if not np.any(node.held):
        raise NotLoaded("all weights are zero, on which lava-dl's loader fails")
    for matrix in plain_weights(node):
        if same(_undelayed(node), loaded(matrix).dense(node.message_bits)):
            return node.weight if np.array_equal(matrix, node.weight) else matrix
    raise NotLoaded(_why(next(plain_weights(node))))


def file_weights_of_pair(node: Matrix, recurrent: Matrix, *, shifted: bool = False) -> tuple[Array, Array]:
    """The integers of a recurrent layer; `shifted` where delays make the loader forget the exponent.

    Raises:
        NotLoaded: when there are none.
    """
    first, second = next(plain_weights(node)), next(plain_weights(recurrent))
    for down in range(FULL + 1 if shifted else 1):
        pair = _lowered(first, down), _lowered(second, down)
        if pair[0] is None or pair[1] is None or not (np.any(pair[0]) or np.any(pair[1])):
            continue
        exponent = 0 if shifted else None
        built = [form.dense(node.message_bits, exponent=exponent) for form in loaded_pair(pair[0], pair[1])]
        if same(_undelayed(node), built[0]) and same(_undelayed(recurrent), built[1]):
            return pair[0], pair[1]
    raise NotLoaded(_why(np.hstack([first, second])) + ", both matrices of a recurrent layer together")


def _lowered(matrix: Array, bits: int) -> Array | None:
    return _raised(matrix, -bits)


def _undelayed(node: Matrix) -> Matrix:
    """The synapse without its delays, to compare weights alone."""
    return Dense(weight=node.weight, exponent=node.exponent, bits=node.bits, message_bits=node.message_bits)


def _why(matrix: Array) -> str:
    low, high = int(matrix.min()), int(matrix.max())
    least, most = (LEAST, MOST) if low < 0 < high else (-255, 255)
    if low < least or high > most:
        return f"weights of {low}..{high}, where the loader holds {least}..{most}"
    built = loaded(matrix)
    lost = np.argwhere(built.held.astype(np.float64) * 2.0**built.exponent != matrix)
    if not len(lost):
        return "weights that the loader adds up in another form, with other rounding"
    place = tuple(int(index) for index in lost[0])
    other = built.held[place] * 2.0**built.exponent
    return f"weight {matrix[place]} at {list(place)}, of which the loader makes {other:g}"
