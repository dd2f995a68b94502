"""Modules of every kind while they run: cells, dialects, blocks, training; what is not counted; what is left behind."""

import gc
import weakref

import norse.torch as norse
import pytest
import snntorch
import torch
from spikeport.benchmarks.counting.neuron_modules import NEURONS
from spikeport.benchmarks.counting.of_module import count_module, counting
from spikeport.benchmarks.operations import Ops
from spikeport.benchmarks.speed.transformer import block
from spikeport.models import neurons
from spikeport.models.recurrent import RecurrentCubaLIF
from spikeport.toolchain.tracing.dialects import TABLES
from spikingjelly.activation_based import functional, layer, neuron
from torch import nn

MOVES = (
    "layer.dropout.Dropout",
    "layer.dropout.Dropout2d",
    "layer.misc.Delay",
    "models.stateful.Change",
    "layer.container.",
    "RecurrentSequential",
)
"""Rows of the dialects that are no neurons."""


def events(*shape):
    torch.manual_seed(len(shape))
    return (torch.rand(shape) < 0.4).float()


def test_every_neuron_of_the_dialects_is_known():
    rows = {name for name in TABLES if not any(move in name for move in MOVES)}
    assert rows == set(NEURONS)


CELLS = {
    "LSTM": (nn.LSTM(5, 3), nn.LSTMCell(5, 3)),
    "GRU": (nn.GRU(5, 3), nn.GRUCell(5, 3)),
    "RNN": (nn.RNN(5, 3), nn.RNNCell(5, 3)),
}


class Loop(nn.Module):
    """A cell, step by step."""

    def __init__(self, cell):
        super().__init__()
        self.cell = cell

    def forward(self, x):
        state = None
        for row in x:
            state = self.cell(row) if state is None else self.cell(row, state)
        return state


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("mode", [torch.no_grad, torch.enable_grad, torch.inference_mode])
def test_a_layer_of_cells_is_its_cell_in_a_loop(name, mode):
    whole, cell = CELLS[name]
    x = events(4, 2, 5)
    with mode():
        one = count_module(whole, x, carries="spikes", steps=4, samples=2)
        other = count_module(Loop(cell), x, carries="spikes", steps=4, samples=2)
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[name]
    assert not one.uncounted
    assert not other.uncounted
    assert one.total.acs.dense == other.total.acs.dense == gates * 3 * x.numel()
    assert one.total.acs.effective == gates * 3 * int(x.sum())
    assert one.total.macs == other.total.macs
    assert one.total.functions == other.total.functions
    assert (one.total.adds, one.total.bias_adds) == (other.total.adds, other.total.bias_adds)
    products = {"LSTM": 3, "GRU": 2, "RNN": 0}[name] * 4 * 2 * 3
    assert one.total.macs.dense == gates * 3 * 3 * 4 * 2 + products


def test_an_lstm_of_two_layers_and_directions():
    module = nn.LSTM(4, 3, num_layers=2, bidirectional=True, bias=False)
    total = count_module(module, events(5, 2, 4), carries="spikes").total
    assert total.acs.dense == 2 * 12 * events(5, 2, 4).numel()
    assert total.macs.dense == 2 * 12 * 5 * 2 * 6 + 4 * (12 * 3 + 9) * 5 * 2
    assert total.bias_adds == 0


class Stepping(nn.Module):
    """Layers of a dialect whose neurons take a step in each call."""

    def __init__(self, fire, inward=None):
        super().__init__()
        self.inward, self.fire = inward or nn.Linear(6, 4), fire

    def forward(self, x):
        state, sent = None, []
        for row in x:
            answer = self.fire(self.inward(row), *([] if state is None else state))
            spikes, *state = answer if isinstance(answer, tuple) else (answer,)
            state = state or None
            sent.append(spikes)
        return torch.stack(sent)


STEPPED = {
    "Norse": (lambda: norse.LIFBoxCell(), "LIF", True),
    "snnTorch": (lambda: snntorch.Leaky(0.9, threshold=0.2), "LIF", True),
    "snnTorch, no reset": (lambda: snntorch.Leaky(0.9, threshold=0.2, reset_mechanism="none"), "LIF", False),
    "snnTorch, current": (lambda: snntorch.Synaptic(0.9, 0.8, threshold=0.2), "CubaLIF", True),
    "SpikingJelly": (lambda: neuron.LIFNode(v_threshold=0.2), "LIF", True),
}


