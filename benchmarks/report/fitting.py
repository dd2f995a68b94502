"""Tables that fit a terminal: numbers are never broken, and where there is no room a smaller table stands in.

natural width of a column   its longest cell or title
least width                 numbers: the longest cell, and the longest word of the title
                            text: its longest word, and no more than `WORD` letters of that
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.rule import Rule
from rich.text import Text

from ...toolchain.tables import table
from .contents import Table
from .text import printable

GAP = 3
"""Columns of the terminal between two columns of a table."""
WORD = 24
"""Words of text up to this length are not broken."""


@dataclass(frozen=True)
class Fitting:
    """The first of some tables that fits, under its caption; nothing where it has no rows.

    Args:
        tables: the one with everything first, the smallest last.
    """

    tables: tuple[Table, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table, each of whose columns has the width that it needs."""
        room = options.max_width
        made = next((each for each in self.tables if _needed(_least(each)) <= room), self.tables[-1])
        if made.rows:
            yield _drawn(made, widths(made, room))


@dataclass(frozen=True)
class Cut:
    """One line, made for the columns that there are.

    Args:
        made: the line for a number of columns.
    """

    made: Callable[[int], str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The line."""
        yield Text(self.made(options.max_width), no_wrap=True)


def widths(made: Table, room: int) -> list[int]:
    """As wide as each column would like to be; what is too much is taken off the widest that can give."""
    least, found = _least(made), _natural(made)
    while _needed(found) > room:
        giving = [index for index, width in enumerate(found) if width > least[index]]
        if not giving:
            break
        found[max(giving, key=lambda index: found[index])] -= 1
    return found


def _drawn(made: Table, found: Sequence[int]) -> Group:
    rows = [tuple(map(printable, row)) for row in made.rows]
    drawn = table(tuple(map(printable, made.columns)), rows)
    for column, width in zip(drawn.columns, found, strict=True):
        column.width, column.no_wrap = width, False
    head = Text(printable(made.caption.split(". ")[0].rstrip(".")))
    return Group(Text(), Rule(head, align="left", characters="─", style="none"), drawn)


def _needed(found: Sequence[int]) -> int:
    return sum(found) + GAP * (len(found) - 1)


def _natural(made: Table) -> list[int]:
    return [max(map(cell_len, (title.removeprefix(">"), *cells))) for title, cells in _columns(made)]


def _least(made: Table) -> list[int]:
    return [max(_longest(title.removeprefix(">")), *_cells(title, cells)) for title, cells in _columns(made)]


def _cells(title: str, cells: Sequence[str]) -> list[int]:
    """The least width of each cell."""
    if title.startswith(">"):
        return [0, *map(cell_len, cells)]
    return [0, *(min(WORD, _longest(cell)) for cell in cells)]


def _longest(text: str) -> int:
    """The length of the longest word."""
    return max(map(cell_len, text.split()), default=0)


def _columns(made: Table) -> list[tuple[str, tuple[str, ...]]]:
    cells = zip(*(map(printable, row) for row in made.rows), strict=True)
    return list(zip(map(printable, made.columns), map(tuple, cells), strict=True)) if made.rows else []
