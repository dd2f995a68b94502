"""Where skeletons stand and which way they look: centring, turning upright, scaling, random rotation.

All take poses [T, 3, V, M] or clips [T, N, 3, V, M]; who is absent (all zeros) stays so.
"""

from __future__ import annotations

import numpy as np

from .bodies import seen
from .layouts import Layout
from .recordings import Array

ANGLE = 0.3
"""The published codes draw each angle between −ANGLE and ANGLE, in radians."""


def centred(poses: Array, layout: Layout) -> Array:
    """x − c: c is the middle of the first person seen, in the first frame in which anybody is; poses [T, 3, V, M]."""
    place = _first(poses)
    if layout.centre is None or place is None:
        return poses
    origin = poses[place[0], :, layout.centre, place[1]]
    moved: Array = np.where(seen(poses)[:, None, None], poses - origin[:, None, None], 0)
    return moved


def turned_upright(poses: Array, layout: Layout) -> Array | None:
    """R·x: the spine of the first person seen points to +y, and from the left to the right shoulder it goes to +x.

    R has the rows a, u, a × u, with u along the spine and a along the shoulders less its part along u, both of length
    1, in the first frame: a turn, so no length changes. For who faces a Kinect it turns next to nothing.

    Returns:
        the poses; none where the joints do not say which way is up.
    """
    place = _first(poses)
    if layout.axes is None or place is None:
        return None
    base, spine, left, right = (poses[place[0], :, joint, place[1]].astype(np.float64) for joint in layout.axes)
    up = _unit(spine - base)
    across = None if up is None else _unit((right - left) - ((right - left) @ up) * up)
    if up is None or across is None:
        return None
    return turned(poses, np.stack([across, up, np.cross(across, up)]))


def _first(poses: Array) -> tuple[int, int] | None:
    """The first frame with a person, and the first person in it."""
    there = seen(poses)
    if not there.any():
        return None
    frame = int(there.any(axis=1).argmax())
    return frame, int(there[frame].argmax())


def _unit(vector: Array) -> Array | None:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 1e-6 else None


def turned(clips: Array, rotation: Array) -> Array:
    """R·x: clips [T, N, 3, V, M] by rotations [N, 3, 3], or poses [T, 3, V, M] by one [3, 3]."""
    *before, _, joints, persons = clips.shape
    flat = clips.reshape(*before, 3, joints * persons)
    made: Array = np.matmul(rotation.astype(clips.dtype), flat).reshape(clips.shape)
    return made


def rotations(angles: Array) -> Array:
    """Rz(γ)·Ry(β)·Rx(α) for angles (α, β, γ), [..., 3] → [..., 3, 3]; each turns clockwise, as in published codes."""
    cos, sin = np.cos(angles), np.sin(angles)
    made = np.zeros((3, *angles.shape[:-1], 3, 3))
    for axis in range(3):
        i, j = ((1, 2), (2, 0), (0, 1))[axis]
        made[axis, ..., axis, axis] = 1
        made[axis, ..., i, i] = made[axis, ..., j, j] = cos[..., axis]
        made[axis, ..., i, j], made[axis, ..., j, i] = sin[..., axis], -sin[..., axis]
    turn: Array = made[2] @ made[1] @ made[0]
    return turn


def randomly_turned(clips: Array, source: np.random.Generator, angle: float = ANGLE) -> Array:
    """Clips [T, N, 3, V, M], each turned about all axes by angles uniform in [−angle, angle], all its frames alike."""
    return turned(clips, rotations(source.uniform(-angle, angle, (clips.shape[1], 3))))


def scaled(poses: Array) -> Array:
    """2·(x − min)/(max − min) − 1 for each axis, over all joints and frames in which somebody is; poses [T, 3, V, M].

    As the published codes scale NW-UCLA. An axis without extent becomes 0.
    """
    there = np.broadcast_to(seen(poses)[:, None, None], poses.shape)
    least = np.where(there, poses, np.inf).min(axis=(0, 2, 3), keepdims=True)
    extent = np.where(there, poses, -np.inf).max(axis=(0, 2, 3), keepdims=True) - least
    with np.errstate(invalid="ignore", divide="ignore"):
        made = np.where(extent > 0, 2 * (poses - least) / extent - 1, 0)
    return np.where(there, made, 0).astype(poses.dtype)
