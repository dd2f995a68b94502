"""The networks of `spikeport bench simulation`: a torch module, its input, and how it starts afresh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ...models.zoo import build


@dataclass(frozen=True)
class Network:
    """One network.

    Args:
        name: what it is, with the size of its input.
        peer: what runs the module.
        module: the network, time first.
        inputs: [T, B, *shape].
        fresh: puts the module back to its start.
    """

    name: str
    peer: str
    module: nn.Module
    inputs: torch.Tensor
    fresh: Callable[[nn.Module], None]


def _spiking_jelly(layers: list[nn.Module]) -> nn.Module:
    """Layers with a neuron behind each, in multi-step mode."""
    from spikingjelly.activation_based import neuron

    neurons = [neuron.LIFNode(tau=2.0, v_threshold=0.4, v_reset=0.0, step_mode="m") for _ in layers]
    return nn.Sequential(*(module for pair in zip(layers, neurons, strict=True) for module in pair)).eval()


def _reset(module: nn.Module) -> None:
    from spikingjelly.activation_based import functional

    functional.reset_net(module)


def _louder(layers: list[nn.Module], factor: float = 3.0) -> list[nn.Module]:
    """Weights large enough for fresh networks to spike down to the last layer."""
    for layer in layers:
        for weight in layer.parameters():
            weight.mul_(factor)
    return layers


def convolutions(quick: bool) -> Network:
    """Four convolutions with SpikingJelly's neurons, on events."""
    from spikingjelly.activation_based import layer

    side, steps = (32, 8) if quick else (128, 16)
    sizes, strides = (2, 32, 64, 64, 128), (1, 2, 2, 2)
    layers = [layer.Conv2d(sizes[i], sizes[i + 1], 3, strides[i], 1, step_mode="m") for i in range(4)]
    x = _events(steps, 4, 2, side, side)
    return Network(f"4 convolutions {list(x.shape)}", "SpikingJelly", _spiking_jelly(_louder(layers)), x, _reset)


def _dense(quick: bool) -> Network:
    from spikingjelly.activation_based import layer

    sizes = (784, 128, 64, 10)
    layers = [layer.Linear(sizes[i], sizes[i + 1], step_mode="m") for i in range(3)]
    x = _events(16 if quick else 64, 32, 784)
    return Network(f"784-128-64-10 {list(x.shape)}", "SpikingJelly", _spiking_jelly(_louder(layers)), x, _reset)


class _OverTime(nn.Module):
    """A recurrent layer of 256 neurons between two linear layers, step by step.

    Args:
        cell: takes what comes in and its state, gives spikes and its state.
        inward: what comes before the cell.
    """

    def __init__(self, cell: Callable[[torch.Tensor, Any], tuple[torch.Tensor, Any]], inward: nn.Module) -> None:
        super().__init__()
        self.cell, self.inward, self.outward = cell, inward, nn.Linear(256, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Every step's readout."""
        state, sent = None, []
        for row in x:
            spikes, state = self.cell(self.inward(row), state)
            sent.append(self.outward(spikes))
        return torch.stack(sent)


class _RLeaky(nn.Module):
    """snnTorch's cell with its two parts of state as one."""

    def __init__(self) -> None:
        super().__init__()
        import snntorch

        self.cell = snntorch.RLeaky(beta=0.8, all_to_all=True, linear_features=256, threshold=0.7)

    def forward(self, x: torch.Tensor, state: Any) -> tuple[torch.Tensor, Any]:
        """One step."""
        spikes, potential = self.cell(x, *(self.cell.init_rleaky() if state is None else state))
        return spikes, (spikes, potential)


def _snntorch(quick: bool) -> Network:
    x = _events(25 if quick else 100, 32, 64)
    return Network(f"recurrent 256 {list(x.shape)}", "snnTorch", _OverTime(_RLeaky(), nn.Linear(64, 256)), x, nothing)


def _norse(quick: bool) -> Network:
    import norse.torch as norse

    cell = norse.LIFRecurrentCell(64, 256, p=norse.LIFParameters(v_th=torch.tensor(0.3)))
    x = _events(25 if quick else 100, 32, 64)
    return Network(f"recurrent 256 {list(x.shape)}", "Norse", _OverTime(cell, nn.Identity()), x, nothing)


def _events(*shape: int) -> torch.Tensor:
    return (torch.rand(shape) < 0.1).float()


def nothing(_: nn.Module) -> None:
    """A module that starts afresh in every run."""


def _convnet(quick: bool) -> Network:
    x = _events(4 if quick else 16, 8, 2, 32, 32)
    return Network(f"zoo event_convnet {list(x.shape)}", "ours, fused", build("event_convnet"), x, nothing)


def _rnn(quick: bool) -> Network:
    x = _events(25 if quick else 100, 32, 64)
    return Network(f"zoo sequence_rnn {list(x.shape)}", "ours, fused", build("sequence_rnn"), x, nothing)


NETWORKS: tuple[Callable[[bool], Network], ...] = (convolutions, _dense, _snntorch, _norse, _convnet, _rnn)
"""Each makes one network, smaller when it has to be quick."""
