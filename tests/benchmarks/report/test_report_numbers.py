"""Numbers and names as a reader sees them."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.benchmarks.report import contents
from spikeport.benchmarks.report.text import energy, listed, percent, printable, scale, short, shortened, times, whole
from support.made_findings import made


@pytest.mark.parametrize(
    ("pj", "shown"),
    [(0.9, "0.900 pJ"), (1.0, "1.000 pJ"), (999.99, "1.000 nJ"), (40_720_855.4, "40.72 µJ"), (2.4376e9, "2.438 mJ"),
     (0.0, "0.000 pJ"), (3e12, "3.000 J"), (0.0001, "<0.001 pJ"), (123_456e12, "123,456 J")],
)  # fmt: skip
def test_one_energy_has_its_unit_and_four_digits(pj: float, shown: str) -> None:
    assert energy(pj) == shown


def test_a_column_has_one_unit_that_its_smallest_number_can_be_read_in() -> None:
    unit = scale([40.72e6, 2437.67e6, 0.0])
    assert (unit.unit, unit.text(40.7208e6), unit.text(2437.6697e6)) == ("µJ", "40.72", "2,437.67")
    assert unit.either(40.72e6, 3.9e6) == "40.72 ± 3.90"
    assert scale([]).unit == "pJ"
    assert scale([5.0, 7e12]).text(5.0) == "<0.01"


@settings(deadline=None, max_examples=200)
@given(st.lists(st.floats(0, 1e18), min_size=1, max_size=5))
def test_nothing_above_0_is_shown_as_0_and_every_number_is_near(values: list[float]) -> None:
    unit = scale(values)
    for value in values:
        shown = unit.text(value)
        if shown.startswith("<"):
            assert 0 < value < float(shown[1:]) * unit.pj
        else:
            assert math.isclose(
                float(shown.replace(",", "")) * unit.pj, value, abs_tol=0.51 * 10**-unit.digits * unit.pj
            )
            assert value == 0 or float(shown.replace(",", "")) > 0


def test_counts_shares_and_ratios() -> None:
    assert [short(n) for n in (0, 7, 999, 1000, 52_994, 8_075_500_000)] == ["0", "7", "999", "1 k", "53 k", "8.08 G"]
    assert [percent(s) for s in (0.0, 0.0854, 0.00001, 1.0)] == ["0.00 %", "8.54 %", "<0.01 %", "100.00 %"]
    assert [times(r) for r in (5.678, 159.2, math.inf)] == ["5.68×", "159×", "–"]
    assert [whole(n) for n in (3, 3.0, 2.5)] == ["3", "3", "2.5"]
    assert listed(["a, b", "c", "d"]) == "a, b; c and d"
    assert [listed(n) for n in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]


def test_every_character_can_be_seen() -> None:
    assert printable("a\nb\x07\u202e\udcff µ日") == r"a\nb\x07\u202e\udcff µ日"
    assert shortened("layer4.2.conv3.weight", 11) == "layer…eight"
    assert shortened("conv1", 5) == "conv1"


def test_a_convention_says_all_that_it_counted_and_what_it_divides_by() -> None:
    rows = {row[0]: row[2] for row in contents.conventions(made()).rows}
    assert rows["neurobench"] == (
        "ACs 11,902,118; MACs 0; Dense 152,874,000; divided by 2, its first axis, it prints ACs 5,951,059; MACs 0; "
        "Dense 76,437,000"
    )
    assert rows["mmcv"] == "FLOPs 160,334,000; printed as 160.33 MFLOPs"
    assert rows["torch"] == "FLOPs 317,980,672"
