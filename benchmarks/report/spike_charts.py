"""What the neurons did on one sample: maps of their rates, and a raster."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator

from ...toolchain.graph.nodes.base import Array
from ...toolchain.tables import by
from ..findings import Spikes
from .axes import LETTER
from .svg import COLOUR, STYLE, WIDE
from .text import percent, shortened

MOST_LAYERS = 12
"""The most layers that are drawn."""
MOST_ROWS, MOST_MARKS = 64, 1200
"""The most neurons and the most spikes of a layer in a raster."""
FEW_ROWS = 8
"""With so few neurons left it is time that is cut."""
MOST_SIDE = 64
"""The most values along one side of a map; a larger one shows means of squares."""


def maps(layers: Sequence[Spikes], width: float) -> Figure:
    """A map of rates for each layer, each on its own scale."""
    layers = layers[:MOST_LAYERS]
    columns = min(len(layers), 4 if width >= WIDE else 2)
    lines = math.ceil(len(layers) / columns)
    cell = (width - 0.1) / max(columns, 2)
    high = lines * (cell * 0.84 + 0.5) + 0.42
    with mpl.rc_context(STYLE):
        made = Figure(figsize=(width, high))
        for index, layer in enumerate(layers):
            row, column = divmod(index, columns)
            top = high - 0.42 - row * (cell * 0.84 + 0.5)
            side = cell * 0.84
            box = ((0.05 + column * cell) / width, (top - side) / high, side / width, side / high)
            _map(made.add_axes(box), layer, int(cell / LETTER * 0.95))
        _scale(made, width, high)
    return made


def _map(axes: Any, layer: Spikes, letters: int) -> None:
    drawn = flat(layer.rates)
    axes.imshow(drawn, cmap="cividis", vmin=0, vmax=float(drawn.max()) or 1.0, interpolation="none", aspect="equal")
    axes.set_anchor("NW")
    axes.set_axis_off()
    mean, most = percent(float(layer.rates.mean()), 1), percent(float(drawn.max()), 0)
    about = shortened(f"{by(layer.shape)} · {mean} · ≤ {most}", letters + 5)
    place = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "bottom", "annotation_clip": False}
    axes.annotate(shortened(layer.layer, letters), (0, 1), (0, 13), fontsize=9, **place)
    axes.annotate(about, (0, 1), (0, 3), fontsize=7.5, color=COLOUR["muted"], **place)


def _scale(made: Figure, width: float, high: float) -> None:
    """The colours, from silent to the most that the map shows."""
    axes = made.add_axes((0.05 / width, 0.27 / high, 1.5 / width, 0.1 / high))
    axes.imshow(np.linspace(0, 1, 64)[None], cmap="cividis", aspect="auto", interpolation="none")
    axes.set_yticks([])
    axes.set_xticks((-0.5, 63.5), ("silent", "the map’s highest"))
    silent, highest = axes.get_xticklabels()
    silent.set_horizontalalignment("left")
    highest.set_horizontalalignment("right")
    for spine in axes.spines.values():
        spine.set_visible(False)


def flat(rates: Array) -> Array:
    """Rates as a picture: the mean over all axes but the last two; a list of neurons in lines of equal length."""
    found = np.asarray(rates, np.float64)
    if found.ndim > 2:
        found = found.mean(tuple(range(found.ndim - 2)))
    if found.ndim < 2:
        found = _lines(found.reshape(-1))
    return _coarser(_coarser(found).T).T


def _lines(found: Array) -> Array:
    length = math.ceil(math.sqrt(found.size)) if found.size > MOST_SIDE else found.size
    filled: Array = np.full(length * math.ceil(found.size / length), np.nan)
    filled[: found.size] = found
    return np.nan_to_num(filled).reshape(-1, length)


def _coarser(found: Array) -> Array:
    """Means over neighbouring rows, so that at most `MOST_SIDE` are left."""
    each = math.ceil(len(found) / MOST_SIDE)
    edges = np.arange(0, len(found), each)
    sums: Array = np.add.reduceat(found, edges, axis=0) / np.diff(np.append(edges, len(found)))[:, None]
    return sums


@dataclass(frozen=True, eq=False)
class Raster:
    """What is drawn of a layer.

    Args:
        layer: the layer.
        neurons: which of its neurons, evenly out of all.
        steps: how many steps, from the first.
        times: the step of each mark.
        rows: its row.
    """

    layer: Spikes
    neurons: Array
    steps: int
    times: Array
    rows: Array

    @property
    def title(self) -> str:
        """The layer, how much of it one sees."""
        size = math.prod(self.layer.shape)
        drawn = "" if len(self.neurons) == size else f", {len(self.neurons)} drawn"
        cut = "" if self.steps == self.layer.steps else f", first {self.steps} of {self.layer.steps} steps"
        return f"{size:,} neurons{drawn}{cut}"


def thinned(layer: Spikes) -> Raster:
    """Fewer neurons where there are too many, all spikes of those; fewer steps where few neurons spike too often."""
    size, rows = math.prod(layer.shape), MOST_ROWS
    while True:
        neurons = np.unique(np.linspace(0, size - 1, min(rows, size)).astype(np.int64))
        found = np.isin(layer.neurons, neurons)
        if found.sum() <= MOST_MARKS or rows <= FEW_ROWS:
            break
        rows = max(FEW_ROWS, rows // 2)
    times, which = np.asarray(layer.times)[found], np.searchsorted(neurons, np.asarray(layer.neurons)[found])
    steps = layer.steps if len(times) <= MOST_MARKS else int(np.sort(times)[MOST_MARKS]) or 1
    early = times < steps
    return Raster(layer, neurons, steps, times[early], which[early])


def raster(layers: Sequence[Spikes], width: float) -> Figure:
    """A mark for every spike of the neurons drawn, step by step, layer below layer."""
    found = [thinned(layer) for layer in layers[:MOST_LAYERS]]
    heights = [max(0.5, len(each.neurons) * 0.021) for each in found]
    high = sum(heights) + 0.42 * len(found) + 0.45
    left, top = 0.12, high
    with mpl.rc_context(STYLE):
        made = Figure(figsize=(width, high))
        for each, height in zip(found, heights, strict=True):
            top -= height + 0.42
            box = (left / width, (top + 0.02) / high, (width - left - 0.15) / width, height / high)
            _raster(made.add_axes(box), each, height, width)
        axes = made.axes[-1]
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("step")
    return made


def _raster(axes: Any, each: Raster, height: float, width: float) -> None:
    steps, half = each.layer.steps, max(0.42, 1.4 * len(each.neurons) / 72 / height)
    ends = np.repeat(np.stack([each.times + 0.5, each.rows - half], 1), 2, axis=0).astype(float)
    ends[1::2, 1] += 2 * half
    codes = np.tile([Path.MOVETO, Path.LINETO], len(each.times))
    if len(ends):
        thick = float(np.clip(width * 72 / max(steps, 1) * 0.35, 0.7, 3.2))
        axes.add_patch(PathPatch(Path(ends, codes), edgecolor=COLOUR["accent"], facecolor="none", linewidth=thick))
    else:
        axes.text(0.5, 0.5, "silent", transform=axes.transAxes, ha="center", va="center", color=COLOUR["muted"])
    axes.set_xlim(0, steps)
    axes.set_ylim(len(each.neurons) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(True)
    axes.grid(axis="x")
    axes.tick_params(labelbottom=False)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    letters = int(width / LETTER)
    title = f"{shortened(each.layer.layer, 24)} · {each.title}"
    axes.set_title(shortened(title, letters), fontsize=8.5, pad=3)
