"""The backward kernel: gradients of T steps, saving nothing but the input.

Each block of neurons first runs its T steps again, into a few kilobytes that stay in the cache, with the very code of
the forward kernel, so both passes meet the same spikes. Then it walks back through time. With G = dL/ds[t] from
outside, σ the surrogate and gv = dL/dv[t] from the step after:

    value, now           gs = G + gv·(v_r − v̂)       gh = gs·σ + gv·(1 − s)
    subtract, now        gs = G − gv·θ               gh = gs·σ + gv
    none                 gs = G                      gh = gs·σ + gv
    guarded              as (subtract, now); r is a constant
    next                 gs = G + c                  gh = gs·σ + gv      c: from the reset in step t+1
      value                c ← gh·(v_r − v̂ before the reset), then gh ← gh·(1 − s[t−1])
      subtract             c ← −θ·gh
    leaky integrator     gh = gv + G, with G = dL/dv[t]
    then                 gu = g·gh + α·gu;  dL/dx = gu;  gv ← β·gh

With `detach` no gradient passes from the reset into the spike: gs = G and c = 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .forward import (
    ALPHA,
    BETA,
    BIAS,
    CUT,
    GAIN,
    GUARDED,
    NEXT_SUBTRACT,
    NEXT_VALUE,
    NOW_SUBTRACT,
    NOW_VALUE,
    SILENT,
    THRESHOLD,
    V_RESET,
    charge,
    compare,
    copy,
    load,
    reset_after,
    reset_before,
    store,
)
from .jit import at, block_of, inlined, kernel
from .surrogates import surrogate


@inlined
def _run_again(
    x: Any,
    first: int,
    p: Any,
    mode: int,
    has_current: bool,
    starts: Any,
    u: Any,
    v: Any,
    s: Any,
    us: Any,
    vs: Any,
    hs: Any,
) -> None:
    """Steps a block again: hs[t] = v̂[t] as compared, us[t + 1] = u[t], vs[t] = v[t − 1].

    It starts from `starts`, the rows of u, v and s. us and vs have no rows when nobody needs them.
    """
    load(u, starts[0], first)
    load(v, starts[1], first)
    load(s, starts[2], first)
    if has_current:
        copy(us[0], u)
    spikes = np.empty_like(s)
    for t in range(x.shape[0]):
        if vs.size > 0:
            copy(vs[t], v)
        if mode == GUARDED:
            compare(p, v, s)
        charge(p, x[t, first : first + v.size], u, v, has_current)
        if mode >= NEXT_VALUE and mode <= GUARDED:
            reset_before(p, mode, v, s)
        copy(hs[t], v)
        if mode != SILENT:
            compare(p, v, spikes)
            reset_after(p, mode, v, spikes, s)
        if mode in (NEXT_VALUE, NEXT_SUBTRACT):
            copy(s, spikes)
        if us.size > 0:
            copy(us[t + 1], u)


@inlined
def _above(p: Any, h: Any, x: Any) -> None:
    """x ← v̂ − θ."""
    for j in range(h.size):
        x[j] = h[j] - at(p, THRESHOLD, j)


@inlined
def _through_reset(p: Any, mode: int, attached: bool, g: Any, gv: Any, h: Any, gs: Any) -> None:
    """gs ← dL/ds[t]: from outside, and through the reset that s[t] causes in this step unless that is detached."""
    if attached and mode == NOW_VALUE:
        for j in range(gs.size):
            gs[j] = g[j] + gv[j] * (at(p, V_RESET, j) - h[j])
    elif attached and mode in (NOW_SUBTRACT, GUARDED):
        for j in range(gs.size):
            gs[j] = g[j] - gv[j] * at(p, THRESHOLD, j)
    else:
        copy(gs, g)


@inlined
def _to_voltage(p: Any, mode: int, g: Any, gs: Any, slope: Any, h: Any, gv: Any) -> None:
    """gv ← gh = dL/dv̂[t], as it enters the compare."""
    zero = gv.dtype.type(0)
    if mode == NOW_VALUE:
        for j in range(gv.size):
            kept, c = gv[j], at(p, CUT, j)
            gv[j] = gs[j] * slope[j] + (zero if h[j] > c else kept)
    elif mode == SILENT:
        for j in range(gv.size):
            gv[j] = gv[j] + g[j]
    else:
        for j in range(gv.size):
            gv[j] = gs[j] * slope[j] + gv[j]


@inlined
def _spikes_before(p: Any, hs: Any, t: int, s_start: Any, first: int, s: Any) -> None:
    """s ← s[t−1]."""
    if t > 0:
        compare(p, hs[t - 1], s)
    else:
        load(s, s_start, first)


@inlined
def _before_reset(p: Any, mode: int, attached: bool, u: Any, v_before: Any, s_before: Any, gv: Any, c: Any) -> None:
    """Takes gh from after a delayed reset to before it, and leaves in c what the reset hands to s[t−1]."""
    one = gv.dtype.type(1)
    if not attached:
        c[:] = gv.dtype.type(0)
    elif mode == NEXT_VALUE:
        for j in range(gv.size):
            h = at(p, BETA, j) * v_before[j] + at(p, GAIN, j) * u[j] + at(p, BIAS, j)
            c[j] = gv[j] * (at(p, V_RESET, j) - h)
    else:
        for j in range(gv.size):
            c[j] = -at(p, THRESHOLD, j) * gv[j]
    if mode == NEXT_VALUE:
        for j in range(gv.size):
            gv[j] = gv[j] * (one - s_before[j])


@inlined
def _to_input(p: Any, has_current: bool, gv: Any, gu: Any, gx: Any) -> None:
    """Writes dL/dx[t] and takes gv and gu one step back: gu ← α·gu, gv ← β·gh."""
    if has_current:
        for j in range(gv.size):
            gu[j] = gu[j] + at(p, GAIN, j) * gv[j]
        for j in range(gv.size):
            gx[j] = gu[j]
            gu[j] = at(p, ALPHA, j) * gu[j]
    else:
        for j in range(gv.size):
            gx[j] = at(p, GAIN, j) * gv[j]
    for j in range(gv.size):
        gv[j] = at(p, BETA, j) * gv[j]


@inlined
def _add(total: Any, factor: Any, other: Any, sign: float) -> None:
    for j in range(total.size):
        total[j] += sign * factor[j] * other[j]


@inlined
def _add_reset(p: Any, mode: int, total: Any, gv: Any, s: Any, v_before: Any) -> None:
    """The reset's part of dL/dv_r or dL/dθ; s is s[t] of a reset now, s[t−1] of a delayed one; gv is after it."""
    if mode in (NOW_VALUE, NEXT_VALUE):
        _add(total[V_RESET], gv, s, 1.0)
    elif mode in (NOW_SUBTRACT, NEXT_SUBTRACT, GUARDED):
        _add(total[THRESHOLD], gv, s, -1.0)
    if mode == GUARDED:
        _add_guard(p, total[THRESHOLD], gv, 1.0, v_before)


