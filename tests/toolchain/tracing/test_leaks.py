"""Ways in which a signal's values could slip out of sight: each is either followed or refused, never missed."""

import copy
import threading

import numpy as np
import pytest
import torch
from spikeport.toolchain.errors import SpikeportError
from spikeport.toolchain.tracing import TracingRefused, trace
from support.traced import Does, traced_as
from torch import nn
from torch.nn import functional

X = torch.rand(2, 4) + 0.1


class Keeps(nn.Module):
    """Keeps a tensor from one call to the next."""

    def __init__(self):
        super().__init__()
        self.state = torch.zeros(4)

    def forward(self, x):
        self.state = 0.5 * self.state + x
        return self.state


class KeepsAndForgets(Keeps):
    def forward(self, x):
        self.state = torch.zeros(4)
        return super().forward(x) * 2


class Counts(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.ones(1))

    def forward(self, x):
        self.count += 1
        return x * self.count


class ChangesItsWeight(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        y = self.linear(x)
        self.linear.weight.data.clamp_(min=0)
        return self.linear(y)


OUTSIDE = torch.zeros(2, 4)


def into_what_lies_outside(x):
    OUTSIDE.to(x.dtype).copy_(x)
    OUTSIDE.copy_(x)
    return OUTSIDE * 2


def into_a_view(x):
    made = torch.zeros(2, 2, 4)
    made[0].add_(x)
    return made.sum(0) + x


def base_read_after_a_view_changed(x):
    y = x * 2
    y[:, :2].mul_(3)
    return y * 1


def view_read_after_its_base_changed(x):
    y = x * 2
    part = y[:, :2]
    y += 1
    return part * 2


def alias_read_after_a_change(x):
    y = x * 2
    other = y.detach()
    y.relu_()
    return other + 1


def stale_answer(x):
    y = x * 2
    z = y.view(2, 2, 2)
    y += 1
    return y, z


def hidden_in_numpy(x):
    return x + torch.from_numpy(x.detach().numpy() * 2).to(x.dtype)


def by_another_thread(x):
    found = []
    worker = threading.Thread(target=lambda: found.append(torch.relu(x)))
    worker.start()
    worker.join()
    return found[0] * 2


class Swallowed(nn.Module):
    def forward(self, x):
        try:
            value = float(x.sum())
        except Exception:
            value = 1.0
        return x * value


LEAKS = {
    # name: (what leaks, what is said)
    "float()": (lambda x: x * float(x[:, 0].sum()), "read into Python by float()"),
    "int()": (lambda x: x * int(x[:, 0].sum()), "read into Python by int()"),
    "tolist": (lambda x: x * torch.tensor(x.tolist()), "read into Python by tolist()"),
    "item of one": (lambda x: x * x.sum().item(), "read into Python by item()"),
    "numpy": (hidden_in_numpy, "read into Python by numpy()"),
    "numpy function": (lambda x: x + torch.as_tensor(np.tanh(x)), "read into Python by numpy()"),
    "index": (lambda x: x * [1, 2, 3, 4][x[0, 0].long()], "read into Python by index()"),
    "equal": (lambda x: x if torch.equal(x, x * 1) else -x, "read into Python by equal()"),
    "allclose": (lambda x: x if torch.allclose(x, x * 1) else -x, "read into Python by allclose()"),
    "in": (lambda x: x if 3 in x else -x, "read into Python by in()"),
    "while": (lambda x: [x := x * 2 for _ in range(3) if (x < 1).any()][-1], "any, for which there is no node"),
    "dlpack": (lambda x: x + torch.from_dlpack(x), "read into Python by dlpack()"),
    "storage": (lambda x: x + torch.tensor(list(x.untyped_storage()))[0], "read into Python by untyped_storage()"),
    "tensor of a list": (
        lambda x: x + torch.tensor([x[0, 0], x[0, 1], x[0, 2], x[1, 3]]),
        "tensor of a list of signals",
    ),
    "Tensor()": (lambda x: x + torch.Tensor(x), "lies in the memory of a signal"),
    "FloatTensor()": (lambda x: x + torch.DoubleTensor(x) * 2, "lies in the memory of a signal"),
    "full of a signal": (lambda x: x + torch.full_like(x, x.sum()), "full_like, for which there is no node"),
    "new tensor": (lambda x: x + x.new_tensor(x), "new_tensor, for which there is no node"),
    "into what lies outside": (into_what_lies_outside, "into a tensor that was made outside of forward"),
    "into a view": (into_a_view, "a tensor that was made outside of forward, or that has views"),
    "out=": (lambda x: [torch.add(x, 1, out=OUTSIDE), OUTSIDE * 2][1] + x, "made outside of forward"),
    "base after its view": (base_read_after_a_view_changed, "memory was changed in place through another tensor"),
    "view after its base": (view_read_after_its_base_changed, "memory was changed in place through another tensor"),
    "alias": (alias_read_after_a_change, "Write the change as a new tensor, or clone before it (changed in test"),
    "stale answer": (stale_answer, "an answer whose memory was changed in place in test_leaks.py"),
    "scatter": (lambda x: torch.zeros(2, 4).scatter_(1, torch.zeros(2, 4).long(), x), "scatter, for which"),
    "index_add": (lambda x: torch.zeros(4, 4).index_add_(0, torch.tensor([0, 1]), x), "index_add, for which"),
    "index put": (lambda x: put_at(x), "a write at positions of a tensor"),
    "map": (lambda x: (x * 1).map_(x, lambda a, b: a * b), "map, for which there is no node"),
    "apply": (lambda x: (x * 1).apply_(lambda a: a * 2), "apply, for which there is no node"),
    "swallowed": (Swallowed(), "read into Python by float()"),
}


def put_at(x):
    y = x * 2
    y[torch.tensor([0, 1]), torch.tensor([0, 1])] = 3.0
    return y


@pytest.mark.parametrize("name", LEAKS)
@pytest.mark.filterwarnings("ignore:Converting a tensor:UserWarning")
@pytest.mark.filterwarnings("ignore:To copy construct from a tensor:UserWarning")
def test_a_leak_is_refused(name):
    function, said = LEAKS[name]
    module = function if isinstance(function, nn.Module) else Does(function)
    with pytest.raises(SpikeportError) as refusal:
        trace(module, X, time_axis=None, check=False)
    assert any(part in str(refusal.value) for part in said.split("|"))


FOLLOWED = {
    "as_tensor": lambda x: torch.as_tensor(x) * 2,
    "tensor": lambda x: torch.tensor(x) * 2,
    "parameter": lambda x: nn.Parameter(x, requires_grad=False) * 2,
    "deep copy": lambda x: copy.deepcopy(x) * 2,
    "closure": lambda x: (lambda: x * 2)(),
    "compared with nothing": lambda x: x * 2 if x != None else x,  # noqa: E711
    "grad mode": lambda x: with_gradients(x),
    "out= of its own": lambda x: torch.add(x, 1, out=torch.zeros(2, 4)) * 2,
    "added to zeros": lambda x: torch.zeros(2, 4).add_(x).mul_(2),
    "made of parts": lambda x: made_of_parts(x),
    "in place and read again": lambda x: in_place_and_read_again(x),
    "another thread": by_another_thread,
    "checkpoint": lambda x: torch.utils.checkpoint.checkpoint(lambda y: y * 2, x, use_reentrant=False),
    "functional call": lambda x: torch.func.functional_call(nn.ReLU(), {}, (x,)),
    "aten": lambda x: torch.ops.aten.relu.default(x) + torch.ops.aten.relu(x),
    "random numbers that change nothing": lambda x: x * 2,
}


def with_gradients(x):
    with torch.enable_grad():
        return x * 2


def made_of_parts(x):
    y = torch.ones(2, 6)
    y[:, 1:5] = x * 2
    y[..., -1] = x[:, 0]
    return y


def in_place_and_read_again(x):
    y = x * 2
    same = y
    functional.relu(y, True)
    y -= 0.5
    y[:, 1] = 0
    y[y < 0] = 0.25
    return same + y


@pytest.mark.parametrize("name", FOLLOWED)
@pytest.mark.filterwarnings("ignore:To copy construct from a tensor:UserWarning")
def test_a_detour_is_followed(name):
    traced_as(Does(FOLLOWED[name]), X, time_axis=None)


def test_a_state_kept_from_call_to_call_is_found():
    with pytest.raises(SpikeportError, match="or that it keeps from one call to the next"):
        trace(Keeps(), X, time_axis=None)
    trace(KeepsAndForgets(), X, time_axis=None)


def test_a_count_of_calls_is_found():
    module = Counts()
    with pytest.raises(TracingRefused, match="Counts: a constant that forward changes in place; expected weights that"):
        trace(module, X, time_axis=None)
    assert module.count == 1


def test_weights_that_forward_changes():
    module = ChangesItsWeight()
    before = module.linear.weight.detach().clone()
    with pytest.raises(TracingRefused, match="a weight that forward changes in place; expected weights that stay"):
        trace(module, X, time_axis=None)
    assert torch.equal(module.linear.weight, before)


def test_an_answer_that_depends_on_the_input_out_of_sight():
    def forward(x):
        return x * 2, torch.DoubleTensor(x * 2).clone()

    with pytest.raises(SpikeportError, match="an answer depends on the input out of tracking's sight"):
        trace(Does(forward), X, time_axis=None)


def test_a_constant_taken_out_of_sight_is_found_by_the_proof():
    def forward(x):
        return x + torch.DoubleTensor(x * 2).clone()[0]

    with pytest.raises(SpikeportError, match="the traced graph differs from the module"):
        trace(Does(forward), torch.ones(2, 4), time_axis=None)


def test_random_numbers_of_another_library_are_found_by_the_proof():
    with pytest.raises(SpikeportError, match="the traced graph differs from the module"):
        trace(Does(lambda x: x * np.random.random()), X, time_axis=None)  # noqa: NPY002
