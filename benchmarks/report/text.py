"""Numbers and names as a reader sees them: one unit for a column, no digit more than it bears, nothing invisible."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

UNITS = (("J", 1e12), ("mJ", 1e9), ("µJ", 1e6), ("nJ", 1e3), ("pJ", 1.0))
"""Units of energy, and how many picojoules each is."""


@dataclass(frozen=True)
class Scale:
    """The unit of a column.

    Args:
        unit: its name.
        pj: how many picojoules it is.
        digits: how many digits follow the point, in every row the same.
    """

    unit: str
    pj: float
    digits: int

    def text(self, pj: float) -> str:
        """A number in this unit; one too small for its digits says so and is not shown as 0."""
        least = 10.0**-self.digits
        if 0 < pj < least / 2 * self.pj:
            return f"<{least:.{self.digits}f}"
        return f"{pj / self.pj:,.{self.digits}f}"

    def either(self, pj: float, sd: float | None) -> str:
        """A mean of four digits and, where there is one, its standard deviation as precisely: 0.431 ± 0.052."""
        before = len(f"{pj / self.pj:.0f}")
        own = replace(self, digits=min(self.digits, max(0, 4 - before)))
        return own.text(pj) if sd is None else f"{own.text(pj)} ± {own.text(sd)}"


def scale(values: Iterable[float]) -> Scale:
    """The unit in which the smallest of some energies is at least 1 and has four digits.

    What counts as the smallest is at least a hundred-thousandth of the largest; below that digits are lost.
    """
    found = [value for value in values if value > 0]
    least = max(min(found, default=1.0), max(found, default=1.0) * 1e-5)
    unit, pj = next(((unit, pj) for unit, pj in UNITS if least >= pj * 0.99995), UNITS[-1])
    before = max(1, math.floor(math.log10(least / pj)) + 1)
    return Scale(unit, pj, min(3, max(0, 4 - before)))


def energy(pj: float) -> str:
    """One energy with its unit and four digits."""
    own = scale([pj])
    return f"{own.text(pj)} {own.unit}"


def whole(number: float) -> str:
    """A count with commas; a count that a rate made need not be whole."""
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.1f}"


def short(number: float) -> str:
    """A count in three digits: 8.08 G. Thousands are 10³ and never 1024."""
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= 0.9995 * size:
            return f"{number / size:.3g} {unit}"
    return f"{number:.3g}"


def percent(share: float, digits: int = 2) -> str:
    """A share in percent; one that is too small says so."""
    least = 10.0**-digits
    if 0 < share * 100 < least / 2:
        return f"<{least:.{digits}f} %"
    return f"{share * 100:.{digits}f} %"


def times(ratio: float) -> str:
    """A ratio with three digits."""
    if not math.isfinite(ratio):
        return "–"
    return f"{ratio:,.0f}×" if ratio >= 100 else f"{ratio:.3g}×"


def constant(pj: float) -> str:
    """What one operation costs, with all the digits that a source gives."""
    return f"{pj:.6g}"


def printable(text: str) -> str:
    r"""A text in which every character can be seen: line ends, controls and marks of direction as \n, \x07, \u202e."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def shortened(text: str, most: int) -> str:
    """At most so many characters; what is left out, out of the middle, is marked."""
    text = printable(text)
    if len(text) <= most:
        return text
    tail = (most - 1) // 2
    return f"{text[: most - 1 - tail]}…{text[len(text) - tail :]}"


def listed(names: Iterable[str]) -> str:
    """Names with commas, or semicolons where names have commas, and an "and" before the last."""
    *most, last = names
    comma = "; " if any("," in each for each in (*most, last)) else ", "
    return f"{comma.join(most)} and {last}" if most else last
