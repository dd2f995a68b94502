"""Networks on the chip's grid come out equal; all others come out close, with an account of how close."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.toolchain.errors import Refused
from spikeport.toolchain.graph import GraphBuilder, chain, later
from spikeport.toolchain.graph.nodes import (
    IF,
    LIF,
    Add,
    Affine,
    Conv,
    CubaLIF,
    Flatten,
    Input,
    LeakyIntegrator,
    Output,
    SumPool,
)
from spikeport.toolchain.loihi.places import read_places
from spikeport.toolchain.loihi.processes import LIFReset
from spikeport.toolchain.loihi.quantise import quantise
from spikeport.toolchain.simulate import simulate
from support.chips import differences, on_chip, seen_at
from support.on_grid import on_grid, one_layer, random_inputs

RNG = np.random.default_rng(0)


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 100_000))
def test_a_network_on_the_grid_spikes_equally_and_others_say_that_they_are_not_on_it(seed):
    graph = on_grid(seed)
    try:
        chip, report = quantise(graph)
    except Refused as refused:
        reasons = refused.reasons
        chip = None
    if chip is None:
        known = ("arrives later", "before its first step", "another at each place")
        assert all(any(words in str(reason) for words in known) for reason in reasons)
        return
    # Weights may be on the grid while a threshold or a bias is not: the report then says what it became. And a current
    # that never decays may leave its register, of which the report warns.
    said = report.all_lines()
    if all(layer.exact for layer in report.layers) and not any("became" in s or "it would wrap" in s for s in said):
        found = differences(graph, chip, random_inputs(graph, seed))
        assert max(found.values()) == 0, found


def test_most_of_these_networks_are_exact_and_alive():
    exact = alive = 0
    for seed in range(60):
        graph = on_grid(seed)
        try:
            chip, report = quantise(graph)
        except Refused:
            continue
        exact += all(layer.exact for layer in report.layers)
        sent = on_chip(chip, random_inputs(graph, seed))
        alive += any(0 < sent[layer.name].mean() < 1 for layer in report.layers)
    assert exact > 35
    assert alive > 45


def test_the_report_of_a_layer_counts_what_rounding_did():
    weight = RNG.normal(0, 1, (20, 30))
    weight[:, 0] *= 1e-6
    chip, report = quantise(one_layer(weight, LIF(beta=0.9, threshold=2.0)), target="netx")
    (layer,) = report.layers
    kept = chip.nodes["fc"].weight
    k = layer.scale[0]
    noise = ((kept - weight * k) ** 2).sum()
    assert layer.sqnr == pytest.approx(10 * np.log10(((weight * k) ** 2).sum() / noise))
    assert layer.synapses[0].zeroed == ((kept == 0) & (weight != 0)).sum() >= 20
    assert np.array_equal(chip.nodes["fc"].held, kept)
    assert layer.threshold == (2.0, pytest.approx(float(chip.nodes["n"].threshold) / k))
    assert layer.decays[1] == ("β", 0.9, 1 - int(chip.nodes["n"].voltage_decay) / 4096)
    assert f"n: {layer.synapses[0].zeroed} of 600 weights of fc became 0" in report.text()
    assert "n: β 0.9 became 0.899902" in report.text()
    assert json.loads(json.dumps(report.data()))["layers"][0]["name"] == "n"


def test_four_bits_keep_less_and_say_so():
    graph = one_layer(RNG.normal(0, 1, (20, 30)), LIF(beta=0.9))
    fine, coarse = (quantise(graph, bits=bits)[1].layers[0] for bits in (8, 4))
    assert coarse.sqnr < 22 < 38 < fine.sqnr
    assert coarse.bits <= 5
    held = quantise(graph, bits=4)[0].nodes["fc"]
    assert np.array_equal(held.held, held.weight)
    assert not (held.weight % 32).any()


def test_clipped_weights_are_counted():
    weight = RNG.normal(0, 1, (4, 400))
    chip, report = quantise(one_layer(weight, LIF(beta=0.9)), bits=3, target="netx")
    (layer,) = report.layers
    wanted = weight * layer.scale[0]
    assert layer.synapses[0].saturated == ((wanted > 192 + 32) | (wanted < -256 - 32)).sum() > 3
    assert set(np.unique(chip.nodes["fc"].weight)) <= set(range(-256, 193, 64))
    assert "were clipped" in report.text()


@pytest.mark.parametrize("target", ["lava", "netx"])
def test_thresholds_and_gains_of_every_neuron_are_kept(target):
    weight = RNG.integers(-5, 6, (6, 8)).astype(float)
    neuron = IF(threshold=2.0 ** RNG.integers(1, 4, 6), gain=2.0 ** RNG.integers(0, 3, 6))
    graph = one_layer(weight, neuron)
    chip, report = quantise(graph, target=target)
    assert report.layers[0].exact
    x = {"in": RNG.random((30, 2, 8)) < 0.5}
    assert max(differences(graph, chip, x).values()) == 0
    assert (chip.nodes["n"].threshold.ndim == 0) == (target == "netx")


def test_a_bias_starts_in_the_step_in_which_the_neuron_does():
    weight = np.eye(3)
    nodes = [Input((3,), "spikes"), Affine(weight), IF(threshold=0.5), Affine(weight, np.array([0.0, 0.25, 0.5]))]
    graph = chain([*nodes, IF(threshold=2.0), Output()])
    chip, _ = quantise(graph)
    assert [chip.nodes[name].offset for name in chip.neurons] == [2, 3]
    assert max(differences(graph, chip, {"0_input": RNG.random((40, 2, 3)) < 0.2}).values()) == 0
    again, _ = quantise(graph, reset_interval=10)
    assert all(isinstance(again.nodes[name], LIFReset) and again.nodes[name].interval == 10 for name in again.neurons)


def test_an_integrator_is_read_as_a_voltage_with_its_scale():
    graph = one_layer(RNG.normal(0, 1, (3, 10)), LeakyIntegrator(beta=0.9, gain=0.1))
    chip, report = quantise(graph)
    x = {"in": (RNG.random((40, 2, 10)) < 0.3).astype(np.float64)}
    place = read_places(chip)["n"]
    wanted = simulate(graph, x, record=["n"])["n"].values
    got = seen_at(place, on_chip(chip, x), 40)
    assert np.abs(got - wanted).max() < 0.01 * np.abs(wanted).max()
    assert f"a voltage of 1 is {place.scale:.6g} in the state" in report.text()


def test_a_worst_case_beyond_the_registers_is_a_line():
    weight = np.full((2, 600), 1.0)
    weight[1] = -1.0
    _, report = quantise(one_layer(weight * 3.7, CubaLIF(alpha=0.9, beta=0.9)))
    assert "n: its current could in the worst case reach" in report.text()
    assert "n: its voltage below 0 could in the worst case reach" in report.text()


def test_calibration_shows_how_each_layer_matches_alone_and_in_the_network():
    weights = [RNG.normal(0, 0.5, shape) for shape in ((30, 20), (10, 30))]
    nodes = [Input((20,), "spikes"), Affine(weights[0]), LIF(beta=0.8), Affine(weights[1]), LIF(beta=0.8), Output()]
    graph = chain(nodes, name="two")
    x = (RNG.random((40, 8, 20)) < 0.3).astype(np.float32)
    chip, report = quantise(graph, calibration=x, bits=4)
    assert report.steps == 40
    for layer in report.layers:
        assert layer.alone is not None
        assert layer.within is not None
        assert 0.8 < layer.within.equal <= layer.alone.equal + 0.02
    last = report.layers[-1]
    wanted = simulate(graph, x, record=["4_lif"])["4_lif"].spikes
    padded = np.concatenate([x, np.zeros((2, *x.shape[1:]), x.dtype)])
    got = simulate(chip, padded, record=["4_lif"])["4_lif"].spikes[2:]
    assert last.within.equal == pytest.approx(float((wanted == got).mean()))
    assert last.within.rate == pytest.approx(float(wanted.mean()))
    assert last.within.chip_rate == pytest.approx(float(got.mean()))
    assert "calibrated on 40 steps" in report.text()


def test_a_residual_network_reads_as_it_is_built():
    """Retiming on paper: the short way around 'b' waits a step, in a relay since it is no matrix."""
    b = GraphBuilder("residual")
    b.add("in", Input((2, 4, 4), "spikes"))
    b.add("conv_a", Conv(RNG.integers(1, 4, (2, 2, 3, 3)) / 2, None, 1, 1), "in")
    b.add("a", IF(threshold=4.0), "conv_a")
    b.add("conv_b", Conv(RNG.integers(1, 4, (2, 2, 1, 1)) / 2), "a")
    b.add("b", IF(threshold=2.0), "conv_b")
    b.add("sum", Add(), "b", "a")
    b.add("c", IF(threshold=1.5), "sum")
    b.add("pool", SumPool((2, 2)), "c")
    b.add("flat", Flatten(), "pool")
    b.add("fc", Affine(RNG.integers(1, 4, (3, 8)) / 2, np.array([0.0, 0.5, 1.0])), "flat")
    b.add("d", IF(threshold=3.0), "fc")
    b.add("out", Output("sum"), "d")
    chip, _ = quantise(b.build())
    rows = [f"{name} = {chip.nodes[name].kind}({', '.join(map(str, chip.wires[name]))})" for name in chip.nodes]
    assert rows == [
        "in = ChipInput()",
        "conv_a = Conv(~in)",
        "a = LIFReset(conv_a)",
        "conv_b = Conv(~a)",
        "b = LIFReset(conv_b)",
        "b.to.c.shaped = Shaped(b)",
        "b.to.c = Conv(~b.to.c.shaped)",
        "b.to.c.shaped_2 = Shaped(b.to.c)",
        "a.late1.line = Shaped(a)",
        "a.late1.copy = Conv(~a.late1.line)",
        "a.late1 = LIF(a.late1.copy)",
        "a.late1.shaped = Shaped(a.late1)",
        "a.to.c.shaped = Shaped(a.late1.shaped)",
        "a.to.c = Conv(~a.to.c.shaped)",
        "a.to.c.shaped_2 = Shaped(a.to.c)",
        "c.port = Port(b.to.c.shaped_2, a.to.c.shaped_2)",
        "c = LIFReset(c.port)",
        "fc.shaped = Shaped(c)",
        "fc = Dense(~fc.shaped)",
        "d = LIFReset(fc)",
        "out = ChipOutput(d)",
    ]
    late = {name: place.latency for name, place in read_places(chip).items()}
    assert late == {"in": 0, "a": 1, "b": 2, "c": 3, "d": 4, "out": 4}
    assert (chip.nodes["out"].readout, chip.nodes["out"].after) == ("sum", 4)
    assert chip.notes["quantised"] == "8-bit weights for lava"


def test_more_than_127_groups_become_fewer_since_lava_counts_them_in_eight_bits():
    weight = RNG.integers(-4, 5, (130, 1, 1, 1)).astype(float)
    graph = chain([("in", Input((130, 2, 2), "spikes")), ("c", Conv(weight, groups=130)), ("n", IF()), ("o", Output())])
    chip, _ = quantise(graph)
    assert chip.nodes["c"].groups == 65
    assert max(differences(graph, chip, {"in": RNG.random((6, 1, 130, 2, 2)) < 0.5}).values()) == 0


def test_a_layer_of_several_synapses_gives_each_an_exponent():
    b = GraphBuilder("two")
    b.add("in", Input((8,), "spikes"))
    b.add("large", Affine(RNG.normal(0, 4, (5, 8))), "in")
    b.add("small", Affine(RNG.normal(0, 0.1, (5, 5))), later("n"))
    b.add("sum", Add(), "large", "small")
    b.nodes["n"] = CubaLIF(alpha=0.5, beta=0.9, threshold=4.0)
    b.connect("n", "sum")
    b.add("out", Output(), "n")
    _, report = quantise(b.build())
    exponents = {each.name: each.exponent for each in report.layers[0].synapses}
    assert exponents["large"] - exponents["small"] >= 4
    assert min(each.sqnr for each in report.layers[0].synapses) > 35


def test_a_readout_that_is_no_node_is_built_and_calibrated():
    b = GraphBuilder("late")
    b.add("in", Input((3,), "spikes"))
    b.add("n", IF(threshold=0.5), "in")
    b.add("out", Output("sum"), later("n"))
    graph = b.build()
    x = (RNG.random((9, 2, 3)) < 0.5).astype(np.float32)
    chip, report = quantise(graph, calibration=x)
    assert [layer.name for layer in report.layers] == ["n", "out.readout"]
    place = read_places(chip)["out"]
    padded = np.concatenate([x, np.zeros((place.latency, 2, 3), np.float32)])
    got = simulate(chip, padded).outputs["out"] / place.scale
    assert np.array_equal(got, simulate(graph, x).outputs["out"])
