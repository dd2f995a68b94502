"""What a name of an ONNX graph stands for while it is read: a signal, a constant, or nothing that could be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...toolchain.graph.nodes.base import Array, need
from .layout import Layout

BATCHES = (1_000_003, 1_000_033)
"""Two batch sizes that stand for any: what comes out the same for both depends on neither. Primes, so that a size which
has the batch in it is told from one that has not."""


@dataclass(frozen=True, eq=False)
class Signal:
    """What a node of the graph sends.

    Args:
        node: the node.
        layout: its axes in the file.
        kind: the type it has in the file, as `float32`, `bool` or `int8`.
    """

    node: str
    layout: Layout
    kind: str = "float32"

    @property
    def real(self) -> bool:
        """Whether it is a floating-point number in the file."""
        return "float" in self.kind


@dataclass(frozen=True, eq=False)
class Constant:
    """A value that is known, for each of the two batch sizes; nearly always the same for both.

    Args:
        value: for the first.
        second: for the second; the same array where it does not depend on the batch.
    """

    value: Array
    second: Array

    @property
    def fixed(self) -> bool:
        """Whether it is the same for every batch."""
        return self.second is self.value

    def plain(self, what: str = "a constant") -> Array:
        """The value, which must not depend on the batch."""
        expected = "one that is the same for every batch"
        fix = "read it with --batch-axis none"
        need(self.fixed, "batch", f"{what} worked out from the size of the batch", expected, fix)
        return self.value


@dataclass(frozen=True)
class Lost:
    """What could not be read; the reason is noted already."""


Value = Signal | Constant | Lost
LOST = Lost()


def known(value: Array) -> Constant:
    """A constant that is the same for every batch."""
    return Constant(value, value)


def worked_out(function: Callable[..., Array], parts: Sequence[Constant]) -> Constant:
    """The function of constants, for both batch sizes."""
    value = function(*(part.value for part in parts))
    if all(part.fixed for part in parts):
        return known(value)
    return paired(value, function(*(part.second for part in parts)))


def paired(value: Array, second: Array) -> Constant:
    """A constant from its two values."""
    same = value.shape == second.shape and value.dtype == second.dtype and np.array_equal(value, second)
    return known(value) if same else Constant(value, second)
