"""One step of learning: losses, gradients, an update; and all that changes in it.

g = ∇ loss;   g ← g · min(1, clip / |g|);   weights ← optimizer(weights, g, rate(n))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from ...toolchain.errors import UsageError
from ..recipes import Recipe
from .average import Average
from .finite import CALMER, Moment, check_gradients, check_losses
from .objective import RIGHT, TOTAL, Objective
from .optimisers import optimiser_of

SKIPPED = 20
"""So many steps in a row may be left out because their gradients do not fit float16."""


class Learner:
    """A network, its optimizer, and the mean of its weights.

    Args:
        network: what learns.
        recipe: how.
        readout: a row of `readouts.py`.
        fabric: where.
    """

    def __init__(self, network: nn.Module, recipe: Recipe, readout: str, fabric: Fabric) -> None:
        self.network, self.clip, self.fabric = network, recipe.clip, fabric
        self.optimiser = optimiser_of(network, recipe)
        objective = Objective(network, readout, recipe.label_smoothing)
        self.objective, self.stepper = fabric.setup(objective, self.optimiser)
        self.average = Average(network, recipe.ema) if recipe.ema else None
        self.skipped = 0

    def step(self, streams: Mapping[str, Tensor], labels: Tensor, count: int, moment: Moment) -> dict[str, float]:
        """Learns from this process's share of a batch; gives sums over all its samples.

        Args:
            streams: by name, in the order of the network's inputs.
            labels: the classes.
            count: the samples of the batch, in all processes.
            moment: when.
        """
        self._set_rate(moment.rate)
        self.optimiser.zero_grad()
        losses = self.objective(labels, *streams.values())
        sums = self._sums(losses, len(labels))
        means = {name: value / count for name, value in sums.items() if name != RIGHT}
        check_losses(means, moment, self.network, streams)
        # processes average their gradients, so that each counts by its share of the samples
        share = len(labels) * self.fabric.world_size / count
        self.fabric.backward(losses[TOTAL] if share == 1 else losses[TOTAL] * share)
        self._check(moment, streams)
        self.stepper.step()
        if self.average is not None:
            self.average.update(moment.step)
        return sums

    def _set_rate(self, rate: float) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    def _sums(self, losses: Mapping[str, Tensor], count: int) -> dict[str, float]:
        """Losses times samples, and what is right, over all processes."""
        rows = [value.detach() if name == RIGHT else value.detach() * count for name, value in losses.items()]
        sums = self.reduced(torch.stack(rows).double())
        return dict(zip(losses, sums.tolist(), strict=True))

    def reduced(self, sums: Tensor) -> Tensor:
        """The sum over all processes."""
        return cast("Tensor", self.fabric.all_reduce(sums, reduce_op="sum")) if self.fabric.world_size > 1 else sums

    def _check(self, moment: Moment, streams: Mapping[str, Tensor]) -> None:
        """Clips gradients, and refuses those that are no numbers; scaled ones may be, for some steps."""
        precision: Any = self.fabric.strategy.precision
        precision.unscale_gradients(self.optimiser)
        weights = [weight for weight in self.network.parameters() if weight.grad is not None]
        norm = torch.nn.utils.get_total_norm([weight.grad for weight in weights if weight.grad is not None])
        scaled = getattr(precision, "scaler", None) is not None
        if scaled and not bool(norm.isfinite()):
            self.skipped += 1
            if self.skipped > SKIPPED:
                found = f"gradients beyond float16 in {self.skipped} steps on end, {moment}"
                raise UsageError("training", found, fix=f"{CALMER}, or --precision bf16")
            return
        self.skipped = 0
        check_gradients(float(norm), moment, self.network, streams)
        if self.clip:
            torch.nn.utils.clip_grads_with_norm_(weights, self.clip, norm)
