"""The largest states that a layer can reach, against the chip's 24 bits.

    |a| ≤ Σ|w|·2ᵉ·|x|;   |u| ≤ 2⁶·|a| / (1 − α);   v < 2⁶·θ + u + b;   −v ≤ (|u|₋ + b₋) / (1 − β)

over what the sources can send at most. A current beyond 2²³ wraps, a voltage saturates. A voltage that saturates
above its threshold spikes either way; below, inhibition is lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...graph.nodes.base import Array
from ..limits import LOIHI2
from .integers import Integers
from .layer import Layer


@dataclass(frozen=True)
class Reach:
    """The worst case of a layer.

    Args:
        current: the largest |u|; infinite where it never decays.
        below: how far below 0 a voltage can go; infinite where it never decays.
        above: how far above 0; that of a neuron which fires is not counted beyond its spike.
    """

    current: float
    below: float
    above: float


def reach(layer: Layer, held: Integers) -> Reach:
    """The worst case of a layer over all its neurons."""
    up, down = _drive(layer, held)
    unit = float(1 << LOIHI2.align_bits)
    keeps_u = 1 - held.current_decay / LOIHI2.decay_unity
    keeps_v = 1 - held.voltage_decay / LOIHI2.decay_unity
    high, low = (_settled(unit * each, keeps_u) for each in (up, down))
    bias = held.bias * 2.0**held.bias_exponent
    below = float(np.max(_settled(np.maximum(low - bias, 0), keeps_v), initial=0))
    above = np.maximum(high + bias, 0)
    fires = layer.membrane.threshold is not None and not layer.membrane.subtracts
    most = 0.0 if fires else float(np.max(_settled(above, keeps_v), initial=0))
    return Reach(float(max(np.max(high, initial=0), np.max(low, initial=0))), below, most)


def _settled(drive: Array, keeps: Array) -> Array:
    """Σ_t keepsᵗ · drive: what a leaky sum goes to."""
    with np.errstate(divide="ignore", invalid="ignore"):
        total: Array = np.where(drive == 0, 0.0, drive / (1 - keeps))
    return total


def _drive(layer: Layer, held: Integers) -> tuple[Array, Array]:
    """The most that can come in, up and down, by channel where outputs go to one each, else the most of all."""
    by_channel = all(each is not None for each in layer.channels) and len(layer.shape) > 0
    sides = (layer.shape[0], *([1] * (len(layer.shape) - 1))) if by_channel else (1,) * len(layer.shape)
    up, down = (np.zeros(sides[0] if by_channel else 1) for _ in range(2))
    for index, synapse in enumerate(held.synapses):
        high, low = layer.most[index]
        rows = synapse.weight.reshape(len(synapse.weight), -1) * 2.0**synapse.exponent
        positive, negative = np.maximum(rows, 0).sum(1), np.minimum(rows, 0).sum(1)
        ups, downs = high * positive + low * negative, -(low * positive + high * negative)
        where = layer.channels[index] if by_channel else None
        for total, each in ((up, np.maximum(ups, 0)), (down, np.maximum(downs, 0))):
            total += _widest(each, where, len(total))
    return up.reshape(sides), down.reshape(sides)


def _widest(values: Array, where: Array | None, count: int) -> Array:
    """The largest of each channel."""
    most = np.zeros(count)
    np.maximum.at(most, np.zeros(len(values), np.int64) if where is None else where, values)
    return most
