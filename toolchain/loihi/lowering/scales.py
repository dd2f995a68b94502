"""The scale of a layer: weights, threshold and bias as integers, by one factor for all.

A neuron that resets to 0 is free of scale: weights W·k, threshold θ·k and bias b·k·2⁶ spike alike for every k. So k is
searched for what rounds best: a k for which everything is on the chip's grid already, and there it stays exact; else
the one with the least noise

    Σ(w − W·k)² / Σ(W·k)²  +  mean((m − θ·k) / (θ·k))²  +  mean(bias error / (θ·k))²

over all synapses of the layer, w the weight that is kept and m the threshold that is kept. Matrices have an exponent
of their own besides; convolutions do not. Where each channel can have a k of its own and that is 1 dB better, it has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...graph.nodes.base import Array
from ..limits import LOIHI2
from .convolutions import Convolution
from .grid import Grid, grid_of
from .layer import Layer

SAMPLE = 1 << 15
"""As many weights of each synapse as are looked at for each candidate."""
OCTAVES, FINE = 3, 48
"""The search goes so many powers of two down from the largest k, in so many steps each."""
TOLERANCE = 1e-6
"""By which part of themselves weights may miss the grid and still be on it: what float32 rounds, some times over."""
BETTER = 10 ** (1 / 10)
"""1 dB."""
MOST_EXPONENT, LEAST_EXPONENT = 8, 12
"""The largest exponent of a matrix that is looked at, and how far below 0 it may go for values."""
FIXED = (0, 0)
"""A convolution has no exponent."""
WIDE = 256
"""A source whose largest number is so large sends values; smaller ones are counted exactly."""
FINE_STATE = 4096
"""Where values come in, thresholds are kept to such a part: more would only use up the room of the current."""
RANKED, APART = 3, 0.1
"""As many scales are tried on calibration data, apart by such a part of a power of two."""


Room = tuple[int, int]


@dataclass(frozen=True)
class Rules:
    """What the target takes.

    Args:
        bits: bits of a weight.
        bias_exponent: the exponent of all biases; none for one as each needs.
        by_channel: whether channels may have thresholds of their own.
        seen: the largest voltage or current of the float network, in units of its voltage; none where unknown.
    """

    bits: int = 8
    bias_exponent: int | None = None
    by_channel: bool = True
    seen: float | None = None


@dataclass(frozen=True, eq=False)
class Scale:
    """A k for all channels or one for each, and an exponent for each synapse.

    Args:
        k: k, a number or one for each channel.
        exponents: e of each synapse.
        exact: every weight is on the grid.
    """

    k: Array
    exponents: tuple[int, ...]
    exact: bool


def candidates(layer: Layer, rules: Rules) -> list[Scale]:
    """The best scales of a layer, the one that rounds best first; one alone where everything is on the grid."""
    grids = [grid_of(weights, rules.bits) for weights in layer.weights]
    reaches = [grid.reach(weights) for grid, weights in zip(grids, layer.weights, strict=True)]
    room = [_room(layer, index) for index in range(len(layer.forms))]
    most = _most(reaches, room, most_for_states(layer, rules))
    exact = _exact(layer, rules, grids, reaches, room, most)
    if exact is not None:
        return [Scale(np.asarray(exact), _exponents(exact, reaches, room), exact=True)]
    ranked = _ranked(layer, rules, grids, reaches, room, most)
    found = [Scale(np.asarray(k), _exponents(min(k, most), reaches, room), exact=False) for k, _ in ranked]
    values = any(wide(layer, index) for index in range(len(layer.forms)))
    if layer.by_channel and rules.by_channel and layer.membrane.emit == "spikes" and not values:
        shifts = _shifts(reaches, room)
        each, share = _each_channel(layer, rules, grids, shifts)
        own = Scale(each, shifts, exact=False)
        found.insert(0 if share * BETTER < ranked[0][1] else 1, own)
    return found


def most_for_states(layer: Layer, rules: Rules) -> float:
    """The largest k whose threshold and bias the registers hold, and whose states stay inside as far as is known."""
    held = layer.membrane
    bounds = [np.inf]
    if held.threshold is not None and held.threshold.any():
        bounds.append(LOIHI2.most_threshold / float(held.threshold.max()))
    if held.bias.any():
        exponent = LOIHI2.bias_exponent if rules.bias_exponent is None else rules.bias_exponent
        reach = LOIHI2.most_bias * 2.0 ** (exponent - LOIHI2.align_bits)
        bounds.append(reach / float(np.abs(held.bias).max()))
    if any(wide(layer, index) for index in range(len(layer.forms))):
        bounds.append(FINE_STATE / (1.0 if held.threshold is None else max(float(held.threshold.max()), 1e-9)))
    if rules.seen:
        bounds.append(0.9 * (LOIHI2.most_state >> LOIHI2.align_bits) / rules.seen)
    return min(bounds)


def _most(reaches: list[float], room: list[Room], most: float) -> float:
    """The largest k to look at: no convolution is clipped, and one matrix fills its range."""
    convs = [reach for reach, each in zip(reaches, room, strict=True) if each == FIXED]
    found = min(min(convs) if convs else max(reaches, default=np.inf), most)
    lowest = min(reaches, default=np.inf) * 2.0**MOST_EXPONENT
    found = min(found, lowest)
    return found if np.isfinite(found) else 1.0


def _room(layer: Layer, index: int) -> Room:
    """The exponents that a synapse may have: below 0 for values, whose sums are fine enough to be rounded down."""
    if isinstance(layer.forms[index].map, Convolution):
        return FIXED
    return (-LEAST_EXPONENT if wide(layer, index) else 0, MOST_EXPONENT)


def wide(layer: Layer, index: int) -> bool:
    """Whether a synapse's source sends values rather than spikes or small numbers."""
    return max(map(abs, layer.most[index])) >= WIDE


