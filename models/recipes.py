"""How each network of the zoo is trained: on what, how long, in which steps. A table to read, and to add to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..toolchain.errors import UsageError
from .zoo import entry


@dataclass(frozen=True)
class Recipe:
    """One training.

    Args:
        data: a name of the table of data.
        samples: how many samples to train on.
        validation: how many samples choose the best epoch, and end the training.
        test: how many samples, never seen before, give the accuracy that is reported.
        epochs: how often every sample is seen, at most.
        batch: samples in a step.
        rate: Adam's learning rate at the start; it falls to 0 along a cosine over all epochs.
        enough: the validation accuracy at which training ends.
        threads: how many torch may use, or 0 for as many as it likes. Layers as small as ours gain little by sharing
            their work, and lose a lot where other programs want the same cores.
    """

    data: str
    samples: int = 3000
    validation: int = 500
    test: int = 1000
    epochs: int = 10
    batch: int = 30
    rate: float = 1e-3
    enough: float = 1.0
    threads: int = 1

    def __post_init__(self) -> None:
        counts = (self.samples, self.validation, self.test, self.epochs, self.batch)
        if min(counts) < 1:
            raise UsageError("training", f"counts {counts}", "samples, epochs and batch of at least 1")
        if not 0 < self.rate < float("inf"):
            raise UsageError("training", f"a rate of {self.rate}", "a number above 0")


RECIPES: Mapping[str, Recipe] = {
    "ann_convnet": Recipe("shape_frames", samples=8000, epochs=8, rate=4e-3, enough=0.995),
    "event_convnet": Recipe("moving_shapes", epochs=8, rate=5e-3, enough=0.98),
    # its weights are of the order of ten, and so are its steps
    "sequence_rnn": Recipe("burst_orders", samples=4000, epochs=12, batch=64, rate=5e-2, enough=0.995),
}


def recipe_of(name: str) -> Recipe:
    """The recipe of a network of the zoo."""
    entry(name)
    if name not in RECIPES:
        raise UsageError("training", f"no recipe for {name}", f"one of {', '.join(RECIPES)}")
    return RECIPES[name]
