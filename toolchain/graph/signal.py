"""What travels on an edge: a shape, and whether its values are spikes, small integers or real numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import GraphError

MOST = 65535
"""The largest magnitude that still counts as a small integer; beyond it a signal is graded."""

_INTEGER = re.compile(r"int\[(-?\d{1,9}),(-?\d{1,9})\]")


@dataclass(frozen=True)
class Carries:
    """The set of values an edge may carry: {0, 1}, the integers low..high, or any real number.

    Whether a synapse accumulates or multiplies is read off here, never guessed from the values of a batch.

    Args:
        low: the smallest integer, or None for real numbers.
        high: the largest integer, or None for real numbers.
    """

    low: int | None = None
    high: int | None = None

    def __post_init__(self) -> None:
        if (self.low is None) != (self.high is None):
            raise GraphError("carries", f"bounds {self.low} and {self.high}", "two integers, or none")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise GraphError("carries", f"int[{self.low},{self.high}]", "the lower bound first")

    def __str__(self) -> str:
        if self.binary:
            return "spikes"
        return "graded" if self.graded else f"int[{self.low},{self.high}]"

    @property
    def graded(self) -> bool:
        """Real numbers."""
        return self.low is None

    @property
    def binary(self) -> bool:
        """Nothing but 0 and 1."""
        return self.low == 0 and self.high in (0, 1)

    @property
    def bounds(self) -> tuple[float, float]:
        """The smallest and the largest value."""
        if self.low is None or self.high is None:
            return (-math.inf, math.inf)
        return (self.low, self.high)

    def holds(self, other: Carries) -> bool:
        """Whether every value of `other` is one of these."""
        (low, high), (least, most) = self.bounds, other.bounds
        return low <= least and most <= high

    def or_zero(self) -> Carries:
        """These values and zero: what a delay, a pad or a first step adds."""
        return join([self, Carries(0, 0)])


SPIKES = Carries(0, 1)
GRADED = Carries()


def integers(low: float, high: float) -> Carries:
    """The integers low..high, or real numbers where that is no longer a small range."""
    if not (math.isfinite(low) and math.isfinite(high)) or max(abs(low), abs(high)) > MOST:
        return GRADED
    return Carries(int(low), int(high))


def join(parts: Iterable[Carries]) -> Carries:
    """The smallest set that holds every part's values."""
    bounds = [part.bounds for part in parts]
    return integers(min(low for low, _ in bounds), max(high for _, high in bounds))


def total(parts: Iterable[Carries]) -> Carries:
    """What a sum of one value of each part can be."""
    bounds = [part.bounds for part in parts]
    return integers(sum(low for low, _ in bounds), sum(high for _, high in bounds))


def product(parts: Iterable[Carries]) -> Carries:
    """What a product of one value of each part can be."""
    low, high = 1.0, 1.0
    for part in parts:
        if part.graded:
            return GRADED
        corners = [a * b for a in (low, high) for b in part.bounds]
        low, high = min(corners), max(corners)
    return integers(low, high)


def repeated(part: Carries, most: int) -> Carries:
    """What a sum of up to `most` values of one part can be (fewer at a border)."""
    low, high = part.bounds
    return integers(min(low * most, low, 0), max(high * most, high, 0)) if not part.graded else GRADED


def carries(text: str) -> Carries:
    """Read what `str(Carries)` prints: spikes, int[low,high] or graded."""
    if text == "spikes":
        return SPIKES
    if text == "graded":
        return GRADED
    match = _INTEGER.fullmatch(text)
    if match is None:
        raise GraphError("carries", f"'{text}'", "spikes, graded or int[low,high]")
    return integers(int(match[1]), int(match[2]))


@dataclass(frozen=True)
class Signal:
    """What an edge carries in one step, for one sample.

    Args:
        shape: the shape of one step of one sample, without time and batch.
        carries: the values that can occur.
    """

    shape: tuple[int, ...]
    carries: Carries = GRADED

    def __str__(self) -> str:
        return f"{self.carries} [{','.join(map(str, self.shape))}]"

    @property
    def size(self) -> int:
        """How many values."""
        return math.prod(self.shape)
