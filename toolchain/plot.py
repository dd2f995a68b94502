"""Draws a run: a raster for each layer with the rates of its neurons beside it, and voltages below, over time in ms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from .errors import UsageError
from .graph.nodes.base import Array
from .raster import Layer, Voltage
from .writing import written_whole

SUFFIXES = (".png", ".svg", ".pdf")
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Colours that colour-blind people can tell apart (Okabe and Ito)."""
INPUT, LINE, MUTED, SPIKE = "#4D4D4D", "#222222", "#8C8C8C", "#D55E00"
STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "text.parse_math": False,
    "svg.hashsalt": "spikeport",
}
WIDTH = 10.0
HEAD, PANEL, TRACE, GAP = 0.7, (0.75, 1.7), 1.2, 0.42
"""Heights in inches: of the title, of the lowest and the highest raster, of a voltage, between two panels."""
ROWS_PER_INCH = 75
MANY = 20_000
"""A raster of more marks is drawn as an image in files of vectors."""
SAVED: dict[str, dict[str, Any]] = {
    ".png": {"dpi": 150},
    ".svg": {"metadata": {"Date": None}},
    ".pdf": {"metadata": {"CreationDate": None}},
}


@dataclass(frozen=True)
class Run:
    """What stands at the head of a figure.

    Args:
        title: the network.
        about: how it was run.
        dt: the length of a step in seconds.
        steps: how many steps ran.
        first: the number of the first one.
    """

    title: str
    about: str
    dt: float
    steps: int
    first: int = 0

    @property
    def times(self) -> Array:
        """When each step begins, in ms."""
        found: Array = (self.first + np.arange(self.steps)) * self.dt * 1e3
        return found


def check_suffix(path: Path) -> None:
    """Refuse a file that no picture can be written to."""
    if path.suffix not in SUFFIXES:
        raise UsageError("--plot", f"'{path}'", f"a name that ends in {' or '.join(SUFFIXES)}")


def save(drawn: Figure, path: Path) -> None:
    """Writes a figure, whole or not at all, in the format that the suffix says; equal figures give equal bytes."""
    with mpl.rc_context(STYLE), written_whole(path) as draft:
        drawn.savefig(draft, **SAVED[path.suffix])


def figure(run: Run, layers: Sequence[Layer], voltages: Sequence[Voltage]) -> Figure:
    """The figure of a run: a row of panels for each layer and each voltage, all over the same time."""
    heights = [*map(_height, layers), *[TRACE] * len(voltages)]
    with mpl.rc_context(STYLE):
        high = HEAD + sum(heights) + GAP * len(heights)
        below = ConstrainedLayoutEngine(rect=(0.01, 0.0, 0.98, 1 - HEAD / high), h_pad=0.06)
        made = Figure(figsize=(WIDTH, high), layout=below)
        made.text(0.015, 1 - 0.25 / high, run.title, va="center", fontsize=13, fontweight="bold")
        made.text(0.015, 1 - 0.50 / high, run.about, va="center", color=MUTED)
        grid = made.subplots(len(heights), 2, width_ratios=(6, 1), height_ratios=heights, squeeze=False)
        colours = iter(COLOURS * len(heights))
        for row, layer in enumerate(layers):
            colour = INPUT if layer.incoming else next(colours)
            _raster(grid[row][0], layer, run, colour)
            _rates(grid[row][1], layer, run, colour)
        for row, voltage in enumerate(voltages, len(layers)):
            _voltage(grid[row][0], voltage, run)
            grid[row][1].set_axis_off()
        _time(grid, run, len(layers))
        _settle(made)
    return made


def _settle(made: Figure) -> None:
    """Fixes the places of the panels, rounded: the last digits of what the solver finds change from run to run."""
    made.draw_without_rendering()
    made.set_layout_engine("none")
    for axes in made.axes:
        left, bottom, width, height = (round(value, 6) for value in axes.get_position().bounds)
        axes.set_position((left, bottom, width, height))


def _height(layer: Layer) -> float:
    least, most = PANEL
    return min(most, max(least, len(layer.neurons) / ROWS_PER_INCH))