@inlined
def _add_guard(p: Any, total: Any, g: Any, sign: float, v_before: Any) -> None:
    """The part of dL/dθ through r of a guarded reset: sign·g·r."""
    for j in range(total.size):
        if v_before[j] > at(p, CUT, j):
            total[j] += sign * g[j]


@inlined
def _add_charge(total: Any, gh: Any, u: Any, v_before: Any) -> None:
    """dL/db, dL/dg and dL/dβ of one step."""
    for j in range(gh.size):
        total[BIAS, j] += gh[j]
    _add(total[GAIN], gh, u, 1.0)
    _add(total[BETA], gh, v_before, 1.0)


@inlined
def _through_compare(
    p: Any,
    mode: int,
    attached: bool,
    wanted: bool,
    g: Any,
    h: Any,
    v_before: Any,
    c: Any,
    gv: Any,
    gs: Any,
    slope: Any,
    s: Any,
    total: Any,
) -> None:
    """One step back from after the reset to before the compare: gv ← gh, and both their sums."""
    delayed = mode in (NEXT_VALUE, NEXT_SUBTRACT)
    if mode != SILENT:
        _through_reset(p, mode, attached, g, gv, h, gs)
        if delayed:
            for j in range(gs.size):
                gs[j] += c[j]
        if wanted:
            _add(total[THRESHOLD], gs, slope, -1.0)
            if not delayed:
                compare(p, h, s)
                _add_reset(p, mode, total, gv, s, v_before)
    _to_voltage(p, mode, g, gs, slope, h, gv)
    if wanted and mode == GUARDED:
        _add_guard(p, total[THRESHOLD], gv, -1.0, v_before)


