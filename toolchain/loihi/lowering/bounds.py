"""What a target and its registers leave for the scale of a layer, and the noise of what is rounded besides weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...graph.nodes.base import Array
from ..limits import LOIHI2
from .biases import biased
from .grid import Grid, grid_of
from .layer import Layer

WIDE = 256
"""A source whose largest number is so large sends values; smaller ones are counted exactly."""
LEAST_WHOLE = 16
"""Thresholds below this many steps are left where they are: whole ones would be far apart."""
FINE_STATE = 4096
"""Where values come in, thresholds are kept to such a part: more would only use up the room of the current."""


@dataclass(frozen=True)
class Rules:
    """What the target takes.

    Args:
        bits: bits of a weight.
        bias_exponent: the exponent of all biases; none for one as each needs.
        by_channel: whether channels may have thresholds of their own.
        seen: the largest voltage or current of the float network, in units of its voltage; none where unknown.
        netx: whether it is a netx file: the matrices into a layer with a loop share their signs and have no exponent,
            and no matrix has one below 0.
    """

    bits: int = 8
    bias_exponent: int | None = None
    by_channel: bool = True
    seen: float | None = None
    netx: bool = False

    def as_one(self, layer: Layer) -> bool:
        """Whether the synapses of a layer are rounded as if they were one."""
        return self.netx and layer.loops


def grids_of(layer: Layer, rules: Rules) -> list[Grid]:
    """The grid of each synapse of a layer."""
    if rules.as_one(layer):
        every = np.concatenate([weights.reshape(-1) for weights in layer.weights])
        return [grid_of(every, rules.bits)] * len(layer.weights)
    return [grid_of(weights, rules.bits) for weights in layer.weights]


def wide(layer: Layer, index: int) -> bool:
    """Whether a synapse's source sends values rather than spikes or small numbers."""
    return max(map(abs, layer.most[index])) >= WIDE


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


def state_noise(layer: Layer, rules: Rules, k: Array) -> Array:
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


def snapped(k: Array, theta: Array | None) -> Array:
    """The next k below for which θ·k is whole, where that is near: a threshold that is off is so in every step."""
    if theta is None or not bool((theta > 0).all()):
        return k
    whole = np.floor(k * theta * (1 + 1e-12))
    return np.where(whole >= LEAST_WHOLE, whole / theta, k)
