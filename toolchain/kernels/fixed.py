"""Loihi's neurons in integers, T steps of a range of neurons in one call: LIF, LIFReset and TernaryLIF.

    u[t] = wrap24(keep(u[t−1], k_u) + a·2⁶)            keep(x, k) = sign(x)·⌊|x|·k / 2¹²⌋, k = 2¹² − decay
    v̂[t] = saturate24(keep(v[t−1], k_v) + u[t] + b)
    s[t] = (v̂[t] > θ₊) − (v̂[t] < θ₋);  v[t] = 0 where s[t] ≠ 0

All in 32 bits that wrap. With |x| = h·2¹² + l the product needs no more: ⌊|x|·k / 2¹²⌋ = h·k + ⌊l·k / 2¹²⌋, and
h·k ≤ 2³¹. A neuron without θ₋ has −2³¹ there. Signals come and go as floats that hold integers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .forward import copy
from .jit import at, block_of, inlined, kernel

KEEP_U, KEEP_V, BIAS, HIGH, LOW = range(5)
"""Places among the parameters; two more, as `block_of` takes seven, are 0."""

ALIGN = np.int32(6)
"""Bits by which what comes in is shifted up."""
HALF, TURN, MOST = np.int32(1 << 23), np.int32(1 << 24), np.int32((1 << 23) - 1)


@inlined
def keep(x: Any, k: Any) -> Any:
    """sign(x)·⌊|x|·k / 2¹²⌋, every intermediate result cut to 32 bits, so that the compiler can use vectors of them."""
    sign = np.int32(x >> np.int32(31))
    size = np.uint32(np.int32(np.int32(x ^ sign) - sign))
    high = np.uint32(np.uint32(size >> np.uint32(12)) * k)
    low = np.uint32(np.uint32(np.uint32(size & np.uint32(4095)) * k) >> np.uint32(12))
    return np.int32(np.int32(np.int32(np.uint32(high + low)) ^ sign) - sign)


@inlined
def integrate(p: Any, x: Any, u: Any, v: Any) -> None:
    """u and v̂ of one step, in place."""
    for j in range(u.size):
        new = np.int32(keep(u[j], np.uint32(at(p, KEEP_U, j))) + np.int32(np.int32(x[j]) << ALIGN))
        less, more = np.int32(new - TURN), np.int32(new + TURN)
        u[j] = less if new > HALF else (more if new <= -HALF else new)
    for j in range(u.size):
        new = np.int32(np.int32(keep(v[j], np.uint32(at(p, KEEP_V, j))) + u[j]) + at(p, BIAS, j))
        v[j] = np.int32(min(max(new, -MOST), MOST))


@inlined
def fire(p: Any, v: Any, spikes: Any) -> None:
    """Compare with θ₊ alone, reset."""
    one, zero = spikes.dtype.type(1), spikes.dtype.type(0)
    for j in range(v.size):
        above = v[j] > at(p, HIGH, j)
        spikes[j] = one if above else zero
        v[j] = np.int32(0) if above else v[j]


@inlined
def fire_either(p: Any, v: Any, spikes: Any) -> None:
    """Compare with θ₊ and θ₋, reset."""
    one, zero = spikes.dtype.type(1), spikes.dtype.type(0)
    for j in range(v.size):
        above, below = v[j] > at(p, HIGH, j), v[j] < at(p, LOW, j)
        spikes[j] = one if above else (-one if below else zero)
        v[j] = np.int32(0) if above or below else v[j]


@kernel
def fixed_range(
    x: Any,
    sent: Any,
    params: Any,
    u_held: Any,
    v_held: Any,
    record_u: Any,
    record_v: Any,
    ternary: bool,
    voltage: bool,
    interval: int,
    countdown: int,
    start: int,
    stop: int,
    block: int,
) -> None:
    """Runs neurons start .. stop of x [T, N]; u_held and v_held [N] move on in place.

    A record [T, N] is filled, one of [0, 0] is not. With an interval, u = v = 0 before step `countdown` of these and
    every interval after it.
    """
    for first in range(start, stop, block):
        last = min(first + block, stop)
        p = block_of(params, first, last - first)
        u, v = u_held[first:last], v_held[first:last]
        for t in range(x.shape[0]):
            if interval > 0 and (t - countdown) % interval == 0:
                u[:] = 0
                v[:] = 0
            out = sent[t, first:last]
            integrate(p, x[t, first:last], u, v)
            if ternary:
                fire_either(p, v, out)
            else:
                fire(p, v, out)
            if voltage:
                for j in range(v.size):
                    out[j] = v[j]
            if record_u.size > 0:
                copy(record_u[t, first:last], u)
            if record_v.size > 0:
                copy(record_v[t, first:last], v)
