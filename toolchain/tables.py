"""How tables look: no frame, numbers to the right, nothing cut off, fit for 80 columns and for a pipe."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import JustifyMethod
from rich.table import Table

NAME = 20
"""Names of at most so many characters are not broken."""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table; a column whose title begins with '>' is set to the right.

    Text that is too long goes on below, but short names in the first column stay whole where another one can give way.
    """
    rows = list(rows)
    whole = max((len(row[0]) for row in rows), default=0) <= NAME
    made = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for index, title in enumerate(columns):
        side: JustifyMethod = "right" if title.startswith(">") else "left"
        made.add_column(title.removeprefix(">"), justify=side, overflow="fold", no_wrap=whole and index == 0)
    for row in rows:
        made.add_row(*map(_plain, row))
    return made


def markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The same in Markdown."""
    titles = [column.removeprefix(">").replace("\n", " ").replace("|", "\\|") for column in columns]
    sides = ["---:" if column.startswith(">") else "---" for column in columns]
    lines = [titles, sides, *([text.replace("|", "\\|") for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """Text in which rich finds no markup."""
    return text.replace("[", "\\[")


def count(number: int | None) -> str:
    """A whole number with commas; nothing for none and for 0, so that the eye finds what is there."""
    return f"{number:,}" if number else ""


def counted(number: int, noun: str) -> str:
    """How many of what: 1 step, 2 steps."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def number(value: float | None, digits: int = 4) -> str:
    """A real number with so many significant digits; nothing for none."""
    return "" if value is None else f"{value:.{digits}g}"


def known(value: float) -> float | None:
    """A number that JSON can say: none for NaN and infinities."""
    return float(value) if math.isfinite(value) else None


def by(shape: Sequence[int]) -> str:
    """A shape as 32×17×17; a single value is 1."""
    return "×".join(map(str, shape)) or "1"
