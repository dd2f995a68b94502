"""Pairs of any torch module: against neuron-by-neuron brute force, in cases in which counters of shapes are wrong."""

import math

import pytest
import torch
from spikeport.benchmarks.counting.of_module import count_module, counting
from spikeport.benchmarks.operations import Ops
from spikeport.toolchain.errors import SimulationError, UsageError
from torch import nn
from torch.nn import functional


def drawn(shape, what):
    """Spikes, small integers, real numbers with many zeros, or a constant."""
    torch.manual_seed(math.prod(shape) + len(what))
    spikes = (torch.rand(shape) < 0.3).float()
    return {
        "spikes": spikes,
        "ints": spikes * torch.randint(-3, 4, shape),
        "graded": spikes * torch.randn(shape),
        "zeros": torch.zeros(shape),
        "ones": torch.ones(shape),
    }[what]


PROMISES = {"spikes": "spikes", "ints": "int[-3,3]", "graded": "graded", "zeros": "spikes", "ones": "spikes"}
FIELD = {"spikes": "acs", "ints": "integer_acs", "graded": "macs", "zeros": "acs", "ones": "acs"}


def connected(module, x, *, weights=None):
    """[outputs, inputs]: which input value reaches which output value of one sample, by the Jacobian of the module."""
    made = {name: torch.ones_like(w) if weights is None else w for name, w in module.named_parameters()}
    made |= {name: torch.zeros_like(w) for name, w in made.items() if name.endswith("bias")}

    def run(flat):
        return torch.func.functional_call(module, made, (flat.view(x.shape),)).reshape(-1)

    return torch.autograd.functional.jacobian(run, torch.ones(x.numel())) != 0


def sparse(module, every=3):
    """The module with zeros among its weights."""
    with torch.no_grad():
        for weight in module.parameters():
            weight.view(-1)[::every] = 0
    return module


LAYERS = {
    "linear": (lambda: nn.Linear(6, 4), (6,)),
    "linear without bias": (lambda: nn.Linear(6, 4, bias=False), (6,)),
    "linear on the last axis": (lambda: nn.Linear(3, 4), (2, 3)),
    "conv1d": (lambda: nn.Conv1d(2, 3, 3, 2, 1), (2, 9)),
    "conv2d": (lambda: nn.Conv2d(2, 3, 3, padding=1), (2, 5, 6)),
    "strided": (lambda: nn.Conv2d(2, 4, 3, (2, 3), (0, 2)), (2, 7, 6)),
    "dilated": (lambda: nn.Conv2d(2, 4, (3, 2), 1, 2, (2, 3)), (2, 6, 7)),
    "grouped": (lambda: nn.Conv2d(4, 6, 3, 2, 1, 1, 2, bias=False), (4, 5, 5)),
    "depthwise": (lambda: nn.Conv2d(3, 3, 3, groups=3), (3, 5, 5)),
    "same": (lambda: nn.Conv2d(2, 2, (2, 4), padding="same"), (2, 5, 5)),
    "conv3d": (lambda: nn.Conv3d(1, 2, 2, 1, 1), (1, 3, 4, 3)),
    "transposed": (lambda: nn.ConvTranspose2d(2, 3, 3, 2, 1, 1), (2, 4, 3)),
    "transposed, grouped": (lambda: nn.ConvTranspose1d(4, 6, 4, 3, 2, groups=2, dilation=2), (4, 5)),
}


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")  # torch on its speed
@pytest.mark.parametrize(
    ("name", "what"),
    [*((name, what) for name in LAYERS for what in ("spikes", "ints", "graded")), *(("conv2d", w) for w in PROMISES)],
)
def test_weights_reach_what_they_are_connected_with(name, what):
    make, shape = LAYERS[name]
    module, x = sparse(make()), drawn((3, *shape), what)
    counts = count_module(module, x, carries=PROMISES[what], samples=3)
    total, pairs = counts.total, getattr(counts.total, FIELD[what])
    every = connected(module, x[:1])
    alive = connected(module, x[:1], weights=dict(module.named_parameters()))
    flat = x.reshape(3, -1)
    assert pairs.dense == 3 * int(every.sum())
    assert pairs.effective == sum(int(every[:, row != 0].sum()) for row in flat)
    assert pairs.weighted == sum(int(alive[:, row != 0].sum()) for row in flat)
    magnitudes = int(sum((every.double() @ row.abs().double()).sum() for row in flat))
    assert pairs.spikes == (0 if what == "graded" else magnitudes)
    assert total.pairs == pairs
    assert (total.received, total.events) == (x.numel(), int(torch.count_nonzero(x)))
    out = module(x)
    biased = getattr(module, "bias", None) is not None
    assert total.bias_adds == (out.numel() if biased else 0)


