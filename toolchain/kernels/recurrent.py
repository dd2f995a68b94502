"""A layer of spiking neurons that hear themselves, T steps of B samples in one call.

    y[t] = W·s[t] + c                         what the spikes of a step send back
    x̂[t] = x[t] + y[t−1]                      what the neuron of `lif.py` gets in the next

Only neurons that spike add their row of weights, one spike after the other in the order of the neurons, so a step costs
as much as it has spikes, and a sample's result depends on nothing but this sample.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .forward import GUARDED, NEXT_VALUE, charge, compare, copy, reset_after, reset_before
from .jit import block_of, inlined, kernel


@inlined
def send_back(weight: Any, constant: Any, spikes: Any, events: Any, back: Any) -> None:
    """y = W·s + c into `back`, four spikes at a time, added one after the other; `weight` is Wᵀ, row by row."""
    zero = back.dtype.type(0)
    count = 0
    for j in range(spikes.size):
        if spikes[j] > zero:
            events[count] = j
            count += 1
    back[:] = zero
    fours = count - count % 4
    for first in range(0, fours, 4):
        a, b = weight[events[first]], weight[events[first + 1]]
        c, d = weight[events[first + 2]], weight[events[first + 3]]
        for n in range(back.size):
            back[n] = (((back[n] + a[n]) + b[n]) + c[n]) + d[n]
    for place in range(fours, count):
        a = weight[events[place]]
        for n in range(back.size):
            back[n] = back[n] + a[n]
    for n in range(back.size):
        back[n] = back[n] + constant[n]


@kernel
def send_back_range(weight: Any, constant: Any, spikes: Any, back: Any, start: int, stop: int) -> None:
    """y of the spikes [B, N] of one step, for the samples start .. stop."""
    events = np.empty(spikes.shape[1], np.int64)
    for sample in range(start, stop):
        send_back(weight, constant, spikes[sample], events, back[sample])


@kernel
def recurrent_range(
    x: Any,
    spikes: Any,
    weight: Any,
    constant: Any,
    params: Any,
    back: Any,
    u: Any,
    v: Any,
    s: Any,
    record_u: Any,
    record_v: Any,
    record_joined: Any,
    record_back: Any,
    has_current: bool,
    mode: int,
    start: int,
    stop: int,
) -> None:
    """Runs samples start .. stop of x [T, B, N].

    `weight` is Wᵀ, `constant` is c. The state moves on in place: y (`back`), u, v and s, each [B, N]. The records u, v
    after the reset, x̂ (joined) and y are [T, B, N] and filled if they have a size.
    """
    count = x.shape[2]
    p = block_of(params, 0, count)
    joined, guard, events = np.empty(count, x.dtype), np.empty(count, x.dtype), np.empty(count, np.int64)
    for sample in range(start, stop):
        now, potential, total = u[sample], v[sample], back[sample]
        copy(guard, s[sample])
        for t in range(x.shape[0]):
            for n in range(count):
                joined[n] = x[t, sample, n] + total[n]
            if mode == GUARDED:
                compare(p, potential, guard)
            charge(p, joined, now, potential, has_current)
            if mode >= NEXT_VALUE and mode <= GUARDED:
                reset_before(p, mode, potential, spikes[t - 1, sample] if t > 0 and mode != GUARDED else guard)
            compare(p, potential, spikes[t, sample])
            reset_after(p, mode, potential, spikes[t, sample], guard)
            send_back(weight, constant, spikes[t, sample], events, total)
            if record_u.size > 0:
                copy(record_u[t, sample], now)
            if record_v.size > 0:
                copy(record_v[t, sample], potential)
            if record_joined.size > 0:
                copy(record_joined[t, sample], joined)
            if record_back.size > 0:
                copy(record_back[t, sample], total)
        copy(s[sample], spikes[x.shape[0] - 1, sample])
