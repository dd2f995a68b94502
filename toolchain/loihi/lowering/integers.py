"""A layer in integers, and what its rounding did.

    w = W·k / 2ᵉ rounded to the grid, balanced,   m_θ from θ·k,   d = round(4096·(1 − decay))

Where states are multiples of 2⁶ the compare of integers is the compare of the real numbers: v > θ·k is v > ⌊θ·k⌋, and
v ≥ θ·k is v > ⌈θ·k⌉ − 1. Elsewhere the threshold is rounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...graph.nodes.base import Array
from ..limits import LOIHI2
from ..processes.base import WEIGHTS
from .biases import biased, fractional
from .bounds import Rules, grids_of
from .grid import Grid
from .layer import Layer
from .scales import TOLERANCE, Scale

BLOCK = 1 << 17
"""So many weights are rounded at a time."""
NEVER = LOIHI2.most_threshold
"""The threshold of a neuron that never fires."""


@dataclass(frozen=True, eq=False)
class Rounding:
    """What became of the weights of one synapse.

    Args:
        weight: the integers.
        exponent: e.
        sqnr: signal to noise of the weights in dB; infinite where they are exact.
        clipped: how many left the range and were clipped.
        zeroed: how many became 0 that were not.
        bits: bits of the widest weight that is used, its sign with it.
    """

    weight: Array
    exponent: int
    sqnr: float
    clipped: int
    zeroed: int
    bits: int


@dataclass(frozen=True, eq=False)
class Integers:
    """A neuron of the chip and its synapses.

    Args:
        k: the scale.
        exact: every weight is on the grid.
        synapses: the rounding of each.
        threshold: the mantissas.
        bias: the mantissas.
        bias_exponent: their exponents.
        current_decay: d_u.
        voltage_decay: d_v.
    """

    k: Array
    exact: bool
    synapses: tuple[Rounding, ...]
    threshold: Array
    bias: Array
    bias_exponent: Array
    current_decay: Array
    voltage_decay: Array

    @property
    def scale(self) -> float:
        """What a float voltage of 1 is in the state, where there is one scale."""
        return float(self.k.flat[0]) * (1 << LOIHI2.align_bits)


def integers(layer: Layer, scale: Scale, rules: Rules) -> Integers:
    """The layer rounded with a scale."""
    held = layer.membrane
    grids = grids_of(layer, rules)
    rounded = tuple(_rounding(layer, index, scale, grid) for index, grid in enumerate(grids))
    mantissa, exponent = biased(held.bias * scale.k, rules.bias_exponent)
    odd = held.remembers or fractional(mantissa, exponent)
    threshold = (
        np.asarray(NEVER) if held.threshold is None else threshold_of(held.threshold * scale.k, held.at_least, odd)
    )
    if not mantissa.any():
        mantissa, exponent = np.asarray(0), np.asarray(0)
    decays = (decay_of(held.alpha), decay_of(held.beta))
    return Integers(scale.k, scale.exact, rounded, threshold, mantissa, exponent, *decays)


def decay_of(kept: Array) -> Array:
    """d for what is kept in a step."""
    lost: Array = np.rint(LOIHI2.decay_unity * (1 - kept)).astype(np.int64)
    return lost


def threshold_of(theta: Array, at_least: bool, odd: bool) -> Array:
    """The mantissa for a threshold θ·k; `odd` where voltages are no multiples of 2⁶."""
    near = np.rint(theta)
    snapped = np.where(np.abs(near - theta) <= 1e-6 * np.maximum(theta, 1), near, theta)
    mantissa = near if odd else np.ceil(snapped) - 1 if at_least else np.floor(snapped)
    return np.clip(mantissa, 0, LOIHI2.most_threshold).astype(np.int64)


def factors(layer: Layer, index: int, k: Array) -> Array:
    """k for the rows of a synapse, as wide as its weights have axes."""
    weights, channels = layer.weights[index], layer.channels[index]
    if k.size == 1:
        return k.reshape(())
    if channels is None:
        raise TypeError("a scale for each channel asks for outputs that go to one channel each")
    return k.reshape(-1)[channels].reshape(-1, *([1] * (weights.ndim - 1)))


def _rounding(layer: Layer, index: int, scale: Scale, grid: Grid) -> Rounding:
    weights, exponent = layer.weights[index], scale.exponents[index]
    factor = np.broadcast_to(factors(layer, index, scale.k) / 2.0**exponent, weights.shape)
    kept = np.empty(weights.shape, WEIGHTS[0])
    for rows in _blocks(weights):
        wanted = weights[rows] * factor[rows]
        kept[rows] = grid.rounded(wanted) if scale.exact else grid.balanced(wanted)
    if kept.max(initial=0) <= 0:  # no weight above 0 is left: a synapse of negative weights alone holds one value less
        np.maximum(kept, grid.step - (1 << LOIHI2.weight_bits), out=kept)
    noise, power, clipped, zeroed = 0.0, 0.0, 0, 0
    for rows in _blocks(weights):
        wanted = weights[rows] * factor[rows]
        error = kept[rows] - wanted
        if scale.exact:
            error[np.abs(error) <= TOLERANCE * np.abs(wanted)] = 0
        noise, power = noise + float((error**2).sum()), power + float((wanted**2).sum())
        clipped += int(((wanted > grid.high + grid.step / 2) | (wanted < grid.low - grid.step / 2)).sum())
        zeroed += int(((kept[rows] == 0) & (weights[rows] != 0)).sum())
    return Rounding(narrow(kept), exponent, _decibels(noise, power), clipped, zeroed, _bits(kept, grid))


def _blocks(weights: Array) -> Iterator[slice]:
    """Rows that are rounded at a time: what is in between is many times as large as they are."""
    rows = max(1, BLOCK * len(weights) // max(weights.size, 1))
    yield from (slice(first, first + rows) for first in range(0, len(weights), rows))


def narrow(kept: Array) -> Array:
    """Weights as the chip graph holds them, sealed so that it takes them without a copy."""
    held = kept.astype(WEIGHTS[0], copy=False)
    held.flags.writeable = False
    return held


def _bits(kept: Array, grid: Grid) -> int:
    """Bits of the widest weight; of both signs, as a two's complement has them."""
    most, least = int(kept.max(initial=0)) // grid.step, int(-kept.min(initial=0)) // grid.step
    if not grid.low < 0 < grid.high:
        return max(most, least).bit_length()
    return max(most.bit_length(), max(least - 1, 0).bit_length()) + 1


def sqnr_of(wanted: Array, error: Array) -> float:
    """10·log₁₀(Σ wanted² / Σ error²), infinite without an error."""
    return _decibels(float((error**2).sum()), float((wanted**2).sum()))


def _decibels(noise: float, power: float) -> float:
    return np.inf if noise == 0 else float(10 * np.log10(power / noise))
