"""Events of a sensor (x, y, t, p) from a file, counted step by step into what a network takes.

An event at time t falls into step ⌊(t − t₀) / dt⌋, t₀ the time of the first one, and there into the value [p, y, x].
Whatever is not as an event should be is refused; what is merged, capped or left out is said.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import FileError
from .graph.nodes.base import Array, shown
from .graph.signal import Signal

COLUMNS = ("x", "y", "t", "p")
"""The order of columns without names."""
CALLED: Mapping[str, str] = {
    **{name: name for name in COLUMNS},
    **dict.fromkeys(("ts", "time", "times", "timestamp", "timestamps"), "t"),
    **dict.fromkeys(("pol", "polarity", "on"), "p"),
    **dict.fromkeys(("unit", "units", "addr", "address"), "x"),
}
"""What columns with names may be called."""
UNITS: Mapping[str, float] = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
"""What t may count, in seconds."""
MOST_STEPS = 10_000_000
WINDOW_VALUES = 2**22
"""So many values are handed on at a time: a long recording needs no more memory than a short one."""
EXACT = 1e-9


@dataclass(frozen=True, eq=False)
class Events:
    """Events in no order.

    Args:
        file: where they are from, for messages.
        columns: x and t, and where they are there y and p: one array each, all of one length.
    """

    file: str
    columns: Mapping[str, Array]

    def __post_init__(self) -> None:
        known = {name: self._checked(name, values) for name, values in self.columns.items()}
        object.__setattr__(self, "columns", known)
        missing = [name for name in ("x", "t") if name not in known]
        sizes = {len(values) for values in known.values()}
        if missing or len(sizes) != 1:
            found = f"columns {', '.join(f'{name} ({len(values)})' for name, values in known.items()) or 'none'}"
            raise FileError(self.file, found, "x, y, t and p, or x and t, of one length")
        if sizes == {0}:
            raise FileError(self.file, "no events", "at least one")

    def _checked(self, name: str, values: Array) -> Array:
        """The column as whole numbers; t may be real."""
        if values.ndim != 1 or values.dtype.kind not in "biuf":
            raise FileError(self.file, f"{name} of type {values.dtype} and shape {shown(values.shape)}", "a column")
        if values.dtype.kind == "f":
            good = np.isfinite(values) if name == "t" else np.isfinite(values) & (values == np.floor(values))
            need(self.file, good, name, values, "finite" if name == "t" else "whole numbers")
        if name == "t" and values.dtype.kind == "f" and not (values == np.floor(values)).all():
            return values.astype(np.float64)
        need(self.file, np.abs(values.astype(np.float64)) < 2.0**62, name, values, "numbers below 2^62")
        return values.astype(np.int64)

    def __len__(self) -> int:
        return len(self.columns["t"])


def need(file: str, good: Array, name: str, values: Array, expected: str, fix: str = "") -> None:
    """A FileError for the first event whose value is not good."""
    if not good.all():
        at = int(np.argmin(good))
        raise FileError(file, f"{name} of event {at} is {values[at]}", expected, fix)


@dataclass(frozen=True)
class Binned:
    """Events by step and place.

    Args:
        shape: of one step of one sample.
        steps: how many steps.
        at: for each event its step, in order.
        place: for each event its place in a step, counted in C order.
        most: the largest count that is handed on.
        said: what was merged, capped or left out, in sentences.
    """

    shape: tuple[int, ...]
    steps: int
    at: Array
    place: Array
    most: float
    said: tuple[str, ...]

    def windows(self) -> Iterator[Array]:
        """Counts [t, 1, *shape], window by window."""
        size = math.prod(self.shape)
        length = max(1, WINDOW_VALUES // size)
        for start in range(0, self.steps, length):
            rows = min(length, self.steps - start)
            low, high = np.searchsorted(self.at, [start, start + rows])
            flat = (self.at[low:high] - start) * size + self.place[low:high]
            counts = np.bincount(flat, minlength=rows * size)
            yield np.minimum(counts, self.most).astype(np.int32).reshape(rows, 1, *self.shape)


def binned(events: Events, signal: Signal, *, dt: float, unit: str = "us", steps: int | None = None) -> Binned:
    """Events counted for an input.

    Args:
        events: the events.
        signal: the shape of the input and what it carries.
        dt: the length of a step in seconds.
        unit: what t counts: s, ms, us or ns.
        steps: how many steps; by default up to the last event.
    """
    place, merged = _places(events, signal.shape)
    at, count = _steps(events, dt, unit, steps)
    said = [merged] if merged else []
    kept = at < count
    if not kept.all():
        said.append(f"{int((~kept).sum()):,} of {len(events):,} events come after step {count} and are left out")
    order = np.argsort(at[kept], kind="stable")
    found = Binned(signal.shape, count, at[kept][order], place[kept][order], math.inf, ())
    most, capped = _cap(events, signal, found)
    return Binned(found.shape, count, found.at, found.place, most, tuple(said + ([capped] if capped else [])))


def _steps(events: Events, dt: float, unit: str, steps: int | None) -> tuple[Array, int]:
    """The step of each event, and how many steps there are."""
    t, per = events.columns["t"], dt / UNITS[unit]
    first, last = t.min().item(), t.max().item()
    needed = (last - first) / per + 1
    if needed > MOST_STEPS and (steps is None or needed > 2**52):
        found = f"t from {first} to {last} {unit}: {needed:.3g} steps of {dt:g} s"
        raise FileError(events.file, found, f"at most {MOST_STEPS:,} steps", "say --unit, --dt or --steps")
    whole = round(per)
    exact = t.dtype.kind == "i" and whole >= 1 and abs(per - whole) <= EXACT * per
    at = (t - first) // whole if exact else np.floor((t - first) / per).astype(np.int64)
    return at, steps if steps is not None else int(at.max()) + 1


def _places(events: Events, shape: Sequence[int]) -> tuple[Array, str]:
    """The place of each event in a step of this shape, and what had to be merged."""
    axes = ["x"] if len(shape) == 1 else ["y", "x"] if "y" in events.columns else ["p", "x"]
    axes = ["p", "y", "x"] if len(shape) == 3 else axes
    if not 1 <= len(shape) <= 3 or (axes[0] == "p" and shape[0] > 2):
        raise FileError(events.file, f"events for an input of shape {shown(shape)}", "[x], [y,x] or [1 or 2,y,x]")
    columns = dict(events.columns)
    polarity = columns.pop("p", None)
    index, merged = _channel(events, polarity, shape[0] if axes[0] == "p" else 1)
    place = index
    for name, size in zip(axes, shape, strict=True):
        if name != "p":
            place = place * size + _inside(events, name, columns.get(name), size)
    if "y" not in axes and columns.get("y") is not None:
        _inside(events, "y", columns["y"], 1)
    return place, merged


def _channel(events: Events, polarity: Array | None, channels: int) -> tuple[Array, str]:
    """0 or 1 for each event, from polarities of 0 and 1 or of -1 and 1; 0 where there is one channel."""
    if polarity is None:
        if channels == 2:
            raise FileError(events.file, "events without polarity", "a column p, for an input of two channels")
        return np.zeros(len(events), np.int64), ""
    need(events.file, (polarity >= -1) & (polarity <= 1), "p", polarity, "0 or 1, or -1 or 1")
    values = set(np.unique(polarity).tolist())
    if {-1, 0} <= values:
        raise FileError(events.file, "polarities -1, 0 and 1" if 1 in values else "polarities -1 and 0", "two of them")
    if channels == 1:
        both = "both polarities are counted together: the input has one channel"
        return np.zeros_like(polarity), both if len(values) > 1 else ""
    return np.maximum(polarity, 0), ""


def _inside(events: Events, name: str, values: Array | None, size: int) -> Array:
    if values is None:
        raise FileError(events.file, f"events without {name}", f"a column {name}, for this input")
    fix = "bring larger ones to its size first: the events of a video with spikeport data events --size WxH"
    need(events.file, (values >= 0) & (values < size), name, values, f"0 to {size - 1}, as the input has", fix)
    return values


def _cap(events: Events, signal: Signal, found: Binned) -> tuple[float, str]:
    """The largest count that the input takes: 1 for spikes, and that is said; another range is never cut."""
    _, high = signal.carries.bounds
    size = math.prod(signal.shape)
    _, counts = np.unique(found.at * size + found.place, return_counts=True)
    most = int(counts.max(initial=0))
    if most <= high:
        return math.inf, ""
    if not signal.carries.binary:
        fix = "take a smaller --dt"
        raise FileError(events.file, f"{most} events in one step at one place", f"at most {int(high)}", fix)
    lost = int((counts - 1).sum())
    fall = "event falls" if lost == 1 else "events fall"
    return 1, f"{lost:,} {fall} on another one of the same step and place: an input of spikes counts them once"


def named(file: str, columns: Mapping[str, Any]) -> Events:
    """Events from columns with names, as structured arrays, .npz files and headers have them."""
    found: dict[str, Array] = {}
    for name, values in columns.items():
        ours = CALLED.get(name.strip().lower())
        if ours is None or ours in found:
            raise FileError(file, f"a column '{name[:40]}'", "x, y, t and p, each once")
        found[ours] = np.asarray(values)
    return Events(file, found)


def plain(file: str, rows: Array) -> Events:
    """Events from four columns without names: x, y, t, p."""
    if rows.ndim != 2 or rows.shape[1] != len(COLUMNS):
        raise FileError(file, f"an array of shape {shown(rows.shape)}", "four columns: x, y, t, p")
    return Events(file, {name: rows[:, index] for index, name in enumerate(COLUMNS)})
