"""The one way to run a network, whatever runs it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from ..errors import UsageError
from ..graph import Graph
from ..loihi.chip_graph import ChipGraph
from .trace import RunState, Trace

BACKENDS: Mapping[str, str] = {
    "reference": ".reference",
    "onnxruntime": ".onnxruntime",
    "fixed": ".fixed",
    "lava": ".lava",
}
"""Each backend and the module that has it, imported when it is asked for."""

CHIP = ("fixed", "lava")
"""The backends that run chip graphs; the others run graphs. The first of each kind is the one that is taken."""


def simulate(
    graph: Graph | ChipGraph,
    inputs: Any,
    *,
    backend: str | None = None,
    record: str | Iterable[str] = "outputs",
    dtype: Any = None,
    window: int | None = None,
    state: RunState | None = None,
) -> Trace:
    """Run a network on inputs.

    Args:
        graph: the network, in real numbers or in the integers of a chip.
        inputs: an array or torch tensor [T, B, *shape]; with several graph inputs a mapping from their names to such;
            or an iterator of either, in pieces of any length: then only what is recorded has to fit into memory.
        backend: what runs it: reference or onnxruntime for a graph; fixed or lava for a chip graph.
        record: what to keep: "outputs" (the readouts alone), "spikes" (what every firing neuron sends), "all", or a
            list of items such as "node" (what it sends), "node.voltage", "node.current"; on a chip also "node.STATE"
            for a state of the process.
        dtype: float32 or float64; by default float64 for float64 inputs and float32 for all others. A chip has none.
        window: steps that run at once; by default as many as stay in the caches. It does not change the result.
        state: `trace.state` of an earlier run to go on from.

    Returns:
        What ran. Runs that go on from a state give bit for bit what one run would have given.
    """
    name = _backend(graph, backend)
    if window is not None and (isinstance(window, bool) or not isinstance(window, int) or window < 1):
        raise UsageError("window", f"{window!r}", "a number of steps, at least 1")
    given: dict[str, Any] = {"record": record, "window": window, "state": state}
    if name not in CHIP:
        given["dtype"] = _dtype(dtype)
    elif dtype is not None:
        raise UsageError("dtype", f"{dtype}", "none: a chip graph is computed in integers")
    if name == "lava":
        _refuse_what_lava_has_not(given.pop("window"), given.pop("state"))
    run = import_module(BACKENDS[name], __package__).simulate
    trace: Trace = run(graph, inputs, **given)
    return trace


def _backend(graph: Graph | ChipGraph, asked: str | None) -> str:
    """The backend, if there is one of that name and it runs such a network."""
    chip = isinstance(graph, ChipGraph)
    fitting = [name for name in BACKENDS if (name in CHIP) == chip]
    if asked is None:
        return fitting[0]
    if asked not in BACKENDS:
        raise UsageError("backend", f"'{asked}'", ", ".join(BACKENDS))
    if asked not in fitting:
        kind = "a chip graph" if chip else "a graph in real numbers"
        fix = "" if chip else "bring it into integers first: convert --to chip, or quantise(graph)"
        raise UsageError("backend", f"'{asked}' for {kind}", " or ".join(fitting), fix)
    return asked


def _refuse_what_lava_has_not(window: int | None, state: RunState | None) -> None:
    if window is not None:
        raise UsageError("window", f"{window} for Lava", "none: Lava runs step by step")
    if state is not None:
        raise UsageError("state", "given to Lava", "none: Lava starts at step 0", "go on with backend='fixed'")


def _dtype(given: Any) -> np.dtype[Any] | None:
    """The dtype, from numpy's or torch's own or from its name."""
    if given is None:
        return None
    name = str(given).removeprefix("torch.")
    try:
        found = np.dtype(name if name in ("float32", "float64") else given)
    except TypeError:
        found = np.dtype(object)
    if found not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise UsageError("dtype", f"{given}", "float32 or float64")
    return found