@inlined
def _fold(total: Any, grad_params: Any, first: int) -> None:
    """Adds a block's sums to the columns its neurons have: neuron n to column n mod F."""
    for name in range(total.shape[0]):
        column = first % grad_params.shape[1]
        for j in range(total.shape[1]):
            grad_params[name, column] += total[name, j]
            column += 1
            if column == grad_params.shape[1]:
                column = 0


@kernel
def backward_range(
    x: Any, grad: Any, params: Any, u_start: Any, v_start: Any, s_start: Any, grad_u_end: Any,
    grad_v_end: Any, grad_u_start: Any, grad_v_start: Any, grad_s_start: Any, grad_x: Any, grad_params: Any,
    has_current: bool, mode: int, attached: bool, kind: int, k: Any, start: int, stop: int, block: int,
) -> None:  # fmt: skip
    """Gradients of neurons start .. stop from grad = dL/ds [T, N]; see the module for the equations.

    Rows of state and of its gradients are as in the forward kernel: N elements, or one that all share; N, or none when
    nobody asks. grad_params [7, F] in float64 is added to; of shape [7, 0] it says that nobody asks.
    """
    steps, wanted, delayed = x.shape[0], grad_params.shape[1] > 0, mode in (NEXT_VALUE, NEXT_SUBTRACT)
    keeps_v = wanted or mode == NEXT_VALUE
    for first in range(start, stop, block):
        last, m = min(first + block, stop), min(block, stop - first)
        p = block_of(params, first, m)
        total = np.zeros((7, m if wanted else 0), np.float64)
        us = np.empty((steps + 1 if has_current else 0, m), x.dtype)
        vs, hs = np.empty((steps if keeps_v else 0, m), x.dtype), np.empty((steps, m), x.dtype)
        rows, none = np.zeros((6, m), x.dtype), np.empty(0, x.dtype)
        gu, gv, gs, c, slope, s = rows[0], rows[1], rows[2], rows[3], rows[4], rows[5]
        _run_again(x, first, p, mode, has_current, (u_start, v_start, s_start), gu, gv, s, us, vs, hs)
        load(gu, grad_u_end, first)
        load(gv, grad_v_end, first)
        for t in range(steps - 1, -1, -1):
            g, h, gx = grad[t, first:last], hs[t], grad_x[t, first:last]
            u, v_before = us[t + 1] if has_current else x[t, first:last], vs[t] if keeps_v else none
            _above(p, h, slope)
            surrogate(kind, k, slope)
            _through_compare(p, mode, attached, wanted, g, h, v_before, c, gv, gs, slope, s, total)
            if delayed:
                _spikes_before(p, hs, t, s_start, first, s)
                if wanted:
                    _add_reset(p, mode, total, gv, s, v_before)
                _before_reset(p, mode, attached, u, v_before, s, gv, c)
            if wanted:
                _add_charge(total, gv, u, v_before)
            _to_input(p, has_current, gv, gu, gx)
            if wanted and has_current:
                _add(total[ALPHA], gx, us[t], 1.0)
        store(grad_u_start, gu, first)
        store(grad_v_start, gv, first)
        store(grad_s_start, c, first)
        if wanted:
            _fold(total, grad_params, first)
