"""Made skeletons of people who stand about and sway, and folders of them in the official format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from spikeport.models.data.skeletons.recording_files import write_skeleton

#: Where the 25 joints of somebody upright are, roughly, in metres: across, up.
STANDING = np.array(
    [
        *((0, 0), (0, 0.25), (0, 0.6), (0, 0.75), (-0.18, 0.5), (-0.22, 0.25), (-0.24, 0.02), (-0.24, -0.05)),
        *((0.18, 0.5), (0.22, 0.25), (0.24, 0.02), (0.24, -0.05), (-0.1, -0.02), (-0.1, -0.4), (-0.1, -0.8)),
        *((-0.12, -0.85), (0.1, -0.02), (0.1, -0.4), (0.1, -0.8), (0.12, -0.85), (0, 0.5), (-0.24, -0.12)),
        *((-0.2, -0.06), (0.24, -0.12), (0.2, -0.06)),
    ]
)


def walker(frames: int = 40, persons: int = 1, seed: int = 0) -> np.ndarray:
    """Poses [T, 3, 25, 2], float32; the first person moves most."""
    source = np.random.default_rng(seed)
    poses = np.zeros((frames, 3, 25, 2), np.float32)
    for person in range(persons):
        body = np.concatenate([STANDING, np.zeros((25, 1))], axis=1) + source.normal(0, 0.01, (25, 3))
        sway = np.cumsum(source.normal(0, 0.02 / (1 + person), (frames, 25, 3)), axis=0)
        poses[..., person] = (body + sway + [person - 0.5, 0, 3]).transpose(0, 2, 1)
    return poses


def ntu_folder(folder: Path, subjects: tuple[int, ...] = (1, 2, 3, 4), actions: tuple[int, ...] = (1, 50)) -> Path:
    """Files of all three cameras, one set-up."""
    for subject in subjects:
        for camera in (1, 2, 3):
            for action in actions:
                poses = walker(30 + 10 * camera, 1 + (action >= 50), seed=100 * subject + 10 * camera + action)
                write_skeleton(folder / f"S001C{camera:03}P{subject:03}R001A{action:03}.skeleton", poses)
    return folder
