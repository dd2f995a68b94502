"""What a run is fed with: arrays, tensors or a stream of windows, checked, and cut into windows.

A run is cut at step numbers that are multiples of the window, counted from its very first step, however its inputs come
in: so the same windows run whether a stream hands over single steps, a continued run starts in the middle of a window,
or everything lies in one array.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import SimulationError
from ..graph import Carries
from ..graph.nodes import Input
from ..graph.nodes.base import Array, shown
from ..loihi.processes import ChipInput

DType = np.dtype[Any]
Entry = Input | ChipInput
"""Where something comes in."""
Windows = Mapping[str, Array]
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


@dataclass(frozen=True, eq=False)
class Feed:
    """Inputs, ready to be read window by window.

    Args:
        inputs: the graph's inputs.
        batch: how many samples.
        steps: how many steps, or None for a stream.
        dtype: what the run is computed in.
        chunks: the inputs as they come, by name, each [t, B, *shape].
    """

    inputs: Mapping[str, Entry]
    batch: int
    steps: int | None
    dtype: DType
    chunks: Iterator[Windows]

    def windows(self, first: int, length: int) -> Iterator[tuple[int, Windows]]:
        """(number of the first step, checked inputs), cut at the multiples of `length`."""
        for start, rows in self.cut(first, length):
            yield (
                start,
                {name: checked(name, node, rows[name], start, self.dtype) for name, node in self.inputs.items()},
            )

    def cut(self, first: int, length: int) -> Iterator[tuple[int, Windows]]:
        """(number of the first step, inputs as they came in), cut at the multiples of `length`."""
        waiting: list[Windows] = []
        held = 0
        for chunk in self.chunks:
            at, steps = 0, _steps(chunk)
            while at < steps:
                taken = min(steps - at, length - (first + held) % length)
                waiting.append({name: rows[at : at + taken] for name, rows in chunk.items()})
                at, held = at + taken, held + taken
                if (first + held) % length == 0:
                    yield first, self._joined(waiting)
                    waiting, first, held = [], first + held, 0
        if held:
            yield first, self._joined(waiting)

    def _joined(self, pieces: list[Windows]) -> Windows:
        if len(pieces) == 1:
            return pieces[0]
        return {name: np.concatenate([piece[name] for piece in pieces]) for name in self.inputs}


def feed(inputs: Any, nodes: Mapping[str, Entry], dtype: DType | None) -> Feed:
    """Whatever the caller gave, as a Feed; a SimulationError for what does not fit the graph's inputs.

    Args:
        inputs: an array or tensor [T, B, *shape], a mapping from input names to such, or an iterator of either.
        nodes: the graph's inputs by name.
        dtype: what to compute in; None: float64 for float64 inputs, else float32.
    """
    if isinstance(inputs, Iterator):
        first = next(inputs, None)
        if first is None:
            raise SimulationError("inputs", "a stream without a window", "at least one step")
        whole = _by_name(first, nodes)
        batch, steps, chunks = _batch(whole, nodes), None, _stream(whole, inputs, nodes)
    else:
        whole = _by_name(inputs, nodes)
        batch, steps, chunks = _batch(whole, nodes), _steps(whole), iter([whole])
    wide = any(rows.dtype == np.float64 for rows in whole.values())
    return Feed(nodes, batch, steps, dtype or FLOATS[wide], chunks)


def _stream(first: Windows, rest: Iterator[Any], nodes: Mapping[str, Entry]) -> Iterator[Windows]:
    yield first
    for given in rest:
        window = _by_name(given, nodes)
        batch, found = _batch(first, nodes), _batch(window, nodes)
        if batch != found:
            raise SimulationError("inputs", f"a window of {found} samples after one of {batch}", "one batch size")
        yield window


def _steps(window: Windows) -> int:
    return len(next(iter(window.values())))


def _batch(window: Windows, nodes: Mapping[str, Entry]) -> int:
    """The samples of a window, after a check that all its inputs agree."""
    sizes = {rows.shape[:2] for rows in window.values()}
    if len(sizes) > 1:
        found = ", ".join(f"{name} {shown(window[name].shape)}" for name in nodes)
        raise SimulationError("inputs", found, "the same number of steps and samples in all of them")
    steps, batch = sizes.pop()
    if steps < 1 or batch < 1:
        raise SimulationError("inputs", f"{steps} steps of {batch} samples", "at least one of each")
    return int(batch)


def _by_name(given: Any, nodes: Mapping[str, Entry]) -> Windows:
    """Arrays by the names of the graph's inputs, in their order, of the right shape."""
    if not isinstance(given, Mapping):
        if len(nodes) > 1:
            names = ", ".join(nodes)
            raise SimulationError("inputs", "one array", f"a mapping with {names}", "give each input its array by name")
        given = {next(iter(nodes)): given}
    if set(given) != set(nodes):
        raise SimulationError("inputs", f"arrays for {sorted(given)}", f"arrays for {sorted(nodes)}")
    return {name: _shaped(name, node, given[name]) for name, node in nodes.items()}


