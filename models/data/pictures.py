"""Samples as text: dots of Braille, 2×4 to a character, so that a terminal shows what the data is like."""

from __future__ import annotations

import numpy as np

from .samples import Array

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Which bit of a Braille character is the dot in row r and column c."""

FRAMES = 4


def picture(sample: Array) -> str:
    """A sample [T, …]: of pictures some frames side by side, of channels all of them over time, to the right."""
    if sample.ndim == 4:
        steps = np.linspace(0, len(sample) - 1, min(FRAMES, len(sample))).astype(int)
        frames = [braille(sample[step].any(0)).split("\n") for step in steps]
        return "\n".join("  ".join(rows) for rows in zip(*frames, strict=True))
    return braille(sample.reshape(len(sample), -1).T)


def braille(dots: Array) -> str:
    """A picture [height, width], true where there is a dot; lines of characters."""
    height, width = dots.shape
    whole = np.zeros((-(-height // 4) * 4, -(-width // 2) * 2), np.int64)
    whole[:height, :width] = dots != 0
    blocks = whole.reshape(len(whole) // 4, 4, -1, 2)
    codes = 0x2800 + np.einsum("hrwc,rc->hw", blocks, np.array(DOTS))
    return "\n".join("".join(map(chr, row)) for row in codes)
