"""The answer of an output over a run: every step, the last, the sum, the mean or the maximum, without keeping the run.

Sums run over the steps in order, one by one and in float64, so the answer does not depend on how the run was cut.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import SimulationError
from ..graph.nodes.base import Array
from ..loihi.processes import ChipOutput

Gather = Callable[[Array | None, Array], Array]


def _last(_: Array | None, window: Array) -> Array:
    return np.array(window[-1])


def _sum(before: Array | None, window: Array) -> Array:
    total = np.zeros(window.shape[1:], np.float64) if before is None else before
    for row in window:
        total += row
    return total


def _max(before: Array | None, window: Array) -> Array:
    found: Array = window.max(0) if before is None else np.maximum(before, window.max(0))
    return found


GATHER: Mapping[str, Gather] = {"last": _last, "sum": _sum, "mean": _sum, "max": _max}
"""How each readout takes a window to what it has gathered, for all but `steps`; it may write on what it has."""


def answer(readout: str, gathered: Array, steps: int, dtype: np.dtype[Any]) -> Array:
    """The readout after `steps` steps."""
    return np.array(gathered / steps if readout == "mean" else gathered, dtype)


def gathered(output: ChipOutput, before: Array | None, window: Array, first: int) -> Array | None:
    """What an output of a chip has gathered after a window that starts at step `first`; None before its answer."""
    counts = window[max(0, output.after - first) :]
    if not len(counts):
        return before
    if output.readout in ("sum", "mean"):  # integers, whose order is of no account
        total: Array = counts.sum(0, dtype=np.float64)
        return total if before is None else before + total
    return GATHER[output.readout](before, counts)


def chip_answer(name: str, output: ChipOutput, found: Array | None, steps: int) -> Array:
    """The readout of a chip's output after `steps` steps: int32, int64 for sums, float64 for means."""
    if found is None:
        late = f"{steps} {'step' if steps == 1 else 'steps'}, and its answer comes {output.after} late"
        raise SimulationError(name, late, f"at least {output.after + 1}", "append steps without input")
    if output.readout == "mean":
        return np.asarray(found / (steps - output.after), np.float64)
    return np.asarray(found, np.int64 if output.readout == "sum" else np.int32)
