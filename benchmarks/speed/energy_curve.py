"""How the cost of counting grows with samples, steps and layers: it is linear when the time of one stays the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import nn

from ...models.neurons import LIF
from ..counting.of_module import count_module
from .pairs import seconds

ROUNDS = 7
LENGTHS: Mapping[str, tuple[int, ...]] = {
    "samples": (8, 16, 32, 64, 128),
    "steps": (16, 32, 64, 128, 256),
    "layers": (1, 2, 4, 8, 16),
}
"""What grows, while the other two stay at `USUAL`."""
USUAL: Mapping[str, int] = {"samples": 16, "steps": 32, "layers": 4}
WIDTH = 1024


def curve(quick: bool) -> list[dict[str, Any]]:
    """A row for each length: case, counted_s, and per_s for one sample, step or layer."""
    return [row for what, lengths in LENGTHS.items() for row in _grown(what, lengths[:3] if quick else lengths)]


def _grown(what: str, lengths: tuple[int, ...]) -> list[dict[str, Any]]:
    """The least of some rounds, in each of which all lengths have their turn: what else runs can only add."""
    works = [counted(**{**USUAL, what: length}) for length in lengths]
    for work in works:
        work()
    rounds = [[seconds(work) for work in works] for _ in range(ROUNDS)]
    least = [min(each) for each in zip(*rounds, strict=True)]
    return [
        {"case": f"{length} {what}", "counted_s": spent, "per_s": spent / length, "curve": what, "n": length}
        for length, spent in zip(lengths, least, strict=True)
    ]


def counted(samples: int, steps: int, layers: int) -> Callable[[], object]:
    """Counting a network of `layers` times (linear, LIF)."""
    torch.manual_seed(0)
    module = nn.Sequential(*(part for _ in range(layers) for part in (nn.Linear(WIDTH, WIDTH), LIF(beta=0.5))))
    x = (torch.rand(steps, samples, WIDTH) < 0.2).float()
    return partial(count_module, module.eval(), x, carries="spikes")
