"""Rotations and limbs of two bones, written so that mirror images are mirror images to the last bit.

    turned((a, b, c), p) = Ry(b)·Rx(a)·Rz(c)·p        pitch a, twist b, roll c

With S = diag(1, 1, −1), S·Ry(b)·Rx(a)·Rz(c)·p = Ry(−b)·Rx(−a)·Rz(c)·S·p: turning the z-axis round turns pitch and twist
round and leaves roll alone. Each sum below has the same terms in the same order on both sides, up to signs.
"""

from __future__ import annotations

import numpy as np

from ..samples import Array

STRETCHED = 0.9995
"""Of a limb's length: how far its ends can be apart."""


def vector(x: Array | float, y: Array | float, z: Array | float) -> Array:
    """Three coordinates, broadcast, as the last axis."""
    return np.stack(np.broadcast_arrays(x, y, z), axis=-1).astype(np.float64, copy=False)


def turned(angles: Array, point: Array) -> Array:
    """The point after roll, pitch and twist; both [..., 3], broadcast."""
    pitch, twist, roll = angles[..., 0], angles[..., 1], angles[..., 2]
    x, y, z = point[..., 0], point[..., 1], point[..., 2]
    x, y = x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll)
    y, z = y * np.cos(pitch) - z * np.sin(pitch), y * np.sin(pitch) + z * np.cos(pitch)
    x, z = x * np.cos(twist) + z * np.sin(twist), z * np.cos(twist) - x * np.sin(twist)
    return vector(x, y, z)


def facing(yaw: Array, point: Array) -> Array:
    """The point after a turn about the upright axis alone."""
    x, z = point[..., 0], point[..., 2]
    return vector(x * np.cos(yaw) + z * np.sin(yaw), point[..., 1], z * np.cos(yaw) - x * np.sin(yaw))


def length(point: Array) -> Array:
    """|p|, [..., 1]."""
    x, y, z = point[..., 0], point[..., 1], point[..., 2]
    found: Array = np.sqrt(x * x + y * y + z * z)[..., None]
    return found


def dot(one: Array, other: Array) -> Array:
    """one · other, [..., 1]."""
    both = one * other
    found: Array = (both[..., 0] + both[..., 1] + both[..., 2])[..., None]
    return found


def unit(point: Array) -> Array:
    """p / |p|."""
    found: Array = point / np.maximum(length(point), 1e-9)
    return found


def bent(root: Array, target: Array, upper: Array, lower: Array, pole: Array) -> tuple[Array, Array]:
    """The middle and the end joint of a limb of two bones that reaches for a target, its middle towards the pole.

    d = |end − root| = min(|target − root|, 0.9995·(u + l)),  h = (u² − l² + d²) / 2d along it, √(u² − h²) off it.

    Args:
        root: where the limb begins, [..., 3].
        target: where it shall end.
        upper: length of the first bone, [..., 1].
        lower: of the second.
        pole: a direction that is not along the limb.
    """
    way = target - root
    far = np.clip(length(way), 1.02 * np.abs(upper - lower) + 1e-3, STRETCHED * (upper + lower))
    along = unit(way)
    side = unit(pole - along * dot(pole, along))
    ahead = (upper * upper - lower * lower + far * far) / (2 * far)
    off = np.sqrt(np.maximum(upper * upper - ahead * ahead, 0))
    return root + along * ahead + side * off, root + along * far