def _shaped(name: str, node: Entry, given: Any) -> Array:
    rows = _as_array(name, given)
    expected = f"[T,B{''.join(f',{n}' for n in node.shape)}]"
    if rows.dtype.kind not in "biuf":
        raise SimulationError(name, f"values of type {rows.dtype}", "real numbers")
    if rows.ndim == len(node.shape) + 1 and rows.shape[1:] == node.shape:
        fix = "add an axis for the batch: x[:, None]"
        raise SimulationError(name, f"an input of shape {shown(rows.shape)}", expected, fix)
    if rows.ndim != len(node.shape) + 2 or rows.shape[2:] != node.shape:
        raise SimulationError(name, f"an input of shape {shown(rows.shape)}", expected)
    return rows


def _as_array(name: str, given: Any) -> Array:
    """A numpy array over the memory of what was given, where there can be one."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(given, torch.Tensor):
        if given.layout != torch.strided or given.is_complex():
            raise SimulationError(name, f"a tensor {given.layout} of {given.dtype}", "a dense tensor of real numbers")
        plain = given.detach().cpu()
        return np.asarray((plain.float() if plain.dtype == torch.bfloat16 else plain).numpy())
    if isinstance(given, np.ndarray):
        return given
    expected = "an array [T,B,...], a mapping by input name, or an iterator of windows"
    raise SimulationError(name, f"a {type(given).__name__}", expected, "join a list of steps with np.stack")


def checked(name: str, node: Entry, rows: Array, first: int, dtype: DType) -> Array:
    """A window in the run's dtype, once every value is finite and keeps the promise of the input."""
    with np.errstate(over="ignore", invalid="ignore"):  # what does not fit becomes infinite, and is refused below
        values = np.require(rows, dtype, ["C", "W"])
        if rows.dtype.kind in "iu" and rows.dtype.itemsize > 2 and not (values.astype(rows.dtype) == rows).all():
            same = values.astype(rows.dtype) == rows
            raise _refused(name, rows, same, first, f"integers that {dtype} holds exactly")
    promise = node.values
    if not keeps(values, promise):
        if not promise.graded:
            raise broken_promise(name, promise, rows, values, first)
        raise _refused(name, rows, np.isfinite(values), first, f"finite {dtype} numbers")
    return values


def keeps(values: Array, promise: Carries) -> bool:
    """Whether all values are among those that an input promises."""
    if promise.binary and promise.high == 1:
        return bool(((values == 0) | (values == 1)).all())
    if promise.graded:
        with np.errstate(over="ignore", invalid="ignore"):
            quick = np.isfinite(values.sum())
        return bool(quick or np.isfinite(values).all())
    return bool(_inside(values, promise).all())


def _inside(values: Array, promise: Carries) -> Array:
    low, high = promise.bounds
    with np.errstate(invalid="ignore"):
        inside: Array = (values >= low) & (values <= high) & (values == np.floor(values))
    return inside


def broken_promise(
    name: str, promise: Carries, rows: Array, values: Array, first: int, sample: int = 0
) -> SimulationError:
    """A SimulationError that names the first value that the input did not promise.

    Args:
        name: the input.
        promise: what it promises.
        rows: the window as it came in.
        values: the same in the type in which it is checked.
        first: the number of its first step.
        sample: the number of its first sample.
    """
    return _refused(name, rows, _inside(values, promise), first, f"{promise}, as the input promises", sample)


def _refused(name: str, rows: Array, good: Array, first: int, expected: str, before: int = 0) -> SimulationError:
    """A SimulationError that names the first value that is not good."""
    step, sample, *index = (int(i) for i in np.unravel_index(int(np.argmin(good)), rows.shape))
    value = rows[(step, sample, *index)]
    where = f"{value} in step {first + step}, sample {before + sample}, at {shown(index)}"
    return SimulationError(name, where, expected)
