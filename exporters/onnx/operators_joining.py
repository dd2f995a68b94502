"""What puts signals, constants and padding beside one another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from ...toolchain.graph.nodes import Concat, Pad, Scale
from ...toolchain.graph.nodes.base import Array, brief, need, shown
from .call import Call
from .layout import Layout
from .picking import picked
from .values import Constant, Signal

Row = Callable[[Call], Signal]


def concat(call: Call) -> Signal:
    """One after the other along an axis; a constant is room made beside a signal, and added there."""
    parts = [value for value in call.inputs if isinstance(value, (Signal, Constant))]
    lead = next(value.layout for value in parts if isinstance(value, Signal))
    axis = lead.axis(call.whole("axis", 1 if call.version < 4 else None))
    place = lead.place(axis, "a concatenation")
    if not any(isinstance(value, Constant) for value in parts):
        return _joined(call, [value for value in parts if isinstance(value, Signal)], lead, axis, place, "")
    widths, signals = _rooms(parts, axis, lead)
    made = []
    for number, (signal, (before, after)) in enumerate(zip(signals, widths, strict=True)):
        node = Pad(tuple((before, after) if k == place else (0, 0) for k in range(len(signal.layout.sample))))
        layout = signal.layout.with_size(axis, signal.layout.sizes[axis] + before + after)
        made.append(call.emit(node, signal, layout=layout, part=f"room{number}") if before or after else signal)
    y = _joined(call, made, lead, axis, place, "signals")
    return call.emit(Scale(np.asarray(1.0), _filled(call, parts, y.layout, axis, place)), y)


def _rooms(parts: list[Signal | Constant], axis: int, lead: Layout) -> tuple[list[tuple[int, int]], list[Signal]]:
    """How much room each signal makes before and behind itself for the constants there."""
    widths: list[tuple[int, int]] = []
    signals: list[Signal] = []
    waiting = 0
    for value in parts:
        if isinstance(value, Signal):
            signals.append(value)
            widths.append((waiting, 0))
            waiting = 0
            continue
        array = value.plain()
        need(array.ndim == lead.rank, "inputs", f"shapes {shown(array.shape)} and {lead}", "as many axes")
        if signals:
            widths[-1] = (widths[-1][0], widths[-1][1] + array.shape[axis])
        else:
            waiting += array.shape[axis]
    return widths, signals


def _filled(call: Call, parts: list[Signal | Constant], layout: Layout, axis: int, place: int) -> Array:
    """The constants in their places, and 0 elsewhere."""
    call.building.afford(layout.sample)
    whole = np.zeros(layout.sample, np.float32)
    start = 0
    for value in parts:
        n = value.layout.sizes[axis] if isinstance(value, Signal) else value.value.shape[axis]
        if isinstance(value, Constant):
            room = layout.with_size(axis, n)
            beside = call.beside(value.plain(), room)
            index = [slice(None)] * whole.ndim
            index[place] = slice(start, start + n)
            stretched = [m for k, m in enumerate(beside.shape) if m not in (1, room.sample[k])]
            need(not stretched, "inputs", f"shapes {shown(value.value.shape)} and {layout}", "shapes that agree")
            whole[tuple(index)] = beside
        start += n
    return whole


def _joined(call: Call, signals: list[Signal], lead: Layout, axis: int, place: int, part: str) -> Signal:
    for signal in signals:
        alike = replace(signal.layout, sizes=(), batch=signal.layout.batch) == replace(lead, sizes=())
        fits = alike and signal.layout.rank == lead.rank
        need(fits, "inputs", " and ".join(str(s.layout) for s in signals[:4]), "the batch in one place in all")
    if len(signals) == 1:
        return signals[0]
    layout = lead.with_size(axis, sum(signal.layout.sizes[axis] for signal in signals))
    return call.emit(Concat(place), *signals, layout=layout, part=part)


def pad(call: Call) -> Signal:
    """Room around a signal: filled with a number, or with what lies near."""
    x, mode = call.signal(), call.text("mode", "constant")
    widths = _widths(call, x.layout)
    for axis, (before, after) in enumerate(widths):
        if min(before, after) < 0:
            index = range(max(-before, 0), x.layout.sizes[axis] - max(-after, 0))
            x = picked(call, x, axis, index, f"cut{axis}")
    widths = [(max(before, 0), max(after, 0)) for before, after in widths]
    if mode != "constant":
        need(mode in ("edge", "reflect", "wrap"), "mode", f"'{brief(mode)}'", "constant, edge, reflect or wrap")
        return _mirrored(call, x, widths, mode)
    value = call.amount("value", 0.0) if call.version < 11 else call.number(2, "value") if call.given(2) else 0.0
    return padded(call, x, widths, value)


def _widths(call: Call, layout: Layout) -> list[tuple[int, int]]:
    """(before, after) for each axis."""
    told = call.ints("pads") or call.ints("paddings") or () if call.version < 11 else call.counts(1, "pads")
    axes = [layout.axis(a) for a in call.counts(3, "axes")] if call.given(3) else list(range(layout.rank))
    need(len(told) == 2 * len(axes), "pads", brief(str(told)), f"{2 * len(axes)} widths")
    widths = [(0, 0)] * layout.rank
    for k, axis in enumerate(axes):
        widths[axis] = (told[k], told[k + len(axes)])
        if any(widths[axis]):
            layout.place(axis, "padding")
    return widths


def padded(call: Call, x: Signal, widths: list[tuple[int, int]], value: float, part: str = "") -> Signal:
    """Zeros around, and another number added to them where one is asked for."""
    if not any(map(any, widths)):
        return x
    layout, inner = x.layout, []
    for axis, pair in enumerate(widths):
        inner += [pair] if axis != layout.batch else [(0, 0)] * len(layout.pieces(axis))
        layout = layout.with_size(axis, layout.sizes[axis] + sum(pair)) if any(pair) else layout
    y = call.emit(Pad(tuple(inner)), x, layout=layout, part=f"{part}zeros" if value else part)
    if not value:
        return y
    call.building.afford(layout.sample)
    around = np.pad(np.zeros(x.layout.sample, np.float32), inner, constant_values=np.float32(value))
    return call.emit(Scale(np.asarray(1.0), around), y, part=part)


def _mirrored(call: Call, x: Signal, widths: list[tuple[int, int]], mode: str) -> Signal:
    last = max((axis for axis, pair in enumerate(widths) if any(pair)), default=0)
    for axis, (before, after) in enumerate(widths):
        if before or after:
            n = x.layout.sizes[axis]
            call.building.afford([n + before + after], 64)
            index = np.pad(np.arange(n), (before, after), mode=mode)  # type: ignore[call-overload]
            x = picked(call, x, axis, index.tolist(), "" if axis == last else f"axis{axis}")
    return x


OPERATORS: Mapping[str, Row] = {"Concat": concat, "Pad": pad}
