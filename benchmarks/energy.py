"""Energy: counts times constants, line by line, each line with the constant that it used.

E = Σ over lines of count · constant        in picojoules
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ..toolchain.errors import UsageError
from .profile import Constant

KINDS = ("synapses", "neurons", "bias", "reset", "elementwise", "memory", "addressing", "hops")
"""What a line can be about."""


@dataclass(frozen=True)
class Line:
    """So many operations of one layer, at so much each.

    Args:
        layer: the layer.
        kind: what it is about, out of `KINDS`.
        what: the operation in words: "AC", "MAC", "neuron update", "weight read" …
        count: how many; a rate times a number of operations need not be whole.
        constant: what one costs, with its source.
    """

    layer: str
    kind: str
    what: str
    count: float
    constant: Constant

    @property
    def pj(self) -> float:
        """Picojoules."""
        return self.count * self.constant.pj

    def __add__(self, other: Line) -> Line:
        return replace(self, count=self.count + other.count)


@dataclass(frozen=True)
class Energy:
    """What a rule bills for the counts of some samples; `pj`, `mj` and the tables are for one sample, the mean.

    Args:
        rule: the rule's name.
        profile: the profile's name.
        lines: what is billed, over all samples.
        samples: how many samples.
        unbilled: work that was counted or seen and that this rule has no line for, in words.
    """

    rule: str
    profile: str
    lines: tuple[Line, ...]
    samples: int = 1
    unbilled: tuple[str, ...] = ()

    def __add__(self, other: Energy) -> Energy:
        if (self.rule, self.profile) != (other.rule, other.profile):
            found, expected = (f"{each.rule} on {each.profile}" for each in (other, self))
            raise UsageError("energy", f"a sum of {found}", expected, "add energies of one rule and profile")
        lines: dict[tuple[str, str, str, Constant], Line] = {}
        for each in (*self.lines, *other.lines):
            key = (each.layer, each.kind, each.what, each.constant)
            lines[key] = lines[key] + each if key in lines else each
        unbilled = tuple(dict.fromkeys((*self.unbilled, *other.unbilled)))
        return Energy(self.rule, self.profile, tuple(lines.values()), self.samples + other.samples, unbilled)

    @property
    def pj(self) -> float:
        """Picojoules per sample."""
        return sum(line.pj for line in self.lines) / self.samples

    @property
    def mj(self) -> float:
        """Millijoules per sample."""
        return self.pj * 1e-9

    def by_layer(self) -> Mapping[str, float]:
        """Picojoules per sample, by layer."""
        return self._by(line.layer for line in self.lines)

    def by_kind(self) -> Mapping[str, float]:
        """Picojoules per sample, by kind of work."""
        return self._by(line.kind for line in self.lines)

    def _by(self, keys: Iterable[str]) -> Mapping[str, float]:
        found: dict[str, float] = {}
        for key, line in zip(keys, self.lines, strict=True):
            found[key] = found.get(key, 0.0) + line.pj / self.samples
        return found


@dataclass(frozen=True)
class Spread:
    """What several rules make of the same run: the honest uncertainty.

    Args:
        least: the smallest bill.
        most: the largest.
        ratio: most / least; infinite where the least is 0 and the most is not.
    """

    least: Energy
    most: Energy
    ratio: float


def spread(energies: Iterable[Energy]) -> Spread:
    """The least and the most that rules bill."""
    found = sorted(energies, key=lambda each: (each.pj, each.rule, each.profile))
    if not found:
        raise UsageError("spread", "no energies", "at least one", "bill the counts by some rule first")
    least, most = found[0].pj, found[-1].pj
    ratio = most / least if least else (float("inf") if most else 1.0)
    return Spread(found[0], found[-1], ratio)
