"""Signal-SGN as published: its parameters, keys and operations to the last one, its function as written by hand."""

import re
import warnings
from collections import OrderedDict
from itertools import product
from pathlib import Path

import pytest
import torch
from spikeport.benchmarks.counting.count import count
from spikeport.models.checkpoints import load_checkpoint
from spikeport.models.layer import Neurons
from spikeport.models.multiwavelets import legendre_filters
from spikeport.models.published_sgn import PublishedSignalSgn
from spikeport.models.signal_sgn import SignalSgnConfig, build
from spikeport.models.weights import settle
from spikeport.toolchain.errors import UsageError
from spikeport.toolchain.tracing import trace
from spikeport.toolchain.tracing.run import TracingRefused
from support.command_line import data, run
from support.signal_sgn_by_hand import ByHand
from torch import nn

LAYOUT = Path(__file__).with_name("signal_sgn_layout.txt")
NTU60 = SignalSgnConfig(published=True)
SMALL = SignalSgnConfig(classes=5, persons=2, channels=(8, 8, 16, 32), heads=4, dropout=0.0, published=True)
NORM = {"weight": 0, "bias": 0, "running_mean": 0, "running_var": 0, "num_batches_tracked": None}


def written_out():
    """The layout file's keys and shapes: {a,b} and {0..2} stand for each of them, <BN5> for a batch norm's entries."""
    for line in LAYOUT.read_text().splitlines():
        pattern, shapes = line.split("  ")
        shapes = [tuple(int(n) for n in re.findall(r"\d+", each)) for each in shapes.split("/")]
        parts = re.split(r"(\{[^}]*\})", pattern.replace("<BN5>", "{" + ",".join(NORM) + "}"))
        for chosen in product(*(list(enumerate(choices(part))) for part in parts)):
            key, last = "".join(text for _, text in chosen), chosen[-2][0] if len(chosen) > 1 else 0
            name = key.rpartition(".")[2]
            if "<BN5>" in pattern:
                yield key, () if name == "num_batches_tracked" else shapes[0]
            else:
                yield key, shapes[last if len(shapes) > 1 else 0]


def choices(part):
    if not part.startswith("{"):
        return [part]
    if ".." in part:
        first, last = part[1:-1].split("..")
        return [str(n) for n in range(int(first), int(last) + 1)]
    return part[1:-1].split(",")


def shaped(config):
    with torch.device("meta"):
        return build(config, 0)


def lively(config, seed=3):
    """A network in float64 whose every part is awake: batch norms with spread, bias and statistics."""
    network, source = build(config, seed).double(), torch.Generator().manual_seed(seed)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            for tensor, low in ((part.weight, 1.5), (part.bias, 0.5)):
                tensor.data.copy_(low + 0.6 * torch.rand(tensor.shape, generator=source, dtype=torch.float64))
    settle(network, clips(config, samples=3, seed=9))
    return network


def clips(config, steps=16, samples=2, seed=8):
    source = torch.Generator().manual_seed(seed)
    return torch.randn(steps, samples, *config.takes["skeleton"].shape, generator=source, dtype=torch.float64)


@pytest.mark.parametrize(
    ("values", "parameters"),
    [
        ({}, 1_835_483),
        ({"classes": 120}, 1_850_903),
        ({"classes": 10, "joints": 20, "persons": 1}, 1_819_688),
        ({"persons": 1}, 1_835_333),
    ],
)
def test_parameters(values, parameters):
    network = shaped(SignalSgnConfig(published=True, **values))
    assert sum(each.numel() for each in network.parameters()) == parameters


def test_parameters_of_the_parts():
    network = shaped(NTU60)
    found = {name: sum(each.numel() for each in part.parameters()) for name, part in network.named_children()}
    assert {name: number for name, number in found.items() if number} == {
        "skeletonbn": 150,
        "data_bn": 300,
        "l1": 67_589,
        "l2": 61_036,
        "l5": 310_789,
        "l8": 1_225_861,
        "dwtfc": 88_033,
        "lv": 65_792,
        "bnv": 512,
        "fc": 15_420,
    }
    assert network.alpha.numel() == 1


def test_keys_and_shapes_are_the_authors():
    expected, state = dict(written_out()), shaped(NTU60).state_dict()
    assert len(expected) == 476
    assert {key: tuple(value.shape) for key, value in state.items()} == expected


