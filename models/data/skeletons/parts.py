"""From recordings to the clips of a data folder: train, validation and test."""

from __future__ import annotations

import os
import signal
import threading
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
from ....toolchain.tables import counted
from ..clips import Clips
from .layouts import Layout
from .preparing import EVENTS, Ready, Recipe, prepared
from .sources import Item, Source
from .streams import streams

PARTS = ("train", "validation", "test")
CHUNK = 16
"""Recordings that another process takes at once."""


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
                room.put(done, result)
                tilted += result.tilted
            tell(f"{done + 1:,} of {len(source.items):,} recordings, {len(bad):,} bad")
    said = list(source.said)
    if tilted:
        said.append(f"not turned upright, for want of a spine: {tilted:,} of {len(source.items):,} recordings")
    if held.by == "subject" and not _subjects(source.items):
        said.append("validation by clip: there are no two subjects to tell apart")
    return Made({part: room.clips(part, bad) for part in PARTS}, tuple(bad), tuple(said))


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
        values = 2 * int(np.prod(recipe.events.size)) if recipe.events else 0
        each, free = 4 * int(np.prod(shape)) * (1 + len(recipe.kinds)) + values, available()
        needed = recipe.frames * sum(counts) * each
        if free is not None and needed > free:
            fix = "take fewer frames, streams or copies"
            raise UsageError("memory", f"clips of {amount(needed)}", f"at most {amount(free)}, which is free", fix)
        self.poses = [np.empty((recipe.frames, count, *shape), np.float32) for count in counts]
        pixels = recipe.events.size[::-1] if recipe.events else (0, 0)
        self.events = [np.empty((recipe.frames, count, 2, *pixels), np.uint8) for count in counts]
        self.labels: list[list[int]] = [[] for _ in PARTS]

    def put(self, number: int, made: Ready) -> None:
        """The copies of a recording, behind those that are there."""
        part, count = self.part_of[number], made.poses.shape[1]
        start = len(self.labels[part])
        self.poses[part][:, start : start + count] = made.poses
        if made.events is not None:
            self.events[part][:, start : start + count] = made.events
        self.labels[part] += [self.source.items[number].label] * count

    def clips(self, part: str, bad: Sequence[SpikeportError]) -> Clips:
        """The clips of a part, once all are there but those of bad recordings."""
        place = PARTS.index(part)
        labels = np.asarray(self.labels[place], np.int64)
        if not len(labels):
            found = f"nothing to {part} on" if place < 1 else f"nothing for {part}"
            mend = f", or mend the {counted(len(bad), 'bad recording')}, the first: {bad[0]}" if bad else ""
            fix = f"take another split{mend}"
            raise FileError(self.source.about, found, "recordings on both sides of the split", fix)
        poses = self.poses[place][:, : len(labels)]
        made = streams(poses, self.source.layout, self.recipe.kinds)
        if self.recipe.events:
            made[EVENTS] = self.events[place][:, : len(labels)]
        about = f"{self.source.about}: {part}, {', '.join(self.recipe.kinds)} in {self.recipe.frames} frames"
        return Clips(made, labels, self.source.class_names, about)


@contextmanager
def _results(
    source: Source, recipe: Recipe, part_of: Sequence[int], jobs: int
) -> Iterator[Iterator[SpikeportError | Ready]]:
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


def _prepared(job: tuple[Item, Layout, Recipe, int]) -> SpikeportError | Ready:
    return prepared(*job)
