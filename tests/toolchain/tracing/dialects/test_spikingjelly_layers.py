"""SpikingJelly's layers in both step modes, its containers, and what a network does with the states of its neurons."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from spikeport.toolchain.errors import SpikeportError
from spikeport.toolchain.tracing import trace
from spikingjelly.activation_based import functional, layer, neuron
from support.dialects import in_float64, same
from torch import Tensor, nn

LAYERS: dict[str, tuple[Callable[..., nn.Module], tuple[int, ...]]] = {
    "Conv1d": (lambda **m: layer.Conv1d(3, 4, 3, stride=2, padding=1, **m), (3, 8)),
    "Conv2d": (lambda **m: layer.Conv2d(4, 6, (3, 2), padding=(1, 0), dilation=(1, 2), groups=2, **m), (4, 6, 7)),
    "Conv3d": (lambda **m: layer.Conv3d(2, 3, 2, bias=False, **m), (2, 3, 4, 4)),
    "ConvTranspose1d": (lambda **m: layer.ConvTranspose1d(3, 2, 3, stride=2, **m), (3, 5)),
    "ConvTranspose2d": (
        lambda **m: layer.ConvTranspose2d(3, 2, 3, stride=2, padding=1, output_padding=1, **m),
        (3, 4, 4),
    ),
    "ConvTranspose3d": (lambda **m: layer.ConvTranspose3d(2, 2, 2, **m), (2, 3, 3, 3)),
    "BatchNorm1d": (lambda **m: layer.BatchNorm1d(4, **m), (4,)),
    "BatchNorm1d over lengths": (lambda **m: layer.BatchNorm1d(4, **m), (4, 6)),
    "BatchNorm2d": (lambda **m: layer.BatchNorm2d(3, affine=False, **m), (3, 4, 4)),
    "BatchNorm3d": (lambda **m: layer.BatchNorm3d(2, **m), (2, 3, 3, 3)),
    "MaxPool1d": (lambda **m: layer.MaxPool1d(2, **m), (3, 6)),
    "MaxPool2d": (lambda **m: layer.MaxPool2d(3, 2, 1, **m), (3, 6, 6)),
    "MaxPool3d": (lambda **m: layer.MaxPool3d(2, **m), (2, 4, 4, 4)),
    "AvgPool1d": (lambda **m: layer.AvgPool1d(2, **m), (3, 6)),
    "AvgPool2d": (lambda **m: layer.AvgPool2d(2, **m), (3, 6, 6)),
    "AvgPool3d": (lambda **m: layer.AvgPool3d(2, **m), (2, 4, 4, 4)),
    "AdaptiveAvgPool1d": (lambda **m: layer.AdaptiveAvgPool1d(3, **m), (3, 6)),
    "AdaptiveAvgPool2d": (lambda **m: layer.AdaptiveAvgPool2d((1, 2), **m), (3, 6, 6)),
    "AdaptiveAvgPool3d": (lambda **m: layer.AdaptiveAvgPool3d(1, **m), (2, 4, 4, 4)),
    "Linear": (lambda **m: layer.Linear(5, 4, **m), (5,)),
    "Linear without bias": (lambda **m: layer.Linear(5, 4, bias=False, **m), (3, 5)),
    "Flatten": (lambda **m: layer.Flatten(**m), (3, 2, 2)),
    "Upsample": (lambda **m: layer.Upsample(scale_factor=2, **m), (3, 2, 2)),
    "WSConv2d": (lambda **m: layer.WSConv2d(3, 4, 3, **m), (3, 5, 5)),
    "WSLinear": (lambda **m: layer.WSLinear(5, 4, **m), (5,)),
    "VotingLayer": (lambda **m: layer.VotingLayer(3, **m), (12,)),
    "Dropout": (lambda **m: layer.Dropout(0.4, **m), (4,)),
    "Dropout2d": (lambda **m: layer.Dropout2d(0.4, **m), (4, 3, 3)),
}
MULTI_STEP: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "SeqToANNContainer": (lambda: layer.SeqToANNContainer(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU()), (2, 5, 5)),
    "MultiStepContainer": (lambda: layer.MultiStepContainer(nn.Linear(5, 6), neuron.LIFNode()), (5,)),
    "StepModeContainer": (lambda: layer.StepModeContainer(True, "m", nn.Linear(5, 6), neuron.IFNode()), (5,)),
    "StepModeContainer, stateless": (lambda: layer.StepModeContainer(False, "m", nn.Linear(5, 6)), (5,)),
    "ThresholdDependentBatchNorm1d": (lambda: layer.ThresholdDependentBatchNorm1d(1.0, 0.5, 4), (4,)),
    "ThresholdDependentBatchNorm2d": (lambda: layer.ThresholdDependentBatchNorm2d(1.0, 0.5, 2), (2, 4, 4)),
    "ThresholdDependentBatchNorm3d": (lambda: layer.ThresholdDependentBatchNorm3d(1.0, 0.5, 2), (2, 3, 3, 3)),
    "OTTTSequential": (
        lambda: layer.OTTTSequential(layer.Linear(5, 4, step_mode="m"), layer.Dropout(step_mode="m")),
        (5,),
    ),
    "PrintShapeModule": (lambda: nn.Sequential(layer.PrintShapeModule(), neuron.IFNode(step_mode="m")), (5,)),
}
UNDRIVEN: dict[str, tuple[Callable[..., nn.Module], tuple[int, ...]]] = {
    "MaxUnpool2d": (lambda **m: nn.Sequential(Unpooled(**m)), (2, 4, 4)),
    "GroupNorm": (lambda **m: layer.GroupNorm(2, 4, **m), (4, 3, 3)),
}
"""What a chip cannot do is refused, in its words."""


class Unpooled(nn.Module):
    def __init__(self, step_mode: str) -> None:
        super().__init__()
        self.pool = layer.MaxPool2d(2, return_indices=True, step_mode=step_mode)
        self.unpool = layer.MaxUnpool2d(2, step_mode=step_mode)

    def forward(self, x: Tensor) -> Any:
        return self.unpool(*self.pool(x))


def settled(module: nn.Module) -> nn.Module:
    """With batch norms that have seen something."""
    for each in module.modules():
        if isinstance(each, nn.modules.batchnorm._BatchNorm) and each.running_mean is not None:
            each.running_mean.uniform_(-0.5, 0.5)
            each.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr]
    return module.eval()


def example(*shape: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(5).normal(0.4, 1.0, shape))


@pytest.mark.parametrize("mode", ["s", "m"])
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_in_both_step_modes(name: str, mode: str):
    torch.manual_seed(1)
    make, shape = LAYERS[name]
    module = settled(nn.Sequential(make(step_mode=mode), neuron.IFNode(step_mode=mode, v_reset=None)))
    x = example(8, 2, *shape)
    if mode == "m":
        wanted = in_float64(module, x)["output"]
        graph = trace(module, x[:4].float(), time_axis=0)
    else:
        wanted = in_float64(Stepped(module), x)["output"]
        graph = trace(module, x[0].float(), time_axis=None)
    assert wanted.any()
    same(graph, x, {"output": wanted})


class Stepped(nn.Module):
    """A single-step network in a loop."""

    def __init__(self, each: nn.Module) -> None:
        super().__init__()
        self.each = each

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([self.each(step) for step in x])


@pytest.mark.parametrize("name", MULTI_STEP)
def test_what_takes_all_steps(name: str):
    torch.manual_seed(1)
    make, shape = MULTI_STEP[name]
    module, x = settled(make()), example(8, 2, *shape)
    same(trace(module, x[:4].float(), time_axis=0), x, in_float64(module, x))


@pytest.mark.parametrize("mode", ["s", "m"])
@pytest.mark.parametrize("name", UNDRIVEN)
def test_what_no_chip_does_is_refused(name: str, mode: str):
    make, shape = UNDRIVEN[name]
    with pytest.raises(SpikeportError, match="refused for"):
        trace(make(step_mode=mode), torch.rand(4, 2, *shape) if mode == "m" else torch.rand(2, *shape))


def network() -> nn.Module:
    torch.manual_seed(2)
    return nn.Sequential(layer.Conv2d(2, 3, 3), neuron.LIFNode(), layer.Flatten(), layer.Linear(12, 5), neuron.IFNode())


def test_a_network_put_into_multi_step_mode():
    module, x = network(), example(9, 2, 2, 4, 4)
    functional.set_step_mode(module, "m")
    same(trace(module, x[:4].float()), x, in_float64(module, x))


def test_a_single_step_network_and_the_users_loop():
    module, x = network(), example(9, 2, 2, 4, 4)
    wanted = in_float64(Stepped(module), x)["output"]
    same(trace(module, x[0].float()), x, {"output": wanted})
    same(trace(Stepped(module), x[:4].float(), time_axis=0), x, {"output": wanted})


def test_a_single_step_network_in_a_multi_step_container():
    module, x = layer.MultiStepContainer(*network()), example(9, 2, 2, 4, 4)
    same(trace(module, x[:4].float()), x, in_float64(module, x))


def test_the_voltage_of_the_last_neuron_is_the_answer():
    class Voltage(nn.Module):
        def __init__(self, mode: str) -> None:
            super().__init__()
            self.body = network()
            self.mode = mode
            functional.set_step_mode(self.body, mode)

        def forward(self, x: Tensor) -> Tensor:
            if self.mode == "m":
                self.body(x)
            else:
                for step in x:
                    self.body(step)
            return self.body[-1].v

    x = example(9, 2, 2, 4, 4)
    for mode in ("s", "m"):
        module = Voltage(mode)
        same(trace(module, x[:4].float(), time_axis=0), x, in_float64(module, x))


def test_a_network_that_resets_itself_first():
    class Reset(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = network()

        def forward(self, x: Tensor) -> Tensor:
            functional.reset_net(self)
            return torch.stack([self.body(step) for step in x]).mean(0)

    module, x = Reset(), example(9, 2, 2, 4, 4)
    same(trace(module, x[:4].float(), time_axis=0), x, in_float64(module, x))


@pytest.mark.parametrize("mode", ["s", "m"])
def test_a_network_that_ran_before_is_traced_from_its_start_and_left_as_it_is(mode: str):
    module, x = network(), example(9, 2, 2, 4, 4).float()
    functional.set_step_mode(module, mode)
    fresh = in_float64(copy.deepcopy(module) if mode == "m" else Stepped(copy.deepcopy(module)), x)["output"]
    module(x[::2]) if mode == "m" else Stepped(module)(x[::2])
    held = [each.v.clone() for each in module if isinstance(each, neuron.BaseNode)]
    graph = trace(module, x[:4] if mode == "m" else x[0])
    same(graph, x.double(), {"output": fresh})
    for each, voltage in zip((each for each in module if isinstance(each, neuron.BaseNode)), held, strict=True):
        assert type(each.v) is Tensor
        assert torch.equal(each.v, voltage)
