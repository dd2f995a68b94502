"""Voxel grids of events, by tonic's ToVoxelGrid over a given stretch of time.

    V[b, y, x] = Σ ±max(0, 1 − |b − B·(t − t₀)/(t₁ − t₀)|)      + for ON, − for OFF

tonic takes t₀ and t₁ from the first and the last event. So that every piece of a recording, however short, has the
stretch of the whole, two events of either polarity are put at t₀, which cancel, and one at t₁, which weighs nothing.
The sum over pieces is the grid of all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ....toolchain.errors import UsageError
from .counted import Size, places_in
from .emulator import EVENT

Array = npt.NDArray[Any]


def voxels_of(
    pieces: Iterable[Array], stretch: tuple[int, int], bins: int, size: Size, new: Size | None = None
) -> Array:
    """The voxel grid of a recording, float64 [bins, 1, h, w].

    Args:
        pieces: of the recording: records of `EVENT`.
        stretch: t₀ and t₁ in µs.
        bins: B.
        size: the camera's width and height.
        new: those of the grid, where they are others.
    """
    columns, rows = new or size
    grid = _transform(bins, (columns, rows))
    found = np.zeros((bins, 1, rows, columns))
    for piece in pieces:
        x, y = places_in(piece, size, (columns, rows))
        moved = piece.copy()
        moved["x"], moved["y"] = x, y
        found += grid(_framed(moved, stretch))
    return found


def _framed(events: Array, stretch: tuple[int, int]) -> Array:
    """The events, and those that stand for the ends of the stretch."""
    before = np.array([(stretch[0], 0, 0, 0), (stretch[0], 0, 0, 1)], EVENT)
    return np.concatenate([before, events, np.array([(stretch[1], 0, 0, 1)], EVENT)])


def _transform(bins: int, size: Size) -> Any:
    """tonic's transform, or what to do to have it."""
    try:
        from tonic.transforms import ToVoxelGrid
    except ImportError as error:
        raise UsageError(
            "--voxels", "tonic is not installed", "the extra 'video'", "run: pip install 'spikeport[video]'"
        ) from error
    return ToVoxelGrid(sensor_size=(*size, 2), n_time_bins=bins)
