"""What is random in a clip, drawn before anybody asks what the clip shows.

Every clip draws the same numbers under the same names whatever its action is. So two actions that read the same names
are the same motion in the same clip, and a clip can be drawn again with another action in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..samples import Array

SCENE, FIRST, SECOND = 0, 1, 2
"""Whose numbers: the scene's and the camera's, and those of the two persons."""
PERSONS = 2
NAMES = (
    *("stature", "build", "legs", "arms", "shoulders", "hips", "head"),
    *("onset", "rise", "hold", "fall", "tempo", "phase", "reach", "height", "width", "style", "stance", "side", "lean"),
    *("yaw", "zoom", "right", "up", "distance", "gap", "facing"),
    *("shirt", "trousers", "skin", "hair", "ground", "tint", "thing", "hue", "size", "turn"),
)
COLUMNS: Mapping[str, int] = {name: place for place, name in enumerate(NAMES)}
WAVES, DRIFTS = 3, 24
"""Sines in each of the slow drifts that a body has."""


@dataclass(frozen=True, eq=False)
class Chance:
    """The random numbers of B clips.

    Args:
        shares: uniform in [0, 1), [3, B, names].
        drifts: strengths [3, B, DRIFTS, WAVES], normal.
        phases: where each sine begins, in turns, likewise.
        rates: hertz, likewise.
        seeds: of what is drawn later (sensors' noise), int64 [B].
    """

    shares: Array
    drifts: Array
    phases: Array
    rates: Array
    seeds: Array

    def __len__(self) -> int:
        return len(self.seeds)

    def take(self, places: Array) -> Chance:
        """The numbers of some clips."""
        shares, drifts, phases, rates = (each[:, places] for each in self._fields())
        return Chance(shares, drifts, phases, rates, self.seeds[places])

    def mirrored(self) -> Chance:
        """The same clips seen from the other side of straight ahead: with the yaw's opposite."""
        shares = self.shares.copy()
        # Exactly the opposite: shares are multiples of 2^-24, and the yaw goes by their distance from ½.
        shares[SCENE, :, COLUMNS["yaw"]] = 1 - shares[SCENE, :, COLUMNS["yaw"]]
        return replace(self, shares=shares)

    def _fields(self) -> tuple[Array, Array, Array, Array]:
        return self.shares, self.drifts, self.phases, self.rates


@dataclass(frozen=True, eq=False)
class Draws:
    """One person's, or the scene's, numbers of B clips by name."""

    chance: Chance
    who: int

    def between(self, name: str, low: float, high: float) -> Array:
        """Uniform in [low, high), [B]."""
        return low + (high - low) * self.share(name)

    def about(self, name: str, far: float) -> Array:
        """Uniform in [−far, far), [B]."""
        return (self.share(name) - 0.5) * (2 * far)

    def below(self, name: str, chance: float) -> Array:
        """True with a chance, bool [B]."""
        found: Array = self.share(name) < chance
        return found

    def share(self, name: str) -> Array:
        """Uniform in [0, 1), [B]."""
        found: Array = self.chance.shares[self.who, :, COLUMNS[name]]
        return found

    def drift(self, first: int, times: Array) -> Array:
        """Three slow smooth drifts of deviation about 1 from number `first` on, [B, F, 3]."""
        part = (self.who, slice(None), slice(first, first + 3))
        turns = self.chance.rates[part][..., None] * times + self.chance.phases[part][..., None]
        waves = self.chance.drifts[part][..., None] * np.sin(2 * np.pi * turns)
        found: Array = np.moveaxis(waves.sum(2), 1, 2) * np.sqrt(2 / WAVES)
        return found


def chance_of(count: int, source: np.random.Generator) -> Chance:
    """The numbers of `count` clips; shares are multiples of 2^-24, so that 1 − share is exact."""
    shares = source.integers(1, 1 << 24, (3, count, len(NAMES))) / (1 << 24)
    shape = (3, count, DRIFTS, WAVES)
    drifts, phases = source.standard_normal(shape), source.random(shape)
    rates = source.uniform(0.15, 1.3, shape)
    return Chance(shares, drifts, phases, rates, source.integers(0, 1 << 62, count))
