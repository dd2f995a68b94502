"""Calls of one fixed shape, so that a result does not depend on how a run was cut.

A sum of floating-point numbers depends on its order, and libraries choose the order by the number of rows; some compute
the last few exponentials of an array in another way than the first. So a node that is not exact always gets the same
number of steps, at step numbers that are multiples of it; where fewer steps are on hand, at the start of a continued
run or at the end of any run, zeros stand in for the others and their results are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ..graph.nodes.base import Array
from .aligned import ALIGNMENT, zeros
from .layout import channels_lie_last, empty_like


def fold(run: Callable[..., Array], inputs: Sequence[Array]) -> Array:
    """Run a function of a batch on a window: steps and samples become one batch and are parted again after it."""
    steps, batch = inputs[0].shape[:2]
    y = run(*(x.reshape(steps * batch, *x.shape[2:]) for x in inputs))
    return y.reshape(steps, batch, *y.shape[1:])


def fold_in_groups(run: Callable[..., Array], inputs: Sequence[Array], first: int, group: int) -> Array:
    """The same in calls of `group` steps each.

    Args:
        run: a function of batches.
        inputs: windows [W, B, *shape].
        first: the number of the window's first step.
        group: how many steps a call takes.
    """
    steps = len(inputs[0])
    if steps == group and first % group == 0:
        return fold(run, [_aligned(x) for x in inputs])
    found: Array | None = None
    for start, stop, lead in pieces(first, steps, group):
        y = fold(run, [_filled(x[start:stop], lead, group) for x in inputs])
        if found is None:
            found = empty_like(y, steps)
        found[start:stop] = y[lead : lead + stop - start]
    if found is None:
        raise ValueError("a window without steps")
    return found


def pieces(first: int, steps: int, group: int) -> Iterator[tuple[int, int, int]]:
    """(start, stop) of each group in a window, and how many steps of the group lie before the window."""
    start = 0
    while start < steps:
        lead = (first + start) % group
        stop = min(steps, start + group - lead)
        yield start, stop, lead
        start = stop


def _filled(x: Array, lead: int, group: int) -> Array:
    """The rows in their places among zeros; themselves where they are a whole group."""
    if len(x) == group:
        return _aligned(x)
    whole = empty_like(x, group)
    whole[:lead], whole[lead + len(x) :] = 0, 0
    whole[lead : lead + len(x)] = x
    return whole


def _aligned(x: Array) -> Array:
    """The rows contiguous and at an address that a library likes, copied if they are not."""
    if (x.flags.c_contiguous or channels_lie_last(x)) and x.ctypes.data % ALIGNMENT == 0:
        return x
    whole = zeros(x.shape, x.dtype)
    whole[...] = x
    return whole
