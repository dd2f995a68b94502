"""What is painted: limbs between joints, and the thing in a hand, in the order in which they cover each other.

The order is fixed, legs before trunk before head before arms, whatever is nearer to the camera: order is what would
tell ahead from back in a picture. For the same reason nothing painted is longer ahead than back (no noses, no toes).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ....toolchain.kernels.raster import FACE, LIMB, NUMBERS
from ..samples import Array
from .bodies import Body
from .cameras import Camera
from .chance import FIRST, SECOND
from .scenes import Scene
from .things import SLOTS, things
from .wardrobe import clothes_of, thing_of


@dataclass(frozen=True)
class Limb:
    """A limb between two joints.

    Args:
        start: a joint; stop: the other.
        thick: radius at the start in shares of the stature; thin: at the other end.
        colour: which of the clothes.
        before: how far it begins before the first joint, in shares of the bone; beyond: how far it goes on.
        higher: how far it lies above the joints, in shares of the stature.
    """

    start: int
    stop: int
    thick: float
    thin: float
    colour: str
    before: float = 0.0
    beyond: float = 0.0
    higher: float = 0.0


LOWER = (
    Limb(14, 14, 0.03, 0.03, "shoe"),
    Limb(18, 18, 0.03, 0.03, "shoe"),
    Limb(12, 13, 0.05, 0.034, "inner"),
    Limb(13, 14, 0.034, 0.024, "inner"),
    Limb(16, 17, 0.05, 0.034, "trousers"),
    Limb(17, 18, 0.034, 0.024, "trousers"),
    Limb(12, 16, 0.052, 0.052, "trousers"),
)
TRUNK = (
    Limb(0, 1, 0.066, 0.064, "shirt", 0.1),
    Limb(1, 20, 0.064, 0.07, "shirt", 0.0, -0.25),
    Limb(4, 8, 0.034, 0.034, "shirt"),
    Limb(20, 2, 0.03, 0.028, "skin", 0.0, 0.4),
    Limb(3, 3, 0.056, 0.056, "hair", higher=0.018),
    Limb(2, 3, 0.036, 0.05, "skin", -0.6, 0.05),
)
ARMS = (
    Limb(4, 5, 0.033, 0.026, "sleeve"),
    Limb(8, 9, 0.033, 0.026, "sleeve"),
    Limb(5, 6, 0.024, 0.018, "skin"),
    Limb(9, 10, 0.024, 0.018, "skin"),
    Limb(6, 7, 0.02, 0.024, "hand", 0.2, 0.2),
    Limb(10, 11, 0.02, 0.024, "hand", 0.2, 0.2),
)
SHIRT_FRONT = (4, 8, 16, 12)
"""Joints of the face that fills the trunk between shoulders and hips."""


@dataclass(frozen=True, eq=False)
class Forms:
    """What the kernel paints.

    Args:
        forms: float64 [B, F, P, 12], in pixels.
        kinds: LIMB or FACE, int64 [P].
        colours: float32 [B, P, 3].
        present: which a clip has, bool [B, P].
    """

    forms: Array
    kinds: Array
    colours: Array
    present: Array


def forms_of(scene: Scene, camera: Camera) -> Forms:
    """Everything of scenes, in order: both persons up to the head, the thing, then their arms."""
    parts = [_body(scene, camera, who, (*LOWER, *TRUNK)) for who in (FIRST, SECOND)]
    parts.append(_thing(scene, camera))
    parts += [_body(scene, camera, who, ARMS) for who in (FIRST, SECOND)]
    joined = (np.concatenate([getattr(part, name) for part in parts], axis) for name, axis in _AXES)
    return Forms(*joined)


_AXES = (("forms", 2), ("kinds", 0), ("colours", 1), ("present", 1))


def _body(scene: Scene, camera: Camera, who: int, limbs: Sequence[Limb]) -> Forms:
    person = who - FIRST
    body, joints = scene.bodies[person], scene.joints[:, :, person]
    clothes = clothes_of(scene.chance, who)
    rows = [_limb(each, joints, body, camera) for each in limbs]
    kinds, colours = [LIMB] * len(limbs), [clothes[each.colour] for each in limbs]
    if limbs[0] is LOWER[0]:
        corners = camera.pixels(joints[:, :, SHIRT_FRONT])
        rows.insert(len(LOWER), corners.reshape(*corners.shape[:2], NUMBERS))
        kinds.insert(len(LOWER), FACE)
        colours.insert(len(LOWER), clothes["shirt"])
    present = np.repeat(scene.persons[:, person, None], len(rows), axis=1)
    return Forms(np.stack(rows, axis=2), np.array(kinds), np.stack(colours, axis=1).astype(np.float32), present)


def _limb(limb: Limb, joints: Array, body: Body, camera: Camera) -> Array:
    """One limb as the kernel reads it, [B, F, 12]."""
    start, stop = joints[:, :, limb.start], joints[:, :, limb.stop]
    bone = stop - start
    lift = np.array([0.0, 1.0, 0.0]) * (limb.higher * body.stature)[:, None, None]
    ends = [start - limb.before * bone + lift, stop + limb.beyond * bone + lift]
    found = np.zeros((*joints.shape[:2], NUMBERS))
    for place, (end, thick) in enumerate(zip(ends, (limb.thick, limb.thin), strict=True)):
        found[..., 4 * place : 4 * place + 3] = camera.pixels(end)
        broad = body.build if limb.colour not in ("skin", "hand", "hair") else np.ones_like(body.build)
        found[..., 4 * place + 3] = (camera.scale * thick * body.stature * broad)[:, None]
    return found


def _thing(scene: Scene, camera: Camera) -> Forms:
    made = things(scene)
    shape = (*scene.joints.shape[:2], len(SLOTS), NUMBERS)
    forms = np.zeros(shape)
    for slot, kind in enumerate(SLOTS):
        corners = camera.pixels(made.corners[:, :, slot])
        if kind == FACE:
            forms[:, :, slot] = corners.reshape(*corners.shape[:2], NUMBERS)
            continue
        for end in range(2):
            forms[:, :, slot, 4 * end : 4 * end + 3] = corners[:, :, end]
            forms[:, :, slot, 4 * end + 3] = (camera.scale * made.radii[:, slot, end])[:, None]
    colours = np.repeat(thing_of(scene.chance)[:, None], len(SLOTS), axis=1).astype(np.float32)
    return Forms(forms, np.array(SLOTS), colours * made.shades[None, :, None], made.present)
