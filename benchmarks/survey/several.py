"""Samples for a network of several inputs: one source for each input, by its name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...models.data.made import TOGETHER
from ...toolchain.errors import FileError, UsageError
from ...toolchain.graph.nodes.base import Array
from ...toolchain.graph.signal import Signal
from ...toolchain.inputs import CLASS_NAMES, LABELS
from .drawn import Drawn
from .made import Made
from .sources import MADE_SAMPLES, DataSource, DataSpec, OneInput, digest_of, refuse_steps, shape_text
from .values import Values, mapped


@dataclass(frozen=True, eq=False)
class Several:
    """The same samples, each with an array for every input.

    Args:
        parts: the source of each input; all have as many samples and steps, and one of them the labels.
        about: what they are together, in words.
    """

    parts: Mapping[str, OneInput]
    about: str

    def __len__(self) -> int:
        return min(map(len, self.parts.values()))

    @property
    def shape(self) -> Mapping[str, tuple[int, ...]]:
        """The shape of one step of one sample, by input."""
        return {name: part.shape for name, part in self.parts.items()}

    @property
    def carries(self) -> Mapping[str, str]:
        """What the values promise to be, by input."""
        return {name: part.carries for name, part in self.parts.items()}

    @property
    def class_names(self) -> tuple[str, ...]:
        """Of the part that has labels."""
        return next((part.class_names for part in self.parts.values() if part.class_names), ())

    @property
    def identity(self) -> str:
        """Of every part, and of what it is called."""
        return digest_of("several", *((name, part.identity) for name, part in self.parts.items()))

    @property
    def together(self) -> int | None:
        """As many samples as fit in one batch of every part."""
        return min((part.together for part in self.parts.values() if part.together is not None), default=None)

    @property
    def travels(self) -> bool:
        """Where all parts do."""
        return all(part.travels for part in self.parts.values())

    def batch(self, indices: Sequence[int]) -> tuple[Mapping[str, Array], Array | None]:
        """Some samples: an array [T, B, *shape] for each input, all of as many steps."""
        found = {name: part.batch(indices) for name, part in self.parts.items()}
        labels = next((labels for _, labels in found.values() if labels is not None), None)
        return {name: values for name, (values, _) in found.items()}, labels

    def said(self, indices: Sequence[int]) -> tuple[str, ...]:
        """What any part says, once."""
        return tuple(dict.fromkeys(text for part in self.parts.values() for text in part.said(indices)))

    def check_unchanged(self) -> None:
        """Every part is what it was."""
        for part in self.parts.values():
            part.check_unchanged()


def several(spec: DataSpec, signals: Mapping[str, Signal], where: str) -> Several:
    """The source for a network of several inputs: values of a file, or drawn ones.

    Args:
        spec: what was asked for.
        signals: what each input takes.
        where: what messages call it.
    """
    if spec.data is None:
        parts = {name: Drawn.of(spec, signal, (place,)) for place, (name, signal) in enumerate(signals.items())}
        return Several(parts, f"{next(iter(parts.values())).about}, for {_listed(parts)}")
    if spec.data in TOGETHER:
        return _made(spec, signals, where)
    path = Path(spec.data)
    if path.suffix != ".npz":
        found = f"{spec.data} is for one input, the network has {len(signals)}"
        fix = f"name one of its files: {path / 'test.npz'}" if (path / "test.npz").is_file() else ""
        raise UsageError(where, found, f"a .npz file with an array for each of {_listed(signals)}", fix)
    refuse_steps(spec.steps, path)
    arrays, labels = _labelled(mapped(path), signals)
    if not set(arrays) >= set(signals):
        expected = f"an array for each of {_listed(signals)}, and '{LABELS}' if there are any"
        raise FileError(str(path), f"holds {', '.join(arrays) or 'nothing'}", expected)
    return _of_file(path, {name: arrays[name] for name in signals}, labels, signals, spec.samples)


def _made(spec: DataSpec, signals: Mapping[str, Signal], where: str) -> Several:
    """Made data of several streams, one row of the table for each input."""
    name = str(spec.data)
    streams = TOGETHER[name].streams
    refuse_steps(spec.steps, name)
    missing = [each for each in signals if each not in streams]
    if missing:
        raise UsageError(where, f"{name} has no stream {missing[0]!r}", f"inputs out of {_listed(streams)}")
    count = spec.samples or MADE_SAMPLES
    parts = {each: Made(streams[each], spec.part, count, spec.seed) for each in signals}
    return Several(parts, f"{name}, {spec.part}, {count:,} samples of seed {spec.seed}")


def values_in(path: Path, signal: Signal | None, samples: int | None, name: str = "") -> Values | Several:
    """What a file holds for a network of one input, or for a module that only the data says anything of.

    Args:
        path: a .npy or .npz file.
        signal: what the input takes; None: whatever the file holds, a module takes several arrays by their names.
        samples: how many of them; None: all.
        name: what the input is called; of several arrays, the one of that name is its.
    """
    arrays, labels = _labelled(mapped(path), ())
    arrays = {name: arrays[name]} if name in arrays and signal is not None else arrays
    if len(arrays) > 1 and signal is None:
        return _of_file(path, arrays, labels, {}, samples)
    if len(arrays) != 1:
        expected = f"one array of values, and '{LABELS}' if there are any"
        raise FileError(str(path), f"holds {', '.join(arrays) or 'nothing'}", expected)
    (values,) = arrays.values()
    return Values.of(path, values, labels, signal, samples)


def _labelled(arrays: Mapping[str, Array], inputs: Collection[str]) -> tuple[dict[str, Array], Array | None]:
    """The arrays of a file without the labels, and these; an array alone, or an input of that name, are no labels."""
    if LABELS in inputs or len(arrays) == 1:
        return dict(arrays), None
    labels, names = arrays.get(LABELS), arrays.get(CLASS_NAMES)
    rest = {name: array for name, array in arrays.items() if name not in (LABELS, CLASS_NAMES)}
    return rest, labels if labels is None or names is None else _by_name(labels, names)


def _by_name(labels: Array, names: Array) -> Array:
    """Labels that are places in class names, as names."""
    fits = (
        labels.dtype.kind in "iu" and names.ndim == 1 and labels.size and 0 <= labels.min() <= labels.max() < len(names)
    )
    return np.asarray(names[labels] if fits else labels)


def _of_file(
    path: Path, arrays: Mapping[str, Array], labels: Array | None, signals: Mapping[str, Signal], samples: int | None
) -> Several:
    """Every array of a file for the input of its name, all of as many steps and samples."""
    parts = {name: Values.of(path, array, labels, signals.get(name), samples, name) for name, array in arrays.items()}
    sizes = {name: array.shape[:2] for name, array in arrays.items()}
    if len(set(sizes.values())) > 1:
        found = "; ".join(f"{steps} of {count} in '{name}'" for name, (steps, count) in sizes.items())
        raise FileError(str(path), f"steps of samples: {found}", "as many for every input")
    return Several(parts, f"{next(iter(parts.values())).about} of {_listed(parts)}")


def _listed(names: Iterable[str]) -> str:
    return " and ".join(f"'{name}'" for name in names)


def misfit(takes: Mapping[str, tuple[int, ...]], data: DataSource) -> str:
    """What does not fit between what a network takes and what a source gives; empty where all does."""
    gives = data.shape
    if not isinstance(gives, Mapping):
        if len(takes) > 1:
            return f"{data.about} is for one input"
        return "" if (gives,) == tuple(takes.values()) else f"{data.about} has steps of {shape_text(gives)}"
    if len(takes) == 1 or dict(takes) != dict(gives):
        return f"{data.about} has steps of {shape_text(gives)}"
    return ""
