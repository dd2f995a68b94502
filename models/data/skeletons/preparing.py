"""From one recording to clips of T frames, and to the events of the same moments."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from ....toolchain.errors import FileError, SpikeportError, UsageError
from ..dvs.filmed import Seen, filmed
from .layouts import Layout
from .placing import ANGLE, centred, randomly_turned, scaled, turned_upright
from .recordings import Array
from .sources import Item
from .timing import TEST_CROP, TRAIN_CROP, inhabited, picked, resized

EVENTS = "events"
"""What the input of events is called."""


@dataclass(frozen=True)
class Recipe:
    """What is made of a recording.

    In this order: the frames before and behind all persons go; centred; turned upright; cropped; resized to `frames`;
    scaled; copies turned; streams taken.

    Args:
        frames: of a clip.
        kinds: which streams, see `streams`.
        copies: so many crops and turns of each recording to train on, drawn as published codes draw them anew in every
            epoch; 0: one, cropped in the middle as those of the other parts.
        angle: the largest of the angles by which copies are turned.
        centre: put the middle of the first person's spine, in the first frame, to 0.
        upright: turn that person upright, shoulders along x.
        unit: scale each axis of a recording to [−1, 1], in place of metres.
        sampling: linear: between frames; even: whole frames.
        seed: draws copies, and who validates.
        events: how the events of recordings that have a file of them become the stream `events`.
    """

    frames: int = 16
    kinds: tuple[str, ...] = ("joint",)
    copies: int = 0
    angle: float = ANGLE
    centre: bool = True
    upright: bool = False
    unit: bool = False
    sampling: Literal["linear", "even"] = "linear"
    seed: int = 0
    events: Seen | None = None

    def __post_init__(self) -> None:
        if self.sampling not in ("linear", "even"):
            raise UsageError("--sampling", f"'{self.sampling}'", "linear or even")
        if self.frames < 1 or self.copies < 0:
            raise UsageError("--frames", f"{self.frames} frames, {self.copies} copies", "at least 1, and at least 0")


class Ready(NamedTuple):
    """What is made of a recording.

    Args:
        poses: [T, copies, 3, V, M].
        tilted: whether it could not be turned upright.
        events: of the same moments, uint8 [T, copies, 2, h, w], where they are wanted.
    """

    poses: Array
    tilted: bool
    events: Array | None = None


def prepared(item: Item, layout: Layout, recipe: Recipe, copies: int) -> SpikeportError | Ready:
    """What is made of a recording, or what is wrong with it.

    Args:
        item: the recording; its name and the seed draw crops and turns, whatever else is read.
        layout: of its skeletons.
        recipe: what to make.
        copies: how many are drawn; 0: one, not drawn.
    """
    try:
        whole = item.read()
        kept = inhabited(whole)
        source = np.random.default_rng([recipe.seed, zlib.crc32(item.name.encode("utf-8", "backslashreplace"))])
        crop, length = TRAIN_CROP if copies else TEST_CROP, kept.stop - kept.start
        crops = [crop(length, source) for _ in range(max(1, copies))]
        events = _events(item, recipe, [slice(kept.start + c.start, kept.start + c.stop) for c in crops], len(whole))
    except SpikeportError as error:
        return error
    poses, tilted = _placed(whole[kept], layout, recipe)
    resize = resized if recipe.sampling == "linear" else picked
    cut = [resize(poses[crop], recipe.frames) for crop in crops]
    made = np.stack([scaled(each) for each in cut] if recipe.unit else cut, axis=1)
    return Ready(randomly_turned(made, source, recipe.angle) if copies else made, tilted, events)


def _placed(poses: Array, layout: Layout, recipe: Recipe) -> tuple[Array, bool]:
    """Poses where they are wanted, and whether they could not be turned upright."""
    poses = centred(poses, layout) if recipe.centre else poses
    upright = turned_upright(poses, layout) if recipe.upright else poses
    return (poses, True) if upright is None else (upright, False)


def _events(item: Item, recipe: Recipe, parts: list[slice], length: int) -> Array | None:
    """The events of parts of a recording of this length, uint8 [T, parts, 2, h, w], where they are wanted."""
    if item.events is None or recipe.events is None:
        return None
    film = filmed(item.events, recipe.events.camera)
    try:
        frames = [film.frames(part, length, recipe.frames, recipe.events.size) for part in parts]
    except UsageError as error:
        raise FileError(item.name, error.found, error.expected, error.fix) from error
    return np.stack(frames, axis=1)