def _exponents(k: float, reaches: list[float], room: list[Room]) -> tuple[int, ...]:
    """The least exponent with which each matrix is not clipped."""
    return tuple(
        int(np.clip(np.ceil(np.log2(k / reach) - 1e-9), *each)) if np.isfinite(reach) else 0
        for reach, each in zip(reaches, room, strict=True)
    )


def _exact(
    layer: Layer, rules: Rules, grids: list[Grid], reaches: list[float], room: list[Room], most: float
) -> float | None:
    """A k for which every weight is on its grid: the smallest, or a larger one where states have digits below it."""
    for k in _units(layer, grids, most):
        if _all_on(layer, grids, k, _exponents(k, reaches, room)):
            larger = _enlarged(layer, rules, k, most)
            return larger if _all_on(layer, grids, larger, _exponents(larger, reaches, room)) else k
    return None


def _all_on(layer: Layer, grids: list[Grid], k: float, exponents: tuple[int, ...]) -> bool:
    return all(_on(grid, w, k / 2**e) for grid, w, e in zip(grids, layer.weights, exponents, strict=True))


def _units(layer: Layer, grids: list[Grid], most: float) -> list[float]:
    """Candidates for the smallest k on the grid, from powers of two and from the smallest weight."""
    tried: list[float] = []
    for grid, weights in zip(grids, layer.weights, strict=True):
        sizes = np.unique(np.abs(_sampled(weights)))
        sizes = sizes[sizes > 0]
        if sizes.size:
            tried += [n * grid.step / float(sizes[0]) for n in range(1, 17)]
            gaps = np.diff(sizes)
            gaps = gaps[gaps > 1e-3 * sizes[0]]
            tried += [grid.step / float(gaps.min())] if gaps.size else []
    powers = [2.0**n for n in range(-24, 25)]
    return [k for k in [*powers, *sorted(tried)] if k <= most * (1 + 1e-9)]


