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
from .biases import biased, fractional
from .bounds import Rules, grids_of, most_for_states, snapped, state_noise, wide
from .channels import FIXED, LEAST_EXPONENT, MOST_EXPONENT, Room, each_channel, shifts_of
from .convolutions import Convolution
from .grid import Grid
from .layer import Layer

SAMPLE = 1 << 15
"""As many weights of each synapse as are looked at for each candidate."""
OCTAVES, FINE = 3, 48
"""The search goes so many powers of two down from the largest k, in so many steps each."""
TOLERANCE = 1e-6
"""By which part of themselves weights may miss the grid and still be on it: what float32 rounds, some times over."""
BETTER = 10 ** (1 / 10)
"""1 dB: less is not worth a threshold for each channel."""
RANKED, APART = 3, 0.1
"""As many scales are tried on calibration data, apart by such a part of a power of two."""


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
    grids = grids_of(layer, rules)
    reaches = [grid.reach(weights) for grid, weights in zip(grids, layer.weights, strict=True)]
    room = [_room(layer, index, rules) for index in range(len(layer.forms))]
    most = _most(reaches, room, most_for_states(layer, rules))
    exact = _exact(layer, rules, grids, reaches, room, most)
    if exact is not None:
        return [Scale(np.asarray(exact), _exponents(exact, reaches, room), exact=True)]
    ranked = _ranked(layer, rules, grids, reaches, room, most)
    found = [Scale(np.asarray(k), _exponents(min(k, most), reaches, room), exact=False) for k, _ in ranked]
    values = any(wide(layer, index) for index in range(len(layer.forms)))
    own = layer.by_channel and rules.by_channel and not layer.membrane.subtracts
    if own and layer.membrane.emit == "spikes" and not values:
        shifts = shifts_of(reaches, room)
        each, share = each_channel(layer, rules, grids, shifts)
        found.insert(0 if share * BETTER < ranked[0][1] else 1, Scale(each, shifts, exact=False))
    return found


def _most(reaches: list[float], room: list[Room], most: float) -> float:
    """The largest k to look at: nothing without an exponent is clipped, and one matrix fills its range."""
    convs = [reach for reach, each in zip(reaches, room, strict=True) if each == FIXED]
    found = min(min(convs) if convs else max(reaches, default=np.inf), most)
    lowest = min(reaches, default=np.inf) * 2.0**MOST_EXPONENT
    found = min(found, lowest)
    return found if np.isfinite(found) else 1.0


def _room(layer: Layer, index: int, rules: Rules) -> Room:
    """The exponents that a synapse may have: below 0 for values, whose sums are fine enough to be rounded down.

    A netx file has none: below 0 it cannot say them, and above 0 weights are beyond what its loader holds.
    """
    if isinstance(layer.forms[index].map, Convolution) or rules.netx:
        return FIXED
    return (-LEAST_EXPONENT if wide(layer, index) else 0, MOST_EXPONENT)


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
    theta = layer.membrane.threshold if layer.membrane.remembers else None
    even = theta if theta is not None and bool((theta == theta.flat[0]).all()) else None
    wanted = snapped(most * 2.0 ** powers[::-1], None if even is None else even.reshape(-1)[:1])
    tried = [float(k) for k in dict.fromkeys(wanted) if k <= bound]
    samples = [_sampled(weights) for weights in layer.weights]
    power = sum(float((part**2).mean()) for part in samples) or 1.0
    noises = []
    for k in tried:
        exponents = _exponents(min(k, most), reaches, room)
        noise = sum(
            float(((grid.rounded(part * (k / 2**e)) * (2**e / k) - part) ** 2).mean())
            for grid, part, e in zip(grids, samples, exponents, strict=True)
        )
        noises.append(noise / power + float(np.mean(state_noise(layer, rules, np.asarray(k)))))
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
