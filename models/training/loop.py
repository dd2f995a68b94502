"""The loop over epochs: for each batch a step of `learner.py`, then the network is judged on other samples."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

from lightning_fabric import Fabric
from torch import nn

from ...toolchain.errors import UsageError
from ..data.clips import Clips
from ..data.samples import Array
from ..recipes import Recipe
from .augmenting import augmented
from .average import copied
from .finite import Moment
from .folder import Folder
from .inputs import batch, streams_of
from .judging import Judgement, judge
from .keeping import restore_all, tensors_of
from .learner import Learner
from .objective import RIGHT, TOTAL
from .order import Order
from .results import Epoch, Stepped, Told, best_of
from .schedule import Schedule
from .splits import Splits
from .state import Position, load_state


class Loop:
    """One training under way.

    Args:
        network: what learns.
        recipe: how.
        readout: a row of `readouts.py`.
        seed: draws the orders.
        splits: from what.
        fabric: where.
        data: what tells the clips from all others.
        folder: what is kept.
    """

    def __init__(
        self,
        network: nn.Module,
        recipe: Recipe,
        readout: str,
        seed: int,
        splits: Splits,
        fabric: Fabric,
        data: str,
        folder: Folder | None,
    ) -> None:
        self.network, self.recipe, self.readout, self.seed = network, recipe, readout, seed
        self.splits, self.fabric, self.data, self.folder = splits, fabric, data, folder
        self.names = streams_of(network, splits.train)
        self.order = Order(len(splits.train), recipe.batch, seed, fabric.world_size)
        warmup = round(recipe.warmup * self.order.steps)
        self.schedule = Schedule(recipe.rate, recipe.epochs * self.order.steps, warmup)
        self._check_sizes()
        self.learner = Learner(network, recipe, readout, fabric)
        self.position, self.best = Position(), copied(network)
        if folder is not None and folder.goes_on:
            tensors, self.position = load_state(folder.state, self._plan(folder))
            self.best = restore_all(str(folder.state), tensors, self.learner, self.position)

    def run(self, told: Told, stepped: Stepped) -> None:
        """Learns until it is good enough, or the epochs are over."""
        while not self._done():
            told(self._epoch(stepped))

    def finish(self) -> Judgement:
        """Puts the best weights into the network and judges it on the samples for the test."""
        self.network.load_state_dict(self.best)
        found = self._judged(self.splits.test)
        self.network.cpu()
        return found

    def _done(self) -> bool:
        history = self.position.history
        return len(history) == self.recipe.epochs or (bool(history) and history[-1].accuracy >= self.recipe.enough)

    def _epoch(self, stepped: Stepped) -> Epoch:
        position, start = self.position, time.perf_counter() - self.position.seconds
        self.network.train()
        for places in self.order.batches(position.epoch)[position.batch :]:
            position.add(self._step(places))
            stepped(position.step)
            if self.folder is not None and self.folder.due(position.step) and position.batch < self.order.steps:
                position.seconds = time.perf_counter() - start
                self._keep(self.folder)
        with self.learner.average.in_place() if self.learner.average else nullcontext():
            epoch = self._closed(self._judged(self.splits.validation), start)
        if self.folder is not None:
            self._keep(self.folder)
        return epoch

    def _step(self, places: Array) -> dict[str, float]:
        own = places[self.fabric.global_rank :: self.fabric.world_size]
        streams, labels = batch(self.splits.train, self.names, own, self.fabric.device)
        named = dict(zip(self.names, streams, strict=True))
        if self.recipe.augment:
            named = augmented(named, self.recipe.augment, own, (self.seed, self.position.epoch))
        step = self.position.step
        moment = Moment(self.position.epoch, step + 1, self.schedule.at(step))
        return self.learner.step(named, labels, len(places), moment)

    def _judged(self, clips: Clips) -> Judgement:
        """Judges the network on clips that the processes share, in float32 whatever it learns in."""
        self.network.eval()
        rank, world = self.fabric.global_rank, self.fabric.world_size
        return judge(self.network, clips, self.readout, first=rank, every=world, reduce=self.learner.reduced)

    def _closed(self, found: Judgement, start: float) -> Epoch:
        """Ends an epoch; if it is the best so far, its weights are kept."""
        position, count = self.position, len(self.splits.train)
        means = {name: value / count for name, value in position.sums.items()}
        loss, learned = means.pop(TOTAL), means.pop(RIGHT)
        rate, seconds = self.schedule.at(position.step - 1), time.perf_counter() - start
        epoch = Epoch(position.epoch, loss, found.accuracy, seconds, means, learned, rate, found.loss, found.rate)
        position.close(epoch)
        if best_of(position.history) is epoch:
            self.best = copied(self.network)
        return epoch

    def _keep(self, folder: Folder) -> None:
        """Keeps all that changes; every process gives its random numbers."""
        tensors = tensors_of(self.learner, self.best, self.position)
        if self.fabric.is_global_zero:
            folder.keep(tensors, self.best, self.position, self._plan(folder))

    def _plan(self, folder: Folder) -> Mapping[str, Any]:
        what = {"readout": self.readout, "seed": self.seed, "processes": self.fabric.world_size}
        return {**what, "recipe": asdict(self.recipe), "data": self.data, **folder.about}

    def _check_sizes(self) -> None:
        few = min(len(self.splits.validation), len(self.splits.test))
        if few < self.fabric.world_size:
            processes = self.fabric.world_size
            raise UsageError("training", f"{few} clips to judge by on {processes} processes", "one for each process")
