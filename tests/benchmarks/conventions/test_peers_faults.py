"""Where a real counter crashes, or differs from its own rules: the smallest example of each."""

from copy import deepcopy

import pytest
import torch
from spikeport.benchmarks.conventions import figures
from spikeport.benchmarks.real_counters import neurobench, spikingjelly
from support import real_counters as real
from torch import nn


def values(name: str, module: nn.Module, x) -> dict[str, int]:
    return dict(figures(module, x, [name])[0].values)


def test_spikingjelly_counts_a_sum_of_its_own_bookkeeping():
    """Its counter of memory sums a map of [B, groups, H, W] while that of ACs listens: B·groups·H·W - 1 too many."""
    module, x = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False)), torch.ones(1, 1, 2, 2)
    assert values("spikingjelly", module, x)["ac"] == 4
    assert spikingjelly(module, x)["ac"] == 4 + 3


def test_spikingjelly_takes_weights_of_ones_for_spikes():
    """A graded input on weights of 1: "ACs" of what has to be multiplied or scaled, by its own rule."""
    module = nn.Sequential(nn.Linear(2, 3, bias=False))
    module[0].weight.data.fill_(1.0)
    x = torch.tensor([[0.25, 0.75]])
    assert spikingjelly(module, x)["mac"] == values("spikingjelly", module, x)["mac"] == 0
    assert spikingjelly(module, x)["ac"] == values("spikingjelly", module, x)["ac"] == 6


def test_spikingjelly_loses_spikes_behind_a_factor():
    """addmm with alpha: neither ACs nor MACs."""

    class Scaled(nn.Module):
        def forward(self, x):
            return torch.addmm(torch.zeros(2, 2), x, torch.full((2, 2), 0.3), alpha=2)

    x = torch.eye(2)
    for found in (values("spikingjelly", Scaled(), x), spikingjelly(Scaled(), x)):
        assert (found["mac"], found["ac"], found["synop"]) == (0, 0, 0)


def test_neurobench_gives_zero_for_a_network_with_a_whole_recurrent_layer():
    """It raises a string, which is a TypeError, which its benchmark turns into 0.0 for the whole metric."""

    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.out = nn.RNN(2, 3, batch_first=True), nn.Linear(3, 1)

        def forward(self, x):
            return self.out(self.rnn(x)[0])

    x = torch.rand(1, 2, 2) + 2
    assert neurobench(Last(), x)["SynapticOperations"] == 0.0
    (found,) = figures(Last(), x, ["neurobench"])
    assert found.values == {"effective_macs": 6, "effective_acs": 0, "dense": 6}
    assert any(line.startswith("rnn:") for line in found.misses)


def test_neurobench_sums_in_single_precision():
    """4097 · 4097 pairs are not a float32: 16,785,409 becomes 16,785,408."""
    module = nn.Sequential(nn.Linear(4097, 4097, bias=False))
    x = torch.full((1, 4097), 0.5)
    assert values("neurobench", module, x)["effective_macs"] == 4097**2 == 16_785_409
    assert neurobench(module, x)["SynapticOperations"]["Effective_MACs"] == 16_785_408


class Cell(nn.Module):
    def __init__(self, cell: nn.Module, *states: torch.Tensor) -> None:
        super().__init__()
        self.cell, self.states = cell, states

    def forward(self, x):
        return self.cell(x, *self.states)


def test_neurobench_fails_on_cells_without_a_state_or_without_biases():
    x = torch.full((2, 3), 0.5)
    for module in (Cell(nn.LSTMCell(3, 2)), Cell(nn.GRUCell(3, 2, bias=False), torch.ones(2, 2))):
        assert neurobench(module, x)["SynapticOperations"] == 0.0
        assert values("neurobench", module, x)["effective_macs"] > 0


def test_neurobench_counts_the_first_sample_alone_of_a_cell_without_state_and_biases():
    """By its rules a state that is not given is 0: 2 samples · 2 · 3 pairs."""
    module, x = Cell(nn.RNNCell(3, 2, bias=False)), torch.full((2, 3), 0.5)
    assert values("neurobench", module, x)["effective_macs"] == 12
    assert neurobench(module, x)["SynapticOperations"]["Effective_MACs"] == 6 / 2


