"""Sums over the values that are not 0, row by row: what a matrix makes of spikes costs as much as there are spikes."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import kernel


@kernel
def events_range(x: Any, weight: Any, y: Any, payload: bool, start: int, stop: int) -> None:
    """y = x · W for the rows start .. stop of x [R, I] and W [I, O]; without a payload, any x but 0 counts as 1.

    The sums run from the first value to the last; in integers that their type holds, so the order is of no account.
    """
    zero = x.dtype.type(0)
    events = np.empty(x.shape[1], np.int64)
    for row in range(start, stop):
        count = 0
        for i in range(x.shape[1]):
            events[count] = i
            count += x[row, i] != zero
        out = y[row]
        out[:] = 0
        fours = count - count % 4
        if payload:
            for place in range(count):
                value, a = weight.dtype.type(x[row, events[place]]), weight[events[place]]
                for n in range(out.size):
                    out[n] += value * a[n]
        else:
            for first in range(0, fours, 4):
                a, b = weight[events[first]], weight[events[first + 1]]
                c, d = weight[events[first + 2]], weight[events[first + 3]]
                for n in range(out.size):
                    out[n] = (((out[n] + a[n]) + b[n]) + c[n]) + d[n]
            for place in range(fours, count):
                a = weight[events[place]]
                for n in range(out.size):
                    out[n] += a[n]
