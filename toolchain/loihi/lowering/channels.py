"""A scale for each channel of a layer, which its thresholds make possible."""

from __future__ import annotations

import numpy as np

from ...graph.nodes.base import Array
from .bounds import Rules, most_for_channels, snapped, state_noise
from .grid import Grid
from .layer import Layer

OCTAVES, FINE = 3, 16
"""The search goes so many powers of two down from the largest k of each channel, in so many steps each."""
ROWS = 1 << 17
"""About as many weights are looked at for each candidate, but 64 of each row."""
MOST_EXPONENT, LEAST_EXPONENT = 8, 12
"""The largest exponent of a matrix that is looked at, and how far below 0 it may go for values."""
FIXED = (0, 0)
"""A convolution has no exponent."""

Room = tuple[int, int]
"""The least and the largest exponent that a synapse may have."""


def shifts_of(reaches: list[float], room: list[Room]) -> tuple[int, ...]:
    """Exponents with which every matrix fills its range about as well as the others, or as the convolutions."""
    finite = [reach for reach in reaches if np.isfinite(reach)]
    convs = [reach for reach, each in zip(reaches, room, strict=True) if each == FIXED and np.isfinite(reach)]
    fills = min(convs) if convs else max(finite, default=1.0)
    return tuple(
        0 if each == FIXED or not np.isfinite(reach) else int(np.clip(np.rint(np.log2(fills / reach)), *each))
        for reach, each in zip(reaches, room, strict=True)
    )


def each_channel(layer: Layer, rules: Rules, grids: list[Grid], shifts: tuple[int, ...]) -> tuple[Array, float]:
    """The best k of each channel, and the mean of their noises."""
    count = layer.shape[0]
    rows = [_rows(weights) / 2.0**e for weights, e in zip(layer.weights, shifts, strict=True)]
    where = [np.asarray(channel) for channel in layer.channels]
    parts = list(zip(grids, rows, where, [4.0**e for e in shifts], strict=True))
    top = np.full(count, np.inf)
    for grid, w, at, e in zip(grids, layer.weights, where, shifts, strict=True):
        np.minimum.at(top, at, [grid.reach(row) * 2**e for row in w.reshape(len(w), -1)])
    top = np.minimum(top, most_for_channels(layer, rules))
    top = np.where(np.isfinite(top), top, 1.0)
    power = np.maximum(sum(_added(size * np.mean(r**2, 1), at, count) for _, r, at, size in parts), 1e-300)
    theta = _thresholds(layer)
    best, least = top.copy(), np.full(count, np.inf)
    for fall in np.arange(OCTAVES * FINE) / FINE:
        k = snapped(top * 2.0**-fall, theta)
        noise = sum(
            _added(size * ((grid.rounded(r * k[at, None]) / k[at, None] - r) ** 2).mean(1), at, count)
            for grid, r, at, size in parts
        )
        noise = noise / power + _channel_noise(layer, rules, k)
        better = noise < least * (1 - 1e-6)
        best, least = np.where(better, k, best), np.where(better, noise, least)
    return best.reshape(-1, *([1] * (len(layer.shape) - 1))), float(least.mean())


def _thresholds(layer: Layer) -> Array | None:
    """θ of each channel, where the compare depends on its rounding and it is one for the channel."""
    held = layer.membrane
    if held.threshold is None or not held.remembers:
        return None
    each = np.broadcast_to(held.threshold, layer.shape).reshape(layer.shape[0], -1)
    first: Array = each[:, 0]
    return first if bool((each == each[:, :1]).all()) else None


def _rows(weights: Array) -> Array:
    """As many weights of each row as the sample has room for, but for at least 64."""
    rows = weights.reshape(len(weights), -1)
    most = max(64, ROWS // len(rows))
    return rows if rows.shape[1] <= most else np.ascontiguousarray(rows[:, :: -(-rows.shape[1] // most)])


def _added(values: Array, where: Array, count: int) -> Array:
    return np.bincount(where, values, count)


def _channel_noise(layer: Layer, rules: Rules, k: Array) -> Array:
    sides = (-1, *([1] * (len(layer.shape) - 1)))
    noise = np.broadcast_to(state_noise(layer, rules, k.reshape(sides)), layer.shape)
    mean: Array = noise.reshape(layer.shape[0], -1).mean(1)
    return mean
