"""Axes that all charts share: a row for each name, energies with their units along the bottom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from .svg import COLOUR, STYLE, WIDE
from .text import UNITS, short, shortened

LETTER = 0.074
"""The width of a letter in inches, of the widest font that a reader may have."""
FAR = 12.0
"""A largest value so many times the smallest asks for a logarithmic axis."""


def rows(
    width: float, names: Sequence[str], row: float = 0.27, right: float = 0.2, places: Sequence[float] | None = None
) -> tuple[Figure, Any]:
    """A figure with a row for each name, the first one at the top; `places` says where rows are that are not even."""
    places = range(len(names)) if places is None else places
    end = max(places, default=0) + 1
    most = max((len(name) for name in names), default=1)
    left = min(most * LETTER + 0.14, width * 0.34)
    high = row * end + 0.62
    with mpl.rc_context(STYLE):
        made = Figure(figsize=(width, high))
        axes = made.add_axes((left / width, 0.52 / high, (width - left - right) / width, 1 - 0.62 / high))
        axes.set_ylim(end - 0.5, -0.5)
        axes.set_yticks(places, [shortened(name, int((left - 0.14) / LETTER + 0.5)) for name in names])
        axes.grid(axis="x")
    return made, axes


def along_energy(axes: Any, values: Iterable[float], label: str, *, zero: bool = False) -> None:
    """Energies along the bottom: from 0, or logarithmic where they lie far apart and nothing has to begin at 0."""
    _along(axes, [value for value in values if value > 0], zero, _energy_tick)
    axes.set_xlabel(label)


def along_share(axes: Any, values: Iterable[float], label: str) -> None:
    """Shares in percent along the bottom, logarithmic where they lie far apart."""
    _along(axes, [value for value in values if value > 0], False, lambda value, _: f"{value * 100:g} %")
    axes.set_xlabel(label)


def along_count(axes: Any, label: str) -> None:
    """Counts along the bottom, from 0."""
    axes.xaxis.set_major_locator(_few(axes))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axes.set_xlim(left=0)
    axes.set_xlabel(label)


def _along(axes: Any, found: list[float], zero: bool, tick: Any) -> None:
    least, most = min(found, default=1.0), max(found, default=1.0)
    if not zero and most / least > FAR:
        axes.set_xscale("log")
        axes.set_xlim(least / 1.6, most * 1.6)
        axes.xaxis.set_major_locator(LogLocator(10, numticks=4 if _slim(axes) else 8))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_xlim(0, most * 1.08)
        axes.xaxis.set_major_locator(_few(axes))
    axes.xaxis.set_major_formatter(FuncFormatter(tick))


def _few(axes: Any) -> MaxNLocator:
    """Round places, three on a phone."""
    return MaxNLocator(3 if _slim(axes) else 6, steps=[1, 2, 2.5, 5, 10])


def _slim(axes: Any) -> bool:
    return bool(axes.figure.get_figwidth() < WIDE)


def _energy_tick(pj: float, _: object) -> str:
    if pj == 0:
        return "0"
    unit, size = next(((unit, size) for unit, size in UNITS if abs(pj) >= size * 0.99995), UNITS[-1])
    return f"{pj / size:.4g} {unit}"


def percent_tick(axes: Any) -> None:
    """0 to 100 %."""
    axes.set_xlim(0, 1)
    places = (0, 0.5, 1) if _slim(axes) else (0, 0.25, 0.5, 0.75, 1)
    axes.set_xticks(places, [f"{place * 100:g} %" for place in places])


def stack(axes: Any, y: float, parts: Iterable[tuple[str, float]], height: float = 0.66) -> None:
    """Bars end to end, each in the colour of its kind, with a hair of the page between them."""
    left = 0.0
    for kind, value in parts:
        axes.barh(y, value, height, left, color=COLOUR[kind], edgecolor=COLOUR["surface"], linewidth=0.8)
        left += value


def beyond(axes: Any, y: float, x: float, text: str) -> None:
    """A number behind a bar."""
    place = {"textcoords": "offset points", "va": "center_baseline", "ha": "left"}
    axes.annotate(text, (x, y), (4, 0), fontsize=8.5, color=COLOUR["muted"], annotation_clip=False, **place)
