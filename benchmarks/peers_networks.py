"""The small networks on which counters are set beside each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def spikes(*shape: int, rate: float = 0.3) -> Tensor:
    """Zeros and ones."""
    return (torch.rand(shape) < rate).float()


def one(layer: nn.Module) -> nn.Module:
    """A layer as a network: NeuroBench looks at what a network holds, and never at the network itself."""
    return nn.Sequential(layer)


def weighted(layer: nn.Module, change: Callable[[Tensor], Tensor]) -> nn.Module:
    """A layer with other weights."""
    weight: Any = layer.weight
    weight.copy_(change(weight))
    return one(layer)


def strided() -> nn.Module:
    """A convolution with borders on two sides."""
    return one(nn.Conv2d(2, 3, 3, stride=2, padding=1))


class Product(nn.Module):
    """Coincidences of two spike trains, [B, N, D] each."""

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """By einsum."""
        found: Tensor = torch.einsum("bnd,bmd->bnm", left, right)
        return found


class Attention(nn.Module):
    """Attention of spikes to spikes."""

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """softmax(q kᵀ) v."""
        return torch.softmax(query @ key.transpose(1, 2), -1) @ value


class Fourier(nn.Module):
    """A linear layer behind a spectrum."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        """The real part of the spectrum, mixed."""
        mixed: Tensor = self.out(torch.fft.rfft(x).real)
        return mixed


class Recurrent(nn.Module):
    """A recurrent layer of Norse, step by step."""

    def __init__(self) -> None:
        super().__init__()
        import norse.torch as norse

        self.cell = norse.LIFRecurrentCell(6, 5)
        self.cell.input_weights.mul_(20)

    def forward(self, x: Tensor) -> Tensor:
        """The spikes of every step."""
        state, sent = None, []
        for row in x:
            spikes, state = self.cell(row, state)
            sent.append(spikes)
        return torch.stack(sent)


class SnnTorch(nn.Module):
    """Two layers of snnTorch, [B, T, inputs]."""

    def __init__(self) -> None:
        super().__init__()
        import snntorch

        self.one, self.first = nn.Linear(10, 8), snntorch.Leaky(beta=0.9, init_hidden=True, threshold=0.3)
        self.two, self.second = nn.Linear(8, 4), snntorch.Leaky(beta=0.9, init_hidden=True, threshold=0.3)

    def forward(self, x: Tensor) -> Tensor:
        """The spikes of every step."""
        return torch.stack([self.second(self.two(self.first(self.one(now)))) for now in x.unbind(1)])


def spiking_jelly() -> nn.Module:
    """Convolutions with neurons of SpikingJelly, [T, B, 2, 8, 8]."""
    from spikingjelly.activation_based import layer, neuron

    return nn.Sequential(
        layer.Conv2d(2, 4, 3, padding=1, bias=False, step_mode="m"), layer.BatchNorm2d(4, step_mode="m"),
        neuron.LIFNode(v_threshold=0.3, step_mode="m"), layer.MaxPool2d(2, step_mode="m"),
        layer.Conv2d(4, 6, 3, stride=2, step_mode="m"), neuron.IFNode(v_threshold=0.2, step_mode="m"),
        layer.Flatten(step_mode="m"), layer.Linear(6, 3, step_mode="m"),
    )  # fmt: skip


class Video(nn.Module):
    """Some of all that papers count: convolutions, norms, pools, attention by matmul, einsum; [B, 3, 16, 16]."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.AvgPool2d(2))
        self.same = nn.Conv2d(16, 16, 3, padding="same", groups=16, bias=False)
        self.mixed = nn.Parameter(torch.randn(16, 16))
        self.norm, self.query, self.key = nn.LayerNorm(16), nn.Linear(16, 16), nn.Linear(16, 16)
        self.out = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of ten classes."""
        tokens = torch.einsum("bchw,cd->bhwd", self.same(self.stem(x)), self.mixed).flatten(1, 2)
        tokens = self.norm(tokens)
        weights = torch.softmax(self.query(tokens) @ self.key(tokens).transpose(1, 2) / 4, -1)
        scores: Tensor = self.out((weights @ tokens).mean(1))
        return scores
