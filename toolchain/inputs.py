"""What a network is run on: values from a file, or made from a seed."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import cast

import numpy as np

from .errors import FileError, UsageError
from .graph import Graph
from .graph.nodes import Array, Input

WINDOW_VALUES = 2**22
"""So many values are made at a time: a long run needs no more memory than a short one."""

Draw = Callable[[np.random.Generator, float, tuple[int, ...]], Array]

MADE: Mapping[str, tuple[str, Draw]] = {
    "poisson": ("1 with probability RATE in every step, else 0", lambda rng, rate, shape: rng.random(shape) < rate),
    "normal": ("normal with standard deviation SIGMA", lambda rng, sigma, shape: rng.normal(0.0, sigma, shape)),
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


def made_windows(graph: Graph, text: str, steps: int, batch: int, seed: int) -> Iterator[dict[str, Array]]:
    """Windows [t, batch, *shape] for every input of a graph; a seed gives the same values, however long windows are."""
    draw, amount = recipe(text)
    shapes = input_shapes(graph)
    sources = [np.random.default_rng([seed, index]) for index in range(len(shapes))]
    largest = max(int(np.prod(shape)) for shape in shapes.values()) * batch
    window = max(1, WINDOW_VALUES // largest)
    return (
        {
            name: draw(rng, amount, (min(window, steps - start), batch, *shape))
            for (name, shape), rng in zip(shapes.items(), sources, strict=True)
        }
        for start in range(0, steps, window)
    )


def input_shapes(graph: Graph) -> dict[str, tuple[int, ...]]:
    """The shape of one step of one sample, for each input."""
    return {name: cast(Input, graph.nodes[name]).shape for name in graph.inputs}


def from_file(graph: Graph, path: Path) -> dict[str, Array]:
    """The arrays of a .npy file (one input) or a .npz file (one array for each input, by name), [T, B, *shape]."""
    arrays = _arrays(path)
    names = list(input_shapes(graph))
    if len(names) == 1 and len(arrays) == 1:
        return dict(zip(names, arrays.values(), strict=True))
    if set(arrays) != set(names):
        raise FileError(str(path), f"holds {_listed(arrays)}", f"one array for each input: {_listed(names)}")
    return {name: arrays[name] for name in names}


def _arrays(path: Path) -> dict[str, Array]:
    """Everything in the file by name; never a pickle."""
    if not path.is_file() or path.suffix not in (".npy", ".npz"):
        found = "there is no such file" if not path.is_file() else f"'{path.suffix}' is not a suffix of arrays"
        raise FileError(str(path), found, "a .npy or .npz file with values [T, B, *shape]")
    try:
        arrays = _packed(path) if path.suffix == ".npz" else {path.stem: np.load(path, mmap_mode="r")}
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, KeyError) as error:
        raise FileError(
            str(path), f"cannot be read ({_short(error)})", "a .npy or .npz file without pickles"
        ) from error
    strange = {name: array.dtype for name, array in arrays.items() if array.dtype.kind not in "biuf"}
    if strange:
        raise FileError(str(path), f"holds values of type {_listed(set(map(str, strange.values())))}", "real numbers")
    return arrays


def _packed(path: Path) -> dict[str, Array]:
    with path.open("rb") as handle, np.load(handle) as held:
        return {name: held[name] for name in held.files}


def _short(error: Exception) -> str:
    return str(error).split("\n")[0] or type(error).__name__


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"
