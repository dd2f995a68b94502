"""Counts of what windows see, against counting one by one; and shapes no loop could go through."""

import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.toolchain.counting import floor_sum, seen

SMALL = st.integers(1, 9)


@given(SMALL, SMALL, SMALL, SMALL, st.integers(0, 6), SMALL)
@settings(deadline=None, max_examples=300)
def test_windows_see_what_counting_finds(n: int, places: int, k: int, stride: int, before: int, dilation: int) -> None:
    at = np.arange(places)[:, None] * stride + np.arange(k)[None, :] * dilation - before
    assert seen([n], [places], [k], [stride], [before], [dilation]) == ((at >= 0) & (at < n)).sum()


@given(st.integers(0, 40), st.integers(1, 30), st.integers(0, 50), st.integers(0, 90))
@settings(deadline=None, max_examples=200)
def test_a_sum_of_quotients(count: int, divisor: int, step: int, start: int) -> None:
    assert floor_sum(count, divisor, step, start) == sum((step * i + start) // divisor for i in range(count))


def test_dimensions_multiply_and_size_costs_nothing() -> None:
    one = seen([6, 6], [6, 6], [3, 3], [1, 1], [1, 1], [1, 1])
    assert one == seen([6], [6], [3], [1], [1], [1]) ** 2 == 16**2
    start = time.perf_counter()
    assert seen([2**40], [2**39 + 1], [2**39], [1], [0], [1]) == (2**39 + 1) * 2**39
    assert time.perf_counter() - start < 0.1
