"""A layer of Loihi's neurons that hear themselves, T steps of B samples in one call.

    y[t] = ⌊W·s[t] · 2ᵉ⌋                      what the spikes of a step send back; e < 0, else 2ᵉ is in the weights
    â[t] = x[t] + y[t−1]                      what the neuron of `fixed.py` gets in the next; 32 bits that wrap

Only neurons that spike add their row of weights. Integers, so their order is of no account.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .fixed import fire, fire_either, integrate
from .forward import copy
from .jit import block_of, inlined, kernel


@inlined
def send_back(weight: Any, down: int, spikes: Any, events: Any, back: Any) -> None:
    """y into `back`, four spikes at a time; `weight` is Wᵀ, row by row. Any value but 0 is a spike."""
    zero = spikes.dtype.type(0)
    count = 0
    for j in range(spikes.size):
        events[count] = j
        count += spikes[j] != zero
    back[:] = 0
    fours = count - count % 4
    for first in range(0, fours, 4):
        a, b = weight[events[first]], weight[events[first + 1]]
        c, d = weight[events[first + 2]], weight[events[first + 3]]
        for n in range(back.size):
            back[n] = np.int32(np.int32(np.int32(np.int32(back[n] + a[n]) + b[n]) + c[n]) + d[n])
    for place in range(fours, count):
        a = weight[events[place]]
        for n in range(back.size):
            back[n] = np.int32(back[n] + a[n])
    if down > 0:
        for n in range(back.size):
            back[n] = back[n] >> np.int32(down)


@kernel
def recurrent_range(
    x: Any,
    sent: Any,
    weight: Any,
    down: int,
    params: Any,
    u: Any,
    v: Any,
    before: Any,
    record_u: Any,
    record_v: Any,
    record_joined: Any,
    record_back: Any,
    ternary: bool,
    interval: int,
    countdown: int,
    start: int,
    stop: int,
) -> None:
    """Runs samples start .. stop of x [T, B, N]; u and v [B, N] move on in place.

    `before` [B, N] holds the spikes of the step before the first. Records [T, B, N] are filled if they have a size:
    u, v, â (joined) and what came back in the step.
    """
    count = x.shape[2]
    p = block_of(params, 0, count)
    joined, back = np.empty(count, np.int32), np.empty(count, np.int32)
    events = np.empty(count, np.int64)
    for sample in range(start, stop):
        now, potential = u[sample], v[sample]
        for t in range(x.shape[0]):
            send_back(weight, down, sent[t - 1, sample] if t > 0 else before[sample], events, back)
            for n in range(count):
                joined[n] = np.int32(np.int32(x[t, sample, n]) + back[n])
            if interval > 0 and (t - countdown) % interval == 0:
                now[:] = 0
                potential[:] = 0
            integrate(p, joined, now, potential)
            if ternary:
                fire_either(p, potential, sent[t, sample])
            else:
                fire(p, potential, sent[t, sample])
            if record_u.size > 0:
                copy(record_u[t, sample], now)
            if record_v.size > 0:
                copy(record_v[t, sample], potential)
            if record_joined.size > 0:
                copy(record_joined[t, sample], joined)
            if record_back.size > 0:
                copy(record_back[t, sample], back)
