"""`trace` around the run: what stays as it was, a caller's own rows, names, notes, dt, the proof."""

import contextlib
import copy
import threading
from typing import NamedTuple

import numpy as np
import pytest
import torch
from spikeport.models import neurons
from spikeport.toolchain.errors import SpikeportError, UsageError
from spikeport.toolchain.graph.nodes import IF, LIF, Activation
from spikeport.toolchain.tracing import TracingRefused, all_steps, trace
from spikeport.toolchain.tracing.values import Tracked
from support.traced import Does, traced_as
from torch import nn

X = torch.rand(2, 4)
T = torch.rand(5, 2, 4, generator=torch.Generator().manual_seed(0)) * 2


class MyNeuron(nn.Module):
    """One step in each call; hands its state back."""

    def __init__(self, beta=0.9):
        super().__init__()
        self.beta = beta

    def forward(self, x, v=None):
        v = self.beta * (0 if v is None else v) + x
        z = (v > 1).to(x.dtype)
        return z, v * (1 - z)


class MyLayer(MyNeuron):
    """All steps in one call."""

    def forward(self, x):
        out, v = [], None
        for x_t in x:
            z, v = super().forward(x_t, v)
            out.append(z)
        return torch.stack(out)


class MyAct(nn.Module):
    def forward(self, x):
        return x.relu()


class MyNet(nn.Module):
    def __init__(self, change=lambda v: v):
        super().__init__()
        self.fc, self.neuron, self.change = nn.Linear(4, 4), MyNeuron(), change

    def forward(self, x):
        v, out = None, []
        for x_t in x:
            z, v = self.neuron(self.fc(x_t), v)
            v = self.change(v)
            out.append(z)
        return torch.stack(out)


class Older:
    """Hands a state on one step late."""

    def __init__(self):
        self.states = []

    def __call__(self, v):
        self.states.append(v)
        return self.states[-2:][0]


ROWS = {MyNeuron: lambda module: LIF(beta=module.beta), MyLayer: all_steps(lambda module: LIF(beta=module.beta))}


def kinds(graph):
    return [graph.nodes[name].kind for name in graph.order]


# What stays as it was ------------------------------------------------------------------------


def shape_of(module):
    """Everything about a module that tracing must not change."""
    state = {name: value.clone() for name, value in module.state_dict().items()}
    hooks = [len(each._forward_hooks) + len(each._forward_pre_hooks) for each in module.modules()]
    return state, [each.training for each in module.modules()], hooks, [sorted(vars(each)) for each in module.modules()]


def test_the_module_stays_as_it_is():
    module = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout()).train()
    module[0].register_forward_hook(lambda *_: None)
    for dud in (module, nn.Sequential(module, Does(lambda x: x.sort().values))):
        before = shape_of(module)
        objects = [id(each) for each in (*module.parameters(), *module.buffers())]
        with contextlib.suppress(TracingRefused):
            trace(dud, X)
        after = shape_of(module)
        assert all(torch.equal(before[0][name], after[0][name]) for name in before[0])
        assert before[1:] == after[1:]
        assert objects == [id(each) for each in (*module.parameters(), *module.buffers())]


def test_nothing_tracked_gets_out():
    kept = []
    module = nn.Sequential(nn.Linear(4, 4), nn.ReLU(inplace=True))
    module.register_forward_hook(lambda _, inputs, output: kept.extend((*inputs, output)))
    trace(module, X)
    assert kept
    for each in kept:
        assert type(each) is torch.Tensor
        assert not isinstance(each + 1, Tracked)
        assert not hasattr(each, "recorder")


def test_torch_is_put_back_after_a_run_that_fails():
    plain = nn.Module.__call__, torch.autograd.Function.apply, torch._C.ScriptFunction.__call__

    def fails(x):
        raise RuntimeError("of my own")

    for function in (fails, lambda x: x.sort().values, lambda x: x.view(-1, 7)):
        with pytest.raises(SpikeportError):
            trace(Does(function), X)
    assert (nn.Module.__call__, torch.autograd.Function.apply, torch._C.ScriptFunction.__call__) == plain
    assert kinds(trace(nn.Linear(4, 2), X)) == ["Input", "Affine", "Output"]


def test_the_module_fails_on_the_example():
    with pytest.raises(UsageError) as refusal:
        trace(nn.Linear(5, 3), X)
    assert str(refusal.value).startswith("Linear: the module fails on the example: RuntimeError: mat1 and mat2")
    assert str(refusal.value).endswith("Run the module on this input outside of tracing; see also time_axis")


