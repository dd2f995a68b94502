"""Loops over time in forward: rolled back into one step with delays, or refused with the line and what to do."""

import pytest
import torch
from spikeport.toolchain.errors import UsageError
from spikeport.toolchain.tracing import TracingRefused, trace
from support.traced import Does, traced_as
from torch import nn

X = torch.rand(6, 2, 4) * 3


class HandWritten(nn.Module):
    """v = β·v·(1 − z) + W·x + R·z + biases, written out, with the output summed up."""

    def __init__(self, reset="multiply"):
        super().__init__()
        self.inward, self.back, self.out = nn.Linear(4, 5), nn.Linear(5, 5), nn.Linear(5, 3)
        self.beta = nn.Parameter(torch.rand(5))
        self.reset = reset

    def forward(self, x):
        v = torch.zeros(x.shape[1], 5)
        z = torch.zeros_like(v)
        acc, spikes = 0, []
        for t in range(x.shape[0]):
            current = self.inward(x[t]) + self.back(z)
            if self.reset == "multiply":
                v = self.beta * v * (1 - z) + current
            elif self.reset == "subtract":
                v = self.beta * v - z * 0.5 + current
            else:
                v = torch.where(z > 0, torch.zeros_like(v), self.beta * v) + current
            z = (v > 0.5).to(v.dtype)
            acc = acc + self.out(z)
            spikes.append(z)
        return acc / x.shape[0], torch.stack(spikes), v


@pytest.mark.parametrize("reset", ["multiply", "subtract", "where"])
def test_a_neuron_written_by_hand(reset):
    torch.manual_seed(0)
    graph = traced_as(HandWritten(reset), X)
    assert [str(graph.signals[name].carries) for name in graph.outputs] == ["graded", "spikes", "graded"]
    assert [graph.nodes[name].readout for name in graph.outputs] == ["last", "steps", "last"]


class Gated(nn.Module):
    """h = σ(g(x))·h + W·x + b: what is handed on has a bias, and yet starts with zeros."""

    def __init__(self):
        super().__init__()
        self.inward, self.gate = nn.Linear(4, 5), nn.Linear(4, 5)

    def forward(self, x):
        h, before = torch.zeros(x.shape[1], 5), []
        inward, gate = self.inward(x), torch.sigmoid(self.gate(x))
        for t in range(x.shape[0]):
            before.append(gate[t] * h)
            h = before[-1] + inward[t]
        return h, torch.stack(before)


def test_a_state_that_starts_with_zeros_whatever_a_step_makes_of_zeros():
    graph = trace(Gated(), X, time_axis=0)
    assert not any(name.endswith("-later") for name in graph.nodes)
    assert sum(edge.delayed for edge in graph.edges) == 1


def in_place(x):
    v, acc = torch.zeros(2, 4), torch.zeros(2, 4)
    for x_t in x:
        v *= 0.9
        v += x_t
        z = (v >= 1.0).to(v.dtype)
        v = v - z
        acc.add_(z)
    return acc


def written_into(x):
    out = torch.zeros(x.shape[0], 2, 4, dtype=x.dtype)
    for t in range(x.shape[0]):
        out[t] = torch.relu(x[t] - 1)
    return out * 2


def reads_back(x):
    v = torch.zeros(x.shape[0], 2, 4, dtype=x.dtype)
    v[0] = 0.5 * 0 + x[0]
    for t in range(1, x.shape[0]):
        v[t] = 0.5 * v[t - 1] + x[t]
    return v


def delayed(x):
    before, out = torch.zeros(2, 4), []
    for x_t in x.unbind(0):
        out.append(x_t - before)
        before = x_t
    return torch.stack(out)


def delayed_behind_a_bias(x):
    before, out = torch.zeros(2, 4), []
    for x_t in x.unbind(0):
        out.append(x_t - (before + 1).clamp(min=0.3))
        before = x_t
    return torch.stack(out)