def test_neurobench_looks_at_inputs_after_they_were_changed_in_place():
    class Changed(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(2, 2, bias=False)

        def forward(self, x):
            x = x * 1
            y = self.first(x)
            x.zero_()
            return y

    x = torch.full((1, 2), 0.5)
    assert values("neurobench", Changed(), x)["effective_macs"] == 4
    assert neurobench(Changed(), x)["SynapticOperations"] == {"Effective_MACs": 0, "Effective_ACs": 0, "Dense": 4}


def test_neurobench_has_no_price_for_neurons_that_are_not_reset():
    import snntorch

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.neuron = snntorch.Leaky(beta=0.5, init_hidden=True, reset_mechanism="none")

        def forward(self, x):
            return self.neuron(x)

    x = torch.ones(1, 2)
    assert neurobench(Net(), x, "NeuronOperations")["NeuronOperations"] == 0.0
    (found,) = figures(Net(), x, ["neurobench"])
    assert "dense_neuron_ops" not in found.values
    assert any(line.startswith("neuron:") for line in found.misses)


def test_thop_counts_a_layer_that_two_blocks_share_four_times():
    """2 calls of 4 multiply-accumulates, hooked once from each block, and added up once in each."""
    layer = nn.Linear(2, 2, bias=False)
    module, x = nn.Sequential(nn.Sequential(layer), nn.Sequential(layer)), torch.zeros(1, 2)
    assert values("thop", module, x)["macs"] == real.thop(module, x) == 4 * 8
    assert values("torch", module, x)["flops"] == 2 * 8


def test_neurobench_fails_on_a_layer_that_two_blocks_share():
    """2 calls of 4 pairs; it hangs a hook for each place, and one listens while the other counts."""
    layer = nn.Linear(2, 2, bias=False)
    module, x = nn.Sequential(nn.Sequential(layer), nn.Sequential(layer)), torch.full((1, 2), 0.5)
    assert values("neurobench", module, x)["effective_macs"] == 2 * 4
    assert neurobench(module, x)["SynapticOperations"] == 0.0


def test_thop_counts_a_transposed_convolution_by_its_outputs():
    """One input reaches 16 outputs through 16 weights; thop has every output read all 16."""
    module, x = nn.Sequential(nn.ConvTranspose2d(1, 1, 4, bias=False)), torch.zeros(1, 1, 1, 1)
    assert values("thop", module, x)["macs"] == real.thop(module, x) == 256
    assert values("torch", module, x)["flops"] == 2 * 16


def test_fvcore_does_not_see_same_padding_and_crashes_on_a_vector():
    module, x = nn.Sequential(nn.Conv2d(1, 1, 3, padding="same")), torch.zeros(1, 1, 4, 4)
    (found,) = figures(module, x, ["fvcore-eval"])
    assert found.values["flops"] == real.fvcore(module, x) == 0
    assert found.misses == ("0: _convolution_mode",)

    class Vector(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(3))

        def forward(self, x):
            return x @ self.weight

    with pytest.raises(IndexError):
        real.fvcore(Vector(), torch.zeros(2, 3))
    assert values("fvcore-eval", Vector(), torch.zeros(2, 3))["flops"] == 6


def test_fvcore_knows_an_einsum_to_four_digits():
    """41 · 43 · 47 = 82,861 pairs; numpy prints 1.657e+05 FLOPs."""

    class Product(nn.Module):
        def forward(self, x, y):
            return torch.einsum("ab,bc->ca", x, y)

    given = (torch.zeros(41, 43), torch.zeros(43, 47))
    assert values("fvcore-eval", Product(), given)["flops"] == real.fvcore(Product(), given) == 82_850
    assert values("torch", Product(), given)["flops"] == 2 * 82_861


def test_syops_takes_half_spikes_for_spikes_of_half_the_rate():
    """0 and 0.5 are two values in [0, 1]: their mean, 0.25, is taken for the share of what spikes, which is 0.5."""
    module, x = nn.Sequential(nn.Linear(4, 5, bias=False)), torch.tensor([[0.0, 0.5, 0.5, 0.0]])
    assert values("syops", module, x) == {"operations": 20, "acs": 5, "macs": 0}
    assert tuple(real.syops(module, x)) == (20, 5, 0)


def test_syops_adds_the_bias_of_a_linear_layer_once_for_the_whole_batch():
    module, x = nn.Sequential(nn.Linear(2, 3)), torch.rand(4, 2) + 2
    assert values("syops", module, x)["macs"] == 4 * 6 + 3
    assert real.syops(deepcopy(module), x)[2] == (4 * 6 + 3) / 4