def test_a_network_right_after_a_step_of_training():
    class Remembers(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.last = nn.Linear(4, 4), []

        def forward(self, x):
            self.last = [self.fc(x), self.fc.weight * 2]
            return self.last[0]

    module = Remembers()
    module(X).sum().backward()
    assert module.last[0].grad_fn is not None
    trace(module, X)
    assert module.last[0].grad_fn is not None


def test_a_module_that_cannot_be_copied():
    module = nn.Linear(4, 3)
    module.lock = threading.Lock()
    with pytest.raises(UsageError, match=r"Linear: the module cannot be copied: .* Keep what cannot be copied"):
        trace(module, X)


def test_random_numbers_of_the_caller_stay_as_they_are():
    before = torch.get_rng_state()
    with pytest.raises(TracingRefused):
        trace(Does(lambda x: x + torch.rand(4)), X)
    assert torch.equal(torch.get_rng_state(), before)


def test_traces_in_several_threads_and_modules_that_run_beside_them():
    graphs, wrong, done = {}, [], threading.Event()
    beside = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    wanted = beside(X)

    def trace_one(index):
        graphs[index] = trace(nn.Sequential(nn.Linear(4, index + 1), nn.ReLU()), X, check=False)

    def run_beside():
        while not done.is_set():
            found = beside(X)
            if type(found) is not torch.Tensor or not torch.equal(found, wanted):
                wrong.append(found)

    other = threading.Thread(target=run_beside)
    threads = [threading.Thread(target=trace_one, args=(index,)) for index in range(4)]
    for each in (other, *threads):
        each.start()
    for each in threads:
        each.join()
    done.set()
    other.join()
    assert not wrong
    assert [graphs[index].signals["0"].shape for index in range(4)] == [(1,), (2,), (3,), (4,)]


# A caller's own rows --------------------------------------------------------------------------


def test_own_rows_of_single_steps():
    graph = trace(MyNet(), T, rows=ROWS)
    assert kinds(graph) == ["Input", "Affine", "LIF", "Output"]
    assert graph.nodes["neuron"].beta == 0.9
    assert kinds(trace(MyNet(), T)) != kinds(graph), "without a row it is traced as it is written"


def test_own_rows_of_all_steps():
    graph = trace(nn.Sequential(nn.Linear(4, 4), MyLayer()), T, rows=ROWS)
    assert kinds(graph) == ["Input", "Affine", "LIF", "Output"]


def test_own_rows_come_first():
    class Mine(neurons.LIF):
        pass

    graph = trace(nn.Sequential(Mine(beta=0.5)), T, rows={Mine: all_steps(lambda _: IF())}, check=False)
    assert kinds(graph) == ["Input", "IF", "Output"]
    assert kinds(trace(nn.Sequential(Mine(beta=0.5)), T)) == ["Input", "LIF", "Output"]
    linear = trace(nn.Linear(4, 4), X, rows={nn.Linear: lambda _: Activation("relu")}, check=False)
    assert kinds(linear) == ["Input", "Activation", "Output"]


def test_own_rows_of_nodes_that_keep_nothing():
    rows = {MyAct: lambda _: Activation("relu")}
    act = MyAct()
    assert kinds(trace(nn.Sequential(act, act, nn.Linear(4, 2)), X, rows=rows)) == [
        *("Input", "Activation", "Activation", "Affine", "Output")
    ]
    assert kinds(trace(MyAct(), T, rows=rows, time_axis=0)) == ["Input", "Activation", "Output"]


WRONG_ROWS = {
    "another node": (MyNet, {MyNeuron: lambda _: IF()}, "the traced graph differs from the module"),
    "no node": (
        MyNet,
        {MyNeuron: lambda _: "LIF"},
        "neuron (test_trace.py:60): a row for MyNeuron that makes str; expected a",
    ),
    "a changed state": (
        lambda: MyNet(lambda v: v * 0.5),
        ROWS,
        "MyNeuron that takes two signals; expected one signal, and",
    ),
    "an older state": (
        lambda: MyNet(Older()),
        ROWS,
        "MyNeuron that takes two signals; expected one signal, and its own",
    ),
    "a state used": (lambda: MyNet(lambda v: v + 0 * v), ROWS, "its state '2' is used outside the neuron"),
    "one step for all": (
        lambda: nn.Sequential(MyLayer()),
        {MyLayer: lambda _: LIF(beta=0.9)},
        "MyLayer, which takes one step, on all steps at once",
    ),
    "all steps for one": (
        MyNet,
        {MyNeuron: all_steps(lambda _: LIF(beta=0.9))},
        "MyNeuron, which takes all steps at once, on",
    ),
}


@pytest.mark.parametrize("name", WRONG_ROWS)
def test_own_rows_that_are_wrong(name):
    make, rows, said = WRONG_ROWS[name]
    torch.manual_seed(0)  # with weights under which no neuron spikes, another neuron is the same network
    with pytest.raises(SpikeportError) as refusal:
        trace(make(), T, rows=rows, time_axis=0)
    assert said in str(refusal.value)


@pytest.mark.parametrize("rows", [{"MyNeuron": IF}, {MyNeuron: 3}])
def test_rows_that_are_no_rows(rows):
    with pytest.raises(
        UsageError, match=r"rows: .*; expected a type of module, and a function from such a module to its"
    ):
        trace(MyNet(), T, rows=rows)


# Names, notes, dt, examples -------------------------------------------------------------------


def test_the_graph_is_called_as_asked():
    assert trace(nn.Linear(4, 3), X).name == "Linear"
    assert trace(nn.Linear(4, 3), X, name="mine").name == "mine"
    assert trace(nn.Linear(4, 3), X, name="not a name!").name == "network"


def test_what_the_input_carries():
    graph = trace(nn.Sequential(nn.Flatten()), torch.rand(2, 3, 2).round(), carries="spikes")
    assert str(graph.signals[graph.outputs[0]].carries) == "spikes"
    assert "proof" in trace(nn.Linear(4, 2), X.ceil() * 3, carries="int[1,7]").notes


def test_a_step_has_one_length():
    class Timed(neurons.LIF):
        pass

    two = nn.Sequential(neurons.LIF(beta=0.5), neurons.LIF(beta=0.5))
    two[0].dt, two[1].dt = 1e-3, 2e-3
    with pytest.raises(UsageError, match=r"dt: neurons with different steps \(0: 0.001, 1: 0.002\); expected one dt"):
        trace(two, T)
    two[1].dt = 1e-3
    with pytest.raises(UsageError, match=r"dt: 0\.005; expected 0.001, as the neurons"):
        trace(two, T, dt=5e-3)
    assert trace(nn.Linear(4, 2), X, dt=5e-3).dt == 5e-3


class Kept(NamedTuple):
    v: torch.Tensor


def test_states_in_records_are_noted_and_no_outputs():
    class Records(MyNet):
        def forward(self, x):
            z, v = self.neuron(self.fc(x))
            return z, Kept(v)

    graph = trace(Records(), X, rows=ROWS, time_axis=None)
    assert graph.outputs == ("output",)
    assert graph.notes["states"] == "not an output: neuron.2"


EXAMPLES = {
    "integers": (
        torch.arange(4)[None],
        "example_input: values of type torch.int64; expected floating point. Call .float()",
    ),
    "nothing": (
        torch.zeros(0, 4),
        r"example_input: a tensor of shape [0, 4]; expected [time, batch, ...] or [batch, ...]",
    ),
    "not a number": (
        torch.full((2, 4), float("nan")),
        "example_input: NaN or infinite values; expected finite numbers",
    ),
    "a word": ("x", "example_input: a str; expected a tensor"),
    "no input": ((), "example_input: nothing; expected a tensor, or a tuple or dictionary of them"),
    "two batches": (
        (torch.rand(2, 4), torch.rand(3, 4)),
        "example_input: tensors of shapes [2, 4] and [3, 4]; expected the",
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_that_are_none(name):
    example, said = EXAMPLES[name]
    with pytest.raises(UsageError) as refusal:
        trace(nn.Linear(4, 3), example)
    assert said in str(refusal.value)


def test_arrays_are_examples_too():
    assert trace(nn.Linear(4, 3).double(), np.random.default_rng(0).random((2, 4))).inputs == ("input",)


# The proof ------------------------------------------------------------------------------------


def test_the_proof_says_what_it_showed():
    graph = trace(MyNet(), T)
    assert graph.notes["proof"] == "equal to the module in float64 on 2 runs of 5 steps of 2 samples"
    graph = trace(MyNet(), T, check=False)
    assert graph.notes["proof"] == "not proved: traced with check=False"


def test_the_proof_names_silent_neurons():
    module = nn.Sequential(neurons.LIF(beta=0.5, threshold=0.1), nn.Linear(4, 4), neurons.LIF(beta=0.5, threshold=1e6))
    assert trace(module, T).notes["proof"].endswith("2 samples; silent neurons: 2")


def test_the_proof_fails_in_words():
    class Wrong(neurons.LIF):
        def __init__(self):
            super().__init__(beta=0.5)

    example = torch.full((5, 2, 4), 0.6)
    with pytest.raises(SpikeportError) as refusal:
        trace(nn.Sequential(Wrong()), example, rows={Wrong: all_steps(lambda _: LIF(beta=0.1))}, name="net")
    text = str(refusal.value)
    assert text.startswith("net, output 'output': the traced graph differs from the module in ")
    assert "of 40 values, first at [" in text
    assert text.endswith("trace its parts, or pass rows= for them")


def test_a_module_that_fails_in_the_proof():
    class Once(nn.Module):
        def __init__(self):
            super().__init__()
            self.calls = 0

        def forward(self, x):
            self.calls += 1
            if self.calls > 1:
                raise ValueError("only once")
            return x * 2

    with pytest.raises(
        UsageError, match=r"Once: the module fails in float64: ValueError: only once\. Leave fixed types"
    ):
        trace(Once(), X)


def test_a_copy_is_traced_alike():
    torch.manual_seed(0)
    module = MyNet()
    assert kinds(trace(module, T)) == kinds(trace(copy.deepcopy(module), T))
    traced_as(module, T)


def test_a_state_handed_on_by_hand_is_not_lost_without_a_word():
    with pytest.raises(UsageError) as refusal:
        trace(MyNeuron(), X)
    assert str(refusal.value) == (
        "MyNeuron: forward takes 'v', which the example leaves out, and answers with it: a state handed on by hand; "
        "expected a state that one call shows: kept by its module, or handed on in a loop. Trace a module that loops, "
        "`for x_t in x: y, v = net(x_t, v)`, or give it as an input"
    )
    assert set(trace(MyNeuron(), (X, X / 2)).inputs) == {"input", "input_1"}
