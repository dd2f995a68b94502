"""Statistics: against numbers of printed tables and against Python's own."""

import statistics as python

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.benchmarks.findings import Statistics
from spikeport.benchmarks.survey.statistics import SERIES, _expanded, _within, by_class, statistics, student
from spikeport.toolchain.errors import UsageError

#: Two-sided 95 % points of Student's distribution, as printed tables have them.
PRINTED = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 10: 2.228,
           15: 2.131, 20: 2.086, 29: 2.045, 30: 2.042, 40: 2.021, 60: 2.000, 120: 1.980, 1000: 1.962}  # fmt: skip


def test_student_is_what_tables_print() -> None:
    assert {freedom: round(student(freedom), 3) for freedom in PRINTED} == PRINTED
    assert student(10**9) == pytest.approx(1.959963984540054, abs=1e-8)


def test_series_and_expansion_meet() -> None:
    assert student(SERIES) == pytest.approx(_expanded(SERIES), abs=1e-11)
    assert student(SERIES + 1) < student(SERIES) < student(SERIES - 1)
    assert _within(student(7), 7) == pytest.approx(0.95, abs=1e-12)


def test_a_case_by_hand() -> None:
    """1, 2, 3, 4: mean 2.5, sd √(5/3), t(3) = 3.1824: 2.5 ∓ 3.1824·1.29099/2."""
    found = statistics(np.array([4, 1, 3, 2]))
    assert (found.samples, found.mean, found.least, found.most) == (4, 2.5, 1, 4)
    assert found.sd == pytest.approx(1.2909944487)
    assert (found.low, found.high) == pytest.approx((0.445739743, 4.554260257))


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(-1e12, 1e12), min_size=2, max_size=30))
def test_mean_and_spread_are_pythons(values: list[float]) -> None:
    found = statistics(np.array(values))
    size = max(map(abs, values))
    assert found.mean == pytest.approx(python.fmean(values), abs=1e-12 * size)
    assert found.sd == pytest.approx(python.stdev(values), rel=1e-6, abs=1e-9 * size)
    assert found.low <= found.mean <= found.high


def test_the_interval_holds_the_mean_as_often_as_it_says() -> None:
    source = np.random.default_rng(1)
    hits = [f.low <= 3 <= f.high for f in (statistics(source.normal(3, 2, 5)) for _ in range(4000))]
    assert 0.94 < np.mean(hits) < 0.96


def test_equal_samples_have_no_spread() -> None:
    assert statistics(np.full(3, 0.1)) == Statistics(3, 0.1, 0.0, 0.1, 0.1, 0.1, 0.1)
    assert statistics(np.array([7])) == Statistics(1, 7.0, 0.0, 7.0, 7.0, 7.0, 7.0)


def test_no_samples_are_refused() -> None:
    with pytest.raises(UsageError, match="statistics: no samples; expected at least one"):
        statistics(np.array([]))


def test_classes() -> None:
    values, labels = np.array([1.0, 2.0, 3.0, 10.0]), np.array([2, 0, 2, 0])
    found = by_class(values, labels, ("a", "b", "c"))
    assert list(found) == ["a", "c"]
    assert (found["a"].mean, found["c"].mean, found["a"].samples) == (6, 2, 2)
    assert by_class(values, None, ()) == {}