def test_padding_is_seen_by_counters_of_shapes_alone():
    module = nn.Conv2d(2, 3, 3, padding=1)
    pairs = count_module(module, torch.ones(1, 2, 4, 4), carries="spikes").total.acs
    assert pairs.padded == 3 * 16 * 2 * 9
    assert pairs.dense == 3 * 2 * (4 * 9 - 6) * (4 * 9 - 6) // 9  # 10 · 10 entries of the kernel lie inside
    assert pairs.effective == pairs.dense


POOLS = {
    "average": (nn.AvgPool2d(2), (2, 5, 6)),
    "average, padded": (nn.AvgPool2d(3, 2, 1, ceil_mode=True), (2, 6, 5)),
    "average in 1": (nn.AvgPool1d(3, 2), (2, 9)),
    "adaptive, all": (nn.AdaptiveAvgPool2d(1), (3, 4, 5)),
    "adaptive, overlapping": (nn.AdaptiveAvgPool2d((3, 2)), (2, 5, 5)),
}


@pytest.mark.parametrize("what", ["spikes", "ints", "graded"])
@pytest.mark.parametrize("name", POOLS)
def test_sums_over_windows(name, what):
    module, shape = POOLS[name]
    x = drawn((2, *shape), what)
    total = count_module(module, x, carries=PROMISES[what]).total
    every = connected(module, x[:1])
    pairs = getattr(total, FIELD[what])
    assert total.multiplies == module(x).numel()
    if what == "graded":
        assert total.adds == 2 * int(every.sum())
        assert pairs.dense == 0
    else:
        assert (pairs.dense, total.adds) == (2 * int(every.sum()), 0)
        assert pairs.effective == sum(int(every[:, row != 0].sum()) for row in x.reshape(2, -1))
        assert pairs.spikes == sum(int((every.double() @ row.abs().double()).sum()) for row in x.reshape(2, -1))


@pytest.mark.parametrize("module", [nn.MaxPool2d(2), nn.MaxPool2d(3, 2, 1), nn.MaxPool2d(2, dilation=2)])
def test_a_maximum_compares(module):
    x = drawn((2, 3, 7, 6), "spikes")
    total = count_module(module, x, carries="spikes").total
    average = nn.AvgPool2d(module.kernel_size, module.stride, module.padding)
    if module.dilation == 1:
        assert total.comparisons == 2 * int(connected(average, x[:1]).sum())
    else:
        assert total.comparisons == module(x).numel() * 4
    assert total.pairs.dense == 0


