"""What a tensor carries follows from what made it: operation by operation, through views and writes, and no leaks."""

import gc
import weakref

import numpy as np
import pytest
import torch
from spikeport.benchmarks.counting.of_module import count_module, counting
from spikeport.benchmarks.counting.provenance import REAL, SENT, Origins
from torch import nn
from torch.nn import functional

WEIGHT, MASK = torch.rand(4), torch.tensor([True, False, True, False])


class Probe(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


class Folded(nn.Module):
    """A product with a number that is made of weights alone."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(4))

    def forward(self, x):
        return x * (self.weight @ self.weight)


def carried(function, *, carries="spikes", inputs=1):
    """What the result of a function of spikes carries."""
    probe = Probe(function)
    x = tuple((torch.rand(3, 4) < 0.5).float() for _ in range(inputs))
    with torch.no_grad(), counting(probe, carries=carries) as found:
        result = probe(*x)
    return found.mode.origins.of(result)


def into(value, part):
    """A tensor that something is written into."""

    def write(x):
        out = value(x)
        part(out, x)
        return out

    return write


CARRIED = {
    # what is computed of spikes x: what it carries
    "x > 0.5": (lambda x: x * 0.3 > 0.5, "spikes"),
    "cast": (lambda x: (x * 0.3 >= 0.1).to(x.dtype), "spikes"),
    "x · x": (lambda x: x * x, "spikes"),
    "x²": (lambda x: x**2, "spikes"),
    "x + x": (lambda x: x + x, "int[0,2]"),
    "x + 1": (lambda x: x + 1, "int[1,2]"),
    "x − x": (lambda x: x - x, "int[-1,1]"),
    "1 − x": (lambda x: 1 - x, "spikes"),
    "−x": (lambda x: -x, "int[-1,0]"),
    "3x": (lambda x: x * 3, "int[0,3]"),
    "x − 2x": (lambda x: torch.sub(x, x, alpha=2), "int[-2,1]"),
    "x / 2": (lambda x: x / 2, "graded"),
    "0.5x": (lambda x: x * 0.5, "graded"),
    "x · w": (lambda x: x * WEIGHT, "graded"),
    "relu": (lambda x: functional.relu(-x), "spikes"),
    "abs": (lambda x: (-x - x).abs(), "int[0,2]"),
    "clamp": (lambda x: (x + x).clamp(0, 1), "spikes"),
    "tanh": (lambda x: x.tanh(), "graded"),
    "cat": (lambda x: torch.cat([x, x + x]), "int[0,2]"),
    "cat with zeros": (lambda x: torch.cat([x, torch.zeros_like(x)]), "spikes"),
    "cat with ones": (lambda x: torch.cat([x, torch.full((1, 4), 5.0)]), "int[0,5]"),
    "stack": (lambda x: torch.stack([x, -x]), "int[-1,1]"),
    "view": (lambda x: x.view(4, 3).transpose(0, 1)[1:], "spikes"),
    "reshape": (lambda x: x.t().reshape(-1), "spikes"),
    "index": (lambda x: x[:, [0, 2]], "spikes"),
    "gather": (lambda x: x.gather(1, torch.zeros(3, 4, dtype=torch.long)), "spikes"),
    "pad": (lambda x: functional.pad(x, (1, 1)), "spikes"),
    "pad with 2": (lambda x: functional.pad(x, (1, 1), value=2), "int[0,2]"),
    "where": (lambda x: torch.where(x > 0, x, -x), "int[-1,1]"),
    "where, a number": (lambda x: torch.where(x > 0, x, 3.0), "int[0,3]"),
    "masked_fill": (lambda x: x.masked_fill(MASK, 0), "spikes"),
    "masked_fill with 0.5": (lambda x: x.masked_fill(MASK, 0.5), "graded"),
    "maximum pool": (lambda x: functional.max_pool1d(x[None], 2), "spikes"),
    "sum": (lambda x: x.sum(1), "int[0,4]"),
    "mean": (lambda x: x.mean(1), "graded"),
    "average pool": (lambda x: functional.avg_pool1d(x[None], 2), "graded"),
    "maximum": (lambda x: torch.maximum(x, x + x), "int[0,2]"),
    "max along": (lambda x: x.max(1).values, "spikes"),
    "and": (lambda x: torch.logical_and(x, x), "spikes"),
    "upsampled": (lambda x: functional.interpolate(x[None], scale_factor=2), "spikes"),
    "rolled": (lambda x: x.roll(1, 0).flip(1), "spikes"),
    "detached": (lambda x: x.detach().clone().contiguous(), "spikes"),
    "repeated": (lambda x: x.repeat(2, 1).expand(6, 4), "spikes"),
    "in place, all": (lambda x: x.clone().mul_(0.5), "graded"),
    "in place, back": (lambda x: (x * 0.5).gt_(0.1), "spikes"),
    "in place, a part": (into(lambda x: x.clone(), lambda out, _: out[0].mul_(0.5)), "graded"),
    "into a slice": (into(torch.zeros_like, lambda out, x: out.__setitem__(1, x[0])), "spikes"),
    "into a slice of empty": (into(torch.empty_like, lambda out, x: out.__setitem__(slice(None), x)), "spikes"),
    "a sum into a slice": (into(torch.zeros_like, lambda out, x: out.__setitem__(1, x[0] + x[0])), "int[0,2]"),
    "reals into a slice": (into(lambda x: x.clone(), lambda out, x: out.__setitem__(1, x[0] * 0.3)), "graded"),
    "copied over": (into(lambda x: x * 0.5, lambda out, x: out.copy_(x)), "spikes"),
    "through a view": (into(lambda x: x.clone(), lambda out, _: out.view(-1)[2:].add_(1)), "int[0,2]"),
    "filled": (into(lambda x: x * 0.5, lambda out, x: out.zero_().add_(x)), "spikes"),
    "index_put": (into(lambda x: x.clone(), lambda out, x: out.index_put_((torch.tensor([0]),), x[0] * 3)), "int[0,3]"),
    "drawn": (lambda x: (torch.rand_like(x) < x).float(), "spikes"),
    "bernoulli": (lambda x: torch.bernoulli(x * 0.5), "spikes"),
}


@pytest.mark.parametrize("name", CARRIED)
def test_what_made_it_says_what_it_carries(name):
    function, wanted = CARRIED[name]
    origin = carried(function)
    assert str(origin.carries) == wanted
    assert origin.live


def test_the_way_from_the_input_is_known():
    assert carried(lambda x: x * 0.5 + 1).first
    assert not carried(lambda _: torch.rand(3) > 0.5).first


def test_zeros_are_the_start_of_a_state_and_no_class_of_its_own():
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.inward, self.back = nn.Linear(3, 4), nn.Linear(4, 4)

        def forward(self, x):
            s = x.new_zeros(x.shape[1], 4)
            for row in x:
                s = (self.inward(row) + self.back(s) > 0.2).to(x)
            return s

    x = (torch.rand(6, 2, 3) < 0.5).float()
    counts = count_module(Recurrent(), x, carries="spikes", steps=6, samples=2)
    assert counts.layers["back"].facts.carries == ("spikes",)
    assert counts.layers["back"].ops.acs.dense == 6 * 2 * 16
    assert counts.layers["back"].facts.n_in == 4
    assert (counts.steps, counts.samples) == (12, 2)
    assert not counts.layers["back"].facts.first or counts.layers["inward"].facts.first


def test_a_layer_that_reads_spikes_here_and_reals_there_is_two():
    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4, bias=False)

        def forward(self, x):
            return self.layer(self.layer(x))

    x = torch.ones(2, 4)
    counts = count_module(Shared(), x, carries="spikes")
    assert list(counts.layers) == ["layer", "layer_2"]
    assert (counts.total.acs.dense, counts.total.macs.dense) == (32, 32)


def test_what_numpy_made_is_not_known():
    module = Probe(lambda x: torch.from_numpy(np.sign(x.detach().numpy())))
    nets = nn.Sequential(module, nn.Linear(4, 2))
    x = (torch.rand(3, 4) < 0.5).float()
    counts = count_module(nets, x, carries="spikes")
    assert counts.layers["1"].facts.carries == ("graded",)
    assert any("torch did not make" in note for note in counts.notes)
    looked = count_module(nets, x, carries="spikes", infer_from_values=True)
    assert looked.layers["1"].facts.carries == ("spikes",)


def test_constants_are_no_signals():
    constant = torch.eye(4)
    counts = count_module(Probe(lambda x: x @ (torch.eye(4) * 2) + constant[0]), torch.ones(3, 4), carries="spikes")
    assert counts.total.acs.dense == 3 * 16
    assert counts.total.adds == 12
    folded = count_module(Folded(), torch.ones(3, 4))
    assert folded.total.pairs.dense == 0
    assert any("of constants alone" in note for note in folded.notes)


def test_a_storage_that_is_gone_leaves_nothing_behind():
    origins = Origins()
    for _ in range(5000):
        tensor = torch.zeros(3)
        assert not origins.knows(tensor)
        origins.note(tensor, SENT)
    assert len(origins) < 2000


def test_an_answer_about_values_lasts_until_they_change():
    origins, tensor = Origins(), torch.ones(3)
    origins.note(tensor, REAL)

    def ask(each):
        return int(torch.count_nonzero(each))

    assert origins.once(tensor, ask) == 3
    assert origins.once(tensor.view(3, 1), ask) == 3
    assert origins.once(tensor[:2], ask) == 2
    tensor[0] = 0
    origins.write(tensor[:1], REAL)
    assert origins.once(tensor, ask) == 2
    assert [origins.once(tensor[i : i + 1], ask) for i in range(3)] == [0, 1, 1]


def test_nothing_is_kept_alive():
    made = []

    def function(x):
        y = x * 0.5
        made.append(weakref.ref(y))
        return y.sum()

    with torch.no_grad(), counting(Probe(function)) as found:
        found.mode.module(torch.ones(3, 4))
        gc.collect()
        assert made[0]() is None