def test_a_state_dictionary_of_the_authors_is_taken_strictly():
    source = torch.Generator().manual_seed(5)
    made = {key: torch.rand(shape, generator=source) for key, shape in written_out()}
    network = PublishedSignalSgn(NTU60)
    network.load_state_dict({**made}, strict=True)
    kept = network.state_dict()
    assert all(torch.equal(kept[key], value.to(kept[key].dtype)) for key, value in made.items())
    del made["l8.fa.window_w"]
    with pytest.raises(RuntimeError, match=r"l8\.fa\.window_w"):
        network.load_state_dict(made, strict=True)


def test_by_command_a_file_of_the_authors_becomes_a_checkpoint(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = torch.Generator().manual_seed(5)
    made = {key: torch.rand(shape, generator=source) for key, shape in written_out()}
    made = {key: value.long() if key.endswith("tracked") else value for key, value in made.items()}
    torch.save(OrderedDict(made), "runs-65-1.pt")
    call = ("models", "signal_sgn", "--weights", "runs-65-1.pt", "-o", "mine.safetensors", "--config")
    assert data(*call, "published=true")["parameters"] == 1_835_483
    network, about = load_checkpoint("mine.safetensors")
    assert about.config == NTU60
    assert all(torch.equal(made[key], value) for key, value in network.state_dict().items())
    assert run(*call, "published=false")[0] == 2
    del made["l8.fa.window_w"]
    torch.save({**made, "more": torch.zeros(1)}, "runs-65-1.pt")
    code, _, err = run(*call, "published=true")
    assert code == 2
    assert "weights of another network: no l8.fa.window_w; unknown more" in err
    torch.save({**made, "more": Path("a")}, "runs-65-1.pt")
    assert "holds something that is not plain weights" in run(*call, "published=true")[2]


def test_multiply_accumulates_of_one_person():
    network, total = build(SignalSgnConfig(persons=1, published=True), 0).eval(), []
    for part in network.modules():
        if isinstance(part, nn.Conv1d | nn.Conv2d | nn.Linear):
            part.register_forward_hook(lambda part, _, out: total.append(out.numel() * part.weight[0].numel()))
    with torch.no_grad():
        network(torch.randn(16, 1, 3, 25, 1))
    assert sum(total) == 973_812_736


@pytest.mark.parametrize(("persons", "operations"), [(1, 999_246_720), (2, 1_809_982_720)])
def test_operations_as_thop_counts_them(persons, operations):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of distutils, on import
        import thop
    network = build(SignalSgnConfig(persons=persons, published=True, neurons="relu"), 0).eval()
    found, _ = thop.profile(network, (torch.zeros(16, 1, 3, 25, persons),), verbose=False)
    assert found == operations


def test_multiply_accumulates_of_two_persons_by_our_counter():
    network = build(NTU60, 0).eval()
    counts = count(network, torch.randn(16, 1, 3, 25, 2), steps=16)
    linear = {"dwtfc.Lk0", "lv", "fc"}
    found = [each for name, each in counts.layers.items() if each.facts.kind == "Conv" or name in linear]
    assert sum(each.ops.pairs.padded for each in found) == 1_768_974_336


@pytest.mark.parametrize(
    ("values", "steps", "training"),
    [({}, 16, False), ({}, 8, True), ({"joints": 20, "persons": 1}, 12, False)],
    ids=["eval", "training", "ucla-12-steps"],
)
def test_the_function_is_that_written_by_hand(values, steps, training):
    config = SignalSgnConfig(**{**vars(SMALL), **values})
    network, x = lively(config).train(training), clips(config, steps)
    by_hand = ByHand({key: value.clone() for key, value in network.state_dict().items()}, config.heads, training)
    fired = {}
    for name, part in network.named_modules():
        if isinstance(part, Neurons | nn.BatchNorm1d):
            part.register_forward_hook(lambda _part, _args, out, name=name: fired.__setitem__(name, out))
    with torch.no_grad():
        logits, expected = network(x), by_hand(x.permute(1, 2, 0, 3, 4))
    assert logits.shape == (steps, 2, config.classes)
    torch.testing.assert_close(logits.mean(0), expected, rtol=1e-10, atol=1e-10)
    for name, theirs in (
        ("l1.fa.complexConv2d.LIF_R", "l1.fa.complexConv2d.R"),
        ("l8.gcn1.SSA.attn_lif", "l8.gcn1.SSA.attn"),
    ):
        assert torch.equal(fired[name], torch.cat(by_hand.spikes[theirs]))
    for name in (key for key in by_hand.normed if key.startswith("l")):
        torch.testing.assert_close(fired[name], by_hand.normed[name], rtol=1e-10, atol=1e-10)
    rates = {name: float(torch.cat(spikes).mean()) for name, spikes in by_hand.spikes.items()}
    asleep = [name for name, rate in rates.items() if not 0.001 < rate < 0.999]
    assert len(asleep) <= 1, rates
    if training:
        state = network.state_dict()
        for key in state:
            if "running" in key:
                torch.testing.assert_close(state[key], by_hand.state[key], rtol=1e-9, atol=1e-12)


def test_the_second_pass_goes_on_from_the_last_step_of_the_clip():
    network, x = lively(SMALL).eval(), clips(SMALL)
    later = x.clone()
    later[-1] += 1
    with torch.no_grad():
        change = (network.features(x) - network.features(later)).abs().flatten(1).amax(1)
    assert change[0] > 0


def test_starting_values_are_the_published_ones():
    network = build(SMALL, 0)
    assert network.alpha.item() == pytest.approx(0.42)
    assert network.dwtfc.MWT_CZ.s.item() == 1
    for unit in network.units():
        assert bool((unit.gcn1.bn.weight == 1e-6).all())
        assert unit.fa.window_w.unique().numel() == 25
    assert SignalSgnConfig().dropout == 0.3


def test_a_true_product_can_be_asked_for():
    config = SignalSgnConfig(**{**vars(SMALL), "product": "complex", "graph": "bones"})
    network, plain = lively(config).eval(), lively(SMALL).eval()
    assert network.state_dict().keys() == plain.state_dict().keys()
    assert not torch.equal(network.l1.gcn1.PA[1], network.l1.gcn1.PA[0])
    assert torch.equal(plain.l1.gcn1.PA, torch.eye(25).repeat(3, 1, 1))
    plain.load_state_dict(network.state_dict())
    with torch.no_grad():
        assert not torch.equal(network(clips(config)), plain(clips(config)))


@pytest.mark.parametrize("neurons", ["lif", "relu"])
def test_a_gradient_reaches_every_weight_that_is_used(neurons):
    network = lively(SignalSgnConfig(**{**vars(SMALL), "neurons": neurons})).train().float()
    network(clips(SMALL).float()).square().sum().backward()
    silent = [key for key, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert silent == ["dwtfc.MWT_CZ.cross_attention.talking_heads.weight"]


def test_tracing_says_why_not():
    with pytest.raises(TracingRefused, match="wavelets look ahead, so that no step can be answered by itself"):
        trace(build(SMALL, 0), torch.randn(4, 2, 3, 25, 2), time_axis=0, host=True)


def test_filters_lose_nothing():
    low_even, low_odd, high_even, high_odd = (torch.tensor(each) for each in legendre_filters(8))
    both = torch.cat([torch.cat([low_even, low_odd], 1), torch.cat([high_even, high_odd], 1)])
    torch.testing.assert_close(both @ both.T, torch.eye(16, dtype=torch.float64), rtol=0, atol=1e-10)
    haar = [float(each.squeeze()) for each in legendre_filters(1)]
    assert haar == pytest.approx([0.5**0.5, 0.5**0.5, 0.5**0.5, -(0.5**0.5)])


@pytest.mark.parametrize("degree", range(8))
def test_wavelets_do_not_see_polynomials(degree):
    """Coefficients of x^degree on the two halves have no wavelet part."""
    _, _, high_even, high_odd = legendre_filters(8)
    points, weights = torch.tensor(legendre_points()[0]), torch.tensor(legendre_points()[1])
    basis = torch.stack([(2 * i + 1) ** 0.5 * torch.special.legendre_polynomial_p(2 * points - 1, i) for i in range(8)])
    halves = [(basis * weights) @ ((points + half) / 2) ** degree for half in (0, 1)]
    seen = torch.tensor(high_even) @ halves[0] + torch.tensor(high_odd) @ halves[1]
    assert float(seen.abs().max()) < 1e-9


def legendre_points():
    """Eight Gauss points and weights on [0, 1]."""
    import numpy as np

    points, weights = np.polynomial.legendre.leggauss(8)
    return (points + 1) / 2, weights / 2


def test_messages():
    with pytest.raises(UsageError, match=r"channels \(8, 8\); expected four, the last a multiple of 16"):
        SignalSgnConfig(published=True, channels=(8, 8))
    with pytest.raises(UsageError, match="a part left out; expected attention, frequency and wave"):
        SignalSgnConfig(published=True, wave=False)
    with pytest.raises(UsageError, match="1 step; expected at least 2 steps"):
        build(SMALL, 0).eval()(torch.randn(1, 1, 3, 25, 2))
