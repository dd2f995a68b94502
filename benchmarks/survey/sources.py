"""Data sets: samples by number, with a shape, a length, classes, and an identity that tells any other data apart.

A source hands out batches [T, B, *shape], for a network of several inputs one for each, by name. What it reads is
checked against what the network takes before anything is counted; every sample's values are checked when they are read.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np

from ...models.data.made import DATA, TOGETHER
from ...models.data.samples import Part
from ...toolchain.errors import FileError, UsageError
from ...toolchain.event_files import EVENTS, from_arrays
from ...toolchain.events import CALLED
from ...toolchain.graph.nodes.base import Array, shown
from ...toolchain.graph.signal import Signal
from ...toolchain.inputs import Steps
from ..operations import Promise

BLOCK = 1 << 22
"""Bytes that are hashed at a time."""


Inputs: TypeAlias = Array | Mapping[str, Array]
"""What goes into a network: [T, B, *shape], or such for every input by name where there are several."""
Shape: TypeAlias = tuple[int, ...] | Mapping[str, tuple[int, ...]]
"""The shape of one step of one sample, or that of every input by name."""
Takes: TypeAlias = Signal | Mapping[str, Signal] | None
"""What a network takes: of one input, or of each by name; None where only the data says it."""


class DataSource(Protocol):
    """Samples by number."""

    def __len__(self) -> int:
        """How many samples."""

    @property
    def shape(self) -> Shape:
        """The shape of one step of one sample."""

    @property
    def carries(self) -> Promise:
        """What the values promise to be."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the labels stand for; () where there are none."""

    @property
    def identity(self) -> str:
        """SHA-256 of all that decides what the samples are; of files, of their whole content."""

    @property
    def about(self) -> str:
        """What it is, in words."""

    @property
    def together(self) -> int | None:
        """So many samples at most fit in one batch; None where all have the same number of steps."""

    @property
    def travels(self) -> bool:
        """Whether the source itself can be sent to another machine and makes the same samples there."""

    def batch(self, indices: Sequence[int]) -> tuple[Inputs, Array | None]:
        """Inputs [T, B, *shape] and labels [B] of some samples."""

    def said(self, indices: Sequence[int]) -> tuple[str, ...]:
        """What was merged, capped or left out in these samples, once they were read, in sentences."""

    def check_unchanged(self) -> None:
        """Raises a FileError when a file is no longer what it was when the source was opened."""


class OneInput(DataSource, Protocol):
    """Samples for a network of one input."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one step of one sample."""

    @property
    def carries(self) -> str:
        """What the values promise to be."""

    def batch(self, indices: Sequence[int]) -> tuple[Array, Array | None]:
        """Inputs [T, B, *shape] and labels [B] of some samples."""


@dataclass(frozen=True)
class DataSpec:
    """What was asked for.

    Args:
        data: a name of made data, a file of values, or a folder of event files; None: drawn values.
        part: of made data: train, validation or test.
        samples: how many; None: all there are, or `MADE_SAMPLES`.
        seed: of what is made.
        made: without data, what to draw, as KIND:NUMBER.
        steps: how events become steps, and how many are drawn.
    """

    data: str | None = None
    part: Part = "test"
    samples: int | None = None
    seed: int = 0
    made: str = "poisson:0.1"
    steps: Steps = field(default_factory=Steps)


MADE_SAMPLES = 100
"""Samples of data that is made, where nobody says how many."""
DRAWN_SAMPLES = 1
"""Samples of values that are drawn, where nobody says how many."""
DRAWN_STEPS = 16
MOST_SAMPLES = 100_000_000
"""More are never counted in the time of anybody who asks, and the numbers of their chunks alone fill the memory."""
ARRAYS = (".npy", ".npz")


def open_data(spec: DataSpec, takes: Takes, dt: float, where: str = "data") -> DataSource:
    """The source for a network.

    Args:
        spec: what was asked for.
        takes: what the network's inputs take; None where only the data says it.
        dt: the length of the network's step in seconds.
        where: what messages call it.
    """
    from .several import several

    if spec.samples is not None and not 1 <= spec.samples <= MOST_SAMPLES:
        raise UsageError(where, f"{spec.samples:,} samples", f"1 to {MOST_SAMPLES:,}")
    if isinstance(takes, Mapping) and len(takes) != 1:
        return several(spec, takes, where)
    signal = next(iter(takes.values())) if isinstance(takes, Mapping) else takes
    name = next(iter(takes)) if isinstance(takes, Mapping) else ""
    found = _one(spec, signal, dt, where, name)
    if signal is not None and found.shape != signal.shape:
        gives = shape_text(found.shape)
        raise UsageError(where, f"{found.about} has steps of {gives}", f"{shown(signal.shape)}, as the network takes")
    return found


