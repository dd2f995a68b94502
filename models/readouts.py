"""How an answer is read from what a network gives over time, [T, B, classes] → scores [B, classes].

sum:  Σₜ y[t]      the neuron that fires most often
last: y[T−1]       the integrator that is highest at the end
max:  maxₜ y[t]    the integrator that is highest at any time
mean: Σₜ y[t] / T  the class that is likeliest over all steps
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

READOUTS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "sum": lambda y: y.sum(0),
    "last": lambda y: y[-1],
    "max": lambda y: y.amax(0),
    "mean": lambda y: y.mean(0),
}


def correct(scores: Tensor, labels: Tensor) -> int:
    """How many samples have their highest score at their label; of equal scores the first counts."""
    return int((scores.argmax(1) == labels).sum())