def _on(grid: Grid, weights: Array, k: float) -> bool:
    """Whether weights · k are on the grid, within what float32 can tell."""
    for part in (_sampled(weights), weights.reshape(-1)):
        scaled = part * k
        if bool((np.abs(grid.rounded(scaled.copy()) - scaled) > TOLERANCE * np.abs(scaled)).any()):
            return False
    return True


def _enlarged(layer: Layer, rules: Rules, k: float, most: float) -> float:
    """k doubled while there is room, where a larger k rounds states, threshold or bias less."""
    while _odd(layer, rules, k) and 2 * k <= most * (1 + 1e-9):
        k *= 2
    return k


def _odd(layer: Layer, rules: Rules, k: float) -> bool:
    """Whether voltages are no multiples of 2⁶ with this k."""
    mantissa, exponent = biased(layer.membrane.bias * k, rules.bias_exponent)
    wanted = layer.membrane.bias * k * (1 << LOIHI2.align_bits)
    error = np.abs(mantissa * 2.0**exponent - wanted)
    inexact = bool((error > TOLERANCE * np.abs(wanted)).any())
    return layer.membrane.remembers or inexact or fractional(mantissa, exponent)


def fractional(mantissa: Array, exponent: Array) -> bool:
    """Whether a bias is no multiple of 2⁶."""
    return bool((mantissa * 2**exponent % (1 << LOIHI2.align_bits)).any())


