"""Coders, resonators and adaptive neurons become the processes that do the same."""

import numpy as np
import pytest
from spikeport.toolchain.errors import Refused
from spikeport.toolchain.graph import Graph, chain
from spikeport.toolchain.graph.nodes import (
    AdaptiveLIF,
    Affine,
    Delta,
    Input,
    Output,
    ResonateFire,
    Sigma,
    SigmaDelta,
)
from spikeport.toolchain.loihi.places import read_places
from spikeport.toolchain.loihi.processes import ATRLIF, RF, RF_IZ
from spikeport.toolchain.loihi.processes import SigmaDelta as SigmaDeltaProcess
from spikeport.toolchain.loihi.quantise import quantise
from support.by_steps import run_by_steps
from support.chips import differences, on_chip, seen_at

RNG = np.random.default_rng(3)


def layer(node, out: int = 6, unit: float = 0.125, carries: str = "spikes") -> Graph:
    weight = RNG.integers(-8, 9, (out, 8)) * unit
    return chain([("in", Input((8,), carries)), ("fc", Affine(weight)), ("n", node), ("out", Output())], name="net")


def test_changes_are_coded_and_summed_exactly_on_the_grid():
    weights = [RNG.integers(-8, 9, shape) / 4 for shape in ((6, 8), (4, 6))]
    nodes = [Delta(threshold=0.5), Affine(weights[0]), SigmaDelta(threshold=0.25), Affine(weights[1]), Sigma()]
    graph = chain([("in", Input((8,))), *nodes, ("out", Output())])
    chip, report = quantise(graph)
    x = RNG.integers(-8, 9, (25, 2, 8)) / 8
    floats, sent = run_by_steps(graph, {"in": x}), on_chip(chip, {"in": (x * 256).astype(np.int64)})
    for name, place in read_places(chip).items():
        assert np.array_equal(seen_at(place, sent, 25), floats[name]), name
    assert all(layer.exact for layer in report.layers)


def test_the_bias_of_a_sigma_delta_neuron_sends_too_early_and_says_so():
    graph = layer(SigmaDelta(threshold=0.25, bias=0.5), carries="graded")
    with pytest.raises(Refused, match="n: on the chip it sends from its bias before its first step"):
        quantise(graph)
    chip, report = quantise(graph, allow=["bias-start"])
    assert chip.nodes["n"].bias.tolist() == 128
    assert report.approximations == (("n", "bias-start"),)
    assert isinstance(quantise(graph, allow=["bias-start"], target="netx")[0].nodes["n"], SigmaDeltaProcess)


@pytest.mark.parametrize(("spike", "kind"), [("phase", RF), ("izhikevich", RF_IZ)])
def test_a_resonator_turns_as_in_the_graph(spike, kind):
    turn, decay = 0.6, 0.9375
    node = ResonateFire(cos=decay * np.cos(turn), sin=decay * np.sin(turn), threshold=0.75, spike=spike)
    graph = layer(node)
    chip, report = quantise(graph)
    assert isinstance(chip.nodes["n"], kind)
    found = differences(graph, chip, {"in": RNG.random((60, 4, 8)) < 0.3})
    assert found["n"] < 0.01
    assert 0 < on_chip(chip, {"in": RNG.random((60, 4, 8)) < 0.3})["n"].mean() < 0.5
    assert "n: cos 0.773752 became 0.77" in report.text()


def test_an_adaptive_neuron_without_a_reset_is_the_chips():
    node = AdaptiveLIF(
        alpha=0.5, beta=0.75, threshold=1.0, adapt_decay=0.875, adapt_step=0.25, refractory_decay=0.5,
        refractory_gain=2.0, reset="none", at_least=True, gain=0.5,
    )  # fmt: skip
    graph = layer(node)
    chip, report = quantise(graph)
    assert isinstance(chip.nodes["n"], ATRLIF)
    x = {"in": RNG.random((60, 4, 8)) < 0.4}
    assert differences(graph, chip, x)["n"] < 0.01
    assert 0.02 < on_chip(chip, x)["n"].mean() < 0.6
    kept = chip.nodes["n"]
    assert (kept.current_decay, kept.voltage_decay) == (2047, 1024)  # the process takes one more off its current
    assert (kept.threshold_decay, kept.refractory_decay) == (512, 2048)
    assert kept.threshold == 4 * kept.threshold_step == read_places(chip)["in"].scale * 4096
    assert "became" not in report.text().replace("became 0", "")


def test_an_adaptive_neuron_with_a_bias_gets_it_from_the_first_step_on():
    fields = {"beta": 0.75, "adapt_decay": 0.875, "adapt_step": 0.25, "reset": "none", "at_least": True}
    graph = layer(AdaptiveLIF(threshold=1.0, bias=0.375, **fields))
    chip, _ = quantise(graph)
    assert differences(graph, chip, {"in": RNG.random((60, 4, 8)) < 0.2})["n"] < 0.01


def test_a_step_of_the_threshold_beyond_its_register_is_reported():
    fields = {"beta": 0.75, "adapt_decay": 0.875, "reset": "none", "at_least": True}
    chip, report = quantise(layer(AdaptiveLIF(threshold=1.0, adapt_step=100.0, **fields)))
    assert chip.nodes["n"].threshold_step == 131071
    assert "n: adapt_step 100 became 31.9998" in report.text()


def test_other_adaptive_neurons_are_refused_with_what_is_different():
    node = AdaptiveLIF(beta=0.9, adapt_decay=0.9, adapt_step=0.1, refractory_decay=0.5, refractory_gain=1.0)
    with pytest.raises(Refused) as caught:
        quantise(layer(node))
    assert str(caught.value.reasons[0]) == (
        "n: an AdaptiveLIF with reset='value', a compare with >, refractory_gain=1; expected no reset, ≥, "
        "refractory_gain 2, as the chip's adaptive neuron has it. Train it so, or exchange it"
    )
    uneven = ResonateFire(cos=RNG.random(6), sin=0.5, threshold=1.0)
    with pytest.raises(Refused, match="n: its cos differs from neuron to neuron; expected one for all"):
        quantise(layer(uneven))
