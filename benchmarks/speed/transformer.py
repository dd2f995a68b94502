"""A spiking transformer block: self-attention of spikes without a softmax, and two layers behind it.

    q, k, v = LIF(norm(W·x))        spikes, [T, B, N, D]
    a = LIF(s · (q·kᵀ)·v)           a product of spikes is a count; s keeps it near the threshold
    y = x + LIF(norm(W·a));  y + LIF(norm(W·LIF(norm(W·y))))

as in spiking transformers for images: N tokens of D values, heads of D/H, all T steps in one call.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...models.neurons import LIF

SCALE = 1 / 256
"""What the product of q, k and v is multiplied by."""


class Projected(nn.Module):
    """Spikes of a linear layer: LIF(norm(W·x)), for x [T, B, N, inputs].

    Args:
        inputs: values of a token.
        outputs: neurons for each token.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear, self.norm, self.neuron = nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), LIF(0.5)

    def forward(self, x: Tensor) -> Tensor:
        """All steps, folded into the batch for the layers without a memory."""
        y = self.linear(x.flatten(0, 1))
        y = self.norm(y.transpose(1, 2)).transpose(1, 2)
        spikes: Tensor = self.neuron(y.unflatten(0, x.shape[:2]))
        return spikes


class SpikingBlock(nn.Module):
    """One block.

    Args:
        width: D, values of a token.
        heads: H, which share them.
        hidden: neurons between the two last layers, for each of D.
    """

    def __init__(self, width: int = 256, heads: int = 8, hidden: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (Projected(width, width) for _ in range(3))
        self.attend, self.out = LIF(0.5, threshold=0.5), Projected(width, width)
        self.widen, self.narrow = Projected(width, hidden * width), Projected(hidden * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """All steps of x [T, B, N, D]."""
        q, k, v = (each(x).unflatten(-1, (self.heads, -1)).transpose(-2, -3) for each in self.parts)
        met = (q @ k.transpose(-1, -2)) @ v * SCALE
        x = x + self.out(self.attend(met.transpose(-2, -3).flatten(-2)))
        y: Tensor = x + self.narrow(self.widen(x))
        return y

    @property
    def parts(self) -> tuple[nn.Module, nn.Module, nn.Module]:
        """What makes q, k and v."""
        return self.query, self.key, self.value


def block(*, width: int = 256, quick: bool = False) -> tuple[nn.Module, Tensor]:
    """A block in eval mode, and spikes to run it on: 196 tokens, as of an image of 224×224 in patches of 16×16."""
    tokens, steps, batch = (64, 4, 2) if quick else (196, 4, 4)
    module = SpikingBlock(width).eval()
    for each in module.modules():
        if isinstance(each, nn.BatchNorm1d) and each.running_var is not None:
            each.running_var.fill_(0.02)
    return module, (torch.rand(steps, batch, tokens, width) < 0.2).float()
