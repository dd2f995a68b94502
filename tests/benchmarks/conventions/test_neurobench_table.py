"""NeuroBench's own table of cases: the integers of its tests, by our convention and by the real NeuroBench."""

from collections.abc import Callable
from copy import deepcopy
from itertools import pairwise

import pytest
import snntorch
import torch
from spikeport.benchmarks.conventions import figures
from spikeport.benchmarks.real_counters import neurobench
from torch import nn


def mostly_ones(*shape: int, value: float = 4.0, first: int = 1) -> torch.Tensor:
    """Ones, and some other number at the beginning, so that the input is none of spikes."""
    x = torch.ones(shape)
    x.view(-1)[:first] = value
    return x


class Steps(nn.Module):
    """A cell, and what it is called with in one step."""

    def __init__(self, cell: nn.Module, states: int) -> None:
        super().__init__()
        self.cell, self.states = cell, states

    def forward(self, x):
        states = [mostly_ones(1, 5) for _ in range(self.states)]
        return self.cell(x, tuple(states) if len(states) > 1 else states[0])


class OverTime(nn.Module):
    """A network of snnTorch, called for every step of [B, T, inputs] as NeuroBench's wrapper calls it."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x):
        return torch.stack([self.net(x[:, step])[0] for step in range(x.shape[1])], dim=1)


def dense(*sizes: int, last: type[nn.Module] = nn.Sigmoid) -> nn.Module:
    """Linear layers without biases, a sigmoid behind each but the last."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs, bias=False), nn.Sigmoid()]
    return nn.Sequential(*layers[:-1], last())


def leaky() -> nn.Module:
    net = nn.Sequential(nn.Linear(20, 5, bias=False), snntorch.Leaky(beta=0.9, init_hidden=True, output=True))
    net[0].weight.data.fill_(1.0)
    return OverTime(net)


CASES: dict[str, tuple[Callable[[], nn.Module], torch.Tensor, int, int]] = {
    "Linear 20-25-25": (lambda: dense(20, 25, 25, last=nn.ReLU), mostly_ones(1, 20, value=5, first=10), 1125, 0),
    "Linear 20-20-25-25-25": (lambda: dense(20, 20, 25, 25, 25), mostly_ones(1, 20, value=5, first=10), 2150, 0),
    "Conv2d, one position": (lambda: nn.Sequential(nn.Conv2d(1, 1, 3, bias=False)), mostly_ones(1, 1, 3, 3), 9, 0),
    "Conv2d": (lambda: nn.Sequential(nn.Conv2d(1, 1, 3, bias=False)), mostly_ones(1, 1, 12, 12), 900, 0),
    "Conv1d": (lambda: nn.Sequential(nn.Conv1d(5, 1, 5, bias=False)), mostly_ones(1, 5, 10), 150, 0),
    "Linear and Leaky": (leaky, torch.ones(5, 10, 20), 0, 1000),
    "LSTMCell": (lambda: Steps(nn.LSTMCell(25, 5), 2), mostly_ones(1, 25), 615, 0),
    "RNNCell": (lambda: Steps(nn.RNNCell(25, 5), 1), mostly_ones(1, 25), 150, 0),
    "GRUCell": (lambda: Steps(nn.GRUCell(25, 5), 1), mostly_ones(1, 25), 465, 0),
}


@pytest.mark.parametrize("name", CASES)
def test_every_case_of_the_table_is_met(name):
    make, x, macs, acs = CASES[name]
    torch.manual_seed(0)
    module = make()
    (found,) = figures(module, x, ["neurobench"])
    assert (found.per_sample["effective_macs"], found.per_sample["effective_acs"]) == (macs, acs)
    real = neurobench(deepcopy(module), x)["SynapticOperations"]
    assert real == {"Effective_MACs": macs, "Effective_ACs": acs, "Dense": found.per_sample["dense"]}


@pytest.mark.parametrize(("value", "operations"), [(1.0, 200), (0.0, 20)], ids=["ones", "zeros"])
def test_neurons_do_what_the_table_says(value, operations):
    module, x = leaky(), torch.full((5, 10, 20), value)
    (found,) = figures(module, x, ["neurobench"])
    assert found.per_sample["effective_neuron_ops"] == operations
    assert found.per_sample["dense_neuron_ops"] == 200
    assert found.per_sample["membrane_updates"] == operations / 4
    real = neurobench(deepcopy(module), x, "NeuronOperations", "MembraneUpdates")
    assert real["NeuronOperations"] == {"Effective Neuron Ops": operations, "Neuron Dense Ops": 200}
    assert real["MembraneUpdates"] == operations / 4
