"""What an event camera has seen of moving shapes, as still frames: a channel for each stretch of time and polarity.

    frame[b, p, y, x] = any event of polarity p at (x, y) in a step t with ⌊t·bins / steps⌋ = b

The shapes, and so the samples, are those of moving_shapes, seed by seed. A sample is one step: all frames, filled.
While they fill it is as many steps as the events have, and step t shows what was seen up to t: a film in which pixels
only ever change where an event is, and whose last step is the still sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...toolchain.errors import UsageError
from .moving_shapes import CLASSES, MovingShapesConfig
from .moving_shapes import draw as moving
from .samples import Array

EVENTS = MovingShapesConfig()
"""What is seen."""


@dataclass(frozen=True)
class ShapeFramesConfig:
    """What can be chosen.

    Args:
        bins: stretches of time, a divisor of the events' steps.
        filling: show every step while the frames fill, in place of the last alone.
    """

    bins: int = 4
    filling: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.bins <= EVENTS.steps or EVENTS.steps % self.bins:
            raise UsageError("shape_frames", f"{self.bins} bins", f"a divisor of {EVENTS.steps}")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one step of one sample."""
        return 2 * self.bins, EVENTS.size, EVENTS.size

    @property
    def steps(self) -> int:
        """Steps of a sample."""
        return EVENTS.steps if self.filling else 1

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the labels stand for."""
        return CLASSES


def draw(config: ShapeFramesConfig, labels: Array, source: np.random.Generator) -> Array:
    """Frames [1 or T, B, 2·bins, size, size] for labels [B]."""
    events = moving(EVENTS, labels, source)
    stretches = events.reshape(config.bins, -1, *events.shape[1:])
    if not config.filling:
        every: Array = np.logical_or.reduce(stretches, axis=1)
        return _side_by_side(every)[None]
    seen = np.logical_or.accumulate(stretches, axis=1)
    return np.stack([_side_by_side(_up_to(seen, t)) for t in range(len(events))])


def _up_to(seen: Array, t: int) -> Array:
    """What every stretch [bins, B, 2, H, W] has seen by step t: all, some of it, or nothing yet."""
    now, place = divmod(t, seen.shape[1])
    frames = np.zeros_like(seen[:, 0])
    frames[:now], frames[now] = seen[:now, -1], seen[now, place]
    return frames


def _side_by_side(frames: Array) -> Array:
    """[bins, B, 2, H, W] as [B, 2·bins, H, W]."""
    bins, batch, polarities, *space = frames.shape
    return np.ascontiguousarray(np.moveaxis(frames, 0, 1)).reshape(batch, bins * polarities, *space)