def _sampled(weights: Array) -> Array:
    flat = weights.reshape(-1)
    return flat if flat.size <= SAMPLE else flat[:: -(-flat.size // SAMPLE)]


def _ranked(
    layer: Layer, rules: Rules, grids: list[Grid], reaches: list[float], room: list[Room], most: float
) -> list[tuple[float, float]]:
    """The k with the least noise of a fine row of them and the next best that are apart from it, with their noises."""
    clipping = OCTAVES // 2 if rules.bits < LOIHI2.weight_bits - 1 else 0
    powers = np.arange(-OCTAVES * FINE, clipping * FINE + 1) / FINE
    bound = most_for_states(layer, rules) * (1 + 1e-9)
    tried = [float(k) for k in most * 2.0 ** powers[::-1] if k <= bound]
    samples = [_sampled(weights) for weights in layer.weights]
    power = sum(float((part**2).mean()) for part in samples) or 1.0
    noises = []
    for k in tried:
        exponents = _exponents(min(k, most), reaches, room)
        noise = sum(
            float(((grid.rounded(part * (k / 2**e)) * (2**e / k) - part) ** 2).mean())
            for grid, part, e in zip(grids, samples, exponents, strict=True)
        )
        noises.append(noise / power + float(np.mean(_state_noise(layer, rules, np.asarray(k)))))
    return _apart(tried, noises)


def _apart(tried: list[float], noises: list[float]) -> list[tuple[float, float]]:
    """The best, and the best of those that are not next to one that is taken."""
    taken: list[tuple[float, float]] = []
    for index in np.argsort(noises, kind="stable"):
        k = tried[index]
        if all(abs(np.log2(k / other)) > APART for other, _ in taken):
            taken.append((k, noises[index]))
        if len(taken) == RANKED:
            break
    return taken


def _state_noise(layer: Layer, rules: Rules, k: Array) -> Array:
    """The squares of what rounding moves threshold and bias by, as parts of the threshold; an array like k."""
    held = layer.membrane
    if held.threshold is None:
        return np.zeros(())
    theta = held.threshold * k
    size = np.maximum(theta, 1.0)
    noise = ((np.rint(theta) - theta) / size) ** 2 if held.remembers else np.zeros(())
    if held.bias.any():
        mantissa, exponent = biased(held.bias * k, rules.bias_exponent)
        noise = noise + ((mantissa * 2.0**exponent / (1 << LOIHI2.align_bits) - held.bias * k) / size) ** 2
    return np.asarray(noise)


def _shifts(reaches: list[float], room: list[Room]) -> tuple[int, ...]:
    """Exponents with which every matrix fills its range about as well as the others, or as the convolutions."""
    finite = [reach for reach in reaches if np.isfinite(reach)]
    convs = [reach for reach, each in zip(reaches, room, strict=True) if each == FIXED and np.isfinite(reach)]
    fills = min(convs) if convs else max(finite, default=1.0)
    return tuple(
        0 if each == FIXED or not np.isfinite(reach) else int(np.clip(np.rint(np.log2(fills / reach)), *each))
        for reach, each in zip(reaches, room, strict=True)
    )


def _each_channel(layer: Layer, rules: Rules, grids: list[Grid], shifts: tuple[int, ...]) -> tuple[Array, float]:
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
    best, least = top.copy(), np.full(count, np.inf)
    for fall in np.arange(OCTAVES * 16) / 16:
        k = top * 2.0**-fall
        noise = sum(
            _added(size * ((grid.rounded(r * k[at, None]) / k[at, None] - r) ** 2).mean(1), at, count)
            for grid, r, at, size in parts
        )
        noise = noise / power + _channel_noise(layer, rules, k)
        better = noise < least * (1 - 1e-6)
        best, least = np.where(better, k, best), np.where(better, noise, least)
    return best.reshape(-1, *([1] * (len(layer.shape) - 1))), float(least.mean())


def _rows(weights: Array) -> Array:
    """As many weights of each row as the sample has room for, but for at least 64."""
    rows = weights.reshape(len(weights), -1)
    most = max(64, 4 * SAMPLE // len(rows))
    return rows if rows.shape[1] <= most else np.ascontiguousarray(rows[:, :: -(-rows.shape[1] // most)])


def _added(values: Array, where: Array, count: int) -> Array:
    return np.bincount(where, values, count)


def _channel_noise(layer: Layer, rules: Rules, k: Array) -> Array:
    sides = (-1, *([1] * (len(layer.shape) - 1)))
    noise = np.broadcast_to(_state_noise(layer, rules, k.reshape(sides)), layer.shape)
    mean: Array = noise.reshape(layer.shape[0], -1).mean(1)
    return mean


def most_for_channels(layer: Layer, rules: Rules) -> Array:
    """The largest k of each channel that its threshold and bias leave."""
    held = layer.membrane
    bound = np.full(layer.shape, np.inf)
    with np.errstate(divide="ignore"):
        if held.threshold is not None:
            bound = np.minimum(bound, LOIHI2.most_threshold / held.threshold)
        exponent = LOIHI2.bias_exponent if rules.bias_exponent is None else rules.bias_exponent
        bound = np.minimum(bound, LOIHI2.most_bias * 2.0 ** (exponent - LOIHI2.align_bits) / np.abs(held.bias))
    if rules.seen:
        bound = np.minimum(bound, 0.9 * (LOIHI2.most_state >> LOIHI2.align_bits) / rules.seen)
    least: Array = bound.reshape(layer.shape[0], -1).min(1)
    return least


def biased(values: Array, exponent: int | None) -> tuple[Array, Array]:
    """b·k as mantissa · 2ᵉ in units of 2⁻⁶: the least exponent with which the mantissa fits, or the one given."""
    wanted = np.asarray(values, np.float64) * (1 << LOIHI2.align_bits)
    if exponent is None:
        with np.errstate(divide="ignore"):
            least = np.ceil(np.log2(np.abs(wanted) / (LOIHI2.most_bias + 0.5)))
        exponents = np.clip(np.where(wanted == 0, 0, least), 0, LOIHI2.bias_exponent).astype(np.int64)
    else:
        exponents = np.full(wanted.shape, exponent, np.int64)
    return _mantissas(wanted, exponents), exponents


def _mantissas(wanted: Array, exponents: Array) -> Array:
    bound = LOIHI2.most_bias
    return np.clip(np.rint(wanted / 2.0**exponents), -bound - 1, bound).astype(np.int64)
