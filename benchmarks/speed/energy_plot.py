"""The curve of `spikeport bench energy`: seconds over samples, steps and layers, with a straight line through them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from ...toolchain.plot import COLOURS, MUTED, STYLE, save

PANEL = (3.2, 2.6)


def draw(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Writes the picture: a panel for each thing that grows."""
    panels = list(dict.fromkeys(row["curve"] for row in rows))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(PANEL[0] * len(panels), PANEL[1]), layout="constrained")
        for axes, what in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            lengths, spent = points(rows, what)
            offset, each = line(lengths, spent)
            ends = np.array([0, lengths.max()])
            axes.plot(ends, 1000 * (offset + each * ends), color=MUTED, linewidth=1)
            axes.plot(lengths, 1000 * spent, "o", color=COLOURS[0], markersize=5)
            axes.set(xlabel=what, title=f"{1000 * each:.3g} ms for each", xlim=(0, None), ylim=(0, None))
        figure.axes[0].set_ylabel("ms, with counting")
        save(figure, path)


def points(rows: Sequence[Mapping[str, Any]], what: str) -> tuple[Any, Any]:
    """How much of it there was, and the seconds."""
    found = [(row["n"], row["counted_s"]) for row in rows if row["curve"] == what]
    return np.array([n for n, _ in found], float), np.array([spent for _, spent in found], float)


def line(lengths: Any, spent: Any) -> tuple[float, float]:
    """Seconds at 0 and for each: the straight line of least squares."""
    each, offset = np.polyfit(lengths, spent, 1)
    return float(offset), float(each)


def straight(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """How straight each curve is: R² of its line."""
    said = []
    for what in dict.fromkeys(row["curve"] for row in rows):
        lengths, spent = points(rows, what)
        offset, each = line(lengths, spent)
        left = float(((spent - offset - each * lengths) ** 2).sum() / ((spent - spent.mean()) ** 2).sum())
        said.append(f"{what}: {1000 * each:.3g} ms for each, R² = {1 - left:.4f}")
    return said
