"""Bodies: lengths of bones and breadths of limbs, random about a grown person's.

All are shares of the stature, as tables of body measures have them, each with a few per cent of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..samples import Array
from .chance import Draws

SHORTEST, TALLEST = 1.52, 1.86


@dataclass(frozen=True, eq=False)
class Body:
    """Lengths in metres, each [B].

    Args:
        stature: from the floor to the top of the head.
        build: how broad limbs are, about 1.
        thigh: from hip to knee; shin: from knee to ankle; ankle: height of the ankle over the floor.
        hip: half the distance of the hips; sunk: how far they lie below the base of the spine.
        waist: from the base to the middle of the spine; chest: from there to its top, between the shoulders.
        neck: from there to the neck's joint; head: from there to the middle of the head.
        shoulder: half the distance of the shoulders.
        upper: from shoulder to elbow; fore: from elbow to wrist; hand: from wrist to the middle of the hand.
    """

    stature: Array
    build: Array
    thigh: Array
    shin: Array
    ankle: Array
    hip: Array
    sunk: Array
    waist: Array
    chest: Array
    neck: Array
    head: Array
    shoulder: Array
    upper: Array
    fore: Array
    hand: Array

    def take(self, places: Array) -> Body:
        """Some bodies alone."""
        return Body(**{name: value[places] for name, value in vars(self).items()})

    @property
    def leg(self) -> Array:
        """From hip to ankle, stretched."""
        return self.thigh + self.shin

    @property
    def arm(self) -> Array:
        """From shoulder to wrist, stretched."""
        return self.upper + self.fore

    @property
    def standing(self) -> Array:
        """Height of the base of the spine over the floor of one who stands."""
        return self.ankle + 0.997 * self.leg + self.sunk

    @property
    def shoulders_up(self) -> Array:
        """Height of the shoulders over the base of the spine."""
        return self.waist + self.chest - 0.02 * self.stature

    @property
    def head_up(self) -> Array:
        """Height of the middle of the head over the shoulders."""
        return self.neck + self.head + 0.02 * self.stature


def body_of(draws: Draws) -> Body:
    """A random body for every clip."""
    tall = draws.between("stature", SHORTEST, TALLEST)
    legs, arms = draws.between("legs", 0.96, 1.04) * tall, draws.between("arms", 0.96, 1.04) * tall
    return Body(
        stature=tall,
        build=draws.between("build", 0.85, 1.25),
        thigh=0.235 * legs,
        shin=0.235 * legs,
        ankle=0.045 * tall,
        hip=draws.between("hips", 0.05, 0.06) * tall,
        sunk=0.02 * tall,
        waist=0.12 * tall,
        chest=0.15 * tall,
        neck=0.045 * tall,
        head=draws.between("head", 0.078, 0.088) * tall,
        shoulder=draws.between("shoulders", 0.1, 0.12) * tall,
        upper=0.165 * arms,
        fore=0.15 * arms,
        hand=0.05 * arms,
    )
