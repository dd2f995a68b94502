"""Layouts of joints: how many, whose parent each is, and where the middle of a body is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """The joints of one kind of skeleton.

    Args:
        name: what users call it.
        joints: names of the joints, in their order.
        parents: the joint at the other end of each joint's bone; the root is its own.
        centre: the joint that centring puts to 0; none: coordinates of such skeletons are not centred.
        axes: the joints (base of the spine, middle of the spine, left shoulder, right shoulder) that say how a body
            stands; none: bodies of this layout are not turned.
        persons: how many there are in a recording.
    """

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    centre: int | None
    axes: tuple[int, int, int, int] | None
    persons: int

    @property
    def root(self) -> int:
        """The joint without a bone."""
        return next(joint for joint, parent in enumerate(self.parents) if joint == parent)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.replace("_", " ") for word in text.split())


NTU = Layout(
    "ntu",
    _words(
        "spine_base spine_middle neck head left_shoulder left_elbow left_wrist left_hand right_shoulder right_elbow"
        " right_wrist right_hand left_hip left_knee left_ankle left_foot right_hip right_knee right_ankle right_foot"
        " spine_top left_hand_tip left_thumb right_hand_tip right_thumb"
    ),
    # The tips of the hands hang on the thumbs, as in the published codes.
    (1, 20, 20, 2, 20, 4, 5, 6, 20, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18, 20, 22, 7, 24, 11),
    centre=1,
    axes=(0, 1, 4, 8),
    persons=2,
)
"""The 25 joints of a Kinect v2."""

UCLA = Layout(
    "nw-ucla",
    _words(
        "hip_centre spine shoulder_centre head left_shoulder left_elbow left_wrist left_hand right_shoulder right_elbow"
        " right_wrist right_hand left_hip left_knee left_ankle left_foot right_hip right_knee right_ankle right_foot"
    ),
    (1, 2, 2, 2, 2, 4, 5, 6, 2, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18),
    centre=1,
    axes=(0, 1, 4, 8),
    persons=1,
)
"""The 20 joints of a Kinect v1."""

COCO = Layout(
    "coco",
    _words(
        "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow left_wrist"
        " right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle"
    ),
    (0, 0, 0, 1, 2, 0, 0, 5, 6, 7, 8, 0, 0, 11, 12, 13, 14),
    centre=None,
    axes=None,
    persons=2,
)
"""The 17 points of poses in pictures: (x, y, score) in place of (x, y, z)."""

LAYOUTS: Mapping[int, Layout] = {len(layout.joints): layout for layout in (NTU, UCLA, COCO)}
"""By the number of joints, which tells them apart."""
