"""Each convention beside the package it is named after, on the same networks: the same integers."""

from copy import deepcopy

import pytest
import torch
from spikeport.benchmarks import real_counters as ours_to_call
from spikeport.benchmarks.conventions import figures
from support import real_counters as real
from support.counted_networks import NETWORKS, made
from torch import nn

pytestmark = [
    # snntorch's neurons ask for the shape of their state, and the tracer of torch says so
    pytest.mark.filterwarnings("ignore:Converting a tensor to a Python boolean"),
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),
]

OVER_COUNTED = {"circular padding": 71, "spikes and pools": 191, "SpikingJelly": 518}
"""ACs of SpikingJelly's own bookkeeping, see test_peers_faults: the sum over its map of every spiking convolution."""


def figure(name: str, module: nn.Module, x: torch.Tensor):
    return figures(module, x, [name])[0]


@pytest.mark.parametrize("name", NETWORKS)
def test_counters_of_operations_find_the_same(name):
    module, x = made(name)
    assert figure("mmcv", module, x).per_sample["flops"] == real.mmcv(module, x)
    assert figure("fvcore-eval", module, x).values["flops"] == real.fvcore(module, x)
    assert figure("fvcore-train", module, x).values["flops"] == real.fvcore(module, x, train=True)
    assert figure("thop", module, x).values["macs"] == real.thop(module, x)
    assert figure("torch", module, x).values["flops"] == real.torch_flops(module, x)


@pytest.mark.parametrize("name", NETWORKS)
def test_counters_of_spikes_find_the_same(name):
    module, x = made(name)
    syops = figure("syops", module, x)
    assert tuple(syops.values.values()) == tuple(round(float(value) * len(x)) for value in real.syops(module, x))
    jelly = dict(figure("spikingjelly", module, x).values)
    jelly["ac"] += OVER_COUNTED.get(name, 0)
    assert jelly == ours_to_call.spikingjelly(deepcopy(module), x)


METRICS = {
    "SynapticOperations": ("effective_macs", "effective_acs", "dense"),
    "NeuronOperations": ("effective_neuron_ops", "dense_neuron_ops"),
    "MembraneUpdates": ("membrane_updates",),
}


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "recurrent layers"])
def test_neurobench_finds_the_same(name):
    module, x = made(name)
    found = figure("neurobench", module, x)
    metrics = [metric for metric, names in METRICS.items() if names[0] in found.values]
    for metric, result in ours_to_call.neurobench(deepcopy(module), x, *metrics).items():
        values = result.values() if isinstance(result, dict) else [result]
        assert [found.per_sample[each] for each in METRICS[metric]] == pytest.approx(list(values), abs=1e-9)


@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "groups"), [(1, 0, 1, 1), (2, 2, 1, 1), (1, 2, 2, 1), (2, 0, 1, 2), (2, 1, 2, 2)]
)
@pytest.mark.parametrize(
    "values", [(0.0, 1.0), (0.0, 0.5), (-1.0, 0.0, 1.0), (0.0, 1.0, 2.0), (0.0, 2.0), (-1.0, 0.0)], ids=str
)
def test_a_convolution_of_any_form_on_values_of_any_kind(stride, padding, dilation, groups, values):
    torch.manual_seed(1)
    module = nn.Sequential(nn.Conv2d(2, 4, 3, stride, padding, dilation, groups)).eval()
    x = torch.tensor(values)[torch.randint(len(values), (2, 2, 7, 6))]
    found = figure("neurobench", module, x).per_sample
    synaptic = ours_to_call.neurobench(deepcopy(module), x)["SynapticOperations"]
    assert [found[each] for each in METRICS["SynapticOperations"]] == list(synaptic.values())
    syops = figure("syops", module, x)
    assert tuple(syops.values.values()) == tuple(round(float(value) * len(x)) for value in real.syops(module, x))
    jelly, theirs = figure("spikingjelly", module, x).values, ours_to_call.spikingjelly(deepcopy(module), x)
    assert (jelly["mac"], jelly["synop"]) == (theirs["mac"], theirs["synop"])


class Step(nn.Module):
    """One step of a cell from given states."""

    def __init__(self, cell: nn.Module, states: object) -> None:
        super().__init__()
        self.cell, self.states = cell, states

    def forward(self, x):
        return self.cell(x, self.states)


@pytest.mark.parametrize("kind", [nn.RNNCell, nn.LSTMCell, nn.GRUCell])
@pytest.mark.parametrize("seed", range(4))
def test_cells_with_holes_in_weights_inputs_and_states(kind, seed):
    torch.manual_seed(seed)
    cell, states = kind(4, 3), torch.randn(2, 2, 3) * (torch.rand(2, 2, 3) < 0.5)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.mul_(torch.rand(parameter.shape) < 0.3)
    module = Step(cell, tuple(states) if kind is nn.LSTMCell else states[0]).eval()
    x = torch.randn(2, 4) * (torch.rand(2, 4) < 0.5)
    found = figure("neurobench", module, x).per_sample
    synaptic = ours_to_call.neurobench(deepcopy(module), x)["SynapticOperations"]
    assert [found[each] for each in METRICS["SynapticOperations"]] == list(synaptic.values())


class Normed(nn.Module):
    """Batch norm by the statistics of the batch, which it keeps or has none to keep."""

    def __init__(self, kept: bool, affine: bool) -> None:
        super().__init__()
        self.norm, self.kept = nn.BatchNorm2d(3, affine=affine, track_running_stats=kept), kept

    def forward(self, x):
        norm = self.norm
        return nn.functional.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias, training=True)


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_norms_by_the_statistics_of_the_batch(kept, affine):
    module, x = Normed(kept, affine).eval(), torch.randn(2, 3, 4, 4)
    assert figure("spikingjelly", module, x).values == ours_to_call.spikingjelly(deepcopy(module), x)
    assert figure("fvcore-eval", module, x).values["flops"] == real.fvcore(module, x)
