"""The ANN twin: everything dense and real, once or in every step."""

import pytest
from hypothesis import given, settings
from spikeport.benchmarks.operations import Facts, LayerCount, OpCount, Ops, Pairs
from spikeport.benchmarks.profile import load_profile
from spikeport.benchmarks.rules import bill
from spikeport.benchmarks.twin import twin_count
from spikeport.toolchain.errors import UsageError
from support.made_counts import linear, network, op_counts, times


def spiking() -> OpCount:
    """Four steps of a small network."""
    sent = {"sent": 10, "sent_events": 2, "updates": {"LIF": 10}, "active": 3, "comparisons": 10, "resets": 2}
    neurons = LayerCount(Facts("LIF", "neurons", ("spikes",)), Ops(received=10, events=3, **sent))
    readout = LayerCount(Facts("LeakyIntegrator", "neurons"), Ops(received=2, updates={"LeakyIntegrator": 2}))
    pool = LayerCount(Facts("SumPool", "pool", ("spikes",)), Ops(acs=Pairs(20, 24, 3, 3, 3), received=20, events=3))
    return times(network(a=linear(100, rate=0.1), n=neurons, pool=pool, b=linear(30, rate=0.5), out=readout), 4)


def test_one_pass_has_every_pair_once() -> None:
    twin = twin_count(spiking())
    assert (twin.samples, twin.steps) == (1, 1)
    assert twin.layers["a"].ops.macs == Pairs(100, 100, 100, 100)
    assert twin.layers["a"].ops.acs == Pairs()
    assert twin.layers["a"].ops.rate == 1
    assert twin.layers["a"].facts.carries == ("graded",)
    assert twin.layers["pool"].ops == Ops(received=20, events=20, adds=20)
    relu, readout = twin.layers["n"], twin.layers["out"]
    assert (relu.facts.kind, relu.facts.role, relu.ops.comparisons) == ("ReLU", "elementwise", 10)
    assert (readout.facts.kind, readout.ops.comparisons) == ("Identity", 0)
    assert not twin.total.updates
    assert not twin.total.sent
    assert "made" in twin.network


def test_every_step_has_it_in_every_step() -> None:
    once, every = twin_count(spiking()), twin_count(spiking(), "all")
    assert (every.samples, every.steps) == (1, 4)
    assert every.total.macs.dense == 4 * once.total.macs.dense == 4 * 130
    assert every.total.comparisons == 4 * once.total.comparisons


@pytest.mark.parametrize("rule", ["paper", "pasnet", "strict", "neurobench"])
def test_the_twin_is_billed_as_an_ann(rule: str) -> None:
    profile = load_profile("45nm-fp32")
    mac = bill(twin_count(spiking()), rule, profile).by_kind()["synapses"]
    assert mac == pytest.approx(4.6 * 130)


def test_a_spiking_network_at_rate_1_with_one_price_is_its_twin_in_every_step() -> None:
    counts = times(network(a=linear(100), b=linear(30)), 4)
    profile = load_profile("45nm-fp32").replaced(ac=4.6)
    for rule in ("paper", "strict", "events", "neurobench", "neurobench-dense"):
        twin = bill(twin_count(counts, "all"), rule, profile).pj
        assert bill(counts, rule, profile).pj == pytest.approx(twin) == pytest.approx(4.6 * 130 * 4)


@settings(deadline=None, max_examples=40)
@given(op_counts())
def test_a_twin_of_a_twin_is_the_twin(counts: OpCount) -> None:
    twin = twin_count(counts, "all")
    assert twin_count(twin, "all").layers == twin.layers
    assert not twin.total.acs.dense
    assert not twin.total.integer_acs.dense
    assert twin.total.macs.dense == sum(
        each.ops.pairs.dense for each in counts.layers.values() if each.facts.role in ("synapses", "products")
    )


def test_it_runs_once_or_in_all_steps() -> None:
    with pytest.raises(UsageError, match=r"^twin: steps 'two'; expected one or all$"):
        twin_count(spiking(), "two")  # type: ignore[arg-type]
