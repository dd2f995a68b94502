"""Every network of the zoo: runs, fires, learns, comes from its seed alone, and refuses nonsense."""

import dataclasses
import subprocess
import sys

import pytest
import torch
from spikeport.models import zoo
from spikeport.models.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from spikeport.models.layer import Neurons
from spikeport.models.penalties import Penalised
from spikeport.models.readouts import READOUTS
from spikeport.models.sources import network_of
from spikeport.toolchain.errors import UsageError
from spikeport.toolchain.graph.nodes import Host
from spikeport.toolchain.simulate import simulate
from spikeport.toolchain.tracing import trace


def inputs(name, config, steps=20, batch=4):
    """Values for every input, in forward's order: one in ten a spike, or normal."""
    torch.manual_seed(7)
    drawn = [torch.randn(steps, batch, *kind.shape) for kind in config.takes.values()]
    kinds = config.takes.values()
    return [(x > 1.28).float() if kind.carries == "spikes" else x for x, kind in zip(drawn, kinds, strict=True)]


def small(name, seed=0):
    return zoo.build(name, zoo.small_config(name), seed)


def firing(network):
    return [module for module in network.modules() if isinstance(module, Neurons) and module.surrogate is not None]


@pytest.mark.parametrize("name", zoo.SPIKING)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_layer_fires_and_none_all_the_time(name, seed):
    network, rates = zoo.build(name, seed=seed), []
    for layer in firing(network):
        layer.register_forward_hook(lambda _module, _args, out: rates.append(float(out.mean())))
    with torch.no_grad():
        out = network(*inputs(name, zoo.config_of(name)))
    assert out.shape == (20, 4, 10)
    assert len(rates) == len(firing(network)) > 0
    assert all(0.01 < rate < 0.6 for rate in rates), rates


def test_a_network_of_relus_looks_at_each_step_by_itself():
    network, x = zoo.build("ann_convnet"), *inputs("ann_convnet", zoo.config_of("ann_convnet"))
    with torch.no_grad():
        out = network(x)
        torch.testing.assert_close(out[7], network(x[7:8])[0])
    assert out.shape == (20, 4, 10)
    assert firing(network) == []
    assert zoo.SPIKING == ("event_convnet", "sequence_rnn")


@pytest.mark.parametrize("name", list(zoo.ZOO))
def test_every_weight_gets_a_gradient(name):
    network = small(name).train()
    labels = torch.arange(4) % 2
    out = network(*inputs(name, zoo.small_config(name)))
    loss = torch.nn.functional.cross_entropy(READOUTS[zoo.entry(name).readout](out), labels) + out.square().sum()
    if isinstance(network, Penalised):
        loss = loss + sum(network.penalties(labels).values())
    loss.backward()
    for key, weight in network.named_parameters():
        assert weight.grad is not None, key
        assert weight.grad.abs().sum() > 0, key


@pytest.mark.parametrize("name", list(zoo.ZOO))
def test_weights_come_from_the_seed_alone(name):
    first = small(name, 3).state_dict()
    torch.manual_seed(99)
    again, other = small(name, 3).state_dict(), dict(small(name, 4).named_parameters())
    assert all(torch.equal(first[key], again[key]) for key in first)
    drawn = [key for key, value in other.items() if value.detach().unique().numel() > 1]
    assert drawn
    assert not any(torch.equal(first[key], other[key]) for key in drawn)
    assert not small(name).training


@pytest.mark.parametrize("name", list(zoo.ZOO))
def test_every_field_of_a_config_can_be_given(name):
    config = zoo.config_of(name)
    values = {key: list(value) if isinstance(value, tuple) else value for key, value in vars(config).items()}
    assert zoo.config_of(name, values) == config
    assert dataclasses.is_dataclass(config)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.classes = 3


@pytest.mark.parametrize(("name", "more"), [*((name, {}) for name in zoo.ZOO), ("spiking_fusion", {"frequency": True})])
def test_a_checkpoint_of_it_says_the_same(name, more, tmp_path):
    config = zoo.config_of(name, {**zoo.entry(name).small, **more})
    network = zoo.build(name, config, 1)
    save_checkpoint(tmp_path / "x.safetensors", network, Checkpoint(name, config, 1))
    again, about = load_checkpoint(tmp_path / "x.safetensors")
    x = inputs(name, config, 4, 2)
    assert about.config == config
    with torch.no_grad():
        assert torch.equal(again(*x), network(*x))


def test_source_by_name():
    found = network_of("event_convnet", seed=2)
    assert (found.name, found.carries) == ("event_convnet", {"input": "spikes"})
    assert found.takes["input"].shape == (2, 32, 32)


def test_listing_the_zoo_loads_no_torch():
    code = "import sys, spikeport.models.zoo as zoo; print(list(zoo.ZOO)); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: zoo.build("resnet"),
            f"zoo: no network 'resnet'; expected one of {', '.join(zoo.ZOO)}",
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


@pytest.mark.parametrize("name", list(zoo.ZOO))
def test_the_graph_of_a_small_one_is_the_network(name):
    """Tracing proves it in float64 with other samples; here once more, by the simulation on the network's own terms."""
    network, config = small(name), zoo.small_config(name)
    x = dict(zip(config.takes, inputs(name, config, 6, 2), strict=True))
    row, carries = zoo.entry(name), {key: kind.carries for key, kind in config.takes.items()}
    example = x["input"] if list(x) == ["input"] else x
    graph = trace(network, example, time_axis=0, carries=carries, host=row.host)
    assert list(graph.inputs) == list(config.takes)
    found = simulate(graph, {key: value.double().numpy() for key, value in x.items()}).outputs[graph.outputs[0]]
    with torch.no_grad():
        expected = network.double()(*(value.double() for value in x.values()))
    torch.testing.assert_close(torch.tensor(found), expected, rtol=1e-9, atol=1e-9)
    assert row.host or not any(isinstance(node, Host) for node in graph.nodes.values())
