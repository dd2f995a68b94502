"""Whatever the counts: every rule on every profile that it accepts gives a number, adds, and is linear."""

from math import isfinite

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spikeport.benchmarks.break_even import break_even
from spikeport.benchmarks.energy import KINDS
from spikeport.benchmarks.operations import Facts, LayerCount, OpCount, Ops
from spikeport.benchmarks.profile import CONSTANTS, PROFILES, load_profile
from spikeport.benchmarks.rules import RULES, accepts, bill
from spikeport.benchmarks.twin import twin_count
from spikeport.toolchain.errors import UsageError
from support.made_counts import network, op_counts, times

LOADED = {name: load_profile(name) for name in PROFILES}
PAIRS = [(rule, profile) for rule in RULES for profile in PROFILES if accepts(rule, LOADED[profile])]
WHATEVER = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])


def billed(counts: OpCount) -> list[tuple[str, str]]:
    """The pairs of rule and profile that say something about these counts."""
    return [(rule, profile) for rule, profile in PAIRS if not RULES[rule].refuses(counts)]


def test_every_rule_says_what_it_is() -> None:
    for name, rule in RULES.items():
        assert name == rule.name
        assert rule.text.endswith(".")
        assert rule.formula.startswith("E = ")
        assert len(rule.source) > 10
        assert set(rule.needs) <= {*CONSTANTS, "sram"}
        assert accepts(name, LOADED[rule.profile]), "the profile that it is meant for lacks a constant"


def test_every_profile_has_a_rule_that_is_meant_for_it_or_accepts_it() -> None:
    assert {profile for _, profile in PAIRS} == set(PROFILES)


@WHATEVER
@given(op_counts())
def test_a_bill_is_a_number_that_is_not_negative_with_a_source_on_every_line(counts: OpCount) -> None:
    for rule, profile in billed(counts):
        energy = bill(counts, rule, LOADED[profile])
        assert isfinite(energy.pj)
        assert energy.pj >= 0
        for line in energy.lines:
            assert line.count > 0
            assert line.kind in KINDS
            assert line.layer in counts.layers
            assert line.constant.source
        assert sum(energy.by_layer().values()) == pytest.approx(energy.pj)
        assert sum(energy.by_kind().values()) == pytest.approx(energy.pj)
        assert len(set(energy.unbilled)) == len(energy.unbilled)


@WHATEVER
@given(op_counts(), st.integers(2, 5))
def test_a_bill_is_linear_in_the_counts(counts: OpCount, factor: int) -> None:
    more = times(counts, factor)
    for rule, profile in billed(counts):
        once = bill(counts, rule, LOADED[profile])
        assert bill(more, rule, LOADED[profile]).pj == pytest.approx(factor * once.pj)


@WHATEVER
@given(op_counts())
def test_bills_of_samples_add_to_the_bill_of_the_sum(counts: OpCount) -> None:
    for rule, profile in billed(counts):
        energy = bill(counts, rule, LOADED[profile])
        both, added = bill(counts + counts, rule, LOADED[profile]), energy + energy
        assert added.samples == both.samples == 2 * counts.samples
        assert added.pj == pytest.approx(both.pj) == pytest.approx(energy.pj)
        assert added.unbilled == both.unbilled == energy.unbilled
        assert len(added.lines) == len(both.lines) == len(energy.lines)


@WHATEVER
@given(op_counts(), st.sampled_from(PAIRS))
def test_dearer_constants_make_no_bill_smaller(counts: OpCount, pair: tuple[str, str]) -> None:
    rule, name = pair
    if not RULES[rule].refuses(counts):
        profile = LOADED[name]
        dearer = profile.replaced(**{key: 2 * each.pj for key, each in profile.constants.items()})
        assert bill(counts, rule, dearer).pj == pytest.approx(2 * bill(counts, rule, profile).pj)


@WHATEVER
@given(op_counts())
def test_what_neither_layer_did_nobody_is_billed_for(counts: OpCount) -> None:
    nothing = {name: LayerCount(each.facts) for name, each in counts.layers.items()}
    empty = OpCount(counts.network, counts.road, nothing, counts.samples, counts.steps)
    for rule, profile in billed(empty):
        assert bill(empty, rule, LOADED[profile]).lines == ()


def test_a_network_without_synapses_costs_its_neurons_and_is_no_network_for_a_chip() -> None:
    neurons = Ops(received=12, events=5, sent=12, sent_events=3, updates={"IF": 12}, active=5, comparisons=12, resets=3)
    counts = network(lif=LayerCount(Facts("IF", "neurons", ("spikes",), n_in=12, n_out=12), neurons))
    for rule in ("paper", "strict", "neurobench", "neurobench-dense", "bits", "pasnet"):
        assert bill(counts, rule).lines == ()
    assert bill(counts, "events").by_kind() == pytest.approx({"neurons": 24 * 0.9, "reset": 3 * 0.9})
    assert set(bill(counts, "lemaire").by_kind()) == {"reset", "memory"}
    for rule in (name for name in RULES if name.startswith("chip:")):
        with pytest.raises(UsageError, match="no layer reads spikes or integers"):
            bill(counts, rule)
    assert break_even(counts) == ()
    assert twin_count(counts).total.comparisons == 12
