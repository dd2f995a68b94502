"""The table of actions: what is done, by how many, with which thing in hand, and what tells it from its twin.

    object pairs    one motion function, one of the two with another thing in hand: the joints are the same numbers
    depth pairs     one motion function, one of the two mirrored by z → −z: seen at yaw ψ and at −ψ, both are the same
                    picture, and ψ is as often positive as negative
    free            differ from all others for every sensor

So a sensor that does not see things, or does not see depth, can be right in a pair only as often as a coin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from . import gestures, meetings
from .actors import Actor
from .postures import Posture

Kind = Literal["object", "depth", "free"]
Thing = Literal["cup", "phone", "flag", "parcel"]
Alone = Callable[[Actor], Posture]
Together = Callable[[Actor, Actor], tuple[Posture, Posture]]


@dataclass(frozen=True)
class Action:
    """One action.

    Args:
        kind: in which sort of pair it is.
        motion: of one person, or of two.
        persons: one or two.
        text: what happens, in a line.
        thing: what is held.
        mirrored: whether it is the motion's mirror image in depth.
    """

    kind: Kind
    motion: Alone | Together
    persons: int
    text: str
    thing: Thing | None = None
    mirrored: bool = False


ACTIONS: Mapping[str, Action] = {
    "drink": Action("object", gestures.to_the_head, 1, "a tall cup goes up to the face", "cup"),
    "phone call": Action("object", gestures.to_the_head, 1, "a telephone goes up to the face", "phone"),
    "wave": Action("object", gestures.wave, 1, "a raised hand goes to and fro"),
    "wave a flag": Action("object", gestures.wave, 1, "a raised hand with a flag goes to and fro", "flag"),
    "shake hands": Action("object", meetings.hands_meet, 2, "two hands meet halfway and part again"),
    "hand over a parcel": Action("object", meetings.hands_meet, 2, "a parcel goes from hand to hand", "parcel"),
    "bow": Action("depth", gestures.bow, 1, "the trunk goes ahead and comes back"),
    "lean back": Action("depth", gestures.bow, 1, "the trunk goes back and comes up again", mirrored=True),
    "kick ahead": Action("depth", gestures.kick, 1, "a stretched leg swings ahead"),
    "kick back": Action("depth", gestures.kick, 1, "a stretched leg swings back", mirrored=True),
    "step ahead": Action("depth", meetings.step_ahead, 2, "one of two who stand side by side steps ahead"),
    "step back": Action("depth", meetings.step_ahead, 2, "one of two who stand side by side steps back", mirrored=True),
    "jumping jack": Action("free", gestures.jumping_jack, 1, "jumps with arms and legs apart and together"),
    "squat": Action("free", gestures.squat, 1, "goes down in the knees and up again"),
    "clap": Action("free", gestures.clap, 1, "both hands come together before the chest, over and over"),
    "push": Action("free", meetings.push, 2, "one shoves the other, who reels back"),
}
CLASSES = tuple(ACTIONS)


def twin(name: str) -> str | None:
    """The other one of a pair."""
    own = ACTIONS[name]
    others = [other for other, row in ACTIONS.items() if row.motion is own.motion and other != name]
    return others[0] if others else None
