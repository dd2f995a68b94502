"""What a training comes to, epoch by epoch and in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .judging import Judgement


@dataclass(frozen=True)
class Epoch:
    """What one pass over the data came to.

    Args:
        number: from 1.
        loss: of a training sample, everything that was to become small; the mean over the epoch.
        accuracy: share of the samples for validation that are right after it.
        seconds: how long it took, validation too.
        parts: what the loss is made of, by name.
        learned: share of the training samples that were right when the network learned from them.
        rate: the learning rate of its last step.
        validation_loss: cross entropy of a sample for validation.
        spikes: spikes of a neuron in a step; None without neurons that spike.
    """

    number: int
    loss: float
    accuracy: float
    seconds: float
    parts: Mapping[str, float] = field(default_factory=dict)
    learned: float = 0.0
    rate: float = 0.0
    validation_loss: float = 0.0
    spikes: float | None = None


@dataclass(frozen=True)
class Trained:
    """What a training came to; the network itself holds the weights of the best epoch.

    Args:
        history: every epoch.
        best: the one whose weights were kept.
        test: what these weights are worth on the test samples.
        largest: the largest |weight|.
        seconds: how long all of it took, making the data too.
        data: what tells the clips from all others.
    """

    history: tuple[Epoch, ...]
    best: Epoch
    test: Judgement
    largest: float
    seconds: float
    data: str

    @property
    def accuracy(self) -> float:
        """Share of the test samples that are right."""
        return self.test.accuracy


Told = Callable[[Epoch], None]
Stepped = Callable[[int], None]
"""Called with the number of steps done."""


def best_of(history: Sequence[Epoch]) -> Epoch:
    """The first of the epochs with the highest validation accuracy."""
    return max(history, key=lambda epoch: epoch.accuracy)
