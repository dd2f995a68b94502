"""What cannot be traced is refused, all of it at once: the texts are goldens."""

import pytest
import torch
from spikeport.toolchain.tracing import TracingRefused, trace
from support.offences import Gated, ManyOffences
from support.traced import Does
from torch import nn
from torch.nn import functional

X = torch.rand(2, 4)

MANY = """tracing ManyOffences as one step, [batch, ...]: refused for 10 reasons:
  - recurrent (offences.py:25): lstm, for which there is no node; expected a loop over time. Write the cell \
with linear layers and activations in a loop over time
  - attention (offences.py:26): multi_head_attention_forward, for which there is no node; expected linear \
layers and scaled_dot_product_attention. Write the heads with them, and pass host=True
  - sort (offences.py:27): sort, for which there is no node; expected values, no positions. Answer with the \
values, and leave the choice to the caller
  - randn_like (offences.py:28): random numbers, by randn_like; expected the same answer for the same \
input. Draw them outside and hand them in as an input, or leave them out
  - blocks.1 (offences.py:15): softmax, which a chip cannot do; expected nodes a chip has. Pass host=True \
to keep it as a host node
  - getitem (offences.py:30): the index 0 on the batch; expected all of it, or one step of time. Samples of \
a batch do not mix
  - bool() (offences.py:30): a signal's values read into Python by bool(); expected tensors all the way. \
Keep the network's control flow free of its signals' values
  - mean (offences.py:32): a mean over samples; expected one over features or time. Samples of a batch do \
not mix
  - item (offences.py:32): a signal's values read into Python by item(); expected tensors all the way. Keep \
the network's control flow free of its signals' values
  - dropout (offences.py:33): dropout while training; expected a module in eval(). Call module.eval() \
before tracing"""


def test_many_offences_are_one_refusal():
    with pytest.raises(TracingRefused) as refusal:
        trace(ManyOffences(), X)
    assert str(refusal.value) == MANY
    assert len(refusal.value.reasons) == 10


def test_an_offence_in_a_loop_is_said_once():
    def forward(x):
        return torch.stack([torch.sort(x_t).values for x_t in x])

    with pytest.raises(TracingRefused) as refusal:
        trace(Does(forward), torch.rand(9, 2, 4))
    assert len(refusal.value.reasons) == 1


def test_host_work_is_kept_when_allowed():
    with pytest.raises(TracingRefused, match="Pass host=True"):
        trace(Gated(), X)
    graph = trace(Gated(), X, host=True)
    assert "Host" in {node.kind for node in graph.nodes.values()}


def test_shapes_that_do_not_fit_a_node_are_refused_with_the_line():
    with pytest.raises(
        TracingRefused, match=r"add \(test_refusals.py:\d+\): .*add: shift: shape \[5\]; expected one that"
    ):
        trace(Does(lambda x: x + torch.ones(5)), torch.rand(2, 1), time_axis=None)


def test_weights_that_are_not_numbers_are_refused_with_the_module():
    module = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    nn.init.constant_(module[1].weight, float("nan"))
    with pytest.raises(
        TracingRefused, match=r"  - 1: weight: NaN or infinite values; expected finite numbers. Look for"
    ):
        trace(module, X)


class Lstm(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.cell = kind(4, 4)

    def forward(self, x):
        return self.cell(x)[0]


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN, nn.LSTMCell])
def test_gates_are_refused_by_name(kind):
    with pytest.raises(TracingRefused, match="for which there is no node; expected a loop over time"):
        trace(Lstm(kind), torch.rand(2, 4), time_axis=None)


