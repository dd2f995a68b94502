"""Golden traces as NIR's Data IR: what went into a network and what every neuron sent, in a file beside the graph's.

    net.trace.nir     one entry for each input, neuron and output, [samples, steps, values], spikes as booleans

Neurons of several axes are flattened in C order, as Data IR asks; the network's own shapes put them back.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from ...toolchain.errors import FileError
from ...toolchain.graph import Graph
from ...toolchain.graph.nodes.base import Array
from ...toolchain.hdf5_open import Contents, Limits, open_hdf5
from ...toolchain.opening import Wanted
from ...toolchain.verifying.golden import Golden
from ...toolchain.writing import written_whole

SUFFIX = ".trace.nir"
EXPECTED = "a trace in NIR's Data IR, as nir.write_data writes it"
_FIX = "see that both files were written together"
TRACE = Wanted("nir", "HDF5's library", EXPECTED, _FIX)
LIMITS = Limits(depth=6, objects=100_000, size=4 << 30, word="a trace", attributes=True)
SPIKES, VALUES = "spikes", "values"
"""What the observables are called."""


def write_trace(golden: Golden, path: Path) -> None:
    """Writes a record, whole or not at all."""
    import nir

    every = {**golden.inputs, **golden.sent}
    nodes = {name: nir.NIRNodeData({_named(values): _gridded(values, golden.dt)}) for name, values in every.items()}
    with written_whole(path) as draft:
        nir.write_data(draft, nir.NIRGraphData(nodes))


def _named(values: Array) -> str:
    return SPIKES if values.dtype == bool or np.isin(values, (0, 1)).all() else VALUES


def _gridded(values: Array, dt: float) -> object:
    import nir

    kept = values.astype(bool) if _named(values) == SPIKES else values
    steps, batch = kept.shape[:2]
    return nir.TimeGriddedData(np.ascontiguousarray(kept.reshape(steps, batch, -1).swapaxes(0, 1)), dt)


def read_trace(path: Path, graph: Graph) -> Golden:
    """A record of this network's nodes.

    Raises:
        FileError: when the file is none, or not of this network.
    """
    contents = open_hdf5(path, TRACE, LIMITS)
    _check_type(contents, "", "NIRGraphData")
    held: dict[str, Array] = {}
    steps_of: dict[str, float] = {}
    for name in contents.below("/nodes"):
        if name not in graph.signals:
            raise FileError(f"{path}, {name}", f"no node of {graph.name}", "a record of this network", _FIX)
        held[name], steps_of[name] = _values(contents, name, graph.signals[name].shape, graph.dt)
    sizes = {values.shape[:2] for values in held.values()}
    if len(sizes) != 1 or len(set(steps_of.values())) != 1:
        found = "no record" if not sizes else "records of different length, samples or steps"
        raise FileError(str(path), found, EXPECTED)
    inputs = {name: held.pop(name) for name in graph.inputs if name in held}
    missing = [name for name in graph.inputs if name not in inputs]
    if missing:
        raise FileError(str(path), f"no record of the input {missing[0]}", "what went in, for every input", _FIX)
    return Golden(path.name, next(iter(steps_of.values())), inputs, held)


def _check_type(contents: Contents, at: str, *kinds: str) -> str:
    found = contents.values.get(f"{at}@__type__")
    text = "" if found is None or found.dtype.kind != "S" else bytes(found.ravel()[0]).decode("utf8", "replace")
    if text not in kinds:
        where = f"{contents.name}{', ' if at else ''}{at}"
        raise FileError(where, f"of type '{text}'" if text else "no type", " or ".join(kinds), EXPECTED)
    return text


def _values(contents: Contents, name: str, shape: tuple[int, ...], dt: float) -> tuple[Array, float]:
    """[T, B, *shape], and the length of a step."""
    at = f"/nodes/{name}/observables"
    _check_type(contents, f"/nodes/{name}", "NIRNodeData")
    found = [each for each in (SPIKES, VALUES) if each in contents.below(at)]
    if not found:
        held = ", ".join(contents.below(at)) or "nothing"
        raise FileError(f"{contents.name}, {at}", held, f"{SPIKES} or {VALUES}")
    at = f"{at}/{found[0]}"
    kind = _check_type(contents, at, "TimeGriddedData", "EventData", "ValuedEventData")
    size = math.prod(shape)
    values, step = _grid(contents, at) if kind == "TimeGriddedData" else _events(contents, at, size, dt)
    if values.ndim != 3 or values.shape[2] != size or min(values.shape) < 1:
        raise FileError(f"{contents.name}, {at}", f"shape {list(values.shape)}", f"[samples, steps, {size}]")
    if not np.isfinite(values).all():
        raise FileError(f"{contents.name}, {at}", "NaN or infinite values", "finite numbers")
    kept = values.astype(bool) if found[0] == SPIKES and np.isin(values, (0, 1)).all() else values.astype(np.float64)
    return kept.swapaxes(0, 1).reshape(values.shape[1], values.shape[0], *shape), step


def _number(contents: Contents, path: str) -> float:
    held = contents.values.get(path)
    if held is None or held.size != 1 or held.dtype.kind not in "iuf" or not 0 < float(held.ravel()[0]) < math.inf:
        raise FileError(f"{contents.name}, {path}", "no positive number", EXPECTED)
    return float(held.ravel()[0])


def _array(contents: Contents, path: str, axes: int) -> Array:
    held = contents.values.get(path)
    if held is None or held.ndim != axes or held.dtype.kind not in "biuf":
        found = "is not there" if held is None else f"{held.dtype} of shape {list(held.shape)}"
        raise FileError(f"{contents.name}, {path}", found, f"numbers of {axes} axes")
    return held


def _grid(contents: Contents, at: str) -> tuple[Array, float]:
    return _array(contents, f"{at}/data", 3), _number(contents, f"{at}@dt")


def _events(contents: Contents, at: str, size: int, dt: float) -> tuple[Array, float]:
    """Events in the steps of the network: an event at time t lies in step ⌊t/dt⌋."""
    index, time = (_array(contents, f"{at}/{name}", 2) for name in ("idx", "time"))
    steps = round(_number(contents, f"{at}@t_max") / dt)
    if index.shape != time.shape or steps < 1 or steps * size * len(index) > MOST:
        raise FileError(f"{contents.name}, {at}", f"events of shape {list(index.shape)}, {steps} steps", EXPECTED)
    value = np.ones(index.shape)
    if f"{at}/value" in contents.values:
        value = _array(contents, f"{at}/value", 2)
    sample, event = np.nonzero(index >= 0)
    place, when = index[sample, event].astype(np.int64), time[sample, event].astype(np.float64)
    near = NEAR if time.dtype.kind != "f" else max(NEAR, ROUNDINGS * float(np.finfo(time.dtype).eps))
    at_step = np.floor(when / dt * (1 + near) + near)
    if not ((place < size) & np.isfinite(when) & (at_step >= 0) & (at_step < steps)).all():
        raise FileError(
            f"{contents.name}, {at}", "events outside of the record", f"times below t_max, idx below {size}"
        )
    grid = np.zeros((len(index), steps, size))
    np.add.at(grid, (sample, at_step.astype(np.int64), place), value[sample, event])
    return grid, dt


MOST = 1 << 28
"""The most values that events may be spread to."""
NEAR = 1e-9
"""Times that were k·dt once lie in step k, however they were rounded."""
ROUNDINGS = 4
"""How many times a time that was computed in a narrower type was rounded."""
