"""The event camera itself: frames go in one by one, the events of the time since the last one come out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ....toolchain.errors import UsageError
from ....toolchain.kernels.dvs import interval_range
from ....toolchain.kernels.dvs_draws import exponentials, keys_of, normals
from ....toolchain.kernels.threads import on_cores
from .model import LEAST_THRESHOLD, LINEAR, OFFSET, SCALE, DvsModel

Array = npt.NDArray[Any]

EVENT = np.dtype([("t", np.int64), ("x", np.uint16), ("y", np.uint16), ("p", np.int8)])
"""t in µs from the first frame on, x to the right, y down, p 1 for ON and 0 for OFF."""
ON_DRAWS, OFF_DRAWS, LEAK_DRAWS, WAIT_DRAWS, JITTER_DRAWS, NOISE_DRAWS = range(6)
LARGEST_SIDE = 1 << 16
MOST_PIXELS = 1 << 25
WORK = 4
"""A pixel costs as much as so many steps of a neuron."""
ROOM = 1 << 12
"""Events for which a range of pixels has room at first."""
MOST_EVENTS, MOST_OF_A_PIXEL = 1 << 25, 64
"""Between two frames: so many, or so many for each pixel where that is more. Beyond, noise would fill the memory."""
Events = tuple[Array, ...]
"""Times, places and polarities."""


class Cameras:
    """B cameras of one size, each before a clip of its own; their pixels lie side by side.

    Args:
        size: width and height.
        model: the pixel.
        seeds: of each camera: its thresholds and its noise.
    """

    def __init__(self, size: tuple[int, int], model: DvsModel, seeds: Sequence[int]) -> None:
        width, height = size
        if not (
            0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE and width * height * len(seeds) <= MOST_PIXELS
        ):
            raise UsageError(
                "event camera",
                f"{len(seeds)} × {width} × {height} pixels",
                f"1 to {MOST_PIXELS:,}",
                "take a smaller size",
            )
        self.size = size
        self.model = model
        self.time = 0
        self.intervals = 0
        self._seeds = np.asarray(seeds, np.int64)
        self._pixel = self._made_pixels()
        self._state = np.zeros((4, self._pixel.shape[1]))
        self._seen: tuple[Array, Array] | None = None

    def _draws(self, purpose: int, waits: bool = False) -> Array:
        """One number for every pixel: normal, or a waiting time."""
        draw, count = exponentials if waits else normals, self.size[0] * self.size[1]
        return np.concatenate([draw(key, count) for key in keys_of(self._seeds, purpose)])

    def _made_pixels(self) -> Array:
        """θ_on, θ_off, leak and shot noise per µs, and the share of ON in that noise, of each pixel: [5, P]."""
        m = self.model
        on, off = (
            np.maximum(mean + m.sigma_thres * self._draws(purpose), LEAST_THRESHOLD)
            for mean, purpose in ((m.pos_thres, ON_DRAWS), (m.neg_thres, OFF_DRAWS))
        )
        leak = m.leak_rate_hz * 10 ** (m.noise_rate_cov_decades * self._draws(LEAK_DRAWS)) * on * 1e-6
        noisy_on, noisy_off = m.pos_thres / on, m.neg_thres / off
        shot = m.shot_noise_rate_hz / 2 * (noisy_on + noisy_off) * 1e-6
        return np.stack([on, off, leak, shot, noisy_on / (noisy_on + noisy_off)])

    def feed(self, frames: Array, time: int) -> Events:
        """The events between the last frames and these, in order of time.

        Args:
            frames: intensities from 0 to 255, [B, H, W].
            time: of the frames, in µs; later than the last ones'.

        Returns:
            Times in µs, places in [B, H, W] in C order, and whether each is ON.
        """
        width, height = self.size
        if frames.shape != (len(self._seeds), height, width):
            raise UsageError("event camera", f"frames {list(frames.shape)}", f"[{len(self._seeds)}, {height}, {width}]")
        level, bright = levels(frames.reshape(-1))
        return self.feed_levels(level, bright, time)

    def feed_levels(self, level: Array, bright: Array, time: int) -> Events:
        """The same for the log intensity L and the share ι of full intensity of each pixel."""
        if self._seen is None:
            self._begin(level)
            parts = []
        else:
            if time <= self.time:
                raise UsageError("event camera", f"a frame at {time} µs", f"one after {self.time} µs")
            parts = [self._interval(*slice_) for slice_ in self._slices(level, bright, time)]
        self._seen, self.time = (level, bright), time
        if len(parts) == 1:
            return parts[0]
        empty = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.bool_))
        return tuple(np.concatenate(each) for each in zip(empty, *parts, strict=True))

    def _begin(self, level: Array) -> None:
        """All pixels know the first frame, and none has had an event."""
        self._state[0] = self._state[1] = level
        self._state[2] = -math.inf
        self._state[3] = self._draws(WAIT_DRAWS, waits=True)

    def _slices(self, level: Array, bright: Array, time: int) -> Iterator[tuple[Array, Array, int, int]]:
        """(L, ι, begin, end) of each slice, in a straight line from the last frame to this one; in whole µs."""
        count, (old, dim) = min(self.model.slices, time - self.time), self._seen or (level, bright)
        ends = [self.time + (time - self.time) * k // count for k in range(count + 1)]
        for k in range(1, count):
            share = (ends[k] - self.time) / (time - self.time)
            yield old + share * (level - old), dim + share * (bright - dim), ends[k - 1], ends[k]
        yield level, bright, ends[-2], time

    def _interval(self, level: Array, bright: Array, begin: int, end: int) -> Events:
        m, found = self.model, list[tuple[int, Events]]()
        settings = np.array(
            [begin, end - begin, 2e-6 * math.pi * m.cutoff_hz, m.leak_jitter_fraction, 1e6 * m.refractory_period_s]
        )
        keys = self._interval_keys(JITTER_DRAWS), self._interval_keys(NOISE_DRAWS)
        most = max(MOST_EVENTS, MOST_OF_A_PIXEL * level.size)
        self.intervals += 1

        def piece(start: int, stop: int) -> None:
            size = ROOM
            while start < stop:
                room = (np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.bool_))
                count, reached = interval_range(
                    level, bright, self._state, self._pixel, settings, *keys, *room, start, stop
                )
                found.append((start, tuple(each[:count] for each in room)))
                start, size = reached, 2 * size
                if start < stop and max(size, sum(len(part[1][0]) for part in found)) > most:
                    raise _too_many(most, begin, end)

        on_cores(piece, level.size, WORK)
        offsets, places, signs = _in_order(found, end - begin)
        return offsets + begin, places, signs

    def _interval_keys(self, purpose: int) -> Array:
        return keys_of(self._seeds, purpose + (self.intervals + 1 << 8))


def _too_many(most: int, begin: int, end: int) -> UsageError:
    found = f"more than {most:,} events from {begin / 1e6:,.3f} s to {end / 1e6:,.3f} s"
    return UsageError("event camera", found, "fewer between two frames", "frames at shorter distances, or less noise")


def _in_order(found: list[tuple[int, Events]], span: int) -> Events:
    """The events of all ranges of pixels in order of time, and at one time from the first pixel to the last."""
    parts = [events for _, events in sorted(found, key=lambda part: part[0])]
    offsets, places, signs = (np.concatenate(each) for each in zip(*parts, strict=True))
    narrow = offsets.astype(np.uint16) if span < 1 << 16 else offsets  # numpy sorts numbers of 16 bits by radix
    order = np.argsort(narrow, kind="stable")
    return offsets[order], places[order], signs[order]


@cache
def level_table() -> tuple[Array, Array]:
    """L and ι of the intensities 0 to 255."""
    return levels_of(np.arange(256.0))


def levels(intensity: Array) -> tuple[Array, Array]:
    """L and ι of intensities: by a table where they are of 8 bits."""
    if intensity.dtype == np.uint8:
        return tuple(table[intensity] for table in level_table())  # type: ignore[return-value]
    values = intensity.astype(np.float64)
    if not (values >= 0).all() or not np.isfinite(values).all():
        raise UsageError("event camera", "an intensity below 0, or that is no number", "0 to 255")
    return levels_of(values)


def levels_of(intensity: Array) -> tuple[Array, Array]:
    """L and ι of intensities, none below 0."""
    log = np.log(np.maximum(intensity, LINEAR))
    return np.where(intensity <= LINEAR, intensity * (math.log(LINEAR) / LINEAR), log), (intensity + OFFSET) / SCALE


class Emulator:
    """One camera that sees one video.

    Args:
        size: width and height.
        model: the pixel.
        seed: of its thresholds and its noise.
    """

    def __init__(self, size: tuple[int, int], model: DvsModel, seed: int = 0) -> None:
        self._camera = Cameras(size, model, [seed])
        self.size = size

    def feed(self, frame: Array, time: int) -> Array:
        """The events between the last frame and this one, in order of time; of the first frame none.

        Args:
            frame: intensities from 0 to 255, [H, W].
            time: of the frame in µs; later than the last one's.

        Returns:
            Records of `EVENT`.
        """
        return self._records(self._camera.feed(frame[None], time))

    def feed_levels(self, level: Array, bright: Array, time: int) -> Array:
        """The same for the log intensity and the share of full intensity of each pixel, [H, W] or [H · W]."""
        return self._records(self._camera.feed_levels(level.reshape(-1), bright.reshape(-1), time))

    def _records(self, events: Events) -> Array:
        times, places, signs = events
        found = np.empty(len(times), EVENT)
        found["t"], found["p"] = times, signs
        found["y"], found["x"] = np.divmod(places, self.size[0])
        return found
