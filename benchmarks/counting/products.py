"""Products of two signals: a pair counts as effective where neither of them is 0, in the same step and sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...toolchain.graph import Carries
from ...toolchain.graph.nodes.merge import aligned
from ..operations import Ops, Pairs
from .layer import Added, Layer, Place, Seen, by_class

Array = npt.NDArray[Any]
Rule = Callable[[Sequence[Array], int | None], tuple[Array, Array]]
"""(operands [n, *shape], the operand whose magnitudes count) → effective pairs, and Σ |n| over them, [n] each."""


def multiplied(place: Place) -> Layer:
    """Π_k x_k: a pair for each value and each operand after the first."""
    return _product(place, place.sent.size * (len(place.received) - 1), value_by_value)


def matrix_product(place: Place) -> Layer:
    """[.., M, K] · [.., K, N]: M·K·N pairs for each pair of matrices."""
    return _product(place, place.sent.size * place.received[0].shape[-1], row_by_column)


def _product(place: Place, dense: int, rule: Rule) -> Layer:
    carried = [signal.carries for signal in place.received]
    kind, counted = cheapest(carried)

    def count(seen: Seen) -> Ops:
        effective = seen.more["effective"]
        spikes = effective if kind.binary else seen.more["spikes"]
        pairs = Pairs(dense * seen.steps, dense * seen.steps, effective, effective, 0 if kind.graded else spikes)
        return Ops(**by_class(kind, pairs), received=seen.received, events=seen.events)

    name = getattr(place.node, "operation", "")
    return Layer(place.facts("products", name), count, witness=lambda batch, _: ProductWitness(rule, counted, batch))


def cheapest(carried: Sequence[Carries]) -> tuple[Carries, int | None]:
    """What a product's operands carry, as far as its cost goes, and the operand of small integers that sets it."""
    spikes = next((each for each in carried if each.binary), None)
    if spikes is not None:
        return spikes, None
    whole = next((place for place, each in enumerate(carried) if not each.graded), None)
    return (carried[0], None) if whole is None else (carried[whole], whole)


def value_by_value(operands: Sequence[Array], counted: int | None) -> tuple[Array, Array]:
    """x_0·x_1, and that with x_2, and so on: each a pair where neither side is 0."""
    whole = aligned(operands)
    shape = np.broadcast_shapes(*(x.shape for x in whole))
    alive, times = np.broadcast_to(whole[0] != 0, shape), np.zeros(shape, np.int64)
    for x in whole[1:]:
        alive = alive & (x != 0)
        times += alive
    size = np.zeros((1,) * len(shape)) if counted is None else np.abs(whole[counted])
    sides = tuple(range(1, len(shape)))
    return times.sum(sides), (times * size).sum(sides)


def row_by_column(operands: Sequence[Array], counted: int | None) -> tuple[Array, Array]:
    """Σ_k (how many of a[:, k] are not 0) · (how many of b[k, :] are not 0)."""
    a, b = aligned(operands)
    columns, rows = (a != 0).sum(-2, dtype=np.int64), (b != 0).sum(-1, dtype=np.int64)
    sizes = [columns.astype(np.float64), rows.astype(np.float64)]
    if counted is not None:
        sizes[counted] = np.abs((a, b)[counted]).sum((-2, -1)[counted], dtype=np.float64)
    pairs, magnitudes = columns * rows, sizes[0] * sizes[1]
    sides = tuple(range(1, pairs.ndim))
    return pairs.sum(sides), magnitudes.sum(sides) if counted is not None else np.zeros(len(pairs))


class ProductWitness:
    """Looks at all operands of a step at once."""

    def __init__(self, rule: Rule, counted: int | None, batch: int) -> None:
        """Nothing has come in.

        Args:
            rule: how pairs are made of the operands.
            counted: the operand of small integers, if the product's cost is theirs.
            batch: how many samples.
        """
        self.rule, self.counted, self.added = rule, counted, Added(batch)

    def see(self, windows: Sequence[Array]) -> None:
        """Count a window."""
        rows = [window.reshape(math.prod(window.shape[:2]), *window.shape[2:]) for window in windows]
        effective, spikes = self.rule(rows, self.counted)
        self.added.add("effective", effective)
        self.added.add("spikes", spikes)

    def found(self) -> Mapping[str, Array]:
        """effective, spikes."""
        return self.added.sums