def _one(spec: DataSpec, signal: Signal | None, dt: float, where: str, name: str) -> DataSource:
    """The source for a network of one input, or for one that only the data says anything of."""
    from .drawn import Drawn
    from .event_folder import EventFolder
    from .made import Made
    from .several import values_in

    if spec.data is None:
        return Drawn.of(spec, _known(signal, where))
    path = Path(spec.data)
    row = TOGETHER[spec.data].streams.get(name, spec.data) if spec.data in TOGETHER else spec.data
    if row in DATA:
        refuse_steps(spec.steps, row)
        return Made(row, spec.part, spec.samples or MADE_SAMPLES, spec.seed)
    if path.is_dir():
        return EventFolder.of(path, _known(signal, where), dt, spec.steps, spec.samples)
    if path.suffix in EVENTS or (path.suffix in ARRAYS and signal is not None and _events(path, signal)):
        return EventFolder.one(path, _known(signal, where), dt, spec.steps)
    if path.suffix in ARRAYS:
        refuse_steps(spec.steps, path)
        return values_in(path, signal, spec.samples, name)
    kinds = f"a file that ends in {', '.join((*ARRAYS, *EVENTS))}, or a folder"
    raise UsageError(where, f"'{spec.data}' is no data", f"{', '.join(DATA)}, {kinds}")


def _events(path: Path, signal: Signal) -> bool:
    """Whether a file of arrays holds events for this input, and not values in steps; only its heads are read."""
    try:
        if path.suffix == ".npz":
            with path.open("rb") as handle, zipfile.ZipFile(handle) as packed:
                names = {Path(name).stem.lower() for name in packed.namelist()}
            return {"x", "t"} <= {CALLED.get(name) for name in names}
        held = np.load(path, mmap_mode="r", allow_pickle=False)
        return from_arrays(path, {path.stem: held[:1]}, signal.shape) is not None
    except (OSError, ValueError, EOFError, IndexError, zipfile.BadZipFile):
        return False  # whoever reads the values says what is wrong with it


def each_of(inputs: Inputs, function: Callable[[Array], Any]) -> Any:
    """A function of the one array, or of each by name."""
    if isinstance(inputs, Mapping):
        return {name: function(values) for name, values in inputs.items()}
    return function(inputs)


def shape_text(shape: Shape) -> str:
    """A shape in words, those of several inputs by name."""
    if not isinstance(shape, Mapping):
        return f"shape {shown(shape)}"
    return ", ".join(f"shape {shown(each)} for '{name}'" for name, each in shape.items())


def _known(signal: Signal | None, where: str) -> Signal:
    if signal is None:
        raise UsageError(where, "nobody says what shape the network takes", fix="say --shape")
    return signal


def refuse_steps(steps: Steps, data: Path | str) -> None:
    """Values in steps need no word about steps."""
    typed = {"--dt": steps.dt, "--unit": steps.unit, "--steps": steps.count}
    given = [name for name, value in typed.items() if value is not None]
    if given:
        raise UsageError(given[0], f"with values in steps, as {data} holds them", "events", "leave it out")


def digest_of(*parts: object) -> str:
    """SHA-256 over what decides about samples, written out."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content, a block at a time."""
    found = hashlib.sha256()
    try:
        with path.open("rb") as handle:
            while block := handle.read(BLOCK):
                found.update(block)
    except OSError as error:
        raise FileError(str(path), f"cannot be read: {error.strerror or error}") from error
    return found.hexdigest()


@dataclass(frozen=True)
class Stamp:
    """What tells cheaply that a file has been touched while it was read.

    Args:
        path: the file.
        size: in bytes.
        changed: its time of change in nanoseconds.
    """

    path: Path
    size: int
    changed: int

    @staticmethod
    def of(path: Path) -> Stamp:
        """The file as it is now."""
        try:
            found = path.stat()
        except OSError as error:
            raise FileError(str(path), f"cannot be read: {error.strerror or error}") from error
        return Stamp(path, found.st_size, found.st_mtime_ns)

    def check(self) -> None:
        """Raises a FileError when the file is another now."""
        if Stamp.of(self.path) != self:
            raise FileError(str(self.path), "changed while it was counted", fix="count it again")


def finite(file: str, values: Array, samples: Sequence[int]) -> None:
    """A FileError for the first value [T, B, *shape] that is no finite number.

    Args:
        file: what they were read from.
        values: they.
        samples: the number of each sample.
    """
    if values.dtype.kind != "f" or np.isfinite(values).all():
        return
    step, sample, *place = (int(n) for n in np.argwhere(~np.isfinite(values))[0])
    at = f"{values[(step, sample, *place)]} in step {step} of sample {samples[sample]}, at {shown(place)}"
    raise FileError(file, at, "finite numbers")


def classes_of(labels: Array, samples: int, file: str) -> tuple[Array, tuple[str, ...]]:
    """Labels as numbers of classes from 0, and the names of the classes.

    Args:
        labels: whole numbers or words, one for each sample.
        samples: how many samples there are.
        file: what they were read from.
    """
    if labels.shape != (samples,):
        raise FileError(file, f"labels of shape {shown(labels.shape)}", f"one for each of {samples} samples")
    if labels.dtype.kind not in "iubU":
        raise FileError(file, f"labels of type {labels.dtype}", "whole numbers, or words")
    found, places = np.unique(labels, return_inverse=True)
    return places.astype(np.int64), tuple(str(each) for each in found.tolist())
