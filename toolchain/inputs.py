"""What a network is run on: values or events from a file, or values made from a seed."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .errors import FileError, UsageError
from .event_files import EVENTS, from_arrays, from_events
from .events import UNITS, Events, binned
from .graph.network import Network
from .graph.nodes import Array
from .graph.nodes.base import BRIEF
from .simulate.memory import amount, available

LABELS, CLASS_NAMES = "labels", "class_names"
"""The arrays of a .npz file that say what the samples are, and what those places are called."""
ABOUT = "about.json"
"""What in a .npz file is no array: our files of events say there what they are of."""

WINDOW_VALUES = 2**22
"""So many values are made at a time: a long run needs no more memory than a short one."""

Draw = Callable[[np.random.Generator, float, tuple[int, ...]], Array]

MADE: Mapping[str, tuple[str, Draw]] = {
    "poisson": ("1 with probability RATE in every step, else 0", lambda rng, rate, shape: rng.random(shape) < rate),
    "normal": (
        "normal with standard deviation SIGMA, rounded for an input of whole numbers",
        lambda rng, sigma, shape: rng.normal(0.0, sigma, shape),
    ),
    "constant": ("VALUE in every step", lambda _, value, shape: np.full(shape, value)),
}
"""What inputs can be made: name → what its number means, and the function that draws them."""


def recipe(text: str) -> tuple[Draw, float]:
    """Reads poisson:RATE, normal:SIGMA or constant:VALUE."""
    name, _, value = text.partition(":")
    known = ", ".join(f"{each}:NUMBER" for each in MADE)
    if name not in MADE or not re.fullmatch(r"-?\d+(\.\d*)?([eE]-?\d+)?|-?\.\d+", value):
        raise UsageError("--made", f"'{text}'", known)
    amount = float(value)
    if name == "poisson" and not 0 <= amount <= 1:
        raise UsageError("--made", f"poisson:{value}", "a rate between 0 and 1: spikes for each value and step")
    if name == "normal" and amount < 0:
        raise UsageError("--made", f"normal:{value}", "a standard deviation of at least 0")
    return MADE[name][1], amount


def made_windows(graph: Network, text: str, steps: int, batch: int, seed: int) -> Iterator[dict[str, Array]]:
    """Windows [t, batch, *shape] for every input of a graph; a seed gives the same values, however long windows are."""
    draw, amount = recipe(text)
    shapes = input_shapes(graph)
    sources = [np.random.default_rng([seed, index]) for index in range(len(shapes))]
    largest = max(int(np.prod(shape)) for shape in shapes.values()) * batch
    window = max(1, WINDOW_VALUES // largest)
    rounds = {name: text.startswith("normal") and not graph.signals[name].carries.graded for name in shapes}
    return (
        {
            name: _drawn(draw(rng, amount, (min(window, steps - start), batch, *shape)), whole=rounds[name])
            for (name, shape), rng in zip(shapes.items(), sources, strict=True)
        }
        for start in range(0, steps, window)
    )


def _drawn(values: Array, *, whole: bool) -> Array:
    return np.rint(values) if whole else values


def input_shapes(graph: Network) -> dict[str, tuple[int, ...]]:
    """The shape of one step of one sample, for each input."""
    return {name: graph.signals[name].shape for name in graph.inputs}


@dataclass(frozen=True)
class Steps:
    """How events become steps.

    Args:
        dt: the length of a step in seconds; none: the network's.
        unit: what times count: s, ms, us or ns; none: microseconds.
        count: how many steps; none: up to the last event.
    """

    dt: float | None = None
    unit: str | None = None
    count: int | None = None

    def __post_init__(self) -> None:
        if self.dt is not None and not 0 < self.dt < np.inf:
            raise UsageError("--dt", f"{self.dt:g}", "a positive number of seconds")
        if self.unit is not None and self.unit not in UNITS:
            raise UsageError("--unit", f"'{self.unit}'", ", ".join(UNITS))


@dataclass(frozen=True)
class Taken:
    """What a file held.

    Args:
        values: arrays [T, B, *shape] by input, or windows of such.
        what: events or values.
        said: what was merged, capped or left out, in sentences.
        steps: how many steps the windows have together; none for arrays.
    """

    values: dict[str, Array] | Iterator[dict[str, Array]]
    what: str
    said: tuple[str, ...] = ()
    steps: int | None = None


def from_file(graph: Network, path: Path, steps: Steps | None = None) -> Taken:
    """What a file holds for a network.

    Args:
        graph: the network.
        path: values [T, B, *shape], as .npy for one input or .npz with one array for each input; or events x, y, t, p,
            as .npy or .npz, HDF5 or text.
        steps: how events become steps; refused for values.
    """
    steps, names = steps or Steps(), list(graph.inputs)
    arrays = {} if path.suffix in EVENTS and path.is_file() else arrays_in(path)
    events = None
    if path.suffix in EVENTS:
        events = from_events(path)
    elif not (len(arrays) > 1 and set(arrays) == set(names)):
        events = from_arrays(path, arrays, graph.signals[names[0]].shape)
    if events is not None:
        return _from_events(graph, events, steps)
    given = [f"--{name}" for name in ("dt", "unit") if getattr(steps, name) is not None]
    given += ["--steps"] if steps.count is not None else []
    if given:
        raise UsageError(given[0], f"with values in steps, as {path} holds them", "a file of events", "leave it out")
    values = _values(path, arrays, names)
    others = (
        [name for name in arrays if name not in (*values, LABELS)]
        if len(arrays) > 1 and set(names) & set(arrays)
        else []
    )
    return Taken(values, "values", (f"not for this network: {_listed(others)}",) if others else ())


def _from_events(graph: Network, events: Events, steps: Steps) -> Taken:
    """Events into the one input of a network."""
    if len(graph.inputs) != 1:
        raise FileError(events.file, f"events for {len(graph.inputs)} inputs", "a .npz file with one array for each")
    (name,) = graph.inputs
    dt = steps.dt or graph.dt
    found = binned(events, graph.signals[name], dt=dt, unit=steps.unit or "us", steps=steps.count)
    other = f"a step of events lasts {dt:g} s, one of the network {graph.dt:g} s"
    said = (*found.said, *([other] if dt != graph.dt else []))
    return Taken(({name: window} for window in found.windows()), f"{len(events):,} events", said, found.steps)


def _values(path: Path, arrays: dict[str, Array], names: list[str]) -> dict[str, Array]:
    """One array for each input, by name; labels that lie beside them are not for the network."""
    if LABELS not in names and len(arrays) > 1:
        arrays = {name: array for name, array in arrays.items() if name != LABELS}
    if len(names) == 1 and len(arrays) == 1:
        return dict(zip(names, arrays.values(), strict=True))
    if not set(arrays) >= set(names):
        raise FileError(str(path), f"holds {_listed(arrays)}", f"one array for each input: {_listed(names)}")
    return {name: arrays[name] for name in names}


def arrays_in(path: Path) -> dict[str, Array]:
    """Everything in the file by name; never a pickle."""
    if not path.is_file() or path.suffix not in (".npy", ".npz"):
        found = "there is no such file" if not path.is_file() else f"'{path.suffix}' is not a suffix of arrays"
        found = "is a folder" if path.is_dir() else found
        expected = "a .npy or .npz file with values [T, B, *shape]; or events, there or in a .h5, .csv or .txt file"
        raise FileError(str(path), found, expected)
    try:
        arrays = _packed(path) if path.suffix == ".npz" else {path.stem: np.load(path, mmap_mode="r")}
    except FileError:
        raise
    except Exception as error:  # on a hostile file numpy's and zip's readers raise nearly everything there is
        raise FileError(
            str(path), f"cannot be read ({_short(error)})", "a .npy or .npz file without pickles"
        ) from error
    if arrays.get(CLASS_NAMES, np.empty(0)).dtype.kind == "U":
        arrays.pop(CLASS_NAMES)
    strange = {name: array.dtype for name, array in arrays.items() if not _real(array.dtype)}
    if strange:
        raise FileError(str(path), f"holds values of type {_listed(set(map(str, strange.values())))}", "real numbers")
    return arrays


def _real(dtype: np.dtype[Any]) -> bool:
    """Real numbers, or records of such."""
    if dtype.names is not None:
        return all(_real(dtype[name]) and dtype[name].names is None for name in dtype.names)
    return dtype.kind in "biuf"


def _packed(path: Path) -> dict[str, Array]:
    with path.open("rb") as handle, zipfile.ZipFile(handle) as packed:
        size, free = sum(each.file_size for each in packed.infolist()), available()
        if free is not None and size > free:
            raise FileError(str(path), f"unpacks to {amount(size)}", f"at most {amount(free)}, which is free here")
    with path.open("rb") as handle, np.load(handle) as held:
        return {name: held[name] for name in held.files if name != ABOUT}


def _short(error: Exception) -> str:
    return str(error).split("\n")[0][:BRIEF] or type(error).__name__


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"
