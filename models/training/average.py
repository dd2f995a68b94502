"""The mean of the weights over steps, newer ones counting more: often better than the last ones.

    d(n) = min(d, (1 + n) / (10 + n)),   mean ← d(n)·mean + (1 − d(n))·weights    after step n, from 1

What is not floating point, such as counts of batches, is copied.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """The mean of a network's weights and buffers.

    Args:
        network: whose.
        decay: d.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network, self.decay = network, decay
        self.values = copied(network)

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Takes the weights in, after `step` steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                self.values[name].lerp_(value, 1 - decay)
            else:
                self.values[name].copy_(value)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The network has the mean for a while."""
        before = copied(self.network)
        self.network.load_state_dict(self.values)
        try:
            yield
        finally:
            self.network.load_state_dict(before)


def copied(network: nn.Module) -> dict[str, Tensor]:
    """A copy of all that a network is saved with."""
    return {name: value.detach().clone() for name, value in network.state_dict().items()}
