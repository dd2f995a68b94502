"""Energies add, by line; the spread over rules is the uncertainty."""

import pytest
from hypothesis import given, settings
from spikeport.benchmarks.energy import Energy, Line, spread
from spikeport.benchmarks.operations import OpCount
from spikeport.benchmarks.profile import load_profile
from spikeport.benchmarks.rules import RULES, bill
from spikeport.toolchain.errors import UsageError
from support.made_counts import linear, network, op_counts

MAC = load_profile("45nm-fp32").constant("mac")


def test_energies_add_line_by_line_and_are_per_sample() -> None:
    one = Energy("strict", "45nm-fp32", (Line("a", "synapses", "MAC", 10, MAC),), 1, ("memory",))
    two = Energy("strict", "45nm-fp32", (Line("a", "synapses", "MAC", 20, MAC), Line("b", "bias", "MAC", 3, MAC)), 2,
                 ("memory", "resets"))  # fmt: skip
    both = one + two
    assert (both.samples, both.unbilled) == (3, ("memory", "resets"))
    assert [(line.layer, line.count) for line in both.lines] == [("a", 30), ("b", 3)]
    assert both.pj == pytest.approx(4.6 * 33 / 3)
    assert both.mj == pytest.approx(both.pj * 1e-9)


def test_energies_of_two_rules_do_not_add() -> None:
    with pytest.raises(UsageError, match=r"^energy: a sum of paper on 45nm-fp32; expected strict on 45nm-fp32"):
        _ = bill(network(a=linear(1)), "strict") + bill(network(a=linear(1)), "paper")


@settings(deadline=None, max_examples=30)
@given(op_counts())
def test_the_sum_does_not_depend_on_the_order(counts: OpCount) -> None:
    first, second = bill(counts, "events"), bill(counts + counts, "events")
    assert (first + second).pj == pytest.approx((second + first).pj)
    assert ((first + second) + first).pj == pytest.approx((first + (second + first)).pj)


def test_the_spread_names_the_least_and_the_most() -> None:
    counts = network(a=linear(1000, first=True, carries="macs"), b=linear(4000, rate=0.25))
    found = spread(bill(counts, rule) for rule in RULES)
    assert found.least.rule == "bits"
    assert found.most.rule == "chip:spinnaker1"
    assert found.ratio == pytest.approx(found.most.pj / found.least.pj)
    assert spread([bill(counts, "paper")]).ratio == 1


def test_the_spread_of_nothing_is_refused_and_that_of_0_is_infinite() -> None:
    with pytest.raises(UsageError, match=r"^spread: no energies; expected at least one"):
        spread([])
    nothing, something = network(a=linear(10, rate=0)), network(a=linear(10))
    assert spread([bill(nothing, "strict"), bill(something, "strict")]).ratio == float("inf")
    assert spread([bill(nothing, "strict")]).ratio == 1
