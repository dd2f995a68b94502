"""What hands hold: a cup, a telephone, a flag, a parcel; each a few limbs and faces, in the camera's axes.

Things hang on the joints and never move them: a clip with a thing and the same clip without it have the same skeleton.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....toolchain.kernels.raster import FACE, LIMB
from ..samples import Array
from .actions import ACTIONS
from .geometry import facing, unit
from .scenes import Scene

SLOTS = (LIMB, LIMB, FACE, FACE, FACE, FACE, FACE, FACE)
"""Kinds of the forms that a thing may have."""
UP = np.array([0.0, 1.0, 0.0])
ACROSS = np.array([1.0, 0.0, 0.0])
AWAY = np.array([0.0, 0.0, 1.0])
STRIPS = 3
BOX = ((0, 1, 3, 2), (4, 5, 7, 6), (0, 1, 5, 4), (2, 3, 7, 6), (0, 2, 6, 4), (1, 3, 7, 5))
"""A box's faces by its corners, whose bits are across, up and away."""


@dataclass(frozen=True, eq=False)
class Things:
    """What is held.

    Args:
        corners: float64 [B, F, slots, 4, 3] in metres; a limb's ends are the first two.
        radii: of limbs' ends in metres, [B, slots, 2].
        shades: factors on the colour, [slots].
        present: bool [B, slots].
    """

    corners: Array
    radii: Array
    shades: Array
    present: Array


def things(scene: Scene) -> Things:
    """The things of scenes; nothing where an action has none."""
    count, frames = scene.joints.shape[:2]
    shades = np.array([1, 0.75, 1, 1, 0.92, 0.85, 0.9, 1], np.float32)
    made = Things(
        np.zeros((count, frames, len(SLOTS), 4, 3)), np.zeros((count, len(SLOTS), 2)), shades,
        np.zeros((count, len(SLOTS)), bool),
    )  # fmt: skip
    held = np.array([row.thing or "" for row in ACTIONS.values()])[scene.labels]
    for name, hold in (("cup", _cup), ("phone", _phone), ("flag", _flag), ("parcel", _parcel)):
        places = np.flatnonzero(held == name)
        if len(places):
            hold(scene, places, made)
    return made


def _hand(scene: Scene, places: Array, person: int = 0) -> tuple[Array, Array]:
    """The acting hand's wrist and middle, [b, F, 3]."""
    wrist = (6 + 4 * scene.hand)[places]
    joints = scene.joints[places, :, person]
    rows = np.arange(len(places))
    return joints[rows, :, wrist], joints[rows, :, wrist + 1]


def _size(scene: Scene, places: Array) -> Array:
    return scene.draws.between("size", 0.88, 1.15)[places]


def _rod(made: Things, places: Array, slot: int, ends: tuple[Array, Array], radii: tuple[Array, Array]) -> None:
    for end in range(2):
        made.corners[places, :, slot, end] = ends[end]
        made.radii[places, slot, end] = radii[end]
    made.present[places, slot] = True


def _cup(scene: Scene, places: Array, made: Things) -> None:
    """A tall cup that tilts to the mouth as it comes up."""
    _, hand = _hand(scene, places)
    head = scene.joints[places, :, 0, 3]
    near = np.clip(1.4 - np.sqrt(((head - hand) ** 2).sum(-1, keepdims=True)) / 0.35, 0, 1)
    axis = unit(UP + 0.55 * near * unit((head - hand) * np.array([1.0, 0.0, 1.0])))
    size = _size(scene, places)
    long = (0.34 * size)[:, None, None]
    _rod(made, places, 0, (hand - 0.35 * long * axis, hand + 0.65 * long * axis), (0.055 * size, 0.08 * size))


def _phone(scene: Scene, places: Array, made: Things) -> None:
    """A small flat telephone, held along the face."""
    _, hand = _hand(scene, places)
    size = _size(scene, places)
    half = (0.07 * size)[:, None, None]
    _rod(made, places, 0, (hand - 0.3 * half * UP, hand + 1.8 * half * UP), (0.028 * size, 0.028 * size))


def _flag(scene: Scene, places: Array, made: Things) -> None:
    """A stick that goes on where the forearm points, and a cloth at it that flutters outwards."""
    wrist, hand = _hand(scene, places)
    stick = unit(unit(hand - wrist) + 1.5 * UP)
    size = _size(scene, places)[:, None, None]
    top, end = hand + 0.52 * size * stick, hand - 0.1 * size * stick
    _rod(made, places, 1, (end, top), (np.full(len(places), 0.016),) * 2)
    side = np.where(scene.hand[places] == 1, 1.0, -1.0)[:, None, None]
    turns = scene.draws.between("turn", 1.5, 2.5)[places][:, None] * scene.times
    edge, width = top, 0.48 * size / STRIPS
    for strip in range(STRIPS):
        ripple = 0.35 * np.sin(2 * np.pi * (turns - strip / STRIPS))[..., None]
        beyond = edge + width * unit(side * ACROSS + ripple * UP + 0.6 * ripple * AWAY)
        drop = 0.34 * size * stick
        made.corners[places, :, 2 + strip] = np.stack([edge, beyond, beyond - drop, edge - drop], axis=2)
        made.present[places, 2 + strip] = True
        edge = beyond


def _parcel(scene: Scene, places: Array, made: Things) -> None:
    """A box that goes with the giver's hand until both hands are nearest to each other, and then with the other's."""
    _, giver = _hand(scene, places, 0)
    _, taker = _hand(scene, places, 1)
    apart = np.sqrt(((giver - taker) ** 2).sum(-1))
    given = (np.arange(len(scene.times)) >= apart.argmin(1)[:, None])[..., None]
    middle = np.where(given, taker, giver) - 0.1 * UP
    size = _size(scene, places)[:, None, None]
    yaw = scene.yaw[places][:, None]
    halves = [size * 0.17 * facing(yaw, ACROSS), size * 0.14 * UP, size * 0.13 * facing(yaw, AWAY)]
    for face, corners in enumerate(BOX):
        signs = [[2 * (corner >> bit & 1) - 1 for bit in range(3)] for corner in corners]
        places_of = [middle + sum(s * half for s, half in zip(sign, halves, strict=True)) for sign in signs]
        made.corners[places, :, 2 + face] = np.stack(places_of, axis=2)
        made.present[places, 2 + face] = True
