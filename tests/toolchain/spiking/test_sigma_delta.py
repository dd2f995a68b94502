"""Sigma-delta networks: the ReLU network in every step without thresholds, and within the budget with them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.toolchain.errors import UsageError
from spikeport.toolchain.graph import chain
from spikeport.toolchain.graph.nodes import Activation, Affine, Delta, Input, Output, Sigma, SigmaDelta
from spikeport.toolchain.simulate import simulate
from spikeport.toolchain.spiking import spiking
from spikeport.toolchain.spiking.relus import relus_of
from spikeport.toolchain.spiking.sigma_delta import coders_of
from support.relu_networks import film, relu_network


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 100_000), st.sampled_from(["graded", "spikes"]))
def test_without_thresholds_every_step_is_that_of_the_relus(seed, carries):
    graph = relu_network(seed, carries)
    x = film(graph, seed)
    made = coders_of(relus_of(graph, rates=False)).with_thresholds({})
    wanted = simulate(graph, x, dtype="float64").outputs["out"]
    np.testing.assert_allclose(simulate(made, x, dtype="float64").outputs["out"], wanted, rtol=1e-9, atol=1e-9)
    kinds = {node.kind for node in made.nodes.values()}
    assert {"Delta", "SigmaDelta", "Sigma"} <= kinds
    assert "Activation" not in kinds


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 100_000), st.sampled_from([0.01, 0.1, 0.3]))
def test_the_budget_is_kept_in_every_step_of_the_calibration(seed, budget):
    graph = relu_network(seed)
    x = film(graph, seed)
    made = spiking(graph, x, budget=budget)
    wanted = simulate(graph, x, dtype="float64").outputs["out"]
    off = simulate(made.graph, x, dtype="float64").outputs["out"] - wanted
    errors = np.sqrt((off**2).mean((1, 2)) / (wanted**2).mean())
    assert errors.max() <= budget * 1.001
    assert made.report.within
    np.testing.assert_allclose([point.error for point in made.report.curve], errors, rtol=1e-3, atol=1e-5)


def test_a_larger_budget_saves_more_messages():
    graph = relu_network(3)
    x = film(graph, 3)
    found = [spiking(graph, x, budget=budget).report for budget in (0.01, 0.05, 0.2)]
    sent = [report.sent for report in found]
    assert sent == sorted(sent, reverse=True)
    assert sent[2] < 0.7 * sent[0]
    thetas = [max(sender.threshold for sender in report.senders) for report in found]
    assert thetas == sorted(thetas)


@pytest.mark.parametrize("values", [2, 3])
def test_inputs_of_a_few_values_do_not_take_the_budget_of_all(values):
    """They lose nothing up to a threshold, and everything beyond it."""
    graph = relu_network(3)
    x = np.random.default_rng(1).integers(0, values, film(graph, 3).shape).astype(np.float32)
    loose, tight = (spiking(graph, x, budget=budget).report for budget in (0.1, 1e-5))
    assert loose.within
    assert loose.sent < 0.95 * tight.sent
    assert 0 < loose.senders[0].threshold <= 1


def test_what_stands_still_sends_nothing_more():
    graph = relu_network(5)
    x = np.repeat(film(graph, 5, steps=1), 4, 0)
    made = spiking(graph, x, budget=0.05).graph
    senders = [name for name, node in made.nodes.items() if isinstance(node, (Delta, SigmaDelta))]
    trace = simulate(made, x, record=senders)
    assert all(np.count_nonzero(trace[name].values[0]) for name in senders)
    assert not any(np.count_nonzero(trace[name].values[2:]) for name in senders)


def test_names_biases_and_clips_are_where_one_looks_for_them():
    nodes = [
        ("x", Input((2,))),
        ("fc", Affine(np.eye(2), np.array([0.5, -0.5]))),
        ("act", Activation("clip", {"low": 0.0, "high": 6.0})),
        ("last", Affine(np.ones((1, 2)), np.array([0.25]))),
        ("y", Output("last")),
    ]
    made = coders_of(relus_of(chain(nodes), rates=False)).with_thresholds({"x": 0.1, "act": 0.2})
    assert {name: node.kind for name, node in made.nodes.items() if node.kind not in ("Affine", "Input", "Output")} == {
        "x.delta": "Delta",
        "act.below": "SigmaDelta",
        "act.above": "SigmaDelta",
        "act.less": "Scale",
        "act": "Add",
        "y.sigma": "Sigma",
        "y.bias": "Scale",
    }
    assert made.nodes["act.below"].bias.tolist() == [0.5, -0.5]
    assert made.nodes["act.above"].bias.tolist() == [-5.5, -6.5]
    assert made.nodes["fc"].bias is None
    assert made.nodes["y"].readout == "last"
    assert isinstance(made.nodes["y.sigma"], Sigma)


def test_labels_give_an_accuracy_in_every_step():
    graph = relu_network(7)
    x = film(graph, 7, batch=6)
    labels = simulate(graph, x).outputs["out"][-1].argmax(1)
    report = spiking(graph, x, budget=0.05, labels=labels).report
    assert report.curve[-1].before == 1.0
    assert all(0 <= point.accuracy <= 1 for point in report.curve)
    assert "accuracy" in report.text()
    assert "accuracy" not in spiking(graph, x, budget=0.05).report.text()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"budget": 1e-9}, "budget: 1e-09, and rounding alone makes"),
        ({"budget": 0}, "budget: 0; expected an error between 0 and 1"),
        ({"neurons": "lif"}, "neurons: 'lif'; expected sigma-delta or if"),
        ({"steps": 3}, "steps: for sigma-delta neurons; expected it beside neurons='if'"),
        ({"inputs": "spikes"}, "inputs: for sigma-delta neurons"),
        ({"inputs": "rates"}, "inputs: 'rates'; expected current or spikes"),
        ({"labels": np.zeros(2, int)}, r"labels: int64 of shape \[2\]; expected 3 whole numbers"),
        ({"labels": np.full(3, 9)}, "labels: 9 to 9; expected 0 to 4"),
    ],
)
def test_messages(given, message):
    graph = relu_network(3)
    with pytest.raises(UsageError, match=message):
        spiking(graph, film(graph, 3).astype(np.float32), **given)


def test_samples_that_say_nothing_are_refused():
    graph = chain([("x", Input((2,))), ("fc", Affine(np.eye(2))), ("act", Activation("relu")), ("y", Output())])
    with pytest.raises(UsageError, match="calibration: samples on which the network answers nothing but 0"):
        spiking(graph, np.zeros((2, 1, 2)))
