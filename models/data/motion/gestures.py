"""What one person does. Each motion is a function of an actor's rest and progress; nothing here knows of objects.

`bow` and `kick` are their own mirror images' halves: no bone of theirs bends ahead or back but those of the motion
itself, so z → −z makes leaning back and kicking back of them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..samples import Array
from .actors import Actor, ease, moved
from .geometry import vector
from .postures import LEFT, RIGHT, SIDES, Posture

STRAIGHT = np.zeros(3)


def with_hand(
    rest: Posture, side: int, hand: Array, elbow: Array, progress: Array, round_by: Array = STRAIGHT
) -> Posture:
    """One hand on its way from rest to a place, round by some way off the straight line; its elbow turns with it."""
    hands, elbows = rest.hands.copy(), np.array(rest.elbows)
    aside = (4 * progress * (1 - progress))[..., None] * round_by
    hands[:, :, side] = moved(rest.hands[:, :, side], hand, progress) + aside
    elbows[:, :, side] = moved(rest.elbows[:, :, side], elbow, progress)
    return replace(rest, hands=hands, elbows=elbows)


def to_the_head(actor: Actor) -> Posture:
    """A hand goes up beside the face and stays there a while: a drink, or a call."""
    body, rest, progress = actor.body, actor.rest(), actor.once()
    progress = np.maximum(progress, ease((actor.times - 0.5) / 0.6) * (actor.between("fall", 0, 1) < 0.5))
    beside = -body.shoulder + 0.1 * body.stature * actor.draws.between("width", 0.85, 1.15)
    up = body.head_up - actor.draws.between("height", 0.04, 0.1) * body.stature
    ahead = actor.draws.between("reach", 0.045, 0.075) * body.stature
    hand = vector(beside, up, -ahead)[:, None] / body.arm[:, None, None]
    found = with_hand(rest, RIGHT, hand, np.array([0.8, -0.6, -0.1]), progress, np.array([0.1, 0.0, -0.4]))
    head = rest.head + progress[..., None] * vector(actor.between("lean", 0.0, 0.15), 0.0, 0.08)
    return replace(found, head=head)


def wave(actor: Actor) -> Posture:
    """A raised hand goes to and fro."""
    rest, progress = actor.rest(), np.maximum(actor.once(), ease((actor.times - 0.35) / 0.65))
    swing = actor.swing(1.2, 2.0) * actor.between("reach", 0.14, 0.26)
    side = actor.between("width", 0.35, 0.55) + swing
    up = actor.between("height", 0.35, 0.6) - 0.5 * np.abs(swing)
    hand = vector(side, up, -0.2)
    found = with_hand(rest, RIGHT, hand, np.array([0.9, -0.5, 0.0]), progress, np.array([0.3, 0.0, -0.45]))
    return replace(found, chest=rest.chest + (0.12 * progress * swing)[..., None] * np.array([0.0, 0.0, -1.0]))


def bow(actor: Actor) -> Posture:
    """The trunk goes ahead over legs that stay, the hips give way a little, and the arms hang."""
    rest, progress = actor.rest(), actor.once()
    angle = progress * np.deg2rad(actor.between("reach", 26, 44))
    share = actor.between("style", 0.5, 0.8)
    pitch = vector(-angle, 0.0, 0.0)
    back = 0.12 * actor.body.stature[:, None] * np.sin(angle)
    place = rest.place + vector(0.0, -0.25 * back * np.sin(angle), back * actor.between("lean", 0.5, 1.0))
    hanging = actor.between("width", 0.0, 1.0)[..., None, None]
    along = np.stack(np.broadcast_arrays(0 * angle, 1 - np.cos(angle), -np.sin(angle)), axis=-1)[:, :, None]
    return replace(
        rest,
        place=place,
        hips=rest.hips + pitch * share[..., None],
        chest=rest.chest + pitch,
        head=rest.head + pitch * 1.1,
        hands=rest.hands + hanging * 0.5 * along,
    )


def kick(actor: Actor) -> Posture:
    """A stretched leg swings ahead and back down; the trunk leans against it and the arms keep the balance."""
    rest, progress, body = actor.rest(), actor.once(), actor.body
    angle = progress * np.deg2rad(actor.between("reach", 32, 52))
    ankles, leg = np.array(rest.ankles), (0.997 * body.leg)[:, None]
    hip_up = (body.standing - body.sunk)[:, None]
    ankles[:, :, RIGHT, 1] = hip_up - leg * np.cos(angle)
    ankles[:, :, RIGHT, 2] = -leg * np.sin(angle)
    against = vector(angle * actor.between("lean", 0.15, 0.35), 0.0, 0.05 * progress)
    spread = progress * actor.between("width", 0.1, 0.45)
    hands = np.array(rest.hands)
    for side in (LEFT, RIGHT):
        hands[:, :, side, 0] += SIDES[side] * spread
        hands[:, :, side, 1] += 0.5 * spread * spread
    over = vector(SIDES[LEFT] * 0.3 * body.hip[:, None] * progress, 0.0, 0.0)
    return replace(
        rest,
        place=rest.place + over,
        hips=rest.hips + against * 0.7,
        chest=rest.chest + against,
        head=rest.head + against * 0.3,
        hands=hands,
        ankles=ankles,
    )


def jumping_jack(actor: Actor) -> Posture:
    """Arms swing up at the sides while the legs jump apart, again and again."""
    rest, body = actor.rest(), actor.body
    swing = actor.swing(0.9, 1.3)
    apart = 0.5 - 0.5 * swing
    lift = 0.06 * np.abs(np.sqrt(np.maximum(1 - swing * swing, 0))) * actor.between("height", 0.6, 1.2)
    arm = np.deg2rad(10 + apart * actor.between("reach", 105, 132))
    hands, ankles = np.array(rest.hands), np.array(rest.ankles)
    spread = apart * actor.between("width", 0.14, 0.22) * body.stature[:, None]
    for side in (LEFT, RIGHT):
        hands[:, :, side] = vector(SIDES[side] * np.sin(arm), -np.cos(arm), -0.05) * HANDS_OUT
        ankles[:, :, side, 0] += SIDES[side] * spread
        ankles[:, :, side, 1] += lift
    lower = body.leg[:, None] - np.sqrt(np.maximum(body.leg[:, None] ** 2 - spread * spread, 0))
    return replace(rest, place=rest.place + vector(0.0, lift - lower, 0.0), hands=hands, ankles=ankles)


def squat(actor: Actor) -> Posture:
    """The knees bend ahead and outwards, the trunk leans in, and the arms reach ahead."""
    rest, progress, body = actor.rest(), actor.once(), actor.body
    depth = progress * actor.between("reach", 0.3, 0.48) * body.leg[:, None]
    place = rest.place + vector(0.0, -depth, 0.45 * depth)
    pitch = vector(-progress * actor.between("lean", 0.35, 0.6), 0.0, 0.0)
    knees = np.array([[SIDES[0] * 0.45, 0.0, -1.0], [SIDES[1] * 0.45, 0.0, -1.0]])
    hand = vector(0.0, actor.between("height", -0.25, 0.05), -0.93)
    found = rest
    for side in (LEFT, RIGHT):
        found = with_hand(found, side, hand, np.array([SIDES[side] * 0.7, -0.7, 0.0]), progress)
    return replace(
        found,
        place=place,
        hips=rest.hips + pitch * 0.8,
        chest=rest.chest + pitch,
        knees=np.broadcast_to(knees, rest.knees.shape),
    )


def clap(actor: Actor) -> Posture:
    """Both hands come together before the chest and part, again and again."""
    rest, body = actor.rest(), actor.body
    progress = np.maximum(actor.once(), ease((actor.times - 0.3) / 0.4))
    apart = (0.5 + 0.5 * actor.swing(1.6, 2.6)) * actor.between("width", 0.1, 0.2) + 0.02
    found = rest
    for side in (LEFT, RIGHT):
        across = (apart * body.stature[:, None] - body.shoulder[:, None]) / body.arm[:, None]
        hand = vector(SIDES[side] * across, actor.between("height", -0.25, 0.15), -actor.between("reach", 0.42, 0.6))
        found = with_hand(found, side, hand, np.array([SIDES[side] * 1.0, -0.6, 0.1]), progress)
    return found


HANDS_OUT = 0.97
"""Of the arm's length: how far stretched arms reach."""
