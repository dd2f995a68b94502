"""Every network of the zoo: runs, fires, learns, comes from its seed alone, and refuses nonsense."""

import dataclasses
import subprocess
import sys

import pytest
import torch
from spikeport.models import zoo
from spikeport.models.layer import Neurons
from spikeport.models.sources import network_of
from spikeport.toolchain.errors import UsageError


def spikes(name, steps=20, batch=4):
    shape = zoo.config_of(name).input_shape
    torch.manual_seed(7)
    return (torch.rand(steps, batch, *shape) < 0.1).float()


def firing(network):
    return [module for module in network.modules() if isinstance(module, Neurons) and module.surrogate is not None]


@pytest.mark.parametrize("name", zoo.SPIKING)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_layer_fires_and_none_all_the_time(name, seed):
    network, rates = zoo.build(name, seed=seed), []
    for layer in firing(network):
        layer.register_forward_hook(lambda _module, _args, out: rates.append(float(out.mean())))
    with torch.no_grad():
        out = network(spikes(name))
    assert out.shape == (20, 4, 10)
    assert len(rates) == len(firing(network)) > 0
    assert all(0.01 < rate < 0.6 for rate in rates), rates


def test_a_network_of_relus_looks_at_each_step_by_itself():
    network, x = zoo.build("ann_convnet"), spikes("ann_convnet")
    with torch.no_grad():
        out = network(x)
        torch.testing.assert_close(out[7], network(x[7:8])[0])
    assert out.shape == (20, 4, 10)
    assert firing(network) == []
    assert zoo.SPIKING == ("event_convnet", "sequence_rnn")


@pytest.mark.parametrize("name", list(zoo.ZOO))
def test_every_weight_gets_a_gradient(name):
    network = zoo.build(name)
    network(spikes(name)).square().sum().backward()
    for key, weight in network.named_parameters():
        assert weight.grad is not None, key
        assert weight.grad.abs().sum() > 0, key


@pytest.mark.parametrize("name", list(zoo.ZOO))
def test_weights_come_from_the_seed_alone(name):
    first = zoo.build(name, seed=3).state_dict()
    torch.manual_seed(99)
    again, other = zoo.build(name, seed=3).state_dict(), zoo.build(name, seed=4).state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not any(torch.equal(first[key], other[key]) for key in first)
    assert not zoo.build(name).training


@pytest.mark.parametrize("name", list(zoo.ZOO))
def test_every_field_of_a_config_can_be_given(name):
    config = zoo.config_of(name)
    values = {key: list(value) if isinstance(value, tuple) else value for key, value in vars(config).items()}
    assert zoo.config_of(name, values) == config
    assert dataclasses.is_dataclass(config)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.classes = 3


def test_source_by_name():
    found = network_of("event_convnet", seed=2)
    assert (found.name, found.input_shape, found.carries) == ("event_convnet", (2, 32, 32), "spikes")


def test_listing_the_zoo_loads_no_torch():
    code = "import sys, spikeport.models.zoo as zoo; print(list(zoo.ZOO)); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: zoo.build("resnet"),
            "zoo: no network 'resnet'; expected one of ann_convnet, event_convnet, sequence_rnn",
        ),
        (lambda: zoo.config_of("event_convnet", {"size": 33}), r"size 33; expected a multiple of 8"),
        (lambda: zoo.config_of("event_convnet", {"channels": [1] * 9}), "1 to 8 convolutions"),
        (lambda: zoo.config_of("event_convnet", {"classes": 10**9}), "of 1 to 4096 channels"),
        (lambda: zoo.config_of("event_convnet", {"classes": True}), "classes = True; expected a value like 10"),
        (lambda: zoo.config_of("event_convnet", {"beta": float("nan")}), "beta = nan; expected a value like 0.8"),
        (lambda: zoo.config_of("event_convnet", {"depth": 3}), "a field 'depth'; expected fields out of size"),
        (lambda: zoo.config_of("ann_convnet", {"size": 36}), "size 36; expected a multiple of 8"),
        (lambda: zoo.config_of("ann_convnet", {"channels": [1] * 9}), "1 to 8 convolutions"),
        (lambda: zoo.config_of("sequence_rnn", {"hidden": 10**6}), "expected 1 to 16384"),
        (lambda: zoo.config_of("sequence_rnn", {"dt": 0.01}), "dt 0.01; expected above 0 and below both"),
    ],
)
def test_messages(call, message):
    with pytest.raises(UsageError, match=message):
        call()
