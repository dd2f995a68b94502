"""An actor: a body, its random numbers and a clock; how it rests, and how its movements run in time.

    ease(x) = 10x³ − 15x⁴ + 6x⁵                              the path of least jerk from 0 to 1
    once(t) = ease((t − t₁)/rise) − ease((t − t₂)/fall)      there and back

with times that are drawn for every clip.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..samples import Array
from .bodies import Body, body_of
from .chance import Draws
from .geometry import vector
from .postures import SIDES, Posture

HANGING = 0.985
"""Of the arm's length: how far a hand hangs below its shoulder."""
OUTWARDS = np.array([[SIDES[0], 0.0, 0.0], [SIDES[1], 0.0, 0.0]])
"""Where knees and elbows point while nothing bends them ahead: to the sides, so that rest is its own mirror image."""


@dataclass(frozen=True, eq=False)
class Actor:
    """A person of B clips.

    Args:
        body: lengths.
        draws: random numbers by name.
        times: seconds of the pictures, [F].
    """

    body: Body
    draws: Draws
    times: Array

    def once(self) -> Array:
        """Some movement's progress: 0, then 1 for a while, then 0 again; early or late, brisk or slow, [B, F]."""
        onset, rise = self._column("onset", 0.05, 0.3), self._column("rise", 0.4, 0.65)
        back = onset + rise + self._column("hold", 0.1, 0.4)
        fall = self._column("fall", 0.4, 0.65)
        return ease((self.times - onset) / rise) - ease((self.times - back) / fall)

    def onwards(self) -> Array:
        """The progress of what is not undone: 0, then 1, [B, F]."""
        onset, rise = self._column("onset", 0.05, 0.35), self._column("rise", 0.8, 1.15)
        return ease((self.times - onset) / rise)

    def swing(self, slowest: float, fastest: float) -> Array:
        """A sine of random tempo in hertz and phase, [B, F]."""
        turns = self._column("tempo", slowest, fastest) * self.times + self._column("phase", 0, 1)
        swinging: Array = np.sin(2 * np.pi * turns)
        return swinging

    def between(self, name: str, low: float, high: float) -> Array:
        """A random number for every clip, to be used over time, [B, 1]."""
        return self._column(name, low, high)

    def rest(self) -> Posture:
        """Standing, with the sway and the breath of somebody alive."""
        body, frames = self.body, (len(self.body.stature), len(self.times))
        shape = (*frames, 2, 3)
        place = vector(0.0, body.standing, 0.0)[:, None] + self._drift(0, 0.006, 0.002, 0.006)
        apart = body.hip * self.draws.between("stance", 1.0, 1.9)
        ankles = np.stack([vector(side * apart, body.ankle, 0.0) for side in SIDES], axis=1)
        hang = np.array([[SIDES[0] * 0.12, -HANGING, 0.0], [SIDES[1] * 0.12, -HANGING, 0.0]])
        hands = np.stack([hang[side] + self._drift(9 + 3 * side, 0.02, 0.008, 0.02) for side in (0, 1)], axis=2)
        return Posture(
            place=place,
            hips=self._drift(3, 0.012, 0.02, 0.01),
            chest=self._drift(6, 0.02, 0.03, 0.015),
            head=self._drift(15, 0.04, 0.05, 0.03),
            hands=hands,
            elbows=np.broadcast_to(OUTWARDS, shape),
            ankles=np.broadcast_to(ankles[:, None], shape),
            knees=np.broadcast_to(OUTWARDS, shape),
            turn=self._drift(18, 0.03, 0, 0)[..., 0],
            at=np.zeros((*frames, 2)),
        )

    def _column(self, name: str, low: float, high: float) -> Array:
        return self.draws.between(name, low, high)[:, None]

    def _drift(self, first: int, x: float, y: float, z: float) -> Array:
        found: Array = self.draws.drift(first, self.times) * np.array([x, y, z])
        return found


def actor_of(draws: Draws, times: Array) -> Actor:
    """A random person for every clip."""
    return Actor(body_of(draws), draws, times)


def ease(x: Array) -> Array:
    """From 0 to 1 with the least jerk, and constant before and after."""
    x = np.clip(x, 0.0, 1.0)
    found: Array = x * x * x * (x * (x * 6 - 15) + 10)
    return found


def moved(rest: Array, target: Array, progress: Array) -> Array:
    """On the way from rest to target, [B, F, …, 3], by progress [B, F]."""
    share = progress.reshape(*progress.shape, *[1] * (rest.ndim - progress.ndim))
    found: Array = rest + share * (target - rest)
    return found
