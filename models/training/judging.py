"""What a network is worth on samples: how many are right, class by class, and how often its neurons fire.

    confusion[i, j] = samples of class i that are taken for class j
    accuracy = Σᵢ confusion[i, i] / Σᵢⱼ confusion[i, j]
    rate of a layer = its spikes / (its neurons · samples · steps)

All of it are sums over samples, so that parts judged apart add to the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ...toolchain.errors import UsageError
from ..data.clips import Clips
from ..data.samples import Samples
from ..layer import Neurons
from ..readouts import READOUTS
from .inputs import as_clips, batch, streams_of

EVALUATED = 100
"""Samples that are evaluated at a time."""

Reduce = Callable[[Tensor], Tensor]
"""Sums a tensor over all processes."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a network is worth.

    Args:
        confusion: samples by their class (row) and what they are taken for (column), int64 [C, C].
        loss: mean cross entropy of a sample.
        rates: spikes of a neuron in a step, by layer.
        rate: the same of all neurons; None without any that spike.
        right: whether each sample is right, in their order, bool [N]; false where another process judged it.
    """

    confusion: npt.NDArray[np.int64]
    loss: float
    rates: Mapping[str, float]
    rate: float | None
    right: npt.NDArray[np.bool_]

    @property
    def accuracy(self) -> float:
        """The share of samples that are right."""
        return int(self.confusion.trace()) / int(self.confusion.sum())

    @property
    def by_class(self) -> tuple[float | None, ...]:
        """The same of the samples of each class; None for a class without samples."""
        counts = zip(self.confusion.diagonal(), self.confusion.sum(1), strict=True)
        return tuple(int(right) / int(count) if count else None for right, count in counts)


def evaluate(network: nn.Module, samples: Samples | Clips, readout: str) -> float:
    """The share of samples that a network, as it is, gets right."""
    return judge(network, as_clips(samples), readout).accuracy


@torch.no_grad()
def judge(
    network: nn.Module, clips: Clips, readout: str, *, first: int = 0, every: int = 1, reduce: Reduce | None = None
) -> Judgement:
    """Judges a network, as it is.

    Args:
        network: [T, B, *shape] for each of its streams → [T, B, classes].
        clips: what it is judged on.
        readout: a row of `readouts.py`.
        first: the first clip that this process takes.
        every: it takes one of so many.
        reduce: sums over all processes.
    """
    names, device = streams_of(network, clips), next(network.parameters()).device
    tally = _Tally(device, len(clips))
    with _listening(network, tally):
        for places in torch.split(torch.arange(first, len(clips), every), EVALUATED):
            streams, labels = batch(clips, names, places.numpy(), device)
            tally.add(places, READOUTS[readout](network(*streams)), labels)
    return tally.judgement(reduce or (lambda sums: sums))


class _Tally:
    """Sums of what is seen."""

    def __init__(self, device: torch.device, count: int) -> None:
        self.confusion = torch.zeros(0, 0, dtype=torch.float64, device=device)
        self.right = torch.zeros(count, dtype=torch.float64, device=device)
        self.loss = torch.zeros(1, dtype=torch.float64, device=device)
        self.fired: dict[str, Tensor] = {}

    def add(self, places: Tensor, scores: Tensor, labels: Tensor) -> None:
        classes, taken = scores.shape[1], scores.argmax(1)
        if int(labels.max()) >= classes:
            raise UsageError("data", f"the class {int(labels.max())}", f"0 to {classes - 1}, what the network answers")
        if not len(self.confusion):
            self.confusion = self.confusion.new_zeros(classes, classes)
        self.confusion.view(-1).index_add_(0, labels * classes + taken, torch.ones_like(taken, dtype=torch.float64))
        self.right[places.to(taken.device)] = (taken == labels).double()
        self.loss += cross_entropy(scores, labels, reduction="sum")

    def listen(self, name: str) -> Callable[[nn.Module, Any, Tensor], None]:
        """A hook for a layer: adds (spikes, neurons · samples · steps)."""
        fired = self.fired.setdefault(name, torch.zeros(2, dtype=torch.float64, device=self.loss.device))

        def hear(_: nn.Module, __: Any, spikes: Tensor) -> None:
            fired[0] += spikes.sum(dtype=torch.float64)
            fired[1] += spikes.numel()

        return hear

    def judgement(self, reduce: Reduce) -> Judgement:
        classes, layers = len(self.confusion), list(self.fired)
        sums = reduce(torch.cat([self.confusion.view(-1), self.loss, self.right, *self.fired.values()])).cpu()
        table, loss_sum, right, spikes = torch.split(sums, [classes**2, 1, len(self.right), 2 * len(layers)])
        confusion, fired = table.view(classes, classes).long().numpy(), spikes.view(-1, 2)
        total, count = fired.sum(0).tolist()
        rates = {name: found / heard for name, (found, heard) in zip(layers, fired.tolist(), strict=True) if heard}
        loss = float(loss_sum) / max(int(confusion.sum()), 1)
        return Judgement(confusion, loss, rates, total / count if count else None, right.bool().numpy())


@contextmanager
def _listening(network: nn.Module, tally: _Tally) -> Iterator[None]:
    """Counts the spikes of every layer that fires."""
    layers = {
        name: layer
        for name, layer in network.named_modules()
        if isinstance(layer, Neurons) and layer.surrogate is not None
    }
    hooks = [layer.register_forward_hook(tally.listen(name)) for name, layer in layers.items()]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
