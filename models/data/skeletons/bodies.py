"""Which bodies of a recording are the persons, and what stands where a person was not seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from ....toolchain.errors import FileError, UsageError
from .recordings import Array, Recording, read_recording

Fill = Literal["linear", "hold", "zeros", "drop"]

FEW_FRAMES = 11
"""A body seen in so few frames, beside one seen for longer, is a ghost."""
WIDE = 0.8
"""A person's width in x is at most so much of the height in y; tables and seats are wider."""
WIDE_SHARE = 0.69754
"""A body that is too wide in so many of its frames, beside one that is not, is no person."""


@dataclass(frozen=True)
class Persons:
    """How a recording's bodies become persons.

    First ghosts are taken out as the published preparation of the set does it (`FEW_FRAMES`, `WIDE`), as long as a
    body is left. Then the `count` bodies with the largest amount stay. The amount of motion is what the authors of the
    set rank by: var(x) + var(y) + var(z) over all joints and frames of a body. Equal amounts go by id.

    Args:
        count: how many persons; fewer in the recording leave zeros.
        by: rank by motion, or by the number of frames.
        order: of the persons: largest amount first, so that the main person is person 0; or by id.
        ghosts: keep ghosts: rank all bodies.
        fill: what stands where a person was not seen. linear: between the poses before and after, linear in time;
            hold: the pose before; zeros: zeros; drop: zeros, and frames without any person are taken out. Before a
            person is first seen, and after the last time, there are zeros in every case.
    """

    count: int = 2
    by: Literal["motion", "frames"] = "motion"
    order: Literal["amount", "id"] = "amount"
    ghosts: bool = False
    fill: Fill = "linear"

    def __post_init__(self) -> None:
        if self.fill not in get_args(Fill):
            raise UsageError("--fill", f"'{self.fill}'", f"one of {', '.join(get_args(Fill))}")


def read_poses(path: str | Path, persons: Persons = Persons()) -> Array:
    """The poses [T, 3, 25, M] in a .skeleton file, float32; a FileError when there are none."""
    poses = filled(poses_of(read_recording(path), persons), persons.fill)
    if not poses.any():
        raise FileError(str(path), "only bodies whose joints are all at 0", "a skeleton", "leave this file out")
    return poses


def poses_of(recording: Recording, persons: Persons) -> Array:
    """The persons of a recording, [T, 3, 25, M], float32; zeros where they were not seen."""
    chosen = _chosen(recording, persons)
    poses = np.zeros((recording.frames, 3, recording.joints.shape[1], persons.count), np.float32)
    for place, body in enumerate(chosen):
        rows = recording.body == body
        poses[recording.frame[rows], :, :, place] = recording.joints[rows, :, :3].transpose(0, 2, 1)
    return poses


def _chosen(recording: Recording, persons: Persons) -> list[int]:
    every = [recording.joints[recording.body == body][..., :3] for body in range(len(recording.ids))]
    left = [body for body, places in enumerate(every) if len(places)]
    if not persons.ghosts:
        left = [body for body in left if len(every[body]) > FEW_FRAMES] or left
        left = [body for body in left if not _is_wide(every[body])] or left
    amounts = {body: motion(every[body]) if persons.by == "motion" else len(every[body]) for body in left}
    ranked = sorted(left, key=lambda body: -amounts[body])[: persons.count]
    return ranked if persons.order == "amount" else sorted(ranked)


def motion(places: Array) -> float:
    """var(x) + var(y) + var(z) of a body's joints [F, V, 3], over all joints and frames."""
    return float(places.reshape(-1, 3).var(axis=0).sum())


def _is_wide(places: Array) -> bool:
    width, height = (np.ptp(places[..., axis], axis=1) for axis in (0, 1))
    return float((width > WIDE * height).mean()) >= WIDE_SHARE


def seen(poses: Array) -> Array:
    """Whether each person is there: poses [T, …, 3, V, M] → bool [T, …, M]."""
    return np.asarray(poses.any(axis=(-3, -2)))


def filled(poses: Array, fill: Fill) -> Array:
    """Poses [T, 3, V, M] with what stands where a person was not seen; see `Persons`."""
    there = seen(poses)
    if fill == "zeros" or there.all():
        return poses
    if fill == "drop":
        somebody = np.flatnonzero(there.any(axis=1))
        return poses[somebody]
    made = poses.copy()
    for person in range(poses.shape[3]):
        frames = np.flatnonzero(there[:, person])
        if len(frames) and len(frames) <= frames[-1] - frames[0]:
            _bridge(made[..., person], frames, hold=fill == "hold")
    return made


def _bridge(poses: Array, frames: Array, *, hold: bool) -> None:
    """Fills the gaps between frames in which a person was seen, in place: x(t) = (1 − w)·x(a) + w·x(b), w in time."""
    times = np.arange(frames[0], frames[-1] + 1)
    before = np.searchsorted(frames, times, side="right") - 1
    after = np.minimum(before + 1, len(frames) - 1)
    a, b = frames[before], frames[after]
    share = np.zeros(len(times)) if hold else (times - a) / np.maximum(b - a, 1)
    weight = share[:, None, None].astype(poses.dtype)
    poses[times] = (1 - weight) * poses[a] + weight * poses[b]
