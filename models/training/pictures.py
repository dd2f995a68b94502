"""Pictures of a training: its curves over the epochs, and which class is taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ...toolchain.plot import COLOURS, LINE, MUTED, STYLE, save
from .judging import Judgement
from .results import Epoch, Trained, best_of

KINDS = (".png", ".svg")
CURVES, CONFUSION = "curves", "confusion"
PICTURES = tuple(f"{name}{kind}" for name in (CURVES, CONFUSION) for kind in KINDS)
SHADES = LinearSegmentedColormap.from_list("shades", ["#FFFFFF", "#56B4E9", "#0072B2"])
CELL, LEAST = 0.34, 3.4
"""Inches: of a class in the matrix, and of the smallest matrix."""
NUMBERED = 24
"""Of more classes only the shades are shown, not the numbers."""
LETTER = 0.075
"""The width of a letter in inches."""


def draw(folder: Path, found: Trained, class_names: Sequence[str]) -> None:
    """Writes both pictures, each as .png and .svg."""
    for name, drawn in ((CURVES, curves(found.history)), (CONFUSION, confusion(found.test, class_names))):
        for kind in KINDS:
            save(drawn, folder / f"{name}{kind}")


def curves(history: Sequence[Epoch]) -> Figure:
    """Losses, accuracies, and rate with spikes, over the epochs; the best one is marked."""
    numbers, best = [each.number for each in history], best_of(history)
    spiking = history[0].spikes is not None
    with mpl.rc_context(STYLE):
        made = Figure(figsize=(10, 3.1), layout="constrained")
        losses, accuracies, last = made.subplots(1, 3)
        _line(losses, numbers, [each.loss for each in history], "learned", 0)
        _line(losses, numbers, [each.validation_loss for each in history], "validation", 1)
        parts = list(history[0].parts)
        for place, part in enumerate(parts if len(parts) > 1 else []):
            _line(losses, numbers, [each.parts[part] for each in history], part, 2 + place, thin=True)
        _line(accuracies, numbers, [each.learned for each in history], "learned", 0)
        _line(accuracies, numbers, [each.accuracy for each in history], "validation", 1)
        accuracies.plot(best.number, best.accuracy, "o", color=COLOURS[1], markersize=6)
        accuracies.annotate(
            f"{best.accuracy:.1%}", (best.number, best.accuracy), (0, 6), textcoords="offset points", ha="center",
            color=LINE,
        )  # fmt: skip
        shown = [each.spikes or 0.0 for each in history] if spiking else [each.rate for each in history]
        _line(last, numbers, shown, "", 2)
        for axes, title in ((losses, "loss"), (accuracies, "accuracy"), (last, _last_title(spiking))):
            _dress(axes, title, percent=axes is accuracies or (axes is last and spiking))
        accuracies.set_ylim(0, 1.05)
    return made


def _last_title(spiking: bool) -> str:
    return "spikes per neuron and step" if spiking else "learning rate"


def _line(axes: Any, x: Sequence[int], y: Sequence[float], label: str, place: int, *, thin: bool = False) -> None:
    colour, again = COLOURS[place % len(COLOURS)], place >= len(COLOURS)
    form = "o" if len(x) < 2 else "--" if again else "-"
    axes.plot(x, y, form, color=colour, label=label, linewidth=0.9 if thin else 1.6, markersize=4)


def _dress(axes: Any, title: str, *, percent: bool) -> None:
    axes.set_title(title, fontweight="bold")
    axes.set_xlabel("epoch", color=MUTED)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_ylim(0, 1.04 * axes.get_ylim()[1])
    axes.grid(axis="y", color="#E6E6E6", linewidth=0.7)
    axes.set_axisbelow(True)
    if percent:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:g} %"))
    if len(axes.get_legend_handles_labels()[1]) > 1:
        axes.legend(frameon=False, fontsize=8, labelcolor=LINE)


def confusion(found: Judgement, class_names: Sequence[str]) -> Figure:
    """Each class in a row, shaded by what its samples are taken for; numbers are samples."""
    count = len(found.confusion)
    names = [class_names[place] if place < len(class_names) else str(place) for place in range(count)]
    shares = found.confusion / np.maximum(found.confusion.sum(1, keepdims=True), 1)
    side = max(LEAST, CELL * count)
    margin = LETTER * max(map(len, names)) + 0.45
    with mpl.rc_context(STYLE):
        made = Figure(figsize=(side + margin + 0.2, side + margin + 0.55))
        width, height = made.get_size_inches()
        axes = made.add_axes((margin / width, margin / height, side / width, side / height))
        axes.imshow(shares, cmap=SHADES, vmin=0, vmax=1, interpolation="nearest")
        _names(axes, names)
        for row, column in np.argwhere(found.confusion) if count <= NUMBERED else []:
            colour = "white" if shares[row, column] > 0.6 else LINE
            text = f"{found.confusion[row, column]:,}"
            axes.text(column, row, text, ha="center", va="center", fontsize=7.5, color=colour)
        title = f"test accuracy {found.accuracy:.1%} of {int(found.confusion.sum()):,} samples"
        made.text(margin / width, 1 - 0.28 / height, title, fontsize=11, fontweight="bold", va="center")
    return made


def _names(axes: Any, names: Sequence[str]) -> None:
    places = range(len(names))
    axes.set_xticks(places, names, rotation=90, fontsize=8)
    axes.set_yticks(places, names, fontsize=8)
    axes.tick_params(length=0)
    axes.set_xlabel("taken for", color=MUTED)
    axes.set_ylabel("what it is", color=MUTED)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#E6E6E6", linewidth=0.5)
    axes.tick_params(which="minor", length=0)
