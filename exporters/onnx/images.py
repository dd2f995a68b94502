"""Signals as the graph's windows take them, (channels, *space), and the padding that the file asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...toolchain.graph.nodes.base import need, shown
from .call import Call
from .layout import Layout
from .values import Signal

ONE_BATCH = "[N, channels, …]"


def image(call: Call, x: Signal, dims: int | None) -> Signal:
    """A tensor [N, channels, *space] as a signal (channels, *space); without a batch, N has to be 1."""
    layout = x.layout
    fits = layout.rank >= 2 and (dims is None or layout.rank == dims + 2)
    space = "…" if dims is None else f"{dims} of space"
    need(fits, "input", f"{layout}", f"[N, channels, {space}]")
    if layout.batch is None:
        fix = "read it with --batch-axis first"
        need(layout.sizes[0] == 1, "batch", f"{layout} without a batch", "[1, channels, …]", fix)
        return call.reshaped(x, replace(layout, batch=0), "image")
    apart = layout.batch == 0 and not layout.folded
    need(apart, "batch", f"{layout}", f"{ONE_BATCH}, the batch first and alone")
    return x


def restored(call: Call, before: Signal, y: Signal, part: str = "whole") -> Signal:
    """A result with the axes of the file's tensor again."""
    return call.reshaped(y, Layout(y.layout.sizes), part) if before.layout.batch is None else y


def spatial(call: Call, name: str, dims: int, default: int = 1) -> tuple[int, ...]:
    """One whole number for each dimension of space."""
    found = call.ints(name, (default,) * dims) or ()
    need(len(found) == dims, name, f"{found}", f"{dims} whole numbers")
    return found


def padding(
    call: Call, sizes: Sequence[int], kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    """(before, after) for each dimension, as the file tells it or as its rule works it out."""
    dims, how = len(sizes), call.text("auto_pad", "NOTSET")
    given = call.ints("pads", (0,) * (2 * dims)) or ()
    if how in ("NOTSET", ""):
        need(len(given) == 2 * dims, "pads", f"{given}", f"{2 * dims} widths")
        return tuple(zip(given[:dims], given[dims:], strict=True))
    need(
        how in ("VALID", "SAME_UPPER", "SAME_LOWER"), "auto_pad", f"'{how}'", "NOTSET, VALID, SAME_UPPER or SAME_LOWER"
    )
    need(min(strides) >= 1, "strides", shown(strides), "at least 1")
    if how == "VALID":
        return ((0, 0),) * dims
    totals = [
        max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
        for n, k, s, d in zip(sizes, kernel, strides, dilations, strict=True)
    ]
    halves = [(n // 2, n - n // 2) for n in totals]
    return tuple(halves if how == "SAME_UPPER" else [(b, a) for a, b in halves])
