"""Clips of actions, and rows of the table of made data: the same seed and number is the same moment in every stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ....toolchain.errors import UsageError
from ..clips import Clips
from ..samples import BLOCK, Array, Part, beginning_of
from . import optics
from .actions import CLASSES
from .chance import chance_of
from .clock import times_of
from .rendering import View
from .scenes import Scene, scene_of
from .sensing import EventsConfig, SkeletonsConfig, events, skeletons

SIZE, SMALLEST, LARGEST = 64, 16, 1024
"""Pixels of video and depth."""


def scene_in_block(labels: Array, source: np.random.Generator, steps: int) -> Scene:
    """The scenes of a block: what is drawn from its source first, whatever sensor looks at them."""
    return scene_of(labels, chance_of(len(labels), source), times_of(steps))


def draw_skeletons(config: SkeletonsConfig, labels: Array, source: np.random.Generator) -> Array:
    """Skeletons float32 [T, B, 3, 25, 2] for labels [B]."""
    return skeletons(scene_in_block(labels, source, config.steps), config)


def draw_events(config: EventsConfig, labels: Array, source: np.random.Generator) -> Array:
    """Events [T, B, 2, size, size] for labels [B]."""
    return events(scene_in_block(labels, source, config.steps), config)


@dataclass(frozen=True)
class ClipsConfig:
    """What sensors are like.

    Args:
        skeletons: as of the table's row `action_skeletons`.
        events: as of `action_events`.
        size: height and width of video and depth.
    """

    skeletons: SkeletonsConfig = field(default_factory=SkeletonsConfig)
    events: EventsConfig = field(default_factory=EventsConfig)
    size: int = SIZE

    def __post_init__(self) -> None:
        if self.skeletons.steps != self.events.steps:
            found = f"{self.skeletons.steps} steps of skeletons, {self.events.steps} of events"
            raise UsageError("clips", found, "as many of both")
        if not SMALLEST <= self.size <= LARGEST:
            raise UsageError("clips", f"pictures of {self.size} pixels", f"{SMALLEST} to {LARGEST}")


@dataclass(frozen=True, eq=False)
class Look:
    """Scenes before sensors; what several of them need is worked out once."""

    scene: Scene
    config: ClipsConfig

    @cached_property
    def view(self) -> View:
        """Video and depth at the end of each step."""
        return optics.seen_at_steps(self.scene, self.config.size, self.config.events.steps)


Stream = Callable[[Look], Array]
STREAMS: Mapping[str, Stream] = {
    "skeleton": lambda look: skeletons(look.scene, look.config.skeletons),
    "events": lambda look: events(look.scene, look.config.events),
    "video": lambda look: optics.video_of(look.view),
    "depth": lambda look: optics.depth_of(look.view),
    "pose": lambda look: optics.poses_of(look.scene, look.view, look.config.events.steps),
    "points": lambda look: optics.points_of(look.scene, look.view),
}
"""What can be made of a scene, [T, B, …], by the stream's name."""
PAIR = ("skeleton", "events")


def clips(
    part: Part,
    count: int,
    seed: int = 0,
    streams: Sequence[str] = PAIR,
    config: ClipsConfig | None = None,
    done: Callable[[int], None] = lambda _: None,
) -> Clips:
    """`count` clips of a part: the moments of the table's rows of the same seed, seen by several sensors.

    Args:
        part: train, validation or test; they share no clip.
        count: how many; the first ones are the same, however many are made.
        seed: draws everything.
        streams: names of `STREAMS`.
        config: other sensors.
        done: told how many there are, now and then.
    """
    unknown = [name for name in streams if name not in STREAMS]
    if unknown or count < 1 or seed < 0:
        found = f"a stream {unknown[0]!r}" if unknown else f"{count} clips of seed {seed}"
        raise UsageError("clips", found, f"{', '.join(STREAMS)}; at least one clip, and a seed of at least 0")
    chosen = config or ClipsConfig()
    made: dict[str, Array] = {}
    labels = np.empty(count, np.int64)
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        own, source = beginning_of(part, start // BLOCK, seed, len(CLASSES))
        scene = scene_in_block(own, source, chosen.events.steps).first(size)
        look = Look(scene, chosen)
        labels[start : start + size] = scene.labels
        for name in streams:
            block = STREAMS[name](look)
            whole = made.setdefault(name, np.empty((len(block), count, *block.shape[2:]), block.dtype))
            whole[:, start : start + size] = block
        done(start + size)
    return Clips(made, labels, CLASSES, f"{count} {part} clips of {len(CLASSES)} made actions, seed {seed}")
