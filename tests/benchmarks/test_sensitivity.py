"""What if a constant had another value."""

import pytest
from spikeport.benchmarks.rules import bill
from spikeport.benchmarks.sensitivity import sensitivity
from spikeport.benchmarks.twin import twin_count
from spikeport.toolchain.errors import UsageError
from support.made_counts import linear, network

COUNTS = network(a=linear(1000, first=True, carries="macs"), b=linear(4000, rate=0.25))


def test_one_row_for_each_value_with_every_network() -> None:
    rows = sensitivity({"ours": COUNTS, "twin": twin_count(COUNTS)}, "paper", what={"ac": [0.1, 0.9], "mac": [3.2]})
    assert [(row.constant, row.pj, row.rule, row.profile) for row in rows] == [
        ("ac", 0.1, "paper", "45nm-fp32"), ("ac", 0.9, "paper", "45nm-fp32"), ("mac", 3.2, "paper", "45nm-fp32"),
    ]  # fmt: skip
    assert [row.totals["ours"] for row in rows] == pytest.approx([4600 + 100, 4600 + 900, 3200 + 900])
    assert [row.totals["twin"] for row in rows] == pytest.approx([23000, 23000, 16000])


def test_the_value_of_the_profile_gives_the_bill_itself() -> None:
    row = sensitivity(COUNTS, "strict", "45nm-int8", {"ac": [0.03]})[0]
    assert row.totals == {"made": pytest.approx(bill(COUNTS, "strict", "45nm-int8").pj)}


def test_without_a_question_it_tries_prices_of_an_ac() -> None:
    rows = sensitivity(COUNTS, "paper")
    assert {row.constant for row in rows} == {"ac"}
    assert [row.totals["made"] for row in rows] == sorted(row.totals["made"] for row in rows)


def test_a_constant_that_the_profile_lacks_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^what if: 'ac'; expected one of synaptic_event, neuron_active"):
        sensitivity(COUNTS, "chip:loihi1", what={"ac": [0.1]})
