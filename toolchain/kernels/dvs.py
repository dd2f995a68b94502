"""The pixels of an event camera over one interval of time, [t₀, t₀ + dt]: what `models/data/dvs/model.py` defines.

With L the log intensity at the end of the interval, ι the intensity there from 0 to 1, and the state lp (what the
photoreceptor says), base (what the pixel has memorised), last (when its last event was) and left (what is left of the
wait for its next noise event):

    lp'   = L + (lp − L)·e^{−2π·cutoff·ι·dt}                  photoreceptor
    d(f)  = lp − base + f·(lp' − lp + leak·dt·(1 − jitter·N)) difference at the share f of the interval
    ON    at the first f with d(f) ≥ θ_on:   base += θ_on     OFF likewise with −d(f) ≥ θ_off: base −= θ_off
          and not before last + refractory: an event that falls into that time waits for its end
    noise at the f with ∫λ = left, λ = shot·(1 − ¾ι):         base = lp(f), unless the pixel is refractory

Event by event, in order of time, so that every event sees the state that the one before it has left.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .dvs_draws import bits, exponential, normal, uniform
from .jit import inlined, kernel

Array = npt.NDArray[Any]

SLACK = 1e-9
"""Share of a threshold that may be missing to it: the rounding of sums of thresholds must not swallow an event."""
DIM = 0.75
"""So much less shot noise there is at full intensity."""
AGAIN = np.uint64(1)
SIGN = np.uint64(2)
EACH = np.uint64(0x632BE59BD9B4E019)
"""Steps between the draws of noise events of one pixel in one interval."""
FARTHEST = 40.0
"""e to minus this is below what a float64 tells from 0 beside a difference."""


@inlined
def _next_signal(d: Any, slope: Any, f: Any, free: Any, on: Any, off: Any) -> Any:
    """Share of the interval at which d crosses a threshold, from f on, and its sign; 2 and 0 where it does not.

    With a sign of 0 before the end, the pixel becomes free there and what it waited for is gone.
    """
    sign = 0
    at = 2.0
    if d >= on * (1 - SLACK):
        sign, at = 1, f
    elif d <= -off * (1 - SLACK):
        sign, at = -1, f
    elif slope > 0 and d + slope * (1 - f) >= on * (1 - SLACK):
        sign, at = 1, min(f + (on - d) / slope, 1.0)
    elif slope < 0 and d + slope * (1 - f) <= -off * (1 - SLACK):
        sign, at = -1, min(f - (off + d) / slope, 1.0)
    if sign != 0 and at < free:
        at = free
        then = d + slope * (at - f)
        if (sign > 0 and then < on * (1 - SLACK)) or (sign < 0 and then > -off * (1 - SLACK)):
            sign = 0
    return at, sign


@inlined
def _pixel_events(
    d: Any, slope: Any, on: Any, off: Any, share: Any, last: Any, left: Any, hazard: Any,
    begin: Any, span: Any, dead: Any, word: Any, offsets: Any, signs: Any, count: Any,
) -> Any:  # fmt: skip
    """The events of one pixel; gives how many, and d, last and left at the end. −1: there is no room for them.

    Times are in µs: begin of the interval, span its length, dead the refractory time.
    """
    f = 0.0
    while True:
        free = (last + dead - begin) / span
        at, sign = _next_signal(d, slope, f, free, on, off)
        noise = f + left / hazard if hazard > 0 else 2.0
        if noise <= min(at, 1.0):
            d += slope * (noise - f)
            f = noise
            word += EACH
            left = exponential(bits(word, AGAIN))
            if f < free:
                continue
            sign = 1 if uniform(bits(word, SIGN)) < share else -1
            d = 0.0
        elif at <= 1:
            d += slope * (at - f)
            left -= hazard * (at - f)
            f = at
            if sign == 0:
                continue
            d -= on if sign > 0 else -off
        else:
            break
        if count == len(offsets):
            return -1, d, last, left
        last = begin + f * span
        offsets[count] = min(max(1, math.ceil(f * span - 1e-6)), np.int64(span))
        signs[count] = sign > 0
        count += 1
    return count, d + slope * (1 - f), last, left - hazard * (1 - f)


@kernel
def interval_range(
    level: Any, bright: Any, state: Any, pixel: Any, settings: Any, jitter_keys: Any, noise_keys: Any,
    offsets: Any, places: Any, signs: Any, start: int, stop: int,
) -> Any:  # fmt: skip
    """Pixels start .. stop over one interval; gives how many events there are and the first pixel that had no room.

    Args:
        level: L [P].
        bright: ι [P].
        state: lp, base, last, left [4, P], written.
        pixel: θ_on, θ_off, leak in log intensity per µs, shot noise events per µs, the share of ON in them [5, P].
        settings: begin and span of the interval in µs, 2π·cutoff per µs, jitter, refractory time in µs.
        jitter_keys: of this interval's draws for the leak, by clip [B].
        noise_keys: likewise for noise events.
        offsets: room for times from the begin on, in whole µs, counted up.
        places: room for pixels.
        signs: room for polarities.
        start: the first pixel.
        stop: one behind the last.
    """
    begin, span, cutoff, jitter, dead = settings[0], settings[1], settings[2], settings[3], settings[4]
    size = level.size // jitter_keys.size
    count = 0
    for i in range(start, stop):
        lp, target = state[0, i], level[i]
        after = target
        fall = cutoff * bright[i] * span
        if cutoff > 0 and fall < FARTHEST and lp != target:
            after = target + (lp - target) * math.exp(-fall)
        leak = pixel[2, i] * span
        if leak != 0 and jitter != 0:
            leak *= 1 - jitter * normal(bits(jitter_keys[i // size], i % size))
        d, slope = lp - state[1, i], after - lp + leak
        hazard, left = pixel[3, i] * (1 - DIM * bright[i]) * span, state[3, i]
        low, high = min(d, d + slope), max(d, d + slope)
        on, off = pixel[0, i], pixel[1, i]
        state[0, i] = after
        if high < on * (1 - SLACK) and low > -off * (1 - SLACK) and left > hazard:
            state[1, i] = after - (d + slope)
            state[3, i] = left - hazard
            continue
        word = bits(noise_keys[i // size], i % size)
        found, end, last, left = _pixel_events(
            d, slope, on, off, pixel[4, i], state[2, i], left, hazard, begin, span, dead, word, offsets, signs, count
        )
        if found < 0:
            state[0, i] = lp
            return count, i
        state[1, i], state[2, i], state[3, i] = after - end, last, left
        for place in range(count, found):
            places[place] = i
        count = found
    return count, stop
