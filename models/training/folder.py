"""The folder of a training: what it needs to go on, and its epochs as a table.

    last.safetensors    the state, after every epoch and every so many steps
    metrics.csv         a row for each epoch

Each file is there whole or not at all.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from ...toolchain.errors import UsageError
from ...toolchain.writing import write_whole
from .results import Epoch, best_of
from .state import Plan, Position, save_state

STATE, METRICS, BEST = "last.safetensors", "metrics.csv", "best.safetensors"

SaveBest = Callable[[Mapping[str, Tensor], Sequence[Epoch], str], None]
"""Called with the best weights, all epochs, and what tells the clips from all others."""


@dataclass(frozen=True)
class Folder:
    """Where a training is kept.

    Args:
        path: the folder, which is there.
        resume: whether it goes on with what is there.
        every: steps between two states; 0 keeps one after every epoch alone.
        about: what the training is of, beside recipe, seed and data: it must be the same to go on.
        save_best: called when an epoch is the best so far.
    """

    path: Path
    resume: bool = False
    every: int = 0
    about: Plan = field(default_factory=dict)
    save_best: SaveBest | None = None

    def __post_init__(self) -> None:
        if self.state.exists() and not self.resume:
            fix = "--resume goes on with it; or choose another folder"
            raise UsageError("--output", f"'{self.path}' holds a training", "a folder without one", fix)

    @property
    def state(self) -> Path:
        """The file of the state."""
        return self.path / STATE

    @property
    def goes_on(self) -> bool:
        """Whether there is something to go on with."""
        return self.resume and self.state.exists()

    def due(self, step: int) -> bool:
        """Whether a state is to be kept after this step."""
        return self.every > 0 and step % self.every == 0

    def keep(self, tensors: Mapping[str, Tensor], best: Mapping[str, Tensor], position: Position, plan: Plan) -> None:
        """Writes the state, last, so that what it belongs to is there."""
        history = position.history
        if history and position.batch == 0:
            write_whole(self.path / METRICS, metrics(history))
            if self.save_best is not None and best_of(history) is history[-1]:
                self.save_best(best, history, str(plan["data"]))
        save_state(self.state, tensors, position, plan)


def metrics(history: Sequence[Epoch]) -> str:
    """The epochs as CSV."""
    parts = list(history[0].parts)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    before = ["epoch", "loss", *parts, "train_accuracy", "validation_loss", "validation_accuracy"]
    rows.writerow([name.replace(" ", "_") for name in [*before, "rate", "seconds", "spike_rate"]])
    for each in history:
        losses = [each.loss, *(each.parts[name] for name in parts), each.learned, each.validation_loss, each.accuracy]
        rows.writerow([each.number, *losses, each.rate, round(each.seconds, 3), each.spikes])
    return text.getvalue()
