"""Clips: several streams of the same moments, with labels; what networks of several inputs learn from.

A folder of clips holds `train.npz`, `validation.npz` and `test.npz`, each with one array for each stream, `labels` and
`class_names`: values time first, [T, N, *shape]. Such a file is input for `run` and `energy` as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...toolchain.errors import FileError, UsageError
from ...toolchain.simulate.memory import amount, available
from ...toolchain.writing import written_whole
from .samples import Samples

Array = npt.NDArray[Any]
LABELS, NAMES = "labels", "class_names"
_FORM = "one array [T, N, …] for each stream, labels [N] and class_names"


@dataclass(frozen=True, eq=False)
class Clips:
    """Streams of the same moments.

    Args:
        streams: by name, time first: [T, N, *shape].
        labels: the class of each clip, int64 [N].
        class_names: what the labels stand for.
        about: what they are, in a line.
    """

    streams: Mapping[str, Array]
    labels: Array
    class_names: tuple[str, ...]
    about: str = ""

    def __post_init__(self) -> None:
        wrong = {name: list(each.shape) for name, each in self.streams.items() if each.shape[1:2] != self.labels.shape}
        if wrong or not self.streams:
            raise UsageError("clips", f"streams {wrong or 'none'}", f"[T, {len(self.labels)}, …], one clip for a label")
        if len(self.labels) and not 0 <= self.labels.min() <= self.labels.max() < len(self.class_names):
            found = f"labels from {self.labels.min()} to {self.labels.max()}"
            raise UsageError("clips", found, f"0 to {len(self.class_names) - 1}, a place in class_names")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, places: Array) -> Clips:
        """The clips at these places."""
        chosen = {name: each[:, places] for name, each in self.streams.items()}
        return replace(self, streams=chosen, labels=self.labels[places])

    def only(self, names: Sequence[str]) -> Clips:
        """The same clips with these streams alone, in this order."""
        missing = [name for name in names if name not in self.streams]
        if missing:
            raise UsageError("clips", f"no stream {missing[0]!r}", f"one of {', '.join(self.streams)}")
        return replace(self, streams={name: self.streams[name] for name in names})


def clips_of(samples: Samples, name: str, class_names: tuple[str, ...], about: str = "") -> Clips:
    """Samples of one input as clips of one stream."""
    return Clips({name: samples.inputs}, samples.labels, class_names, about)


def save_clips(path: str | Path, clips: Clips) -> None:
    """Writes clips to one .npz file, whole or not at all."""
    arrays = {**clips.streams, LABELS: clips.labels, NAMES: np.asarray(clips.class_names)}
    with written_whole(path) as draft, draft.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def load_clips(path: str | Path) -> Clips:
    """Reads clips from a .npz file; nothing is unpickled, and what does not fit is a FileError."""
    where, arrays = str(path), _arrays_in(Path(path))
    labels, names = arrays.pop(LABELS, None), arrays.pop(NAMES, None)
    if labels is None or names is None or labels.dtype.kind not in "iu" or names.dtype.kind != "U":
        raise FileError(where, f"arrays {', '.join(arrays) or 'none'} without labels or class names", _FORM)
    strange = [f"{name} of type {each.dtype}" for name, each in arrays.items() if each.dtype.kind not in "biuf"]
    if strange or names.ndim != 1:
        raise FileError(where, strange[0] if strange else f"class_names of shape {list(names.shape)}", _FORM)
    try:
        return Clips(arrays, labels.astype(np.int64), tuple(map(str, names)), f"the clips of {Path(path).name}")
    except UsageError as error:
        raise FileError(where, error.found, error.expected) from error


def _arrays_in(path: Path) -> dict[str, Array]:
    """Everything in the file by name, once it is known that there is room for it."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            _check_room(str(path), sum(each.file_size for each in held.zip.infolist()))
            return {name: held[name] for name in held.files}
    except FileError:
        raise
    except Exception as error:  # on a hostile file numpy's and zip's readers raise nearly everything there is
        found = str(error).split("\n")[0][:100]
        raise FileError(str(path), f"no clips ({found})", f"a .npz file with {_FORM}") from error


def _check_room(where: str, size: int) -> None:
    free = available()
    if free is not None and size > free:
        raise FileError(where, f"unpacks to {amount(size)}", f"at most {amount(free)}, which is free here")