class Function(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


def meeting(a, b):
    """Products of matrices [.., M, K] · [.., K, N], pair by pair: (all, neither of them 0)."""
    all_pairs, alive = 0, 0
    for x, y in zip(a.reshape(-1, *a.shape[-2:]), b.reshape(-1, *b.shape[-2:]), strict=True):
        for m in range(x.shape[0]):
            for n in range(y.shape[1]):
                for k in range(x.shape[1]):
                    all_pairs += 1
                    alive += bool(x[m, k] != 0 and y[k, n] != 0)
    return all_pairs, alive


MATMULS = {
    "matmul": lambda a, b: a @ b,
    "einsum": lambda a, b: torch.einsum("bmk,bkn->bmn", a, b),
    "einsum turned": lambda a, b: torch.einsum("bmk,bnk->bmn", a, b.transpose(1, 2).contiguous()),
    "bmm": torch.bmm,
    "one by one": lambda a, b: torch.stack([torch.mm(x, y) for x, y in zip(a, b, strict=True)]),
}


@pytest.mark.parametrize("what", PROMISES)
@pytest.mark.parametrize("name", MATMULS)
def test_products_of_two_signals(name, what):
    a, b = drawn((2, 4, 5), what), drawn((2, 5, 3), what)
    total = count_module(Function(MATMULS[name]), (a, b), carries=PROMISES[what]).total
    dense, effective = meeting(a, b)
    pairs = getattr(total, FIELD[what])
    assert (pairs.dense, pairs.padded) == (dense, dense)
    assert (pairs.effective, pairs.weighted) == (effective, effective)
    if what == "ints":
        assert pairs.spikes == sum(
            int(x[m, k].abs())
            for x, y in zip(a, b, strict=True)
            for m in range(4) for n in range(3) for k in range(5) if x[m, k] != 0 and y[k, n] != 0
        )  # fmt: skip
    assert (total.received, total.events) == (
        a.numel() + b.numel(),
        int(torch.count_nonzero(a) + torch.count_nonzero(b)),
    )
    assert total.pairs == pairs


def test_a_signal_value_by_value():
    a, b = drawn((3, 4, 5), "graded"), drawn((4, 1), "graded")
    tiny = torch.full((2,), 1e-30)  # their product is 0 in float32, and yet a product of two numbers
    pairs = count_module(Function(torch.mul), (a, b)).total.macs
    assert (pairs.dense, pairs.effective) == (60, int(torch.count_nonzero((a != 0) & (b != 0))))
    assert count_module(Function(torch.mul), (tiny, tiny.clone())).total.macs.effective == 2


def test_einsum_with_constants_are_synapses():
    weight, x = torch.randn(4, 3), drawn((2, 5, 4), "spikes")
    total = count_module(Function(lambda x: torch.einsum("btf,fg->btg", x, weight)), x, carries="spikes").total
    assert total.acs.effective == 3 * int(torch.count_nonzero(x))
    assert total.acs.dense == 3 * x.numel()


@pytest.mark.parametrize("what", ["spikes", "graded"])
@pytest.mark.parametrize("how", ["plain", "causal", "mask"])
def test_attention(how, what):
    q, k, v = (drawn((2, 2, 4, 3), what) * s for s in (1, 1, 1))
    mask = torch.rand(4, 4) < 0.7
    mask[0, 0] = mask[1, 1] = mask[2, 2] = mask[3, 3] = True
    given = {"plain": {}, "causal": {"is_causal": True}, "mask": {"attn_mask": mask}}[how]
    module = Function(lambda q, k, v: functional.scaled_dot_product_attention(q, k, v, **given))
    counts = count_module(module, (q, k, v), carries=PROMISES[what])
    open_ = {"plain": torch.ones(4, 4), "causal": torch.ones(4, 4).tril(), "mask": mask}[how].expand(2, 2, 4, 4)
    (dense, scores), (_, shares) = meeting(q, k.transpose(-1, -2)), meeting(open_, v)
    pairs = getattr(counts.total, FIELD[what])
    assert (pairs.dense, pairs.effective) == (2 * dense, scores + shares)
    assert dict(counts.total.functions) == {"softmax": 2 * 2 * 4 * 4}
    assert counts.total.multiplies == 2 * 2 * 4 * 4
    assert not counts.uncounted


@pytest.mark.parametrize(
    ("function", "shape", "lengths"),
    [
        (torch.fft.fft, (3, 8), (8,)),
        (torch.fft.fft, (3, 6), (6,)),
        (torch.fft.rfft, (2, 16), (16,)),
        (torch.fft.fft2, (2, 4, 8), (4, 8)),
        (lambda x: torch.fft.irfft(torch.fft.rfft(x), n=x.shape[-1]), (2, 8), (8, 8)),
    ],
)
def test_a_fourier_transform_is_radix_2(function, shape, lengths):
    total = count_module(Function(function), drawn(shape, "graded")).total
    stages = sum(math.prod(shape) * math.ceil(math.log2(n)) for n in lengths)
    assert (total.multiplies, total.adds) == (2 * stages, 3 * stages)


def test_real_numbers_of_a_pool_of_spikes_are_multiplied():
    module = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(1, 2, 1))
    x = drawn((1, 1, 4, 4), "spikes")
    counts = count_module(module, x, carries="spikes")
    assert counts.layers["1"].facts.carries == ("graded",)
    assert counts.layers["1"].ops.macs.effective == 2 * int(torch.count_nonzero(nn.AvgPool2d(2)(x)))


def test_what_an_input_promises_is_held():
    with pytest.raises(UsageError, match="as promised"):
        count_module(nn.Linear(2, 2), torch.tensor([[0.5, 1.0]]), carries="spikes")
    with pytest.raises(SimulationError, match="NaN"):
        count_module(nn.Sequential(nn.Linear(2, 2)), torch.tensor([[math.nan, 1.0]]))


