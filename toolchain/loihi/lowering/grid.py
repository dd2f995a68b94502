"""The weights that a synapse keeps, and weights rounded onto them.

    mixed signs −256 … 254 by 2, one sign 0 … 255 by 1; with fewer bits by as many powers of two more

so that what the chip cuts off and clips (arithmetic.held_weights) is nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...graph.nodes.base import Array
from ..arithmetic import sign_mode
from ..limits import LOIHI2


@dataclass(frozen=True)
class Grid:
    """Multiples of a step between two bounds.

    Args:
        step: the step.
        low: the lowest weight.
        high: the highest.
    """

    step: int
    low: int
    high: int

    def reach(self, weights: Array) -> float:
        """The largest k for which no weight · k is clipped; infinite for zeros."""
        most, least = float(weights.max(initial=0.0)), float(weights.min(initial=0.0))
        sides = ([self.high / most] if most > 0 else []) + ([self.low / least] if least < 0 else [])
        return min(sides, default=np.inf)

    def rounded(self, scaled: Array) -> Array:
        """The nearest of the grid, as float64."""
        near: Array = np.rint(scaled / self.step)
        near *= self.step
        return np.clip(near, self.low, self.high, out=near)

    def balanced(self, scaled: Array) -> Array:
        """Of the grid, with the errors of each output's weights adding up to less than a step.

        Errors of weights that all point one way move a neuron's input in every step. So of the weights that were
        rounded that way, those that were nearest to being rounded the other way are, as many as it takes.
        """
        wanted = scaled.reshape(len(scaled), -1)
        kept = self.rounded(wanted.copy())
        error = kept - wanted
        surplus = np.rint(error.sum(1) / self.step)
        way = np.sign(surplus)[:, None] * self.step
        moved = kept - way
        free = (error * way > 0) & (np.abs(error) <= self.step / 2) & (moved >= self.low) & (moved <= self.high)
        order = np.argsort(np.where(free, -np.abs(error), np.inf), 1)
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.arange(order.shape[1])[None], 1)
        found: Array = np.where(free & (rank < np.abs(surplus)[:, None]), moved, kept)
        return found.reshape(scaled.shape)


def grid_of(weights: Array, bits: int) -> Grid:
    """The grid of a synapse with these weights and as many bits."""
    whole = 1 << LOIHI2.weight_bits
    mode = sign_mode(weights)
    step = 1 << (LOIHI2.weight_bits - bits + (mode == "mixed"))
    if mode == "mixed":
        return Grid(step, -whole, whole - step)
    return Grid(step, 0, whole - step) if mode == "excitatory" else Grid(step, step - whole, 0)
