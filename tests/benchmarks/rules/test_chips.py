"""Chips: spikes at synapses, neurons in every step, spikes sent; real numbers are said, never billed as spikes."""

import pytest
from spikeport.benchmarks.operations import Facts, LayerCount, OpCount, Ops, Pairs
from spikeport.benchmarks.profile import load_profile
from spikeport.benchmarks.rules import bill
from spikeport.toolchain.errors import UsageError
from support.made_counts import linear, network

NEURONS = LayerCount(
    Facts("LIF", "neurons"),
    Ops(updates={"LIF": 100}, active=30, comparisons=100, resets=5, sent=100, sent_events=5, received=100, events=30),
)


def spiking() -> OpCount:
    """A convolution of spikes, a matrix of integers, neurons."""
    conv = Facts("Conv", "synapses", ("spikes",), (3,), (1,), 1, (1, 2), 10, 20)
    matrix = Facts("Affine", "synapses", ("int[0,3]",))
    return network(
        conv=LayerCount(conv, Ops(acs=Pairs(100, 120, 50, 40, 50))),
        neurons=NEURONS,
        matrix=LayerCount(matrix, Ops(integer_acs=Pairs(100, 100, 20, 20, 33))),
    )


def test_loihi_1_by_the_table_of_davies() -> None:
    energy = bill(spiking(), "chip:loihi1")
    assert energy.profile == "loihi1"
    assert energy.by_layer() == pytest.approx(
        {"conv": 23.6 * 40, "matrix": 23.6 * 33, "neurons": 81 * 30 + 52 * 70 + 1.7 * 5}
    )
    assert energy.unbilled == ("hops between tiles: no placement on the chip is known",)


def test_hops_are_billed_where_a_placement_is_known() -> None:
    energy = bill(spiking(), "chip:loihi1", load_profile("loihi1").replaced(hops_ew=2, hops_ns=0.5))
    assert energy.by_kind()["hops"] == pytest.approx(5 * (1.7 + 2 * 3.0 + 0.5 * 4.0))
    assert energy.unbilled == ()


def test_loihi_1_as_sanafe_describes_it() -> None:
    profile = load_profile("loihi1-sanafe").replaced(destinations=2, hops_ew=1)
    energy = bill(spiking(), "chip:loihi1-sanafe", profile)
    neurons = 51.2 * 100 + 21.6 * 30 + 5 * (69.3 + 2 * (111 + 3.0))
    assert energy.by_layer() == pytest.approx({"conv": 24.0 * 40, "matrix": 35.5 * 33, "neurons": neurons})


def test_truenorth_has_one_price_and_says_where_it_holds() -> None:
    energy = bill(spiking(), "chip:truenorth")
    assert energy.pj == pytest.approx(26 * 73)
    assert energy.unbilled[-1].startswith("operating point: ")


@pytest.mark.parametrize(("number", "event", "update"), [(1, 13300, 26000), (2, 450, 2190)])
def test_spinnaker(number: int, event: float, update: float) -> None:
    assert bill(spiking(), f"chip:spinnaker{number}").pj == pytest.approx(event * 73 + update * 100)


def test_layers_of_real_numbers_are_named() -> None:
    counts = network(first=linear(10, carries="macs"), second=linear(10))
    energy = bill(counts, "chip:loihi1")
    assert energy.pj == pytest.approx(236)
    assert "first: reads real numbers, the chip spikes" in energy.unbilled


def test_a_network_without_spikes_is_refused() -> None:
    counts = network(a=linear(10, carries="macs"), b=linear(10, carries="macs"))
    with pytest.raises(UsageError) as caught:
        bill(counts, "chip:loihi1")
    assert str(caught.value) == (
        "rule chip:loihi1: made: no layer reads spikes or integers; expected a network of spikes. Choose another rule"
    )
