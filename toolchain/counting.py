"""How often windows see values: counted by a formula, so that a shape of 2⁴⁰ values costs no more than one of four."""

from __future__ import annotations

import math
from collections.abc import Sequence


def seen(
    space: Sequence[int],
    places: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    before: Sequence[int],
    dilation: Sequence[int],
) -> int:
    """Π over dimensions of how often 0 ≤ p·s + k·d − before < n, over every place p and every entry k of the window."""
    every = zip(space, places, kernel, stride, before, dilation, strict=True)
    return math.prod(below(n + b, p, k, s, d) - below(b, p, k, s, d) for n, p, k, s, b, d in every)


def below(x: int, places: int, entries: int, stride: int, dilation: int) -> int:
    """How many pairs 0 ≤ p < places, 0 ≤ k < entries have p·stride + k·dilation < x."""
    reached = min(places, -(-x // stride)) if x > 0 else 0
    # Up to here a place sees all its entries; from here on one more step sees stride / dilation fewer.
    whole = min(reached, max(0, -(-(x - (entries - 1) * dilation) // stride)))
    last = x - (reached - 1) * stride
    return whole * entries + floor_sum(reached - whole, dilation, stride, last + dilation - 1)


def floor_sum(count: int, divisor: int, step: int, start: int) -> int:
    """Σ over 0 ≤ i < count of ⌊(step·i + start) / divisor⌋, for start ≥ 0, in as many steps as Euclid takes."""
    total = 0
    while count > 0:
        total += count * (count - 1) // 2 * (step // divisor) + count * (start // divisor)
        step, start = step % divisor, start % divisor
        count, start = divmod(step * count + start, divisor)
        divisor, step = step, divisor
    return total