def test_values_tell_only_when_asked():
    x = torch.tensor([[0.0, 1.0]])
    assert count_module(nn.Linear(2, 3), x).total.macs.effective == 3
    counts = count_module(nn.Linear(2, 3), x, infer_from_values=True)
    assert counts.total.acs.effective == 3
    assert any("look at its values" in note for note in counts.notes)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("zeros", [False, True])
def test_the_layout_of_memory_does_not_matter(layout, zeros):
    module = nn.Conv2d(3, 4, 3, 2, 1)
    if zeros:
        sparse(module)
    x = drawn((5, 3, 6, 7), "spikes")
    wanted = count_module(module, x, carries="spikes").total
    assert count_module(module, x.contiguous(memory_format=layout), carries="spikes").total == wanted
    flipped = x.transpose(2, 3).contiguous().transpose(2, 3)
    assert count_module(module, flipped, carries="spikes").total == wanted


WHOLE = torch.arange(4 * 4 * 4 * 6).view(4, 4, 4, 6).float()
LAYOUTS = {
    "one sample": WHOLE[0, 0, 0],
    "2-D": WHOLE[0, 0],
    "2-D, sliced": WHOLE[0, ::2, 0],
    "2-D, turned": WHOLE[0, 0].t().contiguous().t(),
    "3-D": WHOLE[0],
    "3-D, sliced": WHOLE[0, :, ::2],
    "3-D, turned": WHOLE[0].transpose(0, 1),
    "3-D, channels first": WHOLE[0].transpose(1, 2).contiguous().transpose(1, 2),
    "3-D, repeated": WHOLE[0, :1].expand(3, 4, 6),
    "4-D": WHOLE,
    "4-D, sliced": WHOLE[:, ::2, 1:],
    "4-D, turned": WHOLE.permute(2, 0, 1, 3),
}
MODES = {
    "no_grad": torch.no_grad,
    "grad": torch.enable_grad,
    "inference": torch.inference_mode,
    "autocast off": lambda: torch.autocast("cpu", enabled=False),
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
}


class Called(nn.Module):
    """The same by a function."""

    def __init__(self):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(4, 6)), nn.Parameter(torch.randn(4))

    def forward(self, x):
        return functional.linear(x, self.weight, self.bias)


@pytest.mark.parametrize("learns", [False, True])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", LAYOUTS)
def test_a_bias_is_a_bias_however_torch_adds_it(name, mode, learns):
    for module in (nn.Linear(6, 4), Called()):
        module.requires_grad_(learns)
        x = LAYOUTS[name]
        with MODES[mode](), counting(module) as found:
            module(x)
        ((called, layer),) = found.count.layers.items()
        assert called == "linear"
        assert (layer.facts.weights, layer.facts.biases) == (24, 4)
        assert (layer.ops.bias_adds, layer.ops.adds) == (x.numel() // 6 * 4, 0)
        assert layer.ops.macs.dense == x.numel() * 4


def test_a_constant_behind_a_product_of_ones_own_is_an_addition():
    weight, shift = torch.randn(6, 4), nn.Parameter(torch.randn(4))
    total = count_module(Function(lambda x: x @ weight + shift), WHOLE[0]).total
    assert (total.adds, total.bias_adds) == (64, 0)


def test_one_and_minus_one_multiply_nothing():
    x, signs, ones = drawn((3, 4), "graded"), torch.tensor([1.0, -1, 2, 1]), torch.tensor([1.0, -1, -1, 1])
    for free in (lambda x: -x, lambda x: x * -1, lambda x: x / 1.0, lambda x: x * ones):
        assert count_module(Function(free), x).total == Ops()
    assert count_module(Function(lambda x: x * signs), x).total.multiplies == 3
    turned = count_module(Function(lambda x: 1 - x), x).total
    assert (turned.multiplies, turned.adds) == (0, 12)


def test_a_number_that_is_none_is_told_with_layer_and_call():
    class Growing(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 2)

        def forward(self, x):
            for factor in (1.0, 2.0, math.nan):
                self.layer(x * factor)

    with pytest.raises(SimulationError, match=r"^call 3, layer: 2 values that are no numbers \(NaN\)"):
        count_module(Growing(), torch.ones(1, 2))