LOOPS = {
    "in place": in_place,
    "written into": written_into,
    "delayed": delayed,
    "delayed behind a bias": delayed_behind_a_bias,
    "sum of a list": lambda x: sum([torch.relu(x_t) for x_t in x]),
    "stack and sum": lambda x: torch.stack([torch.relu(x_t) for x_t in x]).sum(0),
    "stack and mean": lambda x: torch.stack([torch.relu(x_t) for x_t in x], dim=0).mean(dim=0),
    "stack and max": lambda x: torch.stack([torch.relu(x_t) for x_t in x]).max(0).values,
    "stack and last": lambda x: torch.stack([torch.relu(x_t) for x_t in x])[-1],
    "last of a list": lambda x: [torch.relu(x_t) for x_t in x][-1],
    "index by a tensor": lambda x: torch.stack([torch.relu(x[t]) for t in torch.arange(x.shape[0])]),
    "stack behind the batch": lambda x: torch.stack([x_t * 2 for x_t in x], dim=1).permute(1, 0, 2),
    "two loops": lambda x: torch.stack([torch.tanh(y) for y in torch.stack([torch.relu(x_t) for x_t in x])]),
    "layer by layer": lambda x: torch.stack([y * 2 for y in [x_t + 1 for x_t in x]]),
    "a loop in a loop": lambda x: torch.stack([sum(torch.relu(x_t * k) for k in (1, 2, 3)) for x_t in x]),
    "whole, then steps": lambda x: torch.stack([torch.relu(y) for y in torch.tanh(x)]) * 2,
    "all steps": lambda x: torch.relu(x * 2).mean(0) * 0.5 + 1,
    "sum over time": lambda x: (x.relu() * 2).sum(0).sum(-1),
    "max over time": lambda x: x.relu().amax(0)[:, :2],
    "mean over time and features": lambda x: x.relu().mean((0, 2)),
    "cat of readouts": lambda x: torch.cat([x.mean(0), x.relu().mean(0)], -1),
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_is_rolled_back(name):
    graph = traced_as(Does(LOOPS[name]), X, time_axis=0)
    trace(Does(LOOPS[name]), X, time_axis=0)
    assert len(graph.nodes) < 20


def test_a_sum_over_time_is_a_readout_and_an_accumulator_an_integrator():
    summed = trace(Does(LOOPS["sum of a list"]), X, time_axis=0)
    assert [summed.nodes[name].readout for name in summed.outputs] == ["sum"]
    scaled = trace(Does(lambda x: sum(list(x)) / 2), X, time_axis=0)
    assert [node.kind for node in scaled.nodes.values()] == ["Input", "Integrator", "Scale", "Output"]


def test_the_length_of_the_example_does_not_matter():
    long = trace(HandWritten(), torch.rand(20, 2, 4))
    for short in (1, 2, 3):
        for batch in (1, 3):
            graph = trace(HandWritten(), torch.rand(short, batch, 4))
            assert list(graph.nodes) == list(long.nodes)


def test_time_as_the_second_axis():
    def forward(x):
        v, out = torch.zeros(x.shape[0], 4), []
        for t in range(x.shape[1]):
            v = 0.5 * v + x[:, t]
            out.append(v)
        return torch.stack(out, dim=1)

    traced_as(Does(forward), torch.rand(2, 6, 4), time_axis=1)
    traced_as(Does(lambda x: forward(x.transpose(0, 1)).transpose(0, 1)), torch.rand(6, 2, 4), time_axis=0)
    layers = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    traced_as(layers, torch.rand(2, 6, 4), time_axis=1)
    traced_as(Does(lambda x: x.relu().mean(1)), torch.rand(2, 6, 4), time_axis=1)


def test_batch_first_folded_and_unfolded():
    class Frames(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x):
            b, t = x.shape[:2]
            y = self.conv(x.view(b * t, *x.shape[2:]))
            return y.view(b, t, *y.shape[1:]).flatten(2)

    traced_as(Frames(), torch.rand(2, 5, 3, 6, 6), time_axis=1)
    traced_as(Frames(), torch.rand(5, 2, 3, 6, 6), time_axis=0)


STATIC = {
    "repeat": lambda x: (x.unsqueeze(0).repeat(5, 1, 1) * 2).mean(0),
    "expand": lambda x: torch.relu(x.expand(5, *x.shape)),
    "stack": lambda x: torch.stack([x] * 5, dim=0) - 1,
}


@pytest.mark.parametrize("name", STATIC)
def test_a_static_input_held_for_some_steps(name):
    graph = traced_as(Does(STATIC[name]), torch.rand(2, 4))
    assert graph.notes["input"] == "the same in every step; the module makes 5 steps"


def static_loop(x):
    drive = torch.relu(x) * 2
    v, total, out = torch.zeros(2, 4), 0, []
    for _ in range(5):
        v = 0.9 * v + drive
        z = (v > 1).to(x.dtype)
        v = v - z
        total = total + z
        out.append(v)
    return total / 5, torch.stack(out), v


def test_a_static_input_in_a_loop_of_neurons_by_hand():
    graph = trace(Does(static_loop), torch.rand(2, 4), time_axis=None)
    assert graph.notes["input"] == "the same in every step; the module makes 5 steps"
    assert graph.notes["proof"] == "equal to the module in float64 on 2 runs of 5 steps of 2 samples"
    assert len(graph.nodes) < 14
    unrolled = trace(Does(static_loop), torch.rand(2, 4), time_axis=None, check=False)
    assert len(unrolled.nodes) > 20, "without the proof nothing shows that the loop is one over time"


def repeated_layer(x):
    for _ in range(4):
        x = torch.tanh(x @ torch.eye(4, dtype=x.dtype).roll(1, 0))
    return x


def layers_in_turn(x):
    for k in range(4):
        x = torch.tanh(x * (k + 1))
    return x


@pytest.mark.parametrize("function", [repeated_layer, layers_in_turn])
def test_a_loop_over_layers_stays_as_it_is(function):
    graph = trace(Does(function), torch.rand(2, 4), time_axis=None)
    assert [node.kind for node in graph.nodes.values()].count("Activation") == 4
    traced_as(Does(function), torch.rand(2, 4), time_axis=None)


REFUSED = {
    "body changes": (
        lambda x: torch.stack([torch.relu(x_t) if t < 4 else torch.tanh(x_t) for t, x_t in enumerate(x)]),
        "a stack of steps that come from different operations; expected one operation in every step",
    ),
    "weights change": (
        lambda x: torch.stack([x_t * (t + 1) for t, x_t in enumerate(x)]),
        "mul (test_loops.py:LINE): a loop whose body changes at step 2; expected the same operations in every step. "
        "Give every step the same body, or unroll it into a network without a loop",
    ),
    "two steps back": (
        lambda x: torch.stack([x[t] + (x[t - 2] if t > 1 else 0) for t in range(x.shape[0])]),
        "add (test_loops.py:LINE): a value from 2 steps ago; expected one from this step or the one before. "
        "Hand values on from one step to the next only, or use a Delay",
    ),
    "centred over time": (
        lambda x: x - x.mean(0),
        "sub (test_loops.py:LINE): sub of a value and of a mean over time; expected both before time is reduced. "
        "Move it before the reduction over time",
    ),
    "flipped": (
        lambda x: x.flip(0),
        "flip (test_loops.py:LINE): flip, for which there is no node; expected the order as it is. "
        "Reorder the input before the network",
    ),
    "conv over time": (
        lambda x: torch.conv1d(x.permute(1, 2, 0), torch.ones(4, 4, 3)),
        "conv1d (test_loops.py:LINE): conv1d with time as axis 2 of 3; expected time first, then the batch, then "
        "features. Time mixes only inside stateful modules: use a delay, a temporal kernel or a readout",
    ),
    "softmax over time": (
        lambda x: torch.softmax(x, 0),
        "softmax (test_loops.py:LINE): softmax over the time axis; expected a feature axis. "
        "Time mixes only inside stateful modules: use a delay, a temporal kernel or a readout",
    ),
    "difference of steps": (
        lambda x: x[1:] - x[:-1],
        "getitem (test_loops.py:LINE): the index slice(1, None, None) on the time axis; expected all of it, or one "
        "step of time. Time mixes only inside stateful modules: use a delay, a temporal kernel or a readout",
    ),
    "an early step": (
        lambda x: x[0] * 2,
        "output: an answer of step 0 of a run of 6 steps; expected the last step, or all of them. "
        "Answer with out[-1], or with torch.stack(out)",
    ),
    "some steps": (
        lambda x: torch.stack([x[t] * 2 for t in range(3)]),
        "stack (test_loops.py:LINE): a stack of 3 of 6 steps; expected every step",
    ),
    "not every step written": (
        lambda x: written_some(x),
        "output: a tensor that not every step was written into; expected all steps. Write every step before reading it",
    ),
    "relu of the mean": (
        lambda x: x.mean(0).relu(),
        "relu (test_loops.py:LINE): relu after the mean over time; expected only linear operations there. "
        "Move it before the reduction over time",
    ),
    "bias after the sum": (
        lambda x: x.sum(0) + 1,
        "add (test_loops.py:LINE): add with a bias after the sum over time; expected no bias there. "
        "Use the mean over time",
    ),
    "all steps and one": (
        lambda x: x + x[-1],
        "add (test_loops.py:LINE): an operation on all steps at once and on one step; expected one or the other. "
        "Loop over time, or do not",
    ),
}


def written_some(x):
    out = torch.zeros_like(x)
    for t in range(1, x.shape[0]):
        out[t] = x[t] * 2
    return out


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_step_is_refused(name):
    function, said = REFUSED[name]
    with pytest.raises(TracingRefused) as refusal:
        trace(Does(function), X, time_axis=0)
    here = f"test_loops.py:{function.__code__.co_firstlineno}"
    assert said.replace("test_loops.py:LINE", here) in str(refusal.value)


def test_time_that_was_said_not_to_be_there():
    with pytest.raises(
        TracingRefused, match=r"single steps taken out of the batch; .* If the first axis is time, pass time_axis=0"
    ):
        trace(Does(lambda x: torch.stack([x_t * 2 for x_t in x])), X, time_axis=None)


@pytest.mark.parametrize("axis", [7, -1, "first"])
def test_an_axis_that_is_not_there(axis):
    with pytest.raises(UsageError, match=r"time_axis: .* for a tensor of shape"):
        trace(nn.Linear(4, 3), X, time_axis=axis)


def test_a_state_that_does_not_start_from_zero_is_found():
    def forward(x):
        v, out = torch.ones(2, 4), []
        for x_t in x:
            v = 0.5 * v + x_t
            out.append(v)
        return torch.stack(out)

    with pytest.raises(Exception, match=r"first at \[0, 0, 0\].*a state that does not start from 0"):
        trace(Does(forward), X)
