"""Options that no node expresses, states that something else touched, subclasses with dynamics of their own."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import norse.torch as norse
import pytest
import snntorch
import torch
from norse.torch.module.snn import SNNCell
from spikeport.toolchain.errors import SpikeportError
from spikeport.toolchain.graph.nodes import IF, LIF
from spikeport.toolchain.tracing import trace
from spikingjelly.activation_based import functional, neuron, surrogate
from torch import Tensor, nn


def leaky(**given: Any) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # snnTorch: inhibition is unstable
        return snntorch.Leaky(beta=0.9, init_hidden=True, **given)


def changed(module: Any, **attributes: Any) -> Any:
    for name, value in attributes.items():
        setattr(module, name, value)
    return module


def reset_otherwise(z: Tensor, v: Tensor, reset: Tensor, th: Tensor) -> Tensor:
    return (1 - z) * v + z * 0.5 * v


def stepped_otherwise(x: Tensor, state: Any, p: Any, dt: float) -> Any:
    return x, state


def recurrent(inner: nn.Module) -> nn.Module:
    return changed(snntorch.RLeaky(0.9, linear_features=5, init_hidden=True), recurrent=inner)


def half(x: Tensor) -> Tensor:
    return 0.5 * (x > 0)


def noisy(x: Tensor) -> Tensor:
    return (x > torch.randn_like(x)).float()


BOX = norse.LIFBoxParameters
REFUSALS: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "snntorch inhibition": (lambda: leaky(inhibition=True), "Leaky with inhibition"),
    "snntorch state_quant": (lambda: leaky(state_quant=lambda mem: mem.round()), "Leaky with state_quant"),
    "snntorch negative threshold": (lambda: leaky(threshold=-0.1), "Leaky with a threshold below 0"),
    "snntorch no factor": (lambda: leaky(graded_spikes_factor=0.0), "Leaky with a graded_spikes_factor of 0"),
    "snntorch smooth spikes": (lambda: leaky(spike_grad=torch.sigmoid), "Leaky with the spike function sigmoid"),
    "snntorch half spikes": (lambda: leaky(spike_grad=half), "Leaky with the spike function half"),
    "snntorch random spikes": (lambda: leaky(spike_grad=noisy), "Leaky with the spike function noisy"),
    "snntorch two resets": (
        lambda: changed(leaky(reset_delay=False), reset_mechanism="zero"),
        "made with reset_mechanism='subtract' and then set to 'zero'",
    ),
    "snntorch own reset": (lambda: changed(leaky(), state_function=lambda x: x), "with a state function of its own"),
    "snntorch own recurrence": (lambda: recurrent(nn.Bilinear(5, 5, 5)), "RLeaky with Bilinear as its recurrent"),
    "snntorch padded recurrence": (
        lambda: recurrent(nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular")),
        "RLeaky with Conv2d as its recurrent",
    ),
    "snntorch graded recurrence": (
        lambda: changed(recurrent(nn.Linear(5, 5)), graded_spikes_factor=torch.tensor(2.0)),
        "RLeaky with graded spikes",
    ),
    "snntorch batch of parameters": (lambda: leaky(threshold=torch.rand(2, 5)), "a threshold of shape [2, 5]"),
    "norse own reset": (
        lambda: norse.LIFBoxCell(BOX(reset_method=reset_otherwise)),
        "LIFBoxCell with reset method 'reset_otherwise'",
    ),
    "norse own step": (
        lambda: changed(norse.LIFBoxCell(), activation=stepped_otherwise),
        "LIFBoxCell that steps by stepped_otherwise",
    ),
    "norse own cell": (
        lambda: SNNCell(stepped_otherwise, lambda x: torch.zeros_like(x), BOX()),
        "SNNCell: a neuron of its own",
    ),
    "norse one step of a loop": (
        lambda: norse.RecurrentSequential(norse.LIFCell()),
        "RecurrentSequential in one step",
    ),
    "norse record_states": (lambda: norse.LIF(record_states=True), "LIF with record_states"),
    "spikingjelly not spiking": (
        lambda: neuron.IFNode(surrogate_function=surrogate.Sigmoid(spiking=False)),
        "IFNode with the spike function Sigmoid",
    ),
    "spikingjelly many spikes": (
        lambda: neuron.IFNode(surrogate_function=surrogate.MultiLevelSpikeCount(4)),
        "IFNode with the spike function MultiLevelSpikeCount",
    ),
    "spikingjelly random spikes": (
        lambda: neuron.IFNode(surrogate_function=surrogate.PoissonPass()),
        "IFNode with the spike function PoissonPass",
    ),
    "spikingjelly precision": (
        lambda: changed(neuron.IFNode(), _neuron_precision=("fp16", "fp32", "fp32")),
        "IFNode with a precision of its own",
    ),
    "spikingjelly store_v_seq": (lambda: neuron.IFNode(store_v_seq=True), "IFNode with store_v_seq in step mode 's'"),
    "spikingjelly largest voltage": (
        lambda: neuron.NonSpikingIFNode(decode="max-abs-mem"),
        "NonSpikingIFNode with decode='max-abs-mem'",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_an_option_that_no_node_expresses_is_refused(name: str):
    make, found = REFUSALS[name]
    module = make()
    many = isinstance(module, (norse.LIF, neuron.NonSpikingIFNode))
    x = torch.rand(4, 2, 5) if many else torch.rand(2, 5) if "padded" not in name else torch.rand(2, 1, 4, 4)
    with pytest.raises(SpikeportError) as refusal:
        trace(nn.Sequential(module), x)
    assert found in str(refusal.value)


class Stepped(nn.Module):
    """A loop that does something to its neuron between two steps."""

    def __init__(self, each: nn.Module, step: Callable[[Any, Tensor, Any], Any]) -> None:
        super().__init__()
        self.each, self.step = each, step

    def forward(self, x: Tensor) -> Tensor:
        state, answers = None, []
        for row in x:
            answer, state = self.step(self.each, row, state)
            answers.append(answer)
        return torch.stack(answers)


def norse_forgets(cell: Any, x: Tensor, state: Any) -> Any:
    return cell(x)[0], None


def norse_halves(cell: Any, x: Tensor, state: Any) -> Any:
    z, state = cell(x, state)
    return z, state._replace(v=state.v * 0.5)


def norse_crosses(cell: Any, x: Tensor, state: Any) -> Any:
    z, state = cell(x, state)
    return z, state._replace(v=state.i, i=state.v)


def snntorch_scales(each: Any, x: Tensor, mem: Any) -> Any:
    spikes, mem = each(x, mem)
    return spikes, mem * 0.9


def snntorch_resets(each: Any, x: Tensor, mem: Any) -> Any:
    each.reset_mem()
    return each(x)[0], None


def jelly_resets(each: Any, x: Tensor, state: Any) -> Any:
    functional.reset_net(each)
    return each(x), None


def jelly_adds(each: Any, x: Tensor, state: Any) -> Any:
    spikes = each(x)
    each.v = each.v + 0.1
    return spikes, None


def norse_hands_on(each: Any, x: Tensor, state: Any) -> Any:
    return each(x, state)


TOUCHED: dict[str, tuple[Callable[[], nn.Module], Any, str]] = {
    "norse without its state": (norse.LIFCell, norse_forgets, "LIFCell called without its state in step 1"),
    "norse halved": (norse.LIFCell, norse_halves, "state 'v' of LIFCell changed between steps"),
    "norse crossed": (norse.LIFCell, norse_crosses, "state 'v' of LIFCell changed between steps"),
    "norse container without its state": (
        lambda: norse.RecurrentSequential(nn.Linear(3, 3), norse.LIFCell()),
        norse_forgets,
        "RecurrentSequential called without its state in step 1",
    ),
    "norse container of a layer": (
        lambda: norse.RecurrentSequential(norse.LIFCell(), nn.Linear(3, 3)),
        norse_hands_on,
        "RecurrentSequential that feeds back the answer of Linear",
    ),
    "norse container of two": (
        lambda: norse.RecurrentSequential(norse.LIFCell(), norse.LIFCell(), output_modules=[0, 1]),
        norse_hands_on,
        "RecurrentSequential with several output_modules",
    ),
    "snntorch scaled": (lambda: snntorch.Leaky(0.9), snntorch_scales, "state 'v' of Leaky changed between steps"),
    "snntorch reset": (lambda: snntorch.Leaky(0.9), snntorch_resets, "state 'v' of Leaky"),
    "spikingjelly reset": (neuron.IFNode, jelly_resets, "IFNode reset before step 1"),
    "spikingjelly moved": (neuron.IFNode, jelly_adds, "state 'v' of IFNode changed between steps"),
}


@pytest.mark.parametrize("name", TOUCHED)
def test_a_state_that_something_else_touches_is_refused(name: str):
    make, step, found = TOUCHED[name]
    with pytest.raises(SpikeportError) as refusal:
        trace(Stepped(make(), step), torch.rand(5, 2, 3), time_axis=0)
    assert found in str(refusal.value)


def test_a_state_from_outside_is_refused():
    state = norse.LIFBoxFeedForwardState(v=torch.full((2, 3), 0.5))

    class Started(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = norse.LIFBoxCell()

        def forward(self, x: Tensor) -> Tensor:
            return self.cell(x, state)[0]

    with pytest.raises(SpikeportError, match="state 'v' of LIFBoxCell given from outside"):
        trace(Started(), torch.rand(2, 3))


def test_a_layer_over_time_called_twice_is_refused():
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.each = neuron.IFNode(step_mode="m")

        def forward(self, x: Tensor) -> Tensor:
            return self.each(self.each(x))

    with pytest.raises(SpikeportError, match="IFNode called again with the state it ended with"):
        trace(Twice(), torch.rand(5, 2, 3))


class Halved(neuron.LIFNode):
    """Dynamics of its own."""

    def single_step_functional_forward(self, inputs: Any, states: Any, **kwargs: Any) -> Any:
        (spike,), states = super().single_step_functional_forward(inputs, states, **kwargs)
        return (spike,), (states[0] * 0.5,)


class Doubled(snntorch.Leaky):
    def fire(self, mem: Tensor) -> Tensor:
        return super().fire(2 * mem)


class Slower(norse.LIFBoxCell):
    def forward(self, x: Tensor, state: Any = None) -> Any:
        return super().forward(0.5 * x, state)


class Named(neuron.LIFNode):
    """Nothing but a constructor."""

    def __init__(self) -> None:
        super().__init__(tau=3.0)


@pytest.mark.parametrize(
    ("made", "base"), [(Halved, neuron.LIFNode), (lambda: Doubled(0.9), snntorch.Leaky), (Slower, norse.LIFBoxCell)]
)
def test_a_subclass_with_dynamics_of_its_own_is_not_traced_as_its_base(made, base):
    module = made()
    assert isinstance(module, base)
    with pytest.raises(SpikeportError) as refusal:
        trace(nn.Sequential(module), torch.rand(2, 5))
    assert f"{type(module).__name__}: a " in str(refusal.value)
    assert "give a row for it" in str(refusal.value)


def test_a_subclass_with_a_constructor_alone_is_its_base():
    node: Any = trace(nn.Sequential(Named()), torch.rand(2, 5)).nodes["0"]
    assert isinstance(node, LIF)
    assert float(node.beta) == pytest.approx(2 / 3)


def test_a_callers_own_rows_win():
    rows = {neuron.IFNode: lambda each: IF(threshold=each.v_threshold + 1.0), Halved: lambda _: LIF(beta=0.25)}
    module = nn.Sequential(neuron.IFNode(v_threshold=0.5), Halved())
    graph = trace(module, torch.rand(2, 5), rows=rows, check=False)
    first, second = (graph.nodes[name] for name in ("0", "1"))
    assert isinstance(first, IF)
    assert float(first.threshold) == 1.5
    assert isinstance(second, LIF)
    assert float(second.beta) == 0.25
