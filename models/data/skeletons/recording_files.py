"""Writes the text files of NTU RGB+D; what is read back is what was written, to the last bit of float32."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ....toolchain.errors import UsageError
from ....toolchain.writing import write_whole
from .recordings import HEADER, JOINTS, NUMBERS, Array, Recording

FIRST_ID = 72057594037927937
"""As Kinect counts bodies: 2⁵⁶ and on."""
TRACKED = 2


def write_skeleton(path: str | Path, poses: Array, pictures: Array | None = None) -> None:
    """Writes poses as a .skeleton file.

    Args:
        path: the file; its name says what is recorded, SsssCcccPpppRrrrAaaa.skeleton.
        poses: [T, 3, 25, M] in metres; a person who is all zeros in a frame is not written in it.
        pictures: where the joints are in the depth and the colour picture, [T, 4, 25, M]; zeros where it is not known.
    """
    write_recording(path, recording_of(poses, pictures))


def recording_of(poses: Array, pictures: Array | None = None) -> Recording:
    """Poses [T, 3, 25, M] as a recording; see `write_skeleton`."""
    if poses.ndim != 4 or poses.shape[1:3] != (3, JOINTS) or not np.isfinite(poses).all():
        raise UsageError("poses", f"shape {list(poses.shape)}", f"finite numbers [T, 3, {JOINTS}, M]")
    frame, body = np.nonzero(poses.any(axis=(1, 2)))
    joints = np.zeros((len(frame), JOINTS, NUMBERS))
    joints[..., :3] = poses[frame, :, :, body].transpose(0, 2, 1)
    if pictures is not None:
        joints[..., 3:7] = pictures[frame, :, :, body].transpose(0, 2, 1)
    joints[..., 7], joints[..., -1] = 1.0, TRACKED  # no orientation is known: the one that turns nothing
    flags = np.zeros((len(frame), HEADER - 1))
    flags[:, -1] = TRACKED
    ids = tuple(range(FIRST_ID, FIRST_ID + poses.shape[3]))
    return Recording(len(poses), ids, frame, body, flags, joints)


def write_recording(path: str | Path, recording: Recording) -> None:
    """Writes a recording as a .skeleton file, whole or not at all."""
    rows: list[list[str]] = [[] for _ in range(recording.frames)]
    for row, frame in enumerate(recording.frame):
        number = recording.ids[recording.body[row]]
        rows[frame] += [f"{number} {_line(recording.flags[row])}", str(JOINTS), *map(_line, recording.joints[row])]
    lines = [str(recording.frames)]
    for each in rows:
        lines += [str(len(each) // (JOINTS + 2)), *each]
    write_whole(path, "\n".join(lines) + "\n")


def _line(values: Array) -> str:
    return " ".join([f"{value:.9g}" for value in values.tolist()])