def _raster(axes: Any, layer: Layer, run: Run, colour: str) -> None:
    """A mark for every spike or message; those below 0 in another colour."""
    steps, rows = np.nonzero(layer.sent)
    values = layer.sent[steps, rows].astype(float)
    marks = {"marker": "|", "markersize": _mark(layer), "linestyle": "none", "markeredgewidth": _width(run)}
    for sign, shade in ((values > 0, colour), (values < 0, LINE)):
        if sign.any():
            (drawn,) = axes.plot(run.times[steps[sign]], rows[sign], color=shade, **marks)
            drawn.set_rasterized(len(steps) > MANY)
    if not len(steps):
        axes.text(0.5, 0.5, "silent", transform=axes.transAxes, ha="center", va="center", color=MUTED)
    axes.set_title(layer.title)
    axes.set_ylim(len(layer.neurons) - 0.5, -0.5)
    places = np.unique(np.linspace(0, len(layer.neurons) - 1, min(3, len(layer.neurons))).astype(int))
    axes.set_yticks(places, [f"{layer.neurons[place]:,}" for place in places])


def _mark(layer: Layer) -> float:
    """The height of a mark in points: nine tenths of a neuron's row, but never too small to see."""
    return float(np.clip(_height(layer) * 72 / len(layer.neurons) * 0.9, 1.5, 14))


def _width(run: Run) -> float:
    """The width of a mark in points: not wider than a step."""
    return float(np.clip(WIDTH * 0.75 * 72 / max(run.steps, 1) * 0.5, 0.5, 2.0))


def in_hertz(rate: float) -> str:
    """A rate with three digits, and all digits before the point."""
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def _rates(axes: Any, layer: Layer, run: Run, colour: str) -> None:
    """How often each drawn neuron sent something in a second, and the mean over all of the layer."""
    hertz, mean = layer.rates / run.dt, layer.mean / run.dt
    edges = np.arange(len(hertz) + 1) - 0.5
    axes.stairs(hertz, edges, orientation="horizontal", fill=True, color=colour, alpha=0.45)
    axes.axvline(mean, color=LINE, linewidth=0.8, linestyle=":")
    axes.set_title(f"mean {in_hertz(mean)} Hz", color=LINE)
    axes.set_ylim(len(hertz) - 0.5, -0.5)
    axes.set_xlim(0, max(float(hertz.max()), mean) * 1.05 or 1)
    axes.set_yticks([])
    axes.xaxis.set_major_locator(MaxNLocator(3))


def _voltage(axes: Any, voltage: Voltage, run: Run) -> None:
    """The voltage as steps, its threshold, and a line up from the threshold for every spike."""
    times = run.times
    ends = np.append(times, times[-1] + run.dt * 1e3)
    axes.stairs(voltage.values, ends, baseline=None, color=COLOURS[0], linewidth=1.1)
    low, high = float(voltage.values.min()), float(voltage.values.max())
    top = high if voltage.threshold is None else max(high, float(voltage.threshold.max()))
    room = (top - low) or 1.0
    if voltage.threshold is not None:
        level = np.broadcast_to(voltage.threshold, times.shape)
        axes.stairs(level, ends, baseline=None, color=MUTED, linewidth=0.9, linestyle="--")
        axes.vlines(times[voltage.fired], level[voltage.fired], top + 0.25 * room, color=SPIKE, linewidth=1.2)
    axes.set_ylim(low - 0.08 * room, top + 0.3 * room)
    axes.set_title(f"{voltage.title} · voltage{_says(voltage)}")
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))


def _says(voltage: Voltage) -> str:
    count = int(voltage.fired.sum())
    spikes = f", {count:,} {'spike' if count == 1 else 'spikes'}"
    return "" if voltage.threshold is None else f" after the reset, threshold dashed{spikes}"


def _time(grid: Any, run: Run, rasters: int) -> None:
    """One time axis below all panels, one rate axis below the rasters."""
    start, end = run.times[0], (run.first + run.steps) * run.dt * 1e3
    for index, row in enumerate(grid):
        row[0].set_xlim(start - (end - start) * 0.005, end)
        row[0].tick_params(labelbottom=index == len(grid) - 1)
        row[0].xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        row[0].grid(axis="x", color=MUTED, alpha=0.25, linewidth=0.6)
        row[0].set_axisbelow(True)
    grid[-1][0].set_xlabel("time in ms")
    if rasters:
        grid[rasters - 1][1].set_xlabel("rate in Hz")
