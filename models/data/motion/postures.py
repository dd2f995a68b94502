"""Postures, and the joints that they give: forward kinematics of the trunk, hands and feet by where they reach.

A person stands at the origin on the floor y = 0, y upwards, faces −z and has the left at −x: as a Kinect that is faced
sees it. Bones keep their lengths, whatever a posture asks for: a limb that cannot reach its target points there.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ..samples import Array
from .bodies import Body
from .geometry import bent, facing, turned, unit, vector

JOINTS = 25
LEFT, RIGHT = 0, 1
SIDES = (-1.0, 1.0)
FACE = (0.0, 0.1, -0.9)
"""Where a nose is from the middle of the head, in shares of the head's radius; only ever seen in 2-D poses."""


@dataclass(frozen=True, eq=False)
class Posture:
    """What a body does, over time.

    Args:
        place: of the base of the spine, [B, F, 3].
        hips: pitch, twist and roll of the pelvis, [B, F, 3]; positive pitch leans back.
        chest: of the chest, not added to the pelvis's; head: of the head.
        hands: wrists from their shoulder, in lengths of the arm, [B, F, 2, 3], left and right.
        elbows: where elbows point, [B, F, 2, 3].
        ankles: where they are, [B, F, 2, 3].
        knees: where knees point, [B, F, 2, 3].
        turn: of everything about the upright axis, [B, F].
        at: where on the floor the person is, x and z, [B, F, 2].
    """

    place: Array
    hips: Array
    chest: Array
    head: Array
    hands: Array
    elbows: Array
    ankles: Array
    knees: Array
    turn: Array
    at: Array

    def mirrored(self) -> Posture:
        """The mirror image in depth, z → −z."""
        away, angles = np.array([1.0, 1.0, -1.0]), np.array([-1.0, -1.0, 1.0])
        signs = dict.fromkeys(("place", "hands", "elbows", "ankles", "knees"), away)
        signs |= dict.fromkeys(("hips", "chest", "head"), angles)
        signs |= {"turn": np.array(-1.0), "at": np.array([1.0, -1.0])}
        return Posture(**{each.name: getattr(self, each.name) * signs[each.name] for each in fields(self)})

    def swapped(self, chosen: Array) -> Posture:
        """With left and right exchanged, x → −x, in the chosen clips, [B]."""
        across, angles = np.array([-1.0, 1.0, 1.0]), np.array([1.0, -1.0, -1.0])
        other = {
            **{name: getattr(self, name) * across for name in ("place",)},
            **{name: getattr(self, name) * angles for name in ("hips", "chest", "head")},
            **{name: getattr(self, name)[:, :, ::-1] * across for name in ("hands", "elbows", "ankles", "knees")},
            "turn": -self.turn,
            "at": self.at * np.array([-1.0, 1.0]),
        }
        kept = {each.name: getattr(self, each.name) for each in fields(self)}
        shaped = {name: chosen.reshape(-1, *[1] * (value.ndim - 1)) for name, value in kept.items()}
        return Posture(**{name: np.where(shaped[name], other[name], value) for name, value in kept.items()})


def joints_of(body: Body, posture: Posture) -> Array:
    """The 25 joints in NTU's order, in metres, [B, F, 25, 3]; z leads away from who is faced."""
    found = np.empty((*posture.place.shape[:2], JOINTS, 3))
    _trunk(body, posture, found)
    for side in (LEFT, RIGHT):
        _arm(body, posture, side, found)
        _leg(body, posture, side, found)
    moved = facing(posture.turn[:, :, None], found)
    moved[..., 0] += posture.at[:, :, None, 0]
    moved[..., 2] += posture.at[:, :, None, 1]
    return moved


def _per_frame(value: Array) -> Array:
    """[B] as [B, 1, 1], for vectors over time."""
    return value[:, None, None]


def _up(value: Array) -> Array:
    """A bone [B] that leads upwards, [B, 1, 3]."""
    return vector(0.0, value, 0.0)[:, None]


def _trunk(body: Body, posture: Posture, found: Array) -> None:
    base = posture.place
    middle = base + turned(posture.hips, _up(body.waist))
    top = middle + turned(posture.chest, _up(body.chest))
    neck = top + turned(posture.chest, _up(body.neck))
    found[:, :, 0], found[:, :, 1], found[:, :, 20], found[:, :, 2] = base, middle, top, neck
    found[:, :, 3] = neck + turned(posture.head, _up(body.head))
    for side, joint in ((LEFT, 4), (RIGHT, 8)):
        across = vector(SIDES[side] * body.shoulder, -0.02 * body.stature, 0.0)[:, None]
        found[:, :, joint] = top + turned(posture.chest, across)
    for side, joint in ((LEFT, 12), (RIGHT, 16)):
        found[:, :, joint] = base + turned(posture.hips, vector(SIDES[side] * body.hip, -body.sunk, 0.0)[:, None])


def _arm(body: Body, posture: Posture, side: int, found: Array) -> None:
    """Shoulder, elbow, wrist, hand, tip and thumb; the hand goes on as the forearm does."""
    shoulder = 4 + 4 * side
    root = found[:, :, shoulder]
    target = root + posture.hands[:, :, side] * _per_frame(body.arm)
    elbow, wrist = bent(root, target, _per_frame(body.upper), _per_frame(body.fore), posture.elbows[:, :, side])
    along, hand = unit(wrist - elbow), _per_frame(body.hand)
    found[:, :, shoulder + 1], found[:, :, shoulder + 2] = elbow, wrist
    found[:, :, shoulder + 3] = wrist + along * hand
    found[:, :, 21 + 2 * side] = wrist + along * (2 * hand)
    # The thumb lies across the hand, away from where the elbow points.
    across = unit(elbow - (root + wrist) / 2)
    out = unit(across - along * (across * along).sum(-1, keepdims=True))
    found[:, :, 22 + 2 * side] = wrist + along * (0.8 * hand) - out * (0.6 * hand)


def _leg(body: Body, posture: Posture, side: int, found: Array) -> None:
    """Hip, knee, ankle and foot; the foot keeps its angle with the shin and points ahead."""
    hip = 12 + 4 * side
    root = found[:, :, hip]
    knee, ankle = bent(
        root, posture.ankles[:, :, side], _per_frame(body.thigh), _per_frame(body.shin), posture.knees[:, :, side]
    )
    found[:, :, hip + 1], found[:, :, hip + 2] = knee, ankle
    shin = unit(ankle - knee)
    ahead = np.array([0.15 * SIDES[side], 0.0, -1.0])
    level = unit(ahead - shin * (shin * ahead).sum(-1, keepdims=True))
    found[:, :, hip + 3] = ankle + (0.06 * level + 0.03 * shin) * _per_frame(body.stature)
