"""Processes over a window by their own `step`: the definition, in numpy alone.

What has no faster way runs like this; and everything does in a short run of a process that has not loaded the kernels
yet, because that takes longer (`fixed_choice.py`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from ..errors import GraphError
from ..graph.nodes.base import Array, State
from ..loihi.arithmetic import int32, shift
from ..loihi.processes import ChipInput, Dense, Process, Sparse
from .fixed_bounds import DType
from .inputs import broken_promise, keeps

if TYPE_CHECKING:
    from .fixed_windows import Windows

Window = Callable[..., Array]
"""Windows [W, B, *shape] of the inputs to one of what is sent."""
Roll = Callable[[State, Sequence[Array], Collection[str], Array], Mapping[str, Array]]
"""(state, inputs, states to keep, where to write what is sent) → what was kept; the state moves on in place."""


def taken(name: str, node: ChipInput, rows: Array, windows: Windows, first: int) -> Array:
    """A window of an input; a SimulationError for what it did not promise.

    Args:
        name: the input.
        node: its process.
        rows: the window as it came in.
        windows: where it goes.
        first: the number of its first step.
    """
    given = rows if rows.dtype.kind in "bf" or rows.dtype.itemsize < 8 else rows.astype(np.float64)
    if not keeps(given, node.values):
        raise broken_promise(name, node.values, rows, given, first, windows.sample)
    out = windows.room(name)
    out[...] = given
    return out


def without_state(name: str, node: Process, dtype: DType) -> Window:
    """The definition on a window folded into one batch, in 64-bit integers."""
    step = _matrix(node) if isinstance(node, (Dense, Sparse)) else lambda *rows: node.step({}, *rows)[0]

    def run(*inputs: Array) -> Array:
        steps, batch = inputs[0].shape[:2]
        rows = [x.reshape(steps * batch, *x.shape[2:]).astype(np.int64) for x in inputs]
        with _inside(name):
            y = step(*rows)
        return y.reshape(steps, batch, *y.shape[1:]).astype(dtype)

    return run


def _matrix(node: Dense | Sparse) -> Callable[[Array], Array]:
    """The step of a matrix, with the weights that it holds worked out once, in the first step."""
    held = functools.cache(lambda: node.held.T)

    def step(x: Array) -> Array:
        product = node.seen(x) @ held()
        return int32(shift(int32(product) if node.message_bits else product, node.exponent))

    return step


def step_by_step(name: str, node: Process) -> Roll:
    """The definition, one step after the other, in 64-bit integers."""

    def run(state: State, inputs: Sequence[Array], keep: Collection[str], out: Array) -> Mapping[str, Array]:
        kept: dict[str, list[Array]] = {what: [] for what in keep}
        now = {key: value.astype(np.int64) for key, value in state.items()}
        for t, row in enumerate(zip(*inputs, strict=True)):
            with _inside(name):
                out[t], now = node.step(now, *(x.astype(np.int64) for x in row))
            for what, rows in kept.items():
                rows.append(now[what].astype(np.int32))
        state.update({key: value.astype(state[key].dtype) for key, value in now.items()})
        return {what: np.stack(rows) for what, rows in kept.items()}

    return run


@contextmanager
def _inside(name: str) -> Iterator[None]:
    """What a process refuses is said with its name."""
    try:
        yield
    except GraphError as error:
        raise error.inside(name) from None
