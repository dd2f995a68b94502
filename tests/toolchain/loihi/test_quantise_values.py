"""Real numbers on the chip: ReLU, products, kernels over time and state spaces as neurons that send values."""

import numpy as np
import pytest
from spikeport.toolchain.errors import Refused
from spikeport.toolchain.graph import Graph, GraphBuilder, chain
from spikeport.toolchain.graph.nodes import (
    LIF,
    Activation,
    Affine,
    Conv,
    Delay,
    Flatten,
    Host,
    Input,
    LeakyIntegrator,
    MaxPool,
    Multiply,
    Output,
    StateSpace,
    TemporalKernel,
)
from spikeport.toolchain.loihi.places import read_places
from spikeport.toolchain.loihi.processes import GradedReluVec, ProdNeuron
from spikeport.toolchain.loihi.quantise import quantise
from support.by_steps import run_by_steps
from support.chips import on_chip, seen_at

RNG = np.random.default_rng(1)
X = RNG.normal(size=(30, 2, 8))


def errors(graph: Graph, x: np.ndarray, **options) -> dict[str, float]:
    """For each place the root mean square of the difference, by that of the float graph's value."""
    chip, _ = quantise(graph, **options)
    places = read_places(chip)
    (name,) = graph.inputs
    floats = run_by_steps(graph, {name: x})
    sent = on_chip(chip, {name: np.rint(x * places[name].scale).astype(np.int64)})
    found = {}
    for each, place in places.items():
        wanted = floats[each]
        found[each] = np.sqrt(((seen_at(place, sent, len(x)) - wanted) ** 2).mean() / (wanted**2).mean())
    return found


def relu() -> Graph:
    layers = [Affine(RNG.normal(size=(16, 8)) * 0.4, RNG.normal(size=16) * 0.3), Activation("relu")]
    return chain([Input((8,)), *layers, Affine(RNG.normal(size=(4, 16)) * 0.3, RNG.normal(size=4)), Output()])


def gated() -> Graph:
    b = GraphBuilder("gate")
    b.add("in", Input((8,)))
    b.add("a", Affine(RNG.normal(size=(6, 8)) * 0.4), "in")
    b.add("r", Activation("relu"), "a")
    b.add("b", Affine(RNG.normal(size=(6, 8)) * 0.4, RNG.normal(size=6)), "in")
    b.add("m", Multiply(), "r", "b")
    b.add("k", TemporalKernel(RNG.normal(size=(3, 4, 6)) * 0.3), "m")
    b.add("d", Delay((2,)), "k")
    b.add("out", Output(), "d")
    return b.build()


def recursion(turn: float) -> Graph:
    decay = np.linspace(0.5, 0.97, 24).reshape(6, 4) * np.exp(1j * turn * np.arange(24).reshape(6, 4))
    weights = [RNG.normal(size=(6, 4)) for _ in range(2)]
    space = StateSpace(decay if turn else decay.real, *weights, RNG.normal(size=6))
    layers = [Affine(RNG.normal(size=(6, 8)) * 0.3), space, Activation("relu")]
    return chain([Input((8,)), *layers, Affine(RNG.normal(size=(4, 6)) * 0.3), Output()])


def squared() -> Graph:
    return chain([Input((8,)), Affine(RNG.normal(size=(5, 8)) * 0.4), Activation("square"), Output()])


@pytest.mark.parametrize("calibrated", [True, False])
@pytest.mark.parametrize("make", [relu, gated, lambda: recursion(0.0), lambda: recursion(0.1), squared])
def test_values_come_out_within_what_eight_bits_of_weights_leave(make, calibrated):
    options = {"calibration": X.astype(np.float32)} if calibrated else {}
    found = errors(make(), X, **options)
    assert max(found.values()) < 0.04, found


def test_on_the_grid_values_are_exact():
    weight = RNG.integers(-8, 9, (5, 8)) / 4
    graph = chain([Input((8,)), Affine(weight, np.array([1001, 3, 0, -517, 255]) / 256), Activation("relu"), Output()])
    x = RNG.integers(-64, 65, (20, 2, 8)) / 16
    assert max(errors(graph, x).values()) == 0
    chip, report = quantise(graph)
    assert any(isinstance(node, GradedReluVec) for node in chip.nodes.values())
    assert report.layers[0].exact
    assert "0_input: hand in round(x · 256): real numbers up to ±255.996" in report.text()