@pytest.mark.parametrize("name", STEPPED)
def test_neurons_step_by_step_add_up_in_one_layer(name):
    make, kind, resets = STEPPED[name]
    module, x = Stepping(make()), events(7, 3, 6)
    with torch.no_grad():
        counts = count_module(module, x, carries="spikes", samples=3)
    functional.reset_net(module)
    for each in module.modules():
        if isinstance(each, snntorch.SpikingNeuron):
            each.reset_mem()
    with torch.no_grad():
        spikes = int(module(x).sum())
    assert list(counts.layers) == ["inward", "fire"]
    assert dict(counts.total.updates) == {kind: 7 * 3 * 4}
    assert counts.total.sent_events == spikes
    assert counts.total.resets == (spikes if resets else 0)
    assert counts.total.comparisons == counts.total.sent == 7 * 3 * 4
    assert counts.steps_of_sample == 7
    assert counts.layers["fire"].facts.n_in == 4
    assert counts.total.functions == {}


RECURRENT = {
    "ours": (lambda: RecurrentCubaLIF(6, 5, threshold=0.4), 7),
    "Norse": (lambda: norse.LIFRecurrent(6, 5, p=norse.LIFParameters(v_th=torch.tensor(0.02))), 7),
}


@pytest.mark.parametrize("name", RECURRENT)
def test_recurrent_weights_are_synapses_that_read_spikes(name):
    torch.manual_seed(3)
    module, x = RECURRENT[name][0](), events(7, 3, 6)
    counts = count_module(module, x, carries="spikes", samples=3)
    with torch.no_grad():
        spikes = module(x)
    spikes = spikes if name == "ours" else spikes[0]
    assert int(spikes[:-1].sum()) > 0
    back = next(each for layer_name, each in counts.layers.items() if layer_name.endswith("recurrent"))
    assert back.facts.carries == ("spikes",)
    assert (back.ops.acs.dense, back.ops.received) == (7 * 3 * 25, 7 * 3 * 5)
    assert back.ops.acs.effective == 5 * int(spikes[:-1].sum())
    alive = torch.count_nonzero(module.recurrent_weight if name == "ours" else module.recurrent_weights, 0)
    assert back.ops.acs.weighted == int((spikes[:-1].sum((0, 1)) * alive).sum())


def test_snntorch_multiplies_twice_by_weights_that_a_step_needs_once():
    cell = snntorch.RLeaky(0.5, linear_features=4, threshold=0.1, reset_mechanism="zero", init_hidden=True)
    counts = count_module(Stepping(cell), events(5, 2, 6), carries="spikes")
    assert counts.layers["fire.recurrent"].ops.acs.dense == 5 * 2 * 16
    assert counts.layers["fire.sum"].ops.adds == 5 * 2 * 4


def test_graded_spikes_are_multiplied():
    cell = snntorch.Leaky(0.5, threshold=0.1, graded_spikes_factor=0.7, init_hidden=True)
    counts = count_module(nn.Sequential(cell, nn.Linear(6, 2)), events(3, 6), carries="spikes")
    assert counts.layers["0.graded"].ops.multiplies == 18
    assert counts.layers["1"].facts.carries == ("graded",)


def test_ours_run_in_numba_and_declare_themselves():
    module = nn.Sequential(nn.Linear(6, 4), neurons.LIF(0.5, threshold=0.3), nn.Linear(4, 2), neurons.LI())
    x = events(5, 2, 6)
    counts = count_module(module, x, carries="spikes")
    assert counts.layers["2"].facts.carries == ("spikes",)
    assert dict(counts.total.updates) == {"LIF": 40, "LeakyIntegrator": 20}
    assert [each.facts.first for each in counts.layers.values()] == [True, True, False, False]
    assert counts.layers["3"].ops.comparisons == 0
    assert not counts.notes


def test_a_spiking_transformer_block():
    torch.manual_seed(5)
    module, x = block(quick=True)
    read = []
    handle = module.widen.register_forward_pre_hook(lambda _, args: read.append(args[0]))
    counts = count_module(module, x, carries="spikes", samples=2)
    handle.remove()
    with torch.no_grad():
        q, k = (each(x).unflatten(-1, (8, 32)).transpose(-2, -3) for each in (module.query, module.key))
    first, second, widen = (counts.layers[name] for name in ("matmul", "matmul_2", "widen.linear"))
    assert (first.facts.carries, second.facts.carries) == (("spikes", "spikes"), ("graded", "spikes"))
    assert first.ops.acs.effective == int((q.sum(-2) * k.sum(-2)).sum())
    assert widen.facts.carries == ("int[0,2]",)
    assert read[0].max() == 2
    assert widen.ops.integer_acs.spikes == 1024 * int(read[0].sum())
    assert widen.ops.integer_acs.effective == 1024 * int(torch.count_nonzero(read[0]))
    assert not counts.uncounted


