"""Data for the demo, made from a seed: a bar that moves before an event camera, and random spikes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Events = npt.NDArray[Any]

NOISE, WIDTH, RATE = 0.01, 4, 0.05


def made_for(shape: tuple[int, ...], steps: int, batch: int, seed: int) -> Events:
    """Zeros and ones [T, B, *shape]: moving bars for (2, height, width), random spikes for every other shape."""
    source = np.random.default_rng(seed)
    if len(shape) == 3 and shape[0] == 2:
        return np.stack([_moving_bar(source, steps, *shape[1:]) for _ in range(batch)], axis=1)
    return (source.random((steps, batch, *shape)) < RATE).astype(np.uint8)


def _moving_bar(source: np.random.Generator, steps: int, height: int, width: int) -> Events:
    """What an event camera sees of a bar: 1 in channel 0 where it gets brighter, in 1 where darker, and noise."""
    angle, speed, start = source.uniform(0, 2 * np.pi), source.uniform(0.5, 1.5), source.uniform(0, width)
    down, across = np.mgrid[:height, :width]
    along = np.cos(angle) * across + np.sin(angle) * down
    places = (along[None] - start - speed * np.arange(steps + 1)[:, None, None]) % max(height, width)
    bright = places < WIDTH
    events = np.stack([bright[1:] & ~bright[:-1], bright[:-1] & ~bright[1:]], axis=1)
    return (events | (source.random(events.shape) < NOISE)).astype(np.uint8)