def test_values_drive_spiking_neurons_and_spikes_drive_values():
    image = X.reshape(30, 2, 1, 2, 4)
    layers = [Conv(RNG.normal(size=(4, 1, 3, 3)) * 0.4, RNG.normal(size=4) * 0.3, 1, 1), Activation("relu"), Flatten()]
    graph = chain([Input((1, 2, 4)), *layers, Affine(RNG.normal(size=(4, 32)) * 0.3), LIF(beta=0.8), Output()])
    _, report = quantise(graph, calibration=image.astype(np.float32))
    assert next(each for each in report.layers if each.name == "5_lif").within.equal > 0.97
    spikes = (X > 0.5).astype(float)
    layers = [Affine(RNG.normal(size=(6, 8))), LIF(beta=0.8), Affine(RNG.normal(size=(6, 6))), Activation("relu")]
    readout = [Affine(RNG.normal(size=(4, 6))), LeakyIntegrator(beta=0.9), Output()]
    graph = chain([Input((8,), "spikes"), *layers, *readout])
    _, report = quantise(graph, calibration=spikes.astype(np.float32))
    assert report.layers[-1].alone.error < 0.03


def test_a_product_says_in_which_scale_it_sends():
    chip, _ = quantise(gated())
    node = chip.nodes["m"]
    assert isinstance(node, ProdNeuron)
    assert 2.0**16 / 2**node.exponent == read_places(chip)["m"].scale


def test_a_layer_behind_a_small_product_reads_it_in_the_scale_that_it_has():
    b = GraphBuilder("small")
    b.add("in", Input((6,), "spikes"))
    b.add("a", Affine(RNG.uniform(0.02, 0.05, (4, 6))), "in")
    b.add("b", Affine(RNG.uniform(0.02, 0.05, (4, 6))), "in")
    b.add("m", Multiply(), "a", "b")
    b.add("c", Affine(RNG.uniform(0.5, 1, (3, 4))), "m")
    b.add("out", Output(), "c")
    spikes = (RNG.random((30, 2, 6)) < 0.6).astype(float)
    graph = b.build()
    assert read_places(quantise(graph, calibration=spikes)[0])["m"].scale == 2.0**14
    assert max(errors(graph, spikes, calibration=spikes).values()) < 0.1


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (Activation("tanh"), "an Activation 'tanh' between neurons"),
        (MaxPool((2,)), "a MaxPool between neurons"),
        (Host("exp"), r"a Host between neurons; .* leave it to the host: convert --to netx-parts"),
    ],
)
def test_what_the_chip_has_no_neuron_for_is_refused_by_name(layer, words):
    with pytest.raises(Refused, match=words):
        quantise(chain([Input((4, 8)), layer, Output()]))


def test_a_netx_file_has_no_values():
    with pytest.raises(Refused, match="2_activation: a GradedReluVec in a netx file; expected CUBA, SDNN or RF"):
        quantise(relu(), target="netx")


def large(*layers: tuple[str, object]) -> Graph:
    """An image of real numbers, too large for its convolution to be a matrix with an exponent."""
    first = ("conv", Conv(np.random.default_rng(2).normal(0.0, 0.3, (8, 2, 3, 3))))
    return chain([("x", Input((2, 34, 34))), first, *layers, ("y", Output())], name="large")


def test_real_numbers_into_a_large_convolution_leave_its_weights_their_bits():
    graph = large(("lif", LIF(beta=0.5, threshold=0.6)))
    x = np.random.default_rng(3).normal(0.2, 0.6, (8, 1, 2, 34, 34))
    chip, report = quantise(graph, calibration=x)
    (layer,) = report.layers
    assert layer.synapses[0].kind == "conv"
    assert layer.bits == 8
    assert layer.within.equal > 0.95
    assert layer.within.rate > 0.05
    assert read_places(chip)["x"].scale < 64


def test_neurons_of_whose_weights_nothing_would_be_left_are_refused():
    second = Conv(np.random.default_rng(4).normal(0.0, 0.2, (8, 8, 3, 3)))
    graph = large(("relu", Activation("relu")), ("conv2", second), ("lif", LIF(beta=0.5, threshold=1.0)))
    with pytest.raises(Refused, match="relu: all of its 144 weights would become 0"):
        quantise(graph, calibration=np.random.default_rng(5).normal(size=(4, 1, 2, 34, 34)))
