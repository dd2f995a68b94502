"""Training of the zoo's networks: surrogate gradients through all steps, Adam, cross entropy on the readout.

    loss = − log softmax(readout(network(x)))[label]
    rate(n) = rate · (1 + cos(π·n/N)) / 2        in step n of N

All that is random comes from one seed: the first weights, the data, the order of the samples. The same command on the
same machine gives the same weights. The weights kept are those of the epoch with the highest validation accuracy.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..toolchain.errors import UsageError
from .data.made import make
from .data.samples import Samples
from .readouts import READOUTS, correct
from .recipes import Recipe

EVALUATED = 100
"""Samples that are evaluated at a time."""


@dataclass(frozen=True)
class Epoch:
    """What one pass over the data came to.

    Args:
        number: from 1.
        loss: mean over its steps.
        accuracy: share of the samples for validation that are right after it.
        seconds: how long it took, validation too.
    """

    number: int
    loss: float
    accuracy: float
    seconds: float


@dataclass(frozen=True)
class Trained:
    """What a training came to; the network itself holds the weights of the best epoch.

    Args:
        history: every epoch.
        best: the one whose weights were kept.
        accuracy: share of the test samples that are right with these weights.
        largest: the largest |weight|.
        seconds: how long all of it took, making the data too.
    """

    history: tuple[Epoch, ...]
    best: Epoch
    accuracy: float
    largest: float
    seconds: float


@dataclass(frozen=True)
class Splits:
    """Samples to learn from, to choose by, and to report on."""

    train: Samples
    validation: Samples
    test: Samples


Told = Callable[[Epoch], None]


def made_splits(recipe: Recipe, seed: int) -> Splits:
    """The samples of a recipe."""
    return Splits(
        make(recipe.data, "train", recipe.samples, seed),
        make(recipe.data, "validation", recipe.validation, seed),
        make(recipe.data, "test", recipe.test, seed),
    )


def train(
    network: nn.Module,
    recipe: Recipe,
    readout: str,
    seed: int = 0,
    *,
    splits: Splits | None = None,
    told: Told | None = None,
) -> Trained:
    """Trains a network in place; it ends in eval mode, with the weights of its best epoch.

    Args:
        network: [T, B, *shape] → [T, B, classes].
        recipe: on what, how long, in which steps.
        readout: how its answer is read, a row of `readouts.py`.
        seed: draws the data and the order of the samples.
        splits: other samples than the recipe's.
        told: called after every epoch.
    """
    start = time.perf_counter()
    splits = made_splits(recipe, seed) if splits is None else splits
    with _threads(recipe.threads):
        history, best, weights = _learned(network, recipe, readout, seed, splits, told)
        network.load_state_dict(weights)
        accuracy = evaluate(network.eval(), splits.test, readout)
    return Trained(history, best, accuracy, largest_weight(network), time.perf_counter() - start)


def largest_weight(network: nn.Module) -> float:
    """max |w| over all that is learned."""
    return max(float(weight.detach().abs().max()) for weight in network.parameters())


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Gives torch so many threads for a while; 0 leaves it as it is."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _learned(
    network: nn.Module, recipe: Recipe, readout: str, seed: int, splits: Splits, told: Told | None
) -> tuple[tuple[Epoch, ...], Epoch, dict[str, Tensor]]:
    """Every epoch, the best of them, and the weights after that one."""
    history: list[Epoch] = []
    best, weights = None, network.state_dict()
    for epoch in _epochs(network, recipe, readout, seed, splits):
        history.append(epoch)
        if best is None or epoch.accuracy > best.accuracy:
            best, weights = epoch, {name: value.clone() for name, value in network.state_dict().items()}
        if told is not None:
            told(epoch)
        if epoch.accuracy >= recipe.enough:
            break
    return tuple(history), best or history[0], weights


def _epochs(network: nn.Module, recipe: Recipe, readout: str, seed: int, splits: Splits) -> Iterator[Epoch]:
    """Every epoch in turn; who takes them may stop after any."""
    order = torch.Generator().manual_seed(seed)
    adam = torch.optim.Adam(network.parameters(), recipe.rate)
    steps = recipe.epochs * -(-len(splits.train) // recipe.batch)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    for number in range(1, recipe.epochs + 1):
        start, losses = time.perf_counter(), []
        network.train()
        for chosen in torch.split(torch.randperm(len(splits.train), generator=order), recipe.batch):
            losses.append(_step(network, adam, *_batch(splits.train, chosen), readout))
            falling.step()
        loss = sum(losses) / len(losses)
        if not isfinite(loss):
            raise UsageError("training", f"the loss is {loss} in epoch {number}", fix="take a lower rate")
        accuracy = evaluate(network.eval(), splits.validation, readout)
        yield Epoch(number, loss, accuracy, time.perf_counter() - start)


def _step(network: nn.Module, adam: torch.optim.Optimizer, inputs: Tensor, labels: Tensor, readout: str) -> float:
    adam.zero_grad()
    loss = cross_entropy(READOUTS[readout](network(inputs)), labels)
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it without types
    adam.step()
    return loss.item()


def _batch(samples: Samples, chosen: Tensor) -> tuple[Tensor, Tensor]:
    places = chosen.numpy()
    return torch.from_numpy(samples.inputs[:, places]).float(), torch.from_numpy(samples.labels[places])


@torch.no_grad()
def evaluate(network: nn.Module, samples: Samples, readout: str) -> float:
    """The share of samples that a network, as it is, gets right."""
    right = 0
    for chosen in torch.split(torch.arange(len(samples)), EVALUATED):
        inputs, labels = _batch(samples, chosen)
        right += correct(READOUTS[readout](network(inputs)), labels)
    return right / len(samples)
