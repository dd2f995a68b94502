"""What sections are made of: figures and tables with their numbers and captions, legends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count

from .contents import Table
from .markup import Html, element, joined
from .svg import Draw, chart

NOTHING = Html("")
LONG, TEXT = 18, 60
"""A column with a text of more characters may break it over lines; one with still more gets more room."""


@dataclass(frozen=True)
class Numbers:
    """Counts the figures and the tables of a page."""

    figures: count[int] = field(default_factory=lambda: count(1))
    tables: count[int] = field(default_factory=lambda: count(1))

    def drawing(self, caption: str, alt: str, draw: Draw, legend: Html = NOTHING) -> Html:
        """A chart above its caption; the alternative text says what one sees."""
        number = next(self.figures)
        return drawing(number, caption, legend, chart(f"fig{number}", alt, draw))

    def table(self, made: Table, *, total: bool = False) -> Html:
        """A table below its caption; nothing where it has no rows. With `total` the last row is the sum."""
        if not made.rows:
            return Html("")
        number = next(self.tables)
        name = f"table{number}"
        caption = element("figcaption", element("b", f"Table {number}. "), made.caption, id=name)
        return element("figure", caption, scrolling(made, name, total=total), class_="tabular")


def drawing(number: int, caption: str, *drawn: Html) -> Html:
    """A figure: what is drawn, and what one sees there."""
    below = element("figcaption", element("b", f"Figure {number}. "), caption)
    return element("figure", *drawn, below, class_="drawing")


def references(made: Table, numbers: Numbers) -> tuple[Html, Html]:
    """The table with a number for each source, and the sources below it."""
    place = made.columns.index("Source")
    sources = list(dict.fromkeys(row[place] for row in made.rows))
    links = {each: element("a", f"[{index}]", href=f"#source-{index}") for index, each in enumerate(sources, 1)}
    rows = tuple((*row[:place], links[row[place]], *row[place + 1 :]) for row in made.rows)
    listed = (element("li", each, id=f"source-{index}") for index, each in enumerate(sources, 1))
    return numbers.table(Table(made.caption, made.columns, rows)), element("ol", *listed, class_="references")


def scrolling(made: Table, name: str, *, total: bool = False) -> Html:
    """A table in a box that scrolls where the page is too narrow for it."""
    numeric = [title.startswith(">") for title in made.columns]
    longest = [max(map(_length, column)) for column in zip(*made.rows, strict=True)]
    kinds = ["number" if n else _class(length) for n, length in zip(numeric, longest, strict=True)]
    heads = [
        element("th", title.removeprefix(">"), scope="col", class_="number" if is_number else None)
        for title, is_number in zip(made.columns, numeric, strict=True)
    ]
    last = len(made.rows) - 1
    rows = (_row(row, kinds, "total" if total and index == last else None) for index, row in enumerate(made.rows))
    inner = element(
        "table", element("thead", element("tr", *heads)), element("tbody", joined(rows)), aria_labelledby=name
    )
    return element("div", inner, class_="scroll", tabindex="0", role="region", aria_labelledby=name)


def _length(text: str) -> int:
    """Characters; a link is short."""
    return 0 if isinstance(text, Html) else len(text)


def _class(length: int) -> str | None:
    return "text" if length > TEXT else "long" if length > LONG else None


def _row(row: tuple[str, ...], kinds: list[str | None], class_: str | None) -> Html:
    first, *rest = row
    head = _class(_length(first))
    cells = [element("td", text, class_=_kind(text, kind)) for text, kind in zip(rest, kinds[1:], strict=True)]
    return element("tr", element("th", first, scope="row", class_=head), *cells, class_=class_)


def _kind(text: str, kind: str | None) -> str | None:
    return text if text in ("wins", "loses") else kind


def legend(entries: Iterable[tuple[str, str]]) -> Html:
    """Colours, by role, with what they stand for."""
    found = (
        element("li", element("span", class_="swatch", style=f"background: var(--{role})"), text)
        for role, text in entries
    )
    return element("ul", *found, class_="legend")


def marks(entries: Iterable[tuple[str, str, str]]) -> Html:
    """Marks, each with the class that colours it, with what they stand for."""
    found = (
        element("li", element("span", mark, class_=f"mark {class_}", aria_hidden="true"), text)
        for mark, class_, text in entries
    )
    return element("ul", *found, class_="legend")


def section(name: str, title: str, *parts: Html) -> Html:
    """A section with its heading; `name` is what a link says."""
    return element("section", element("h2", title), *parts, id=name, aria_label=title)


def paragraph(*parts: str, class_: str | None = None) -> Html:
    """A paragraph."""
    return element("p", *parts, class_=class_)
