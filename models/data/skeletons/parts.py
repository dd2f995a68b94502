"""From recordings to the clips of a data folder: train, validation and test."""

from __future__ import annotations

import os
import signal
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import starmap
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from typing import Literal

import numpy as np

from ....toolchain.errors import FileError, SpikeportError, UsageError
from ....toolchain.simulate.memory import amount, available
from ..clips import Clips
from .layouts import Layout
from .placing import ANGLE, centred, randomly_turned, scaled, turned_upright
from .recordings import Array
from .sources import Item, Source
from .streams import streams
from .timing import TEST_CROP, TRAIN_CROP, picked, resized, trimmed

PARTS = ("train", "validation", "test")
CHUNK = 16
"""Recordings that another process takes at once."""


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

    def __post_init__(self) -> None:
        if self.sampling not in ("linear", "even"):
            raise UsageError("--sampling", f"'{self.sampling}'", "linear or even")
        if self.frames < 1 or self.copies < 0:
            raise UsageError("--frames", f"{self.frames} frames, {self.copies} copies", "at least 1, and at least 0")


@dataclass(frozen=True)
class Held:
    """Which recordings to train on are kept back for validation.

    Args:
        share: of them, at least; the part is never empty.
        by: whole subjects, so that validation meets people who were never seen, as the test does; or single clips.
            Where subjects are not known: clips.
    """

    share: float = 0.1
    by: Literal["subject", "clip"] = "subject"

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise UsageError("--validation", f"{self.share:g}", "a share between 0 and 1")
        if self.by not in ("subject", "clip"):
            raise UsageError("--validation-by", f"'{self.by}'", "subject or clip")


@dataclass(frozen=True)
class Made:
    """What came out.

    Args:
        parts: clips by the part's name.
        bad: why recordings were skipped.
        said: what was left out or not done, in sentences.
    """

    parts: Mapping[str, Clips]
    bad: tuple[SpikeportError, ...]
    said: tuple[str, ...]


def make_parts(
    source: Source,
    recipe: Recipe,
    held: Held,
    *,
    skip: bool = True,
    jobs: int = 1,
    tell: Callable[[str], None] = lambda _: None,
) -> Made:
    """The clips of all parts.

    Args:
        source: the recordings.
        recipe: what is made of each.
        held: who validates.
        skip: leave bad recordings out, and name them; else the first is an error.
        jobs: processes that read.
        tell: is told how far it is.

    Raises:
        FileError: on a bad recording when they are not skipped, or when a part would be empty.
    """
    _refuse(source.bad if not skip else ())
    part_of = _parts_of(source.items, held, recipe.seed)
    room = _Room(source, recipe, part_of)
    bad: list[SpikeportError] = list(source.bad)
    tilted = 0
    with _results(source, recipe, part_of, jobs) as results:
        for done, result in enumerate(results):
            if isinstance(result, SpikeportError):
                _refuse(() if skip else (result,))
                bad.append(result)
            else:
                room.put(done, result[0])
                tilted += result[1]
            if done % 100 == 99:
                tell(f"{done + 1:,} of {len(source.items):,} recordings, {len(bad):,} bad")
    said = list(source.said)
    if tilted:
        said.append(f"not turned upright, for want of a spine: {tilted:,} of {len(source.items):,} recordings")
    if held.by == "subject" and not _subjects(source.items):
        said.append("validation by clip: there are no two subjects to tell apart")
    return Made({part: room.clips(part) for part in PARTS}, tuple(bad), tuple(said))


def _refuse(bad: Sequence[SpikeportError]) -> None:
    if bad:
        fix = f"{bad[0].fix}, or leave such files out with --on-bad skip" if bad[0].fix else "use --on-bad skip"
        raise FileError(bad[0].where, bad[0].found, bad[0].expected, fix)


def _subjects(items: Sequence[Item]) -> list[int]:
    """Whom there is to train on, where that is known of all recordings and there are several."""
    found = {item.subject for item in items if item.training}
    return sorted(each for each in found if each is not None) if len(found) > 1 and None not in found else []


def _parts_of(items: Sequence[Item], held: Held, seed: int) -> list[int]:
    """The place in `PARTS` of each recording."""
    training = [number for number, item in enumerate(items) if item.training]
    source = np.random.default_rng([seed, len(training)])
    subjects = _subjects(items)
    kept: set[int] = set()
    if held.by == "clip" or not subjects:
        count = min(max(1, round(held.share * len(training))), len(training) - 1)
        kept = {training[place] for place in source.permutation(len(training))[: max(count, 0)]}
    else:
        for subject in source.permutation(subjects)[:-1]:
            if kept and len(kept) >= held.share * len(training):
                break
            kept |= {number for number in training if items[number].subject == subject}
    return [1 if number in kept else 0 if item.training else 2 for number, item in enumerate(items)]


