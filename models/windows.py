"""Long runs in windows of a few steps: the same result in the memory of one window.

A layer of ours keeps nothing between two calls. Inside `carrying` it does: each call of each layer goes on from where
the same call of the window before has ended. So a network whose steps meet only inside our neurons gives the same
spikes and the same gradients window by window as in one call; without gradients, in the memory of one window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ..toolchain.errors import UsageError
from .stateful import Memory, Stateful


@contextmanager
def carrying(network: nn.Module) -> Iterator[Callable[[], None]]:
    """Makes what remembers in a network go on from call to call; gives what is to be called before every window."""
    layers = [layer for layer in network.modules() if isinstance(layer, Stateful)]
    memories = [Memory() for _ in layers]

    def rewind() -> None:
        for memory in memories:
            memory.place = 0

    for layer, memory in zip(layers, memories, strict=True):
        layer.memory = memory
    try:
        yield rewind
    finally:
        for layer in layers:
            layer.memory = None


def run_in_windows(network: nn.Module, x: Tensor, window: int) -> Tensor:
    """What network(x) gives for x [T, B, *shape], computed `window` steps at a time.

    Args:
        network: a module whose steps meet only inside neurons of `models`.
        x: the input, time first.
        window: steps per call; the last call may have fewer.
    """
    if window < 1 or not len(x):
        raise UsageError("run_in_windows", f"windows of {window} steps, {len(x)} steps", "at least one of each")
    rows = []
    with carrying(network) as rewind:
        for part in torch.split(x, window):
            rewind()
            rows.append(network(part))
    return torch.cat(rows)
