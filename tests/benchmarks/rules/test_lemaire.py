"""Lemaire's rule: by hand from the formulas, and beside SpikingJelly's own implementation."""

from itertools import pairwise
from math import prod

import pytest
import torch
from spikeport.benchmarks.operations import Facts, LayerCount, OpCount, Ops, Pairs
from spikeport.benchmarks.profile import load_profile
from spikeport.benchmarks.rules import bill
from support.made_counts import network
from torch import nn

ADD, MAC = 0.1, 3.2


def sram(size: float) -> float:
    """The published points, joined by lines."""
    points = [(0, 0), (8192, 10), (32768, 20), (2**20, 100)]
    for (x0, y0), (x1, y1) in pairwise(points):
        if size <= x1:
            return y0 + (y1 - y0) * (size - x0) / (x1 - x0)
    return 100


def matrix(spikes: int) -> LayerCount:
    """12 inputs, 5 outputs, a bias, 3 steps."""
    facts = Facts("Affine", "synapses", ("spikes",), channels=(12, 5), n_in=12, n_out=5, weights=60, biases=5)
    pairs = Pairs(180, 180, spikes * 5, spikes * 5, spikes * 5)
    return LayerCount(facts, Ops(acs=pairs, received=36, events=spikes, bias_adds=15))


NEURONS = LayerCount(
    Facts("LIF", "neurons", n_in=5, n_out=5),
    Ops(updates={"LIF": 15}, active=9, comparisons=15, resets=4, sent=15, sent_events=4),
)


def test_a_matrix_and_its_neurons_by_hand() -> None:
    energy = bill(network(fc=matrix(7), lif=NEURONS), "lemaire")
    queue, params, potentials = sram(4000), sram(65 * 4), sram(5 * 4)
    fc = 35 * ADD + 15 * ADD + 35 * ADD + 7 * queue + (35 + 15) * params + 2 * 35 * potentials
    lif = 15 * MAC + 4 * ADD + 2 * 15 * potentials + 4 * queue
    assert energy.by_layer() == pytest.approx({"fc": fc, "lif": lif})
    assert energy.by_kind()["addressing"] == pytest.approx(35 * ADD)


def test_half_an_access_for_a_word_halves_the_memory_alone() -> None:
    counts = network(fc=matrix(7), lif=NEURONS)
    whole = bill(counts, "lemaire").by_kind()
    half = bill(counts, "lemaire", load_profile("45nm-int32").replaced(word_share=0.5)).by_kind()
    assert half == pytest.approx({**whole, "memory": whole["memory"] / 2})


def test_a_strided_convolution_is_billed_as_published() -> None:
    facts = Facts("Conv", "synapses", ("spikes",), (3, 3), (2, 1), 2, (4, 6), 100, 60, 108, 0)
    ops = Ops(acs=Pairs(900, 1000, 80, 80, 80), events=10, received=100)
    energy = bill(network(c=LayerCount(facts, ops)), "lemaire")
    synapses, addressing = 10 * 3 * (2 * 3), 10 * 3 * 9
    assert energy.by_kind()["synapses"] == pytest.approx(synapses * ADD)
    assert energy.by_kind()["addressing"] == pytest.approx(addressing * ADD + 20 * MAC)


def test_a_matrix_of_real_numbers_by_hand() -> None:
    facts = Facts("Affine", "synapses", ("graded",), channels=(12, 5), n_in=12, n_out=5, weights=60, biases=5)
    layer = LayerCount(facts, Ops(macs=Pairs(180, 180, 90, 90), received=36, events=18, bias_adds=15))
    inputs, params, outputs = sram(12 * 4), sram(65 * 4), sram(5 * 4)
    work = 180 * MAC + 15 * ADD + 36 * inputs + (180 + 15) * params + (36 + 15) * ADD
    assert bill(network(fc=layer), "lemaire").pj == pytest.approx(work + 15 * outputs)
    assert bill(network(fc=layer, lif=NEURONS), "lemaire").by_layer()["fc"] == pytest.approx(work)


