"""What two persons do: each motion gives both postures, with where on the floor they stand and how they are turned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..samples import Array
from .actors import Actor, ease, moved
from .geometry import vector
from .gestures import with_hand
from .postures import LEFT, RIGHT, SIDES, Posture

QUARTER = np.pi / 2
AHEAD = np.array([0.5, -0.8, 0.0])
"""Where the elbow of a hand that is held out points."""


def _face_each_other(first: Posture, second: Posture, gap: Array, side: Array) -> tuple[Posture, Posture]:
    """Stands both towards each other, `gap` [B, F] metres apart, the first at the left where side [B, 1] is 1."""
    across = np.stack([side * gap / 2, 0 * gap], axis=-1)
    # A twist of +90° turns −z, where one looks, to −x.
    return (
        replace(first, at=first.at - across, turn=first.turn - side * QUARTER),
        replace(second, at=second.at + across, turn=second.turn + side * QUARTER),
    )


def _side(actor: Actor) -> Array:
    """At which side the first one stands, 1 or −1, [B, 1]."""
    return np.where(actor.draws.below("facing", 0.5), 1.0, -1.0)[:, None]


def hands_meet(first: Actor, second: Actor) -> tuple[Posture, Posture]:
    """Both hold out a hand until the two meet halfway, move up and down together, and part: a greeting, or a gift."""
    gap = first.between("width", 0.72, 0.86) * np.ones(len(first.times))
    progress = np.maximum(first.once(), ease((first.times - 0.3) / 0.5) * (first.between("side", 0, 1) < 0.5))
    floor_up = first.between("height", 0.95, 1.1) + 0.045 * progress * first.swing(1.2, 2.4)
    one, other = (_reaching(actor, gap, floor_up, progress) for actor in (first, second))
    return _face_each_other(one, other, gap, _side(first))


def _reaching(actor: Actor, gap: Array, height: Array, progress: Array) -> Posture:
    """A hand at a height over the floor, halfway to the other, as far as the arm goes."""
    body, rest = actor.body, actor.rest()
    up = height - (body.standing + body.shoulders_up)[:, None]
    hand = vector(-body.shoulder[:, None], up, body.hand[:, None] - gap / 2) / body.arm[:, None, None]
    lean = vector(-0.12 * progress * actor.between("lean", 0.5, 1.5), 0.0, 0.0)
    found = with_hand(rest, RIGHT, hand, AHEAD, progress)
    return replace(found, chest=rest.chest + lean, head=rest.head + 0.5 * lean)


def step_ahead(first: Actor, second: Actor) -> tuple[Posture, Posture]:
    """Two stand side by side; one walks a step ahead, the other stays. Its mirror image in depth steps back."""
    gap = (first.between("gap", 0.75, 0.95) / 2) * np.ones(len(first.times))
    across = np.stack([_side(first) * gap, 0 * gap], axis=-1)
    walking, staying = _walking(first), second.rest()
    return replace(walking, at=walking.at - across), replace(staying, at=staying.at + across)


def _walking(actor: Actor) -> Posture:
    """Legs that stay nearly stretched, each foot a step and the second one after it; arms that swing against them."""
    rest, progress, body = actor.rest(), actor.onwards(), actor.body
    far = actor.between("reach", 0.32, 0.44) * body.stature[:, None]
    lead, follow = ease(progress * 2 - 0.05), ease(progress * 2 - 0.95)
    feet = (np.where(actor.draws.below("side", 0.5)[:, None], lead, follow), lead + follow)
    feet = (feet[0], feet[1] - feet[0])
    ankles, hands = np.array(rest.ankles), np.array(rest.hands)
    for side in (LEFT, RIGHT):
        gone = feet[side] - progress
        ankles[:, :, side, 2] -= far * gone
        ankles[:, :, side, 1] += 0.1 * body.stature[:, None] * (feet[side] * (1 - feet[side])) * 0.6
        hands[:, :, side, 2] += 0.7 * gone
        hands[:, :, side, 1] += 0.25 * gone * gone
    stride = far * (feet[0] - feet[1])
    leg = body.leg[:, None]
    lower = leg - np.sqrt(leg * leg - stride * stride / 4)
    place = rest.place - vector(0.0, lower, 0.0)
    at = np.stack([0 * progress, -far * progress], axis=-1)
    return replace(rest, place=place, ankles=ankles, hands=hands, at=rest.at + at)


def push(first: Actor, second: Actor) -> tuple[Posture, Posture]:
    """One shoves the other with both hands, who is thrown back a step with the arms up."""
    progress = first.once()
    gap = first.between("width", 0.68, 0.78)
    struck = first.between("onset", 0.05, 0.3) + 0.75 * first.between("rise", 0.4, 0.65)
    thrown = ease((first.times - struck) / 0.45)
    pushing, reeling = _pushing(first, gap, progress), _reeling(second, thrown)
    stagger = thrown * first.between("reach", 0.22, 0.36)
    side = _side(first)
    one, other = _face_each_other(pushing, reeling, gap * np.ones(len(first.times)), side)
    away = np.stack([side * stagger, 0 * stagger], axis=-1)
    return one, replace(other, at=other.at + away)


def _pushing(actor: Actor, gap: Array, progress: Array) -> Posture:
    body, rest = actor.body, actor.rest()
    hand = vector(0.0, actor.between("height", -0.25, 0.0), -np.minimum(0.97, gap * 0.85 / body.arm[:, None]))
    found = rest
    for side in (LEFT, RIGHT):
        found = with_hand(found, side, hand, np.array([SIDES[side], -0.5, 0.0]), progress)
    lean = vector(-progress * actor.between("lean", 0.15, 0.3), 0.0, 0.0)
    step = vector(0.0, 0.0, -0.12 * progress)
    ankles = np.array(rest.ankles)
    ankles[:, :, LEFT] += vector(0.0, 0.0, -0.25 * progress)
    knees = moved(rest.knees, np.array([0.0, 0.0, -1.0]), np.minimum(1, 2 * progress))
    return replace(
        found,
        place=rest.place + step + vector(0.0, -0.03 * progress, 0.0),
        hips=rest.hips + 0.5 * lean,
        chest=rest.chest + lean,
        ankles=ankles,
        knees=knees,
    )


def _reeling(actor: Actor, thrown: Array) -> Posture:
    """Leans back, the arms fly up, one foot catches the body behind it."""
    rest = actor.rest()
    jolt = np.sin(np.pi * np.clip(thrown, 0, 1))
    found = rest
    for side in (LEFT, RIGHT):
        hand = vector(SIDES[side] * actor.between("width", 0.3, 0.6), -0.35, -0.6)
        found = with_hand(found, side, hand, np.array([SIDES[side], -0.5, 0.0]), np.maximum(jolt, 0.4 * thrown))
    back = vector(actor.between("lean", 0.2, 0.4) * jolt, 0.0, 0.0)
    ankles = np.array(rest.ankles)
    ankles[:, :, RIGHT] += vector(0.0, 0.05 * jolt, 0.22 * jolt)
    ankles[:, :, LEFT] += vector(0.0, 0.0, -0.1 * jolt)
    knees = moved(rest.knees, np.array([0.0, 0.0, -1.0]), np.minimum(1, 2 * thrown))
    return replace(
        found,
        place=rest.place + vector(0.0, -0.03 * jolt, 0.0),
        hips=rest.hips + 0.5 * back,
        chest=rest.chest + back,
        head=rest.head + back,
        ankles=ankles,
        knees=knees,
    )
