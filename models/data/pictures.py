"""Samples as text: dots of Braille, 2×4 to a character, so that a terminal shows what the data is like."""

from __future__ import annotations

import numpy as np

from .samples import Array
from .skeletons.layouts import LAYOUTS

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Which bit of a Braille character is the dot in row r and column c."""

FRAMES = 4
SKELETON_DOTS = 32
ON_A_BONE = 8


def picture(sample: Array) -> str:
    """A sample [T, …]: of pictures or joints some frames side by side, of channels all of them over time."""
    if sample.dtype.kind == "f" and sample.ndim == 4:
        return "\n".join("  ".join(rows) for rows in zip(*map(_lines, _skeletons(sample)), strict=True))
    if sample.ndim == 4:
        steps = np.linspace(0, len(sample) - 1, min(FRAMES, len(sample))).astype(int)
        frames = [braille(sample[step].any(0)).split("\n") for step in steps]
        return "\n".join("  ".join(rows) for rows in zip(*frames, strict=True))
    return braille(sample.reshape(len(sample), -1).T)


def _lines(dots: Array) -> list[str]:
    return braille(dots).split("\n")


def _skeletons(sample: Array) -> list[Array]:
    """The bones of a skeleton [T, 3, V, M], seen from ahead, in some frames."""
    steps = np.linspace(0, len(sample) - 1, min(FRAMES, len(sample))).astype(int)
    bones = np.stack([sample, sample[:, :, list(LAYOUTS[sample.shape[2]].parents)]])
    x, y = (np.linspace(bones[0, steps, axis], bones[1, steps, axis], ON_A_BONE) for axis in (0, 1))
    there: Array = np.broadcast_to(np.any(sample[steps], axis=1), x.shape)
    side = max(float(np.ptp(each[there])) for each in (x, y)) if there.any() else 0.0
    scale = (SKELETON_DOTS - 1) / max(side, 1e-9)
    dots = np.zeros((len(steps), SKELETON_DOTS, SKELETON_DOTS), bool)
    if there.any():
        rows, columns = (y[there].max() - y[there]) * scale, (x[there] - x[there].min()) * scale
        dots[np.nonzero(there)[1], np.rint(rows).astype(int), np.rint(columns).astype(int)] = True
    return list(dots)


def braille(dots: Array) -> str:
    """A picture [height, width], true where there is a dot; lines of characters."""
    height, width = dots.shape
    whole = np.zeros((-(-height // 4) * 4, -(-width // 2) * 2), np.int64)
    whole[:height, :width] = dots != 0
    blocks = whole.reshape(len(whole) // 4, 4, -1, 2)
    codes = 0x2800 + np.einsum("hrwc,rc->hw", blocks, np.array(DOTS))
    return "\n".join("".join(map(chr, row)) for row in codes)
