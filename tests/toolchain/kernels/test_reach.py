"""The counting kernel against its definition, on every type, table and length."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.toolchain.kernels import reach as module
from spikeport.toolchain.kernels import threads
from spikeport.toolchain.kernels.reach import (
    BLOCK,
    CHUNK,
    COMPILED,
    EVENTS,
    NANS,
    NARROW,
    packed,
    reach,
    reach_defined,
    tally,
)  # fmt: skip


def rows(rng: np.random.Generator, dtype: str, count: int, length: int) -> np.ndarray:
    values = rng.integers(0 if dtype in ("uint8", "bool") else -3, 4, (count, length))
    return (values * (rng.random(values.shape) < 0.5)).astype(dtype)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from([*COMPILED, "float16", "int16"]),
    count=st.integers(1, 4),
    blocks=st.integers(1, 3),
    length=st.sampled_from([1, 3, 17, CHUNK - 1, CHUNK + 5]),
    tables=st.integers(0, 2),
    whole=st.booleans(),
    top=st.sampled_from([5, NARROW - 1, NARROW, 2**40]),
)
def test_the_kernel_gives_what_is_defined(seed, dtype, count, blocks, length, tables, whole, top) -> None:
    rng = np.random.default_rng(seed)
    x = rows(rng, dtype, count, blocks * length)
    table = packed(rng.integers(0, top + 1, (tables, length))) if tables else None
    found = reach(x, table, whole=whole)
    assert found.dtype == np.int64
    known = np.zeros((0, x.shape[1]), np.int64) if table is None else table
    assert (found == reach_defined(x, known, whole=whole)).all()


def test_a_table_of_16_bits_is_right_up_to_the_last_number_that_fits() -> None:
    table = packed(np.full((1, CHUNK), NARROW - 1))
    assert table.dtype == np.uint16
    assert packed(np.full((1, CHUNK), NARROW)).dtype == np.int64
    assert reach(np.ones((1, 3 * CHUNK)), table)[0, -1] == 3 * CHUNK * (NARROW - 1)


def test_one_number_after_the_other_counted_by_hand() -> None:
    x = np.array([[0.0, 2.0, -3.0, 0.0], [1.0, 0.0, 0.0, -0.0]])
    table = packed(np.array([[10, 20], [1, 0]]))
    #                 events nans total charge            by the first table, by the second
    assert reach(x, table, whole=True).tolist() == [[2, 0, 5, 2 * 20 + 3 * 10, 30, 1], [1, 0, 1, 10, 10, 1]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_is_seen_and_infinity_is_a_value(dtype: str) -> None:
    x = np.array([[np.nan, 0, np.inf], [0, -np.inf, 0]], dtype)
    assert reach(x)[:, [EVENTS, NANS]].tolist() == [[2, 1], [1, 0]]


@pytest.mark.parametrize(("cores", "shared"), [(2, False), (4, True)])
def test_many_rows_are_counted_on_all_cores_where_there_are_many(
    monkeypatch: pytest.MonkeyPatch, cores: int, shared: bool
) -> None:
    seen = []
    plain = module.reach_range
    monkeypatch.setattr(module, "reach_range", lambda *a: (seen.append(a[-2:]), plain(*a)))
    monkeypatch.setattr(threads, "thread_count", lambda: cores)
    x = rows(np.random.default_rng(0), "uint8", 64, 1 << 15)
    assert (reach(x) == reach_defined(x, np.zeros((0, 1 << 15), np.int64))).all()
    assert (len(seen) > 1) == shared


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from([*COMPILED, "float16", "int16"]),
    length=st.sampled_from([0, 1, CHUNK - 1, CHUNK + 5, BLOCK + 3]),
)
def test_a_tally_is_what_is_defined(seed, dtype, length) -> None:
    (x,) = rows(np.random.default_rng(seed), dtype, 1, length)
    assert tally(x) == (np.count_nonzero(x), 0)
    assert tally(x, ones=True) == (np.count_nonzero(x), int(((x != 0) & (x != 1)).sum()))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_tally_sees_what_is_no_number(dtype: str) -> None:
    x = np.array([np.nan, 0, np.inf, 1], dtype)
    assert tally(x) == (3, 1)
    assert tally(x, ones=True) == (3, 2)