class _Room:
    """The arrays that clips go to, [T, N, 3, V, M] for each part."""

    def __init__(self, source: Source, recipe: Recipe, part_of: Sequence[int]) -> None:
        self.source, self.recipe, self.part_of = source, recipe, part_of
        self.copies = (max(1, recipe.copies), 1, 1)
        counts = [part_of.count(part) * self.copies[part] for part in range(len(PARTS))]
        shape = (3, len(source.layout.joints), source.persons)
        needed, free = 4 * recipe.frames * sum(counts) * int(np.prod(shape)) * (1 + len(recipe.kinds)), available()
        if free is not None and needed > free:
            fix = "take fewer frames, streams or copies"
            raise UsageError("memory", f"clips of {amount(needed)}", f"at most {amount(free)}, which is free", fix)
        self.poses = [np.empty((recipe.frames, count, *shape), np.float32) for count in counts]
        self.labels: list[list[int]] = [[] for _ in PARTS]

    def put(self, number: int, made: Array) -> None:
        """The copies of a recording, [T, copies, 3, V, M], behind those that are there."""
        part = self.part_of[number]
        start = len(self.labels[part])
        self.poses[part][:, start : start + made.shape[1]] = made
        self.labels[part] += [self.source.items[number].label] * made.shape[1]

    def clips(self, part: str) -> Clips:
        """The clips of a part, once all are there."""
        place = PARTS.index(part)
        labels = np.asarray(self.labels[place], np.int64)
        if not len(labels):
            raise FileError(self.source.about, f"nothing to {part} on" if place < 1 else f"nothing for {part}")
        poses = self.poses[place][:, : len(labels)]
        made = streams(poses, self.source.layout, self.recipe.kinds)
        about = f"{self.source.about}: {part}, {', '.join(self.recipe.kinds)} in {self.recipe.frames} frames"
        return Clips(made, labels, self.source.class_names, about)


@contextmanager
def _results(
    source: Source, recipe: Recipe, part_of: Sequence[int], jobs: int
) -> Iterator[Iterator[SpikeportError | tuple[Array, bool]]]:
    """For every recording what is made of it, or what is wrong with it; read by several processes where that can be."""
    copies = [recipe.copies if part == 0 else 0 for part in part_of]
    work = ((item, source.layout, recipe, count) for item, count in zip(source.items, copies, strict=True))
    if jobs < 2 or not source.apart:
        yield starmap(prepared, work)
        return
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_helping)
    try:
        yield pool.map(_prepared, work, chunksize=CHUNK)
    finally:
        pool.shutdown(cancel_futures=True)


def _helping() -> None:
    """In a process that reads: Ctrl-C is for the one who asked, and without him there is nobody to work for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with, args=(parent_process(),), daemon=True).start()


def _leave_with(parent: BaseProcess | None) -> None:
    if parent is not None:
        parent.join()
        os._exit(1)


def _prepared(job: tuple[Item, Layout, Recipe, int]) -> SpikeportError | tuple[Array, bool]:
    return prepared(*job)


def prepared(item: Item, layout: Layout, recipe: Recipe, copies: int) -> SpikeportError | tuple[Array, bool]:
    """What is made of a recording, [T, copies, 3, V, M], and whether it could not be turned; or what is wrong with it.

    Args:
        item: the recording; its name and the seed draw crops and turns, whatever else is read.
        layout: of its skeletons.
        recipe: what to make.
        copies: how many are drawn; 0: one, not drawn.
    """
    try:
        poses = trimmed(item.read())
    except SpikeportError as error:
        return error
    poses = centred(poses, layout) if recipe.centre else poses
    upright = turned_upright(poses, layout) if recipe.upright else poses
    tilted = upright is None
    poses = poses if upright is None else upright
    source = np.random.default_rng([recipe.seed, zlib.crc32(item.name.encode("utf-8", "backslashreplace"))])
    resize = resized if recipe.sampling == "linear" else picked
    crops = [(TRAIN_CROP if copies else TEST_CROP)(len(poses), source) for _ in range(max(1, copies))]
    cut = [resize(poses[crop], recipe.frames) for crop in crops]
    made = np.stack([scaled(each) for each in cut] if recipe.unit else cut, axis=1)
    return (randomly_turned(made, source, recipe.angle) if copies else made), tilted
