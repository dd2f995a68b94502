"""Events counted into slices of time: what networks take.

Slice k of T of a stretch from t₀ to t₁ holds the events with k·D/T < t − t₀ ≤ (k+1)·D/T, D = t₁ − t₀: the end of a
slice belongs to it, because the events that a frame has made are not later than the frame. So with T + 1 frames at
even distances slice k holds what frame k + 1 differs in from frame k. A skeleton that is resampled to T frames over the
same stretch has the same moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ....toolchain.errors import UsageError
from .emulator import EVENT, Cameras, Emulator
from .model import DvsModel

Array = npt.NDArray[Any]
Size = tuple[int, int]
"""Width and height."""


def slice_of(times: Array, stretch: tuple[int, int], steps: int) -> Array:
    """The slice of each time: ⌈(t − t₀)·T / D⌉ − 1, in whole numbers; a t of t₀ itself falls into the first.

    Args:
        times: in µs, within the stretch.
        stretch: t₀ and t₁ in µs.
        steps: T.
    """
    first, last = stretch
    if steps < 1 or last <= first:
        raise UsageError("slices of time", f"{steps} of {last - first} µs", "at least one, of a stretch of time")
    found: Array = np.maximum((times - first) * steps - 1, 0) // (last - first)
    return found


def places_in(events: Array, size: Size, new: Size) -> tuple[Array, Array]:
    """x and y on a coarser grid: ⌊x·w/W⌋ and ⌊y·h/H⌋."""
    (width, height), (columns, rows) = size, new
    return events["x"].astype(np.int64) * columns // width, events["y"].astype(np.int64) * rows // height


def counts_of(events: Array, stretch: tuple[int, int], steps: int, size: Size, new: Size | None = None) -> Array:
    """Events by slice, polarity and place, int64 [T, 2, h, w].

    Args:
        events: records of `EVENT`.
        stretch: t₀ and t₁ in µs.
        steps: T.
        size: the camera's width and height.
        new: those of the result, where they are others.
    """
    columns, rows = new or size
    x, y = places_in(events, size, (columns, rows))
    flat = ((slice_of(events["t"], stretch, steps) * 2 + events["p"]) * rows + y) * columns + x
    return np.bincount(flat, minlength=steps * 2 * rows * columns).reshape(steps, 2, rows, columns)


def frames_of(events: Array, stretch: tuple[int, int], steps: int, size: Size, new: Size | None = None) -> Array:
    """The same as frames of zeros and ones, uint8 [T, 2, h, w]: whether there was any event."""
    return (counts_of(events, stretch, steps, size, new) > 0).astype(np.uint8)


def events_of(frames: Array, times: Sequence[int] | Array, model: DvsModel, seed: int = 0) -> Array:
    """The events of a clip, records of `EVENT` in order of time.

    Args:
        frames: intensities from 0 to 255, [n, H, W].
        times: of the frames in µs, [n].
        model: the pixel.
        seed: of its thresholds and its noise.
    """
    camera = Emulator((frames.shape[2], frames.shape[1]), model, seed)
    parts = [camera.feed(frame, int(time)) for frame, time in zip(frames, times, strict=True)]
    return np.concatenate([np.empty(0, EVENT), *parts])


def event_frames(
    clips: Array,
    times: Sequence[int] | Array,
    model: DvsModel,
    seeds: Sequence[int],
    steps: int,
    new: Size | None = None,
) -> Array:
    """Frames of zeros and ones of many clips at once, uint8 [T, B, 2, h, w]: what networks take as `events`.

    A clip's frames do not depend on the clips beside it.

    Args:
        clips: intensities from 0 to 255, [B, n, H, W].
        times: of the frames in µs, [n].
        model: the pixel.
        seeds: of each clip's camera.
        steps: T, slices between the first frame and the last.
        new: width and height of the result, where they are others than the clips'.
    """
    count, _, height, width = clips.shape
    columns, rows = new or (width, height)
    camera, found = Cameras((width, height), model, seeds), np.zeros((steps, count, 2, rows, columns), np.uint8)
    stretch = int(times[0]), int(times[-1])
    for index, time in enumerate(times):
        moments, places, signs = camera.feed(clips[:, index], int(time))
        clip, place = np.divmod(places, height * width)
        y, x = np.divmod(place, width)
        found[
            slice_of(moments, stretch, steps), clip, signs.astype(np.int8), y * rows // height, x * columns // width
        ] = 1
    return found
