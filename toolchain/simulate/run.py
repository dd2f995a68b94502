"""The one way to run a network, whatever runs it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from ..errors import UsageError
from ..graph import Graph
from .trace import RunState, Trace

BACKENDS: Mapping[str, str] = {"reference": ".reference"}
"""Each backend and the module that has it, imported when it is asked for."""


def simulate(
    graph: Graph,
    inputs: Any,
    *,
    backend: str = "reference",
    record: str | Iterable[str] = "outputs",
    dtype: Any = None,
    window: int | None = None,
    state: RunState | None = None,
) -> Trace:
    """Run a network on inputs.

    Args:
        graph: the network.
        inputs: an array or torch tensor [T, B, *shape]; with several graph inputs a mapping from their names to such;
            or an iterator of either, in pieces of any length: then only what is recorded has to fit into memory.
        backend: what runs it: reference.
        record: what to keep: "outputs" (the readouts alone), "spikes" (what every firing neuron sends), "all", or a
            list of items such as "node" (what it sends), "node.voltage", "node.current".
        dtype: float32 or float64; by default float64 for float64 inputs and float32 for all others.
        window: steps that run at once; by default as many as stay in the caches. It does not change the result.
        state: `trace.state` of an earlier run to go on from.

    Returns:
        What ran. Runs that go on from a state give bit for bit what one run would have given.
    """
    if backend not in BACKENDS:
        raise UsageError("backend", f"'{backend}'", ", ".join(BACKENDS))
    if window is not None and (isinstance(window, bool) or not isinstance(window, int) or window < 1):
        raise UsageError("window", f"{window!r}", "a number of steps, at least 1")
    run = import_module(BACKENDS[backend], __package__).simulate
    trace: Trace = run(graph, inputs, record=record, dtype=_dtype(dtype), window=window, state=state)
    return trace


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
