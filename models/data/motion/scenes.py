"""A scene: who is where at every moment, and from where a camera looks.

    u = x·cos ψ + z·sin ψ,   y,   d = z·cos ψ − x·sin ψ         the camera's axes: to the right, up, away from it

The camera is far away and level (a telephoto lens), so u and y are what a picture has of a point and d is not in it. A
mirror image in depth, (x, y, z) → (x, y, −z), has at −ψ the very picture that the original has at ψ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..samples import Array
from .actions import ACTIONS, CLASSES, Action
from .actors import actor_of
from .bodies import Body, body_of
from .chance import FIRST, PERSONS, SCENE, SECOND, Chance, Draws
from .geometry import facing
from .postures import JOINTS, Posture, joints_of

YAW = 30.0
"""Degrees by which a camera stands to the left or to the right of straight ahead, at most."""


@dataclass(frozen=True, eq=False)
class Scene:
    """Moments of B clips.

    Args:
        labels: which action, [B].
        chance: the clips' random numbers.
        times: seconds of the moments, [F].
        joints: in the camera's axes, metres over the floor: [B, F, 2, 25, 3]; of one who is absent 0.
        persons: who is there, bool [B, 2].
        bodies: of both.
        hand: which hand of the first one acts, 0 left or 1 right, [B].
    """

    labels: Array
    chance: Chance
    times: Array
    joints: Array
    persons: Array
    bodies: tuple[Body, Body]
    hand: Array

    def first(self, count: int) -> Scene:
        """The first clips alone."""
        return self.take(np.arange(count))

    def take(self, places: Array) -> Scene:
        """Some clips alone."""
        bodies = (self.bodies[0].take(places), self.bodies[1].take(places))
        return Scene(
            self.labels[places], self.chance.take(places), self.times, self.joints[places], self.persons[places],
            bodies, self.hand[places],
        )  # fmt: skip

    @property
    def draws(self) -> Draws:
        """The scene's own numbers."""
        return Draws(self.chance, SCENE)

    @property
    def yaw(self) -> Array:
        """ψ in radians, [B]."""
        return yaw_of(self.draws)


def yaw_of(draws: Draws) -> Array:
    """Where a camera stands, in radians, [B]."""
    return draws.about("yaw", float(np.deg2rad(YAW)))


def scene_of(labels: Array, chance: Chance, times: Array) -> Scene:
    """The scenes of labels [B] with these random numbers."""
    joints = np.zeros((len(labels), len(times), PERSONS, JOINTS, 3))
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        action = ACTIONS[CLASSES[label]]
        joints[places, :, : action.persons] = _moments(action, chance.take(places), times)
    count = np.array([action.persons for action in ACTIONS.values()])[labels]
    persons = np.arange(PERSONS) < count[:, None]
    bodies = (body_of(Draws(chance, FIRST)), body_of(Draws(chance, SECOND)))
    hand = np.where(_left_handed(chance) & (count == 1), 0, 1)
    return Scene(labels, chance, times, joints, persons, bodies, hand)


def _left_handed(chance: Chance) -> Array:
    return Draws(chance, FIRST).below("side", 0.5)


def _moments(action: Action, chance: Chance, times: Array) -> Array:
    """Joints [B, F, persons, 25, 3] in the camera's axes."""
    actors = [actor_of(Draws(chance, who), times) for who in (FIRST, SECOND)[: action.persons]]
    made = action.motion(*actors)
    postures = [made.swapped(_left_handed(chance))] if isinstance(made, Posture) else list(made)
    if action.mirrored:
        postures = [each.mirrored() for each in postures]
    yaw = yaw_of(Draws(chance, SCENE))[:, None, None]
    seen = [facing(yaw, joints_of(actor.body, posture)) for actor, posture in zip(actors, postures, strict=True)]
    return np.stack(seen, axis=2)
