"""Break-even with a quantised ANN of equal bits, worked out by hand."""

import pytest
from spikeport.benchmarks.break_even import break_even, equal_bits
from spikeport.benchmarks.operations import Facts, LayerCount, OpCount, Ops, Pairs
from spikeport.benchmarks.profile import load_profile
from support.made_counts import linear, network, times

NEURONS = LayerCount(Facts("LIF", "neurons"), Ops(updates={"LIF": 40}, comparisons=40))


@pytest.mark.parametrize(
    ("steps", "bits"), [(1, 1), (2, 2), (3, 2), (4, 3), (7, 3), (8, 4), (15, 4), (16, 5), (5.5, 3)]
)
def test_t_steps_say_as_much_as_that_many_bits(steps: float, bits: int) -> None:
    assert equal_bits(steps) == bits


@pytest.mark.parametrize("steps", [1, 4, 5, 16])
def test_the_rate_is_the_ratio_of_the_energies(steps: int) -> None:
    rows = break_even(times(network(a=linear(1000, rate=0.25)), steps))
    bits = equal_bits(steps)
    mac, ac = 0.2 * 8 * bits / 64 + 0.03, 0.03
    assert [row.layer for row in rows] == ["a"]
    assert rows[0].below == pytest.approx(1000 * mac / (steps * 1000 * ac)) == rows[0].below_with_neurons
    assert (rows[0].measured, rows[0].bits, rows[0].steps) == (0.25, bits, steps)


def test_at_the_rate_itself_both_cost_the_same() -> None:
    """Spikes at r*, priced at E_AC, are the MACs of one pass, priced at E_MAC."""
    steps, pairs = 16, 10_000
    row = break_even(times(network(a=linear(pairs)), steps))[0]
    ann = pairs * (0.2 * 8 * 5 / 64 + 0.03)
    assert row.below * steps * pairs * 0.03 == pytest.approx(ann)
    assert row.below < 1
    assert not row.wins
    assert break_even(times(network(a=linear(pairs, rate=row.below - 0.01)), steps))[0].wins
    assert not break_even(times(network(a=linear(pairs, rate=row.below + 0.01)), steps))[0].wins


def test_neurons_lower_the_rate_and_may_leave_none() -> None:
    few = break_even(network(a=linear(1000, rate=0.1), n=NEURONS, b=linear(1000, rate=0.1)))
    neurons = 40 * (0.2 + 0.03 + 0.03) - 40 * 0.03
    assert few[0].below_with_neurons == pytest.approx(few[0].below - neurons / (1000 * 0.03))
    assert few[1].below_with_neurons == few[1].below, "neurons belong to the layer before them"
    many = break_even(network(a=linear(10, rate=0), n=NEURONS))[0]
    assert (many.below_with_neurons, many.wins, many.wins_with_neurons) == (0, True, False)


def test_integers_count_as_often_as_they_are_large() -> None:
    layer = LayerCount(linear(10).facts, Ops(integer_acs=Pairs(10, 10, 4, 4, 12), received=10, events=4))
    assert break_even(network(a=layer))[0].measured == pytest.approx(1.2)


def test_layers_of_real_numbers_have_no_row() -> None:
    counts = network(first=linear(10, carries="macs", first=True), second=linear(10), n=NEURONS)
    assert [row.layer for row in break_even(counts)] == ["second"]
    assert break_even(network(n=NEURONS)) == ()
    both = LayerCount(linear(10).facts, Ops(acs=Pairs(10, 10, 5, 5, 5), macs=Pairs(10, 10, 5, 5)))
    assert break_even(network(both=both)) == ()


def test_the_widths_are_those_of_the_profile() -> None:
    profile = load_profile("45nm-int8").replaced(weight_bits=4)
    row = break_even(network(a=linear(100)), profile)[0]
    assert row.below == pytest.approx((0.2 * 4 * 1 / 64 + 0.03 / 2) / (0.03 / 2))
    free = load_profile("45nm-int8").replaced(add=0)
    assert break_even(network(a=linear(100)), free)[0].below == float("inf")


def test_steps_are_those_of_one_sample() -> None:
    two = OpCount("made", "graph", {"a": linear(1000)}, samples=2, steps=8)
    assert break_even(two)[0].steps == 4
