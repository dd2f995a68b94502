"""The brightness of a decoded picture, exactly as the video holds it.

    I = 255·(Y − black)/(white − black), within 0 to 255        Y the video's own luma, of 8 to 16 bits
    I = 0.299·R + 0.587·G + 0.114·B                             where it holds red, green and blue

black and white are 16 and 235 of 8 bits (64 and 940 of 10 bits …), or the full range, as the video says; grey without
a word is of the full range, anything else is not.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

WEIGHTS = (299, 587, 114)
"""Of red, green and blue, in thousandths."""
LIMITED, FULL = 1, 2
"""FFmpeg's words for the range of a luma."""
DIRECT = ("yuv", "gray", "nv12", "nv16", "nv21", "nv24")
"""How the names of formats begin whose first plane is the luma and nothing else."""
SAME_LUMA = {
    "p010le": "yuv420p10le",
    "p210le": "yuv422p10le",
    "yuyv422": "yuv422p",
    "uyvy422": "yuv422p",
    "yvyu422": "yuv422p",
    "ya8": "gray",
}
"""Formats whose luma another one holds in a plane of its own, number for number."""


def luma(frame: Any) -> tuple[Array, Array]:
    """Whole numbers [H, W] and the table of the intensities that they stand for.

    Args:
        frame: PyAV's picture.
    """
    full = frame.color_range == FULL or frame.format.name.startswith("yuvj")
    name = frame.format.name
    same = SAME_LUMA.get(name, f"{name[:-2]}le" if name.endswith("be") else name)
    frame = frame if same == name else frame.reformat(format=same)
    name, bits = frame.format.name, frame.format.components[0].bits
    if not _is_direct(frame.format):
        red, green, blue = np.moveaxis(frame.to_ndarray(format="rgb24").astype(np.uint32), 2, 0)
        return WEIGHTS[0] * red + WEIGHTS[1] * green + WEIGHTS[2] * blue, _thousandths()
    full = full or (name.startswith("gray") and frame.color_range != LIMITED)
    return _plane(frame, bits), _intensities(bits, full)


def _is_direct(form: Any) -> bool:
    first = [component for component in form.components if component.plane == 0]
    packed = len(first) > 1 or form.has_palette or form.is_bit_stream
    deep = first[0].bits <= 16 and form.name.endswith("le")
    return form.name.startswith(DIRECT) and not packed and (first[0].bits == 8 or deep)


def _plane(frame: Any, bits: int) -> Array:
    """The first plane without what pads its lines."""
    plane, kind = frame.planes[0], np.dtype("u1" if bits == 8 else "<u2")
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width * kind.itemsize]
    return np.ascontiguousarray(rows).view(kind)


@cache
def _intensities(bits: int, full: bool) -> Array:
    """The intensity of each luma of so many bits."""
    lumas = np.arange(1 << max(bits, 8), dtype=np.float64)
    black, white = (0, (1 << bits) - 1) if full else (16 << bits - 8, 235 << bits - 8)
    return np.clip(255 * (lumas - black) / (white - black), 0, 255)


@cache
def _thousandths() -> Array:
    return np.arange(255 * sum(WEIGHTS) + 1) / 1000