def test_what_has_no_row_is_listed_with_its_time():
    class Strange(nn.Module):
        def forward(self, x):
            return torch.lgamma(x) + torch.i0(x)

    module = nn.Sequential(nn.Linear(3, 3), Strange())
    counts = count_module(module, torch.eye(3) + 0.1)
    names = {each.name: each for each in counts.uncounted}
    assert set(names) == {"lgamma", "i0"}
    assert all(each.layer == f"1.{name}" for name, each in names.items())
    assert all((each.calls, each.values) == (1, 9) and each.seconds > 0 for each in names.values())
    assert counts.seconds > sum(each.seconds for each in names.values())


def test_a_product_of_complex_numbers_is_one_pair_and_that_is_said():
    class Rotating(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.ones(4, 3, dtype=torch.complex64))

        def forward(self, x):
            return (x.to(torch.complex64) @ self.w).abs()

    found = count_module(Rotating(), torch.ones(2, 4))
    assert found.total.macs.dense == 24
    assert "a product of complex numbers is counted as one pair" in found.notes
    assert not any("complex" in note for note in count_module(nn.Linear(4, 3), torch.ones(2, 4)).notes)


def test_a_training_step_counts_its_forward_pass_alone():
    module, x = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), events(5, 4)
    wanted = count_module(module, x, carries="spikes").total
    optimiser = torch.optim.Adam(module.parameters())
    with counting(module, carries="spikes") as found:
        loss = nn.functional.cross_entropy(module(x), torch.zeros(5, dtype=torch.long))
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        module(x)
    total = found.count.total
    assert total.acs.dense == 2 * wanted.acs.dense
    assert total.macs.dense == 2 * wanted.macs.dense
    assert dict(total.functions) == {"log_softmax": 10, "nll_loss_forward": 10}
    assert any("backward passes" in note for note in found.count.notes)
    assert not found.count.uncounted


@pytest.mark.parametrize("mode", [torch.no_grad, torch.enable_grad, torch.inference_mode])
def test_the_mode_of_autograd_does_not_matter(mode):
    module = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding="same"), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Dropout(), nn.Linear(4, 3), nn.LayerNorm(3), nn.GELU(), nn.Softmax(-1),
    ).eval()  # fmt: skip
    x = events(3, 2, 6, 6)
    with torch.no_grad():
        wanted = count_module(module, x, carries="spikes")
    with mode(), counting(module, carries="spikes") as found:
        module(x)
    assert found.count.layers == wanted.layers
    assert dict(wanted.total.functions) == {"layer_norm": 9, "gelu": 9, "softmax": 9}
    assert not wanted.uncounted


def test_attention_of_torch_counts_the_same_on_its_fast_path():
    module = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    x = torch.rand(2, 5, 8)
    counts = count_module(module, x)
    assert not counts.uncounted
    assert counts.total.macs.dense == 2 * 5 * 8 * (4 * 8 + 2 * 16) + 2 * 2 * 5 * 5 * 8


def test_inputs_come_by_place_or_by_name():
    module = nn.PairwiseDistance()
    a, b = torch.rand(3, 4), torch.rand(3, 4)
    assert count_module(module, (a, b)).total == count_module(module, {"x1": a, "x2": b}).total


def test_a_module_that_fails_leaves_torch_as_it_was():
    module = nn.Sequential(nn.Linear(3, 3), neuron.LIFNode(), nn.Linear(4, 4))
    with pytest.raises(RuntimeError):
        count_module(module, torch.rand(2, 3))
    assert torch.utils._python_dispatch._get_current_dispatch_mode() is None
    assert torch.backends.mha.get_fastpath_enabled()
    assert not nn.modules.module._global_forward_hooks
    assert not nn.modules.module._global_forward_pre_hooks
    assert not module._forward_pre_hooks


def test_nothing_is_kept_alive_by_the_counts():
    module, x = (
        nn.Sequential(nn.Linear(6, 4), neurons.LIF(), nn.Linear(4, 4), neuron.IFNode(step_mode="m")),
        events(3, 2, 6),
    )
    held = [weakref.ref(x)]
    with torch.no_grad(), counting(module) as found:
        module(x)
    functional.reset_net(module)
    del x
    gc.collect()
    assert held[0]() is None
    assert found.count.total != Ops()


def test_layers_of_spikingjelly_in_many_steps():
    module = nn.Sequential(layer.Conv2d(2, 3, 3, padding=1, step_mode="m"), neuron.LIFNode(step_mode="m"))
    x = events(4, 2, 2, 5, 5)
    counts = count_module(module, x, carries="spikes", samples=2)
    assert list(counts.layers) == ["0", "1"]
    assert counts.layers["0"].facts.n_in == 50
    assert counts.steps == 8
