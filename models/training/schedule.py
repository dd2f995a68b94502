"""The learning rate of every step, a function of its number alone, so that a training can go on anywhere.

rate(n) = rate · (n + 1) / W                              for n < W: warming up
rate(n) = rate · (1 + cos(π · (n − W) / (N − W))) / 2     after that, towards 0 at step N
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi


@dataclass(frozen=True)
class Schedule:
    """The rates of a training.

    Args:
        rate: the highest one.
        steps: N, steps in all.
        warmup: W, steps to warm up.
    """

    rate: float
    steps: int
    warmup: int = 0

    def at(self, step: int) -> float:
        """The rate of a step, counted from 0."""
        if step < self.warmup:
            return self.rate * (step + 1) / self.warmup
        return self.rate * (1 + cos(pi * (step - self.warmup) / max(self.steps - self.warmup, 1))) / 2
