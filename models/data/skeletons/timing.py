"""From a recording of any length to T frames: cropped, then resized along time.

    x'[t] = (1 − w)·x[⌊u⌋] + w·x[⌊u⌋ + 1],   u = max(0, (t + ½)·L/T − ½),   w = u − ⌊u⌋

as torch's bilinear resize has it (corners not aligned), and as the published codes use it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....toolchain.errors import UsageError
from .bodies import seen
from .recordings import Array

LEAST_CROP = 64
"""A random crop is never shorter, except where the recording is."""


@dataclass(frozen=True)
class Crop:
    """Which part of a recording is taken: the published codes' p_interval.

    Args:
        least: the smallest share of its frames.
        most: the largest. When the two differ, share and place are drawn; when not, it is the middle.
        frames: the shortest crop that is drawn.
    """

    least: float = 0.95
    most: float = 0.95
    frames: int = LEAST_CROP

    def __post_init__(self) -> None:
        if not 0 < self.least <= self.most <= 1:
            raise UsageError("crop", f"a share from {self.least:g} to {self.most:g}", "0 < least ≤ most ≤ 1")

    def __call__(self, length: int, source: np.random.Generator) -> slice:
        """The frames of a recording of this length.

        Drawn: n = min(max(⌊p·L⌋, frames), L) with p uniform in [least, most], from a uniform place on. Not drawn:
        ⌊(1 − p)·L/2⌋ are left out on both sides.
        """
        if self.least == self.most:
            edge = int((1 - self.least) * length / 2)
            return slice(edge, length - edge)
        share = source.uniform(self.least, self.most)
        taken = min(max(int(share * length), self.frames), length)
        start = int(source.integers(0, length - taken + 1))
        return slice(start, start + taken)


TRAIN_CROP, TEST_CROP, WHOLE = Crop(0.5, 1.0), Crop(0.95, 0.95), Crop(1.0, 1.0)


def inhabited(poses: Array) -> slice:
    """The frames of poses [L, 3, V, M] from the first one in which anybody is seen to the last one."""
    frames = np.flatnonzero(seen(poses).any(axis=1))
    return slice(int(frames[0]), int(frames[-1]) + 1) if len(frames) else slice(0, 0)


def trimmed(poses: Array) -> Array:
    """Poses [L, 3, V, M] without the frames before anybody is seen first, and after anybody is seen last."""
    return poses[inhabited(poses)]


def resized(poses: Array, frames: int) -> Array:
    """Poses [L, 3, V, M] at `frames` even times.

    A person is there when the nearer of the two frames has him, and then as those of the two say that have him: nobody
    shrinks towards 0 where he comes or goes.
    """
    length = len(poses)
    if length == frames:
        return poses
    at = np.maximum((np.arange(frames) + 0.5) * length / frames - 0.5, 0.0)
    low = np.minimum(at.astype(np.int64), length - 1)
    high = np.minimum(low + 1, length - 1)
    share = np.repeat((at - low)[:, None], poses.shape[3], axis=1)
    there = seen(poses)
    before, after = there[low], there[high]
    keep = np.where(share < 0.5, before, after)
    weight = np.where(before & after, share, after).astype(poses.dtype)[:, None, None]
    made: Array = ((1 - weight) * poses[low] + weight * poses[high]) * keep[:, None, None]
    return made


def picked(poses: Array, frames: int) -> Array:
    """`frames` whole frames of poses [L, …], evenly from the first to the last: x'[t] = x[⌊t·(L − 1)/(T − 1)⌋]."""
    return poses[np.linspace(0, len(poses) - 1, frames).astype(np.int64)]
