"""Networks of rates: values rounded to the nearest rate, errors that fall with the steps, steps that a budget takes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.toolchain.errors import Refused, SpikeportError, UsageError
from spikeport.toolchain.graph import chain
from spikeport.toolchain.graph.nodes import IF, Activation, Affine, Input, Output
from spikeport.toolchain.simulate import simulate
from spikeport.toolchain.spiking import balancing, spiking
from spikeport.toolchain.spiking.rate import with_rates
from spikeport.toolchain.spiking.relus import relus_of
from support.relu_networks import film, relu_network


def one_layer(function="relu", **parameters):
    nodes = [("x", Input((16,))), ("fc", Affine(np.eye(16))), ("act", Activation(function, parameters or None))]
    return chain([*nodes, ("y", Output())])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 60), st.floats(0.1, 3.0))
def test_a_rate_is_its_value_rounded_to_the_nearest(seed, steps, level):
    z = np.random.default_rng(seed).uniform(-1.5, 1.5, (1, 2, 16)) * level
    graph = with_rates(relus_of(one_layer(), rates=True), {"act": level})
    found = simulate(graph, np.repeat(z, steps, 0), dtype="float64").outputs["y"]
    assert np.abs(found - np.clip(z[0], 0, level)).max() <= level / (2 * steps) * (1 + 1e-9)


def test_a_clip_is_a_neuron_that_can_spike_no_more():
    graph = with_rates(relus_of(one_layer("clip", low=0.0, high=0.5), rates=True), {"act": 4.0})
    assert float(graph.nodes["act"].threshold) == 0.5
    x = np.full((32, 1, 16), 3.0)
    assert np.allclose(simulate(graph, x).outputs["y"], 0.5)


@pytest.mark.parametrize("seed", [0, 1, 4])
def test_the_error_falls_as_one_by_the_steps(seed, monkeypatch):
    monkeypatch.setattr(balancing, "PERCENTILES", (100.0,))
    graph = relu_network(seed)
    x = film(graph, seed, steps=1, batch=4)
    curve = spiking(graph, x, neurons="if", budget=0.5, steps=160).report.curve
    early, late = (np.mean([point.error for point in curve[at // 2 : at]]) for at in (16, 160))
    assert late < early / 5


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 100_000))
def test_as_many_steps_are_taken_as_the_budget_takes(seed):
    graph = relu_network(seed)
    x = film(graph, seed, steps=1)
    made = spiking(graph, x, neurons="if", budget=0.1)
    steps = made.report.steps
    wanted = simulate(graph, x).outputs["out"][0]
    found = simulate(made.graph, np.repeat(x, steps, 0)).outputs["out"]
    assert np.sqrt(((found - wanted) ** 2).mean() / (wanted**2).mean()) <= 0.1 * 1.001
    assert made.report.error <= 0.1 < max([point.error for point in made.report.curve[:-1]], default=1.0)
    assert all(isinstance(made.graph.nodes[each.name], IF) for each in made.report.senders)


def test_a_percentile_cuts_off_the_few_that_are_much_larger():
    graph = one_layer()
    x = np.random.default_rng(1).uniform(0, 1, (1, 500, 16))
    x[0, 0, 0] = 5.0
    report = spiking(graph, x, neurons="if", budget=0.5, steps=16).report
    assert report.senders[0].threshold < 2
    assert "a threshold is the 99.9" in report.text()


def test_inputs_can_be_spikes_too():
    graph = relu_network(2)
    x = film(graph, 2, steps=1)
    made = spiking(graph, x, neurons="if", budget=0.2, inputs="spikes")
    assert made.report.senders[0].name == "in.spikes"
    assert made.report.within
    with pytest.raises(Refused, match="in: values down to -"):
        spiking(graph, -x, neurons="if", inputs="spikes")


def test_messages(monkeypatch):
    monkeypatch.setattr(balancing, "MOST", 64)
    graph = relu_network(1)
    with pytest.raises(UsageError, match=r"calibration: samples of 4 steps; .* as x\[-1:\]"):
        spiking(graph, film(graph, 1, steps=4), neurons="if")
    with pytest.raises(UsageError, match="steps: 0; expected 1 to 512"):
        spiking(graph, film(graph, 1, steps=1), neurons="if", steps=0)
    with pytest.raises(SpikeportError, match=r"budget: 0.0001, and after 64 steps the error is .*; expected a larger"):
        spiking(graph, film(graph, 1, steps=1, batch=1), neurons="if", budget=1e-4)


def test_a_given_number_of_steps_is_taken_and_a_budget_that_is_missed_is_said():
    graph = relu_network(1)
    report = spiking(graph, film(graph, 1, steps=1), neurons="if", budget=0.001, steps=4).report
    assert report.steps == 4
    assert not report.within
    assert ", beyond 0.001, on 4 steps of 3 samples" in report.text()
