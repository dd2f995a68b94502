"""What quantising refuses, each with its reason and what to do, and what it does almost once that is allowed."""

import numpy as np
import pytest
from spikeport.toolchain.errors import Refused, UsageError
from spikeport.toolchain.graph import Graph, Wire, chain, later
from spikeport.toolchain.graph.nodes import (
    IF,
    LIF,
    Add,
    Affine,
    Conv,
    CubaLIF,
    Input,
    LeakyIntegrator,
    Output,
    SumPool,
)
from spikeport.toolchain.loihi.places import read_places
from spikeport.toolchain.loihi.quantise import APPROXIMATIONS, quantise
from support.on_grid import one_layer
from support.random_graphs import random_graph

RNG = np.random.default_rng(0)


def test_an_approximation_is_refused_until_it_is_allowed_and_then_retuned():
    graph = one_layer(RNG.normal(0.05, 0.3, (30, 20)), LIF(beta=0.9, reset="subtract"))
    with pytest.raises(Refused) as caught:
        quantise(graph)
    assert str(caught.value) == (
        "net: refused for 1 reason:\n"
        "  - n: on the chip it resets to 0 where the graph subtracts the threshold: what was above it is lost. "
        "Allow it with --allow soft-reset"
    )
    x = (RNG.random((60, 8, 20)) < 0.4).astype(np.float32)
    _, plain = quantise(graph, allow=["soft-reset"])
    _, tuned = quantise(graph, allow=["soft-reset"], calibration=x)
    assert plain.approximations == (("n", "soft-reset"),)
    assert "n: uses soft-reset" in plain.text()
    assert "its threshold was retuned to" in tuned.text()
    assert tuned.layers[0].alone.chip_rate == pytest.approx(tuned.layers[0].alone.rate, rel=0.2)


APPROXIMATE = {
    "soft-reset": IF(reset="subtract"),
    "delayed-reset": IF(when="next"),
    "guarded-reset": IF(reset="subtract", when="guarded"),
    "v-reset": IF(v_reset=-0.5),
    "v-start": IF(v_start=0.5),
}


@pytest.mark.parametrize("name", APPROXIMATE)
def test_every_approximation_of_a_neuron_has_its_name(name):
    graph = one_layer(np.eye(2), APPROXIMATE[name])
    with pytest.raises(Refused, match=f"Allow it with --allow {name}"):
        quantise(graph)
    assert quantise(graph, allow=[name])[1].approximations == (("n", name),)


def test_a_bias_on_a_current_is_an_approximation_and_one_without_decay_is_refused():
    graph = one_layer(np.eye(2), CubaLIF(alpha=0.5, beta=0.5), bias=np.array([0.125, 0.25]))
    with pytest.raises(Refused, match="Allow it with --allow current-bias"):
        quantise(graph)
    chip, _ = quantise(graph, allow=["current-bias"])
    node = chip.nodes["n"]
    assert (node.bias * 2.0**node.bias_exponent / 64 / (node.threshold)).tolist() == pytest.approx(
        [0.25, 0.5], rel=1e-2
    )
    with pytest.raises(Refused, match="a bias on a current that never decays"):
        quantise(one_layer(np.eye(2), CubaLIF(alpha=1.0, beta=0.5), bias=np.ones(2)))


def test_a_loop_without_enough_delays_is_named_or_allowed():
    nodes = {"in": Input((2,), "spikes"), "sum": Add(), "a": IF(threshold=1.5), "fc": Affine(np.eye(2)), "b": IF()}
    wires = {"sum": (Wire("in"), later("b")), "a": (Wire("sum"),), "fc": (Wire("a"),), "b": (Wire("fc"),)}
    graph = Graph({**nodes, "out": Output()}, {**wires, "out": (Wire("b"),)}, name="ring")
    with pytest.raises(Refused) as caught:
        quantise(graph)
    assert "the loop " in str(caught.value)
    assert "takes 1 step more on the chip, where every synapse takes one" in str(caught.value)
    chip, report = quantise(graph, allow="loop-latency")
    assert "takes 1 more step" in report.text()
    assert read_places(chip)["b"].latency == 2


def test_reasons_come_all_at_once_with_the_node_and_what_to_do():
    nodes = [("in", Input((2, 4, 4), "spikes")), ("conv", Conv(np.ones((2, 2, 1, 1)))), ("n", IF(emit="charge"))]
    more = [("pool", SumPool((2, 2))), ("m", LIF(beta=1.5)), ("k", IF(reset="none")), ("out", Output())]
    with pytest.raises(Refused) as caught:
        quantise(chain([*nodes, *more], name="net"))
    assert {reason.where for reason in caught.value.reasons} == {"n", "m", "k"}
    assert all(reason.fix for reason in caught.value.reasons)


def test_a_voltage_that_a_layer_reads_is_refused():
    nodes = [("in", Input((2,), "spikes")), ("v", LeakyIntegrator(beta=0.5)), ("n", IF()), ("out", Output())]
    with pytest.raises(Refused, match="v: 'n' reads its voltage"):
        quantise(chain(nodes))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bits": 9}, "bits: 9; expected 2 to 8"),
        ({"allow": ["soft"]}, "allow: 'soft'; expected soft-reset, "),
        ({"target": "spinnaker"}, "target: 'spinnaker'; expected lava or netx"),
        ({"reset_interval": 0}, "reset_interval: 0; expected a number of steps, at least 1"),
    ],
)
def test_what_was_asked_for_is_checked(arguments, message):
    with pytest.raises(UsageError) as caught:
        quantise(one_layer(np.eye(2), IF()), **arguments)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("seed", range(40))
def test_any_graph_is_quantised_or_refused_with_what_to_do(seed):
    graph = random_graph(np.random.default_rng(seed))
    for target in ("lava", "netx"):
        reasons = ()
        try:
            _, report = quantise(graph, allow=APPROXIMATIONS, target=target)
            report.text()
        except Refused as refused:
            reasons = refused.reasons
        assert all(reason.where and reason.found and reason.fix for reason in reasons)