CALLS = {
    # name: (call, what the refusal says)
    "remainder": (lambda x: x % 2, "remainder, for which there is no node"),
    "floor division": (lambda x: x // 2, "floor_divide, for which there is no node"),
    "rounded division": (lambda x: torch.div(x, 2, rounding_mode="floor"), "division rounded to floor"),
    "argmax": (lambda x: x.argmax(-1), "argmax, for which there is no node"),
    "mean of the batch": (lambda x: x - x.mean(0, keepdim=True), "a mean over samples"),
    "one sample": (lambda x: x[:1] * 2, "the index slice(None, 1, None) on the batch"),
    "rolled": (lambda x: x.roll(1, -1), "roll, for which there is no node"),
    "list index": (lambda x: x[:, [2, 0]], "an index that is a tensor or a list"),
    "tensor index": (lambda x: x[:, torch.tensor([2, 0])], "an index that is a tensor or a list"),
    "mask index": (lambda x: x[x > 0], "an index that is a tensor or a list"),
    "constants for samples": (lambda x: x * torch.arange(2.0)[:, None], "a constant that differs over the batch"),
    "batch into features": (lambda x: x.view(-1), "view from [2, 4] to [8]; expected batch kept in front"),
    "batch norm by the batch": (
        lambda x: functional.batch_norm(x, None, None, training=True),
        "the batch's own statistics",
    ),
    "instance norm": (lambda x: functional.instance_norm(x.view(2, 2, 2)), "instance_norm, for which there is no node"),
    "train dropout": (lambda x: functional.dropout(x, 0.5, True), "dropout while training"),
    "bernoulli": (lambda x: torch.bernoulli(x.sigmoid()), "random numbers, by bernoulli"),
    "rand_like": (lambda x: x + torch.rand_like(x), "random numbers, by rand_like"),
    "rand": (lambda x: x + torch.rand(4), "random numbers, by rand"),
    "to integers": (lambda x: x.long() * 1.0, "long makes torch.int64 of real values"),
    "to bytes": (lambda x: (x > 0).to(torch.uint8), "to makes torch.uint8 of real values"),
    "half of real values": (lambda x: x.half(), "half rounds to torch.float16"),
    "true plus true": (lambda x: (x > 0) + (x > 1), "add of true and false; expected numbers, or logical_or"),
    "and of numbers": (lambda x: torch.logical_and(x, x), "logical_and of numbers; expected true and false, or spikes"),
    "not of integers": (lambda x: ~(x > 0).long(), "~ of torch.int64; expected true and false"),
    "where of logic": (lambda x: torch.where(x > 0, x > 1, x > 2), "where with true and false to choose from"),
    "adaptive": (lambda x: functional.adaptive_avg_pool1d(x[:, None], 3), "an adaptive pool from [4] to [3]"),
    "bilinear": (
        lambda x: functional.interpolate(x[:, None, None], scale_factor=2, mode="bilinear"),
        "interpolation by bilinear",
    ),
    "max with positions": (
        lambda x: functional.max_pool1d(x[:, None], 2, return_indices=True)[0],
        "a maximum pool with",
    ),
    "reflected": (lambda x: functional.pad(x, (1, 1), mode="reflect"), "padding by reflect"),
    "einsum of two": (
        lambda x: torch.einsum("bi,bi->b", x, x),
        "einsum('bi,bi->b'); expected one signal and one constant",
    ),
    "einsum over the batch": (lambda x: torch.einsum("bi,bj->ij", x, torch.ones(2, 3)), "over time or batch"),
    "vmap": (lambda x: torch.vmap(lambda row: row * 2)(x), "a function transform of torch.func"),
    "data": (lambda x: setattr(x, "data", x * 2) or x, "set data, for which there is no node; expected a tensor that"),
    "transposed in place": (lambda x: (x * 2).t_(), "t, which changes the shape of its argument"),
    "infinite": (lambda x: x.masked_fill(x > 0, float("-inf")), "a constant of -inf; expected a finite number"),
    "unique": (
        lambda x: torch.unique(x),
        "unique, for which there is no node; expected tensors all the way",
    ),
    "softplus cut early": (lambda x: functional.softplus(x, threshold=1), "softplus that is cut off at 1"),
    "weights that are signals": (lambda x: functional.linear(x, torch.ones(4, 4) * x.mean()), "a mean over samples"),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("host", [False, True])
def test_a_call_is_refused(name, host):
    call, said = CALLS[name]
    with pytest.raises(TracingRefused) as refusal:
        trace(Does(call), torch.rand(2, 4) - 0.5, time_axis=None, host=host)
    assert said in str(refusal.value)
    assert "test_refusals.py:" in str(refusal.value)


def test_positions_of_the_largest_values():
    with pytest.raises(
        TracingRefused, match=r"positions of the largest or smallest values; expected the values. Leave"
    ):
        trace(Does(lambda x: x.max(-1).indices * 2), X, time_axis=None, host=True)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_scripted_functions_and_modules():
    @torch.jit.script
    def twice(x: torch.Tensor) -> torch.Tensor:
        return x * 2

    for module in (
        Does(lambda x: twice(x) + 1),
        torch.jit.script(nn.Linear(4, 4)),
        nn.Sequential(torch.jit.trace(nn.ReLU(), X)),
    ):
        with pytest.raises(Exception, match=r"a scripted function|a scripted function or module"):
            trace(module, X)


def test_answers_that_are_no_tensors():
    class Answer:
        def __init__(self, value):
            self.value = value

    with pytest.raises(TracingRefused, match="an answer of type Answer; expected tensors, in tuples or dictionaries"):
        trace(Does(lambda x: (x * 2, Answer(x * 3))), X)


def test_modules_outside_of_the_network():
    hidden = [nn.Linear(4, 4)]
    with pytest.raises(TracingRefused, match="Linear, which is no part of the network; expected a registered module"):
        trace(Does(lambda x: hidden[0](x)), X)
    trace(Does(lambda x: nn.ReLU()(x)), X)
