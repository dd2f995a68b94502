"""Clips to learn from, to choose by and to report on: made by name, or from files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...toolchain.errors import FileError, UsageError
from ..data.clips import Clips, load_clips
from ..data.made import NAMES, make_clips
from ..data.samples import PARTS
from ..recipes import Recipe

SHARES = (0.8, 0.1, 0.1)
"""Of the clips of one file: what is learned from, chosen by, and reported on."""


@dataclass(frozen=True, eq=False)
class Splits:
    """Clips to learn from, to choose by, and to report on."""

    train: Clips
    validation: Clips
    test: Clips

    def __post_init__(self) -> None:
        for name, clips in (("train", self.train), ("validation", self.validation), ("test", self.test)):
            if not len(clips):
                raise UsageError("data", f"no clips for {name}", "at least one for each of train, validation and test")
            if clips.class_names != self.train.class_names:
                found = f"the classes of {name}: {', '.join(clips.class_names)}"
                raise UsageError("data", found, f"those of train: {', '.join(self.train.class_names)}")


def made_splits(recipe: Recipe, seed: int) -> Splits:
    """The samples of a recipe."""
    counts = (recipe.samples, recipe.validation, recipe.test)
    return Splits(*(make_clips(recipe.data, part, count, seed) for part, count in zip(PARTS, counts, strict=True)))


def splits_of(recipe: Recipe, seed: int) -> Splits:
    """The clips of a recipe: of a name, a folder of `train.npz`, `validation.npz` and `test.npz`, or one file."""
    path = Path(recipe.data)
    if recipe.data in NAMES:
        return made_splits(recipe, seed)
    if not path.exists():
        expected = f"a folder of clips, a .npz file of them, or one of {', '.join(NAMES)}"
        raise UsageError("--data", f"there is no file, folder or data called '{recipe.data}'", expected)
    if path.is_dir():
        missing = [f"{part}.npz" for part in PARTS if not (path / f"{part}.npz").is_file()]
        if missing:
            fix = "make them: spikeport data synth, or data skeletons"
            raise FileError(str(path), f"no {', '.join(missing)}", "train.npz, validation.npz and test.npz", fix)
        return Splits(*(load_clips(path / f"{part}.npz") for part in PARTS))
    return cut(load_clips(path))


def cut(clips: Clips) -> Splits:
    """Clips of one file in three parts: always the same, eight of ten of each class to learn from, one and one."""
    order = np.random.default_rng(0).permutation(len(clips))
    places: list[list[int]] = [[], [], []]
    ends = np.cumsum(SHARES)
    for label in range(len(clips.class_names)):
        own = order[clips.labels[order] == label]
        first, second = (round(len(own) * float(end)) for end in ends[:2])
        for part, chosen in zip(places, (own[:first], own[first:second], own[second:]), strict=True):
            part.extend(chosen.tolist())
    return Splits(*(clips.take(np.sort(np.asarray(part, np.int64))) for part in places))


def fewer(splits: Splits, count: int, seed: int) -> Splits:
    """So many of the clips to learn from, drawn by the seed; all the others."""
    if count >= len(splits.train):
        return splits
    chosen = np.random.default_rng(seed).permutation(len(splits.train))[:count]
    return replace(splits, train=splits.train.take(np.sort(chosen)))


def identity(splits: Splits) -> str:
    """What tells these clips from all others: SHA-256 of names, shapes, types and values."""
    found = hashlib.sha256()
    for clips in (splits.train, splits.validation, splits.test):
        for name, array in sorted([*clips.streams.items(), ("", clips.labels)]):
            found.update(f"{name} {array.dtype.str} {array.shape}".encode())
            found.update(np.ascontiguousarray(array).data)
        found.update("\n".join(clips.class_names).encode())
    return found.hexdigest()
