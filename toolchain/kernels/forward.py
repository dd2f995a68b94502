"""The forward kernel: T steps of a range of neurons, block by block, so that state stays in the cache over time.

A block is a few thousand neurons. Each step of a block is one or two short loops over contiguous memory that the
compiler turns into vector instructions; the input is read once and the spikes are written once. The equations are in
`lif.py`.

State comes as rows of N elements, or of one element that all neurons share, and leaves into rows of N, or of none when
nobody asks: fresh memory costs more than the arithmetic, because the system hands it out page by page.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import at, block_of, inlined, kernel

ALPHA, BETA, GAIN, BIAS, THRESHOLD, CUT, V_RESET = range(7)
"""Places in the tuple of parameters. A neuron fires where v̂ > CUT: θ, or for ≥ the float just below θ."""

NOW_VALUE, NOW_SUBTRACT, NO_RESET, NEXT_VALUE, NEXT_SUBTRACT, GUARDED, SILENT = range(7)
"""Modes: when and how a spike resets v̂. SILENT never compares: a leaky integrator."""


@inlined
def copy(target: Any, source: Any) -> None:
    """target ← source. A slice assignment would first look for overlap and is several times slower."""
    for j in range(target.size):
        target[j] = source[j]


@inlined
def load(target: Any, source: Any, first: int) -> None:
    """A block's part of a row of state; a row of one element is shared by all neurons."""
    if source.size == 1:
        target[:] = source[0]
    else:
        copy(target, source[first : first + target.size])


@inlined
def store(target: Any, source: Any, first: int) -> None:
    """A block's part of a row of state that somebody asked for."""
    if target.size > 0:
        copy(target[first : first + source.size], source)


@inlined
def charge(p: Any, x: Any, u: Any, v: Any, has_current: bool) -> None:
    """One step of leak and integrate in place: u ← α·u + x, v ← β·v + g·u + b; without a current u is x."""
    if has_current:
        for j in range(v.size):
            u[j] = at(p, ALPHA, j) * u[j] + x[j]
        for j in range(v.size):
            v[j] = at(p, BETA, j) * v[j] + at(p, GAIN, j) * u[j] + at(p, BIAS, j)
    else:
        for j in range(v.size):
            v[j] = at(p, BETA, j) * v[j] + at(p, GAIN, j) * x[j] + at(p, BIAS, j)


@inlined
def reset_before(p: Any, mode: int, v: Any, before: Any) -> None:
    """The delayed reset in place: where `before` is set, v̂ ← v_r or v̂ ← v̂ − θ; before is s[t−1], or r if guarded."""
    zero = v.dtype.type(0)
    if mode == NEXT_VALUE:
        for j in range(v.size):
            h, r = v[j], at(p, V_RESET, j)
            v[j] = r if before[j] > zero else h
    else:
        for j in range(v.size):
            h, r = v[j], at(p, THRESHOLD, j)
            v[j] = h - (r if before[j] > zero else zero)


@inlined
def compare(p: Any, v: Any, spikes: Any) -> None:
    """Where v̂ > θ (or ≥) a one, elsewhere a zero."""
    one, zero = v.dtype.type(1), v.dtype.type(0)
    for j in range(v.size):
        spikes[j] = one if v[j] > at(p, CUT, j) else zero


@inlined
def reset_after(p: Any, mode: int, v: Any, spikes: Any, guard: Any) -> None:
    """The reset of this step in place: v ← v_r, v̂ − θ, or v̂ − (s − r)·θ with r in `guard`."""
    zero = v.dtype.type(0)
    if mode == NOW_VALUE:
        for j in range(v.size):
            h, r = v[j], at(p, V_RESET, j)
            v[j] = r if spikes[j] > zero else h
    elif mode == NOW_SUBTRACT:
        for j in range(v.size):
            h, r = v[j], at(p, THRESHOLD, j)
            v[j] = h - (r if spikes[j] > zero else zero)
    elif mode == GUARDED:
        for j in range(v.size):
            v[j] = v[j] - (spikes[j] - guard[j]) * at(p, THRESHOLD, j)


@kernel
def forward_range(
    x: Any,
    spikes: Any,
    params: Any,
    u_start: Any,
    v_start: Any,
    s_start: Any,
    u_end: Any,
    v_end: Any,
    record_u: Any,
    record_v: Any,
    record_v_hat: Any,
    has_current: bool,
    mode: int,
    start: int,
    stop: int,
    block: int,
) -> None:
    """Runs neurons start .. stop of x [T, N]. A record array of shape [T, N] is filled, one of shape [0, 0] is not."""
    for first in range(start, stop, block):
        last = min(first + block, stop)
        p = block_of(params, first, last - first)
        u, v, guard = np.empty(last - first, x.dtype), np.empty(last - first, x.dtype), np.empty(last - first, x.dtype)
        load(u, u_start, first)
        load(v, v_start, first)
        load(guard, s_start, first)
        for t in range(x.shape[0]):
            if mode == GUARDED:
                compare(p, v, guard)
            charge(p, x[t, first:last], u, v, has_current)
            if mode >= NEXT_VALUE and mode <= GUARDED:
                reset_before(p, mode, v, spikes[t - 1, first:last] if t > 0 and mode != GUARDED else guard)
            if record_v_hat.size > 0:
                copy(record_v_hat[t, first:last], v)
            if mode != SILENT:
                compare(p, v, spikes[t, first:last])
                reset_after(p, mode, v, spikes[t, first:last], guard)
            if record_u.size > 0:
                copy(record_u[t, first:last], u)
            if record_v.size > 0:
                copy(record_v[t, first:last], v)
        store(u_end, u, first)
        store(v_end, v, first)