def test_an_integer_n_is_billed_as_n_spikes() -> None:
    facts = Facts("Affine", "synapses", ("spikes", "int[0,3]"), channels=(12, 5), n_in=12, n_out=5)
    ops = Ops(acs=Pairs(30, 30, 3, 3, 3), integer_acs=Pairs(30, 30, 3, 3, 9), received=12, events=2)
    spikes = 2 * (3 + 9) / 6  # two values, and the pairs say what they are on the mean
    assert bill(network(fc=LayerCount(facts, ops)), "lemaire").by_kind()["synapses"] == pytest.approx(spikes * 5 * ADD)


def test_a_memory_beyond_the_published_sizes_is_said() -> None:
    facts = Facts("Affine", "synapses", ("spikes",), channels=(1000, 1000), n_in=1000, n_out=1000, weights=10**6)
    ops = Ops(acs=Pairs(10**6, 10**6, 5, 5, 5), events=1, received=1000)
    energy = bill(network(big=LayerCount(facts, ops)), "lemaire")
    assert "big: a memory larger than 1.04858e+06 bytes is billed as one of that size" in energy.unbilled


def counts_of(model: nn.Sequential, x: torch.Tensor) -> OpCount:
    """Counts by hand of a chain of layers in one step of one sample."""
    layers: dict[str, LayerCount] = {}
    for name, module in model.named_children():
        with torch.no_grad():
            y = module(x)
        n_in, n_out, live = x.numel(), y.numel(), int(x.count_nonzero())
        binary = bool(((x == 0) | (x == 1)).all())
        if isinstance(module, nn.Conv2d | nn.Linear):
            conv = isinstance(module, nn.Conv2d)
            padded = n_out * prod(module.weight.shape[1:])
            pairs = Pairs(padded, padded, padded, padded, 0)
            facts = Facts(
                "Conv" if conv else "Affine", "synapses", ("spikes" if binary else "graded",),
                module.kernel_size if conv else (), module.stride if conv else (), module.groups if conv else 1,
                (module.in_channels, module.out_channels) if conv else (module.in_features, module.out_features),
                n_in, n_out, module.weight.numel(), 0 if module.bias is None else module.bias.numel(),
            )  # fmt: skip
            bias = 0 if module.bias is None else n_out
            kind = "acs" if binary else "macs"
            layers[name] = LayerCount(facts, Ops(**{kind: pairs}, received=n_in, events=live, bias_adds=bias))
        elif not isinstance(module, nn.Flatten):
            kind = type(module).__name__.removesuffix("Node")
            fired = int(y.count_nonzero())
            ops = Ops(updates={kind: n_out}, resets=fired, sent=n_out, sent_events=fired)
            layers[name] = LayerCount(Facts(kind, "neurons", n_in=n_in, n_out=n_out), ops)
        x = y
    return network(**layers)


@pytest.mark.filterwarnings("ignore")  # SpikingJelly warns of Flatten and of its own dependencies
@pytest.mark.parametrize("spikes", [True, False])
def test_the_same_network_in_spikingjelly_costs_the_same(spikes: bool) -> None:
    from spikingjelly.activation_based import functional, neuron
    from spikingjelly.activation_based.op_counter import LemaireEnergyConfig, estimate_lemaire_energy

    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(2, 6, 3, stride=2, padding=1, groups=2), neuron.LIFNode(v_threshold=0.1),
        nn.Conv2d(6, 4, (3, 2), bias=False), neuron.IFNode(v_threshold=0.1), nn.Flatten(), nn.Linear(64, 7),
        neuron.LIFNode(),
    )  # fmt: skip
    x = (torch.rand(1, 2, 12, 10) < 0.3).float() if spikes else torch.rand(1, 2, 12, 10)
    counts = counts_of(model, x)
    functional.reset_net(model)
    with torch.no_grad():
        theirs = estimate_lemaire_energy(model, x, config=LemaireEnergyConfig(strict=False))
    ours = bill(counts, "lemaire").by_kind()
    parts = theirs.breakdown_pj
    assert ours["addressing"] == pytest.approx(parts["addressing_pj"], rel=1e-9)
    assert ours["memory"] == pytest.approx(parts["memory_pj"], rel=1e-9)
    assert sum(ours[k] for k in ("synapses", "bias", "neurons", "reset")) == pytest.approx(parts["ops_pj"], rel=1e-9)
