"""The loops of the scan in `scan.py`. The innermost run over channels, which lie side by side: vector instructions.

Each loop has few arrays, cut to where it runs and none twice: only then does the compiler find out cheaply that they do
not overlap.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .forward import copy
from .jit import summing_inlined, summing_kernel


@summing_kernel
def scan_range(
    x: Any, step: Any, decay: Any, b: Any, c: Any, y: Any, h: Any, kept: Any, stretch: int, start: int, stop: int
) -> None:
    """Runs samples start .. stop; h moves on in place, and goes to `kept` before each stretch if that has a size."""
    tokens, width = x.shape[2], x.shape[3]
    left, driven = np.empty(width, x.dtype), np.empty(width, x.dtype)
    for i in range(start, stop):
        for r in range(step.shape[3]):
            now = h[i, r]
            for place in range(x.shape[0] * tokens):
                t, n = place // tokens, token(place, tokens, r)
                if kept.size > 0 and place % stretch == 0:
                    copy_state(kept[place // stretch, i, r], now)
                spread(left, decay[t, i, n, r])
                drive(driven, step[t, i, n, r], x[t, i, n])
                if r == 0:
                    y[t, i, n, :] = 0
                advance(now, y[t, i, n], left, b[t, i, n, r], c[t, i, n, r], driven)


@summing_kernel
def scan_back_range(
    x: Any, step: Any, decay: Any, b: Any, c: Any, dy: Any, kept: Any, stretch: int, dx: Any, dstep: Any, ddecay: Any,
    db: Any, dc: Any, dh: Any, start: int, stop: int,
) -> None:  # fmt: skip
    """Runs samples start .. stop backwards; dh, the gradient of the last state, becomes that of the first."""
    tokens, width, places = x.shape[2], x.shape[3], x.shape[0] * x.shape[2]
    left, driven = np.empty((stretch, width), x.dtype), np.empty((stretch, width), x.dtype)
    dleft, ddriven, behind = np.empty(width, x.dtype), np.empty(width, x.dtype), np.empty(width, x.dtype)
    states = np.empty((stretch + 1, b.shape[5], width), x.dtype)
    for i in range(start, stop):
        for r in range(step.shape[3]):
            now = dh[i, r]
            behind[:] = 1
            for mark in range(kept.shape[0] - 1, -1, -1):
                first = mark * stretch
                count = min(stretch, places - first)
                copy_state(states[0], kept[mark, i, r])
                for k in range(count):
                    t, n = (first + k) // tokens, token(first + k, tokens, r)
                    spread(left[k], decay[t, i, n, r])
                    drive(driven[k], step[t, i, n, r], x[t, i, n])
                    move(states[k + 1], states[k], left[k], b[t, i, n, r], driven[k])
                for k in range(count - 1, -1, -1):
                    t, n = (first + k) // tokens, token(first + k, tokens, r)
                    arrive(now, dc[t, i, n, r], states[k + 1], behind, c[t, i, n, r], dy[t, i, n])
                    leave(now, db[t, i, n, r], dleft, ddriven, states[k], b[t, i, n, r], driven[k])
                    gather(dstep[t, i, n, r], dx[t, i, n], step[t, i, n, r], x[t, i, n], ddriven, r == 0)
                    total(ddecay[t, i, n, r], dleft)
                    copy(behind, left[k])
            for s in range(now.shape[0]):
                for j in range(width):
                    now[s, j] *= behind[j]


@summing_inlined
def token(place: int, tokens: int, direction: int) -> int:
    """Which token of its frame a place is."""
    n = place % tokens
    return n if direction == 0 else tokens - 1 - n


@summing_inlined
def copy_state(target: Any, source: Any) -> None:
    """target ← source, [S, E] each."""
    for s in range(source.shape[0]):
        copy(target[s], source[s])


@summing_inlined
def spread(target: Any, values: Any) -> None:
    """A value for each head becomes one for each channel."""
    width = target.size // values.size
    for head in range(values.size):
        target[head * width : (head + 1) * width] = values[head]


@summing_inlined
def drive(target: Any, step: Any, x: Any) -> None:
    """Δ·x."""
    width = x.size // step.size
    for head in range(step.size):
        low, high, weight = head * width, (head + 1) * width, step[head]
        out, given = target[low:high], x[low:high]
        for j in range(width):
            out[j] = weight * given[j]


@summing_inlined
def advance(h: Any, y: Any, left: Any, b: Any, c: Any, driven: Any) -> None:
    """h ← e·h + b ⊗ Δ·x in place, y ← y + ⟨c, h⟩."""
    width = y.size // b.shape[0]
    for g in range(b.shape[0]):
        low, high = g * width, (g + 1) * width
        out, keep, given = y[low:high], left[low:high], driven[low:high]
        for s in range(b.shape[1]):
            row, key, query = h[s, low:high], b[g, s], c[g, s]
            for j in range(width):
                new = keep[j] * row[j] + key * given[j]
                row[j] = new
                out[j] += query * new


@summing_inlined
def move(after: Any, before: Any, left: Any, b: Any, driven: Any) -> None:
    """h ← e·h + b ⊗ Δ·x, from one array into another."""
    width = driven.size // b.shape[0]
    for g in range(b.shape[0]):
        low, high = g * width, (g + 1) * width
        keep, given = left[low:high], driven[low:high]
        for s in range(b.shape[1]):
            new, old, key = after[s, low:high], before[s, low:high], b[g, s]
            for j in range(width):
                new[j] = keep[j] * old[j] + key * given[j]


@summing_inlined
def arrive(dh: Any, dc: Any, h: Any, left: Any, c: Any, dy: Any) -> None:
    """∂h ← e·∂h + c·∂y in place, with the e of the place behind; ∂c = ⟨∂y, h⟩."""
    width = dy.size // c.shape[0]
    for g in range(c.shape[0]):
        low, high = g * width, (g + 1) * width
        out, keep = dy[low:high], left[low:high]
        for s in range(c.shape[1]):
            query, row, state = c[g, s], dh[s, low:high], h[s, low:high]
            read = dy.dtype.type(0)
            for j in range(width):
                read += out[j] * state[j]
                row[j] = keep[j] * row[j] + query * out[j]
            dc[g, s] = read


@summing_inlined
def leave(dh: Any, db: Any, dleft: Any, ddriven: Any, before: Any, b: Any, driven: Any) -> None:
    """∂b = ⟨∂h, Δ·x⟩, ∂(Δ·x) = ⟨b, ∂h⟩, ∂e = Σ ∂h·h[n−1] for each channel."""
    width = driven.size // b.shape[0]
    dleft[:] = 0
    ddriven[:] = 0
    for g in range(b.shape[0]):
        low, high = g * width, (g + 1) * width
        of_left, of_driven, given = dleft[low:high], ddriven[low:high], driven[low:high]
        for s in range(b.shape[1]):
            key, row, old = b[g, s], dh[s, low:high], before[s, low:high]
            entered = driven.dtype.type(0)
            for j in range(width):
                entered += row[j] * given[j]
                of_driven[j] += key * row[j]
                of_left[j] += row[j] * old[j]
            db[g, s] = entered


@summing_inlined
def gather(dstep: Any, dx: Any, step: Any, x: Any, ddriven: Any, first: bool) -> None:
    """∂Δ = ⟨∂(Δ·x), x⟩ for each head; ∂x = Δ·∂(Δ·x), summed over directions."""
    width = x.size // step.size
    zero = x.dtype.type(0)
    for head in range(step.size):
        low, high, weight = head * width, (head + 1) * width, step[head]
        out, given, grad = dx[low:high], x[low:high], ddriven[low:high]
        sent = zero
        for j in range(width):
            sent += grad[j] * given[j]
            out[j] = weight * grad[j] + (zero if first else out[j])
        dstep[head] = sent


@summing_inlined
def total(target: Any, values: Any) -> None:
    """The sum over the channels of each head."""
    width = values.size // target.size
    for head in range(target.size):
        part = values[head * width : (head + 1) * width]
        out = values.dtype.type(0)
        for j in range(width):
            out += part[j]
        target[head] = out
