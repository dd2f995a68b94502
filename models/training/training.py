"""Training of networks: surrogate gradients through all steps, and the weights of the best epoch.

All that is random comes from one seed: the first weights, the data, the order of the samples, and what networks draw
themselves. The same command on the same machine gives the same weights, stopped and resumed or not. The weights kept
are those of the epoch with the highest validation accuracy.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import nn

from ..recipes import Recipe
from .batch_norm import shared
from .folder import Folder
from .loop import Loop
from .processes import fabric_of
from .randomness import seeded
from .results import Stepped, Told, Trained, best_of
from .splits import Splits, identity, splits_of
from .surrogates import set_surrogates


def train(
    network: nn.Module,
    recipe: Recipe,
    readout: str,
    seed: int = 0,
    *,
    splits: Splits | None = None,
    told: Told | None = None,
    stepped: Stepped | None = None,
    folder: Folder | None = None,
) -> Trained:
    """Trains a network in place; it ends in eval mode, with the weights of its best epoch.

    Args:
        network: [T, B, *shape] for each of its streams → [T, B, classes].
        recipe: on what, how long, in which steps.
        readout: how its answer is read, a row of `readouts.py`.
        seed: draws the data, the order of the samples, and whatever the network draws.
        splits: other clips than the recipe's.
        told: called after every epoch.
        stepped: called after every step, with the number of steps done.
        folder: keeps what is needed to go on, and where it goes on from.
    """
    start = time.perf_counter()
    splits = splits_of(recipe, seed) if splits is None else splits
    data = identity(splits)
    set_surrogates(network, recipe.surrogate)
    with _threads(recipe.threads):
        fabric = fabric_of(recipe.precision)
        with seeded(seed + fabric.global_rank), shared(network) if fabric.world_size > 1 else nullcontext():
            loop = Loop(network, recipe, readout, seed, splits, fabric, data, folder)
            loop.run(told or (lambda _: None), stepped or (lambda _: None))
            test = loop.finish()
    history = tuple(loop.position.history)
    seconds = time.perf_counter() - start
    return Trained(history, best_of(history), test, largest_weight(network), seconds, data)


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
