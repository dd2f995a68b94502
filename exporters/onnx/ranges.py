"""Sizes and ranges as ONNX writes them: the target of a reshape, the ranges of a slice, the parts of a split."""

from __future__ import annotations

from collections.abc import Sequence

from ...toolchain.graph.nodes.base import Array, brief, need, shown
from .call import Call


def check_axes(axes: Sequence[int], rank: int) -> None:
    """Refuse axes that a tensor of this rank has not, or that stand twice."""
    fits = all(-rank <= a < rank for a in axes) and len({a % rank for a in axes}) == len(axes)
    need(fits, "axes", brief(str(tuple(axes))), f"each once, of {rank}")


def resolved(sizes: Sequence[int], old: Sequence[int], *, zero_counts: bool = False) -> tuple[int, ...]:
    """A target of Reshape with its 0 (the old size) and −1 (what is left) filled in."""
    need(all(n >= -1 for n in sizes), "shape", shown(sizes), "sizes")
    need(zero_counts or all(n != 0 or k < len(old) for k, n in enumerate(sizes)), "shape", shown(sizes), "an old axis")
    new = [old[k] if n == 0 and not zero_counts else n for k, n in enumerate(sizes)]
    total, rest = product_of(old), product_of([n for n in new if n != -1])
    need(new.count(-1) <= 1, "shape", shown(sizes), "at most one -1")
    if -1 in new:
        need(rest > 0 and total % rest == 0, "shape", shown(sizes), f"{total} values")
        new[new.index(-1)] = total // rest
    need(product_of(new) == total, "shape", shown(sizes), f"{total} values, as in {shown(old)}")
    return tuple(new)


def product_of(sizes: Sequence[int]) -> int:
    """How many values sizes make, in Python's own integers."""
    value = 1
    for n in sizes:
        value *= int(n)
    return value


def ranges(call: Call, rank: int, given: Sequence[Array | None]) -> list[tuple[int, int, int, int]]:
    """(axis, start, end, step) of a Slice, from its attributes or its inputs."""
    if call.version < 10:
        starts, ends = call.ints("starts") or (), call.ints("ends") or ()
        axes, steps = call.ints("axes"), None
    else:
        rows = [None if each is None else tuple(each.reshape(-1).tolist()) for each in (*given, None, None)[:4]]
        need(rows[0] is not None and rows[1] is not None, "starts, ends", "none", "integers")
        starts, ends, axes, steps = rows[0] or (), rows[1] or (), rows[2], rows[3]
    axes = tuple(range(len(starts))) if axes is None else axes
    steps = (1,) * len(starts) if steps is None else steps
    fits = len(starts) == len(ends) == len(axes) == len(steps) and 0 not in steps
    need(fits, "starts, ends, axes, steps", "rows that do not fit", "one of each, and no step of 0")
    check_axes(axes, rank)
    return [(a % rank, s, e, k) for a, s, e, k in zip(axes, starts, ends, steps, strict=True)]


def span(start: int, end: int, step: int, size: int) -> slice:
    """ONNX's slice as Python's: an end before the first value, going down, is no index."""
    if step > 0:
        return slice(start, end, step)
    start = min(start, size - 1) if start >= 0 else start
    return slice(start, None if end < -size else end, step)


def split_sizes(call: Call, size: int, given: Sequence[int] | None) -> tuple[int, ...]:
    """How long each part of a Split is."""
    told = given if given is not None else call.ints("split")
    count = call.whole("num_outputs", len(call.wanted))
    if told is None:
        need(1 <= count <= max(size, 1), "num_outputs", f"{count}", f"at most {size}")
        each = -(-size // count)
        told = [each] * (count - 1) + [size - each * (count - 1)]
    fits = len(told) == len(call.wanted) and sum(told) == size and all(n >= 0 for n in told)
    need(fits, "split", brief(str(tuple(told))), f"{len(call.wanted)} parts of {size}")
    return tuple(told)
