"""How each network of the zoo is trained: on what, how long, in which steps. A table to read, and to add to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..toolchain.errors import UsageError
from .zoo import entry

CHOICES: Mapping[str, tuple[str, ...]] = {
    "optimizer": ("adam", "adamw", "sgd"),
    "precision": ("32", "bf16", "16"),
}
LIMITS: Mapping[str, float] = {
    "weight_decay": float("inf"),
    "warmup": float("inf"),
    "clip": float("inf"),
    "label_smoothing": 1.0,
    "ema": 1.0,
}
"""What these must stay below; none may be below 0."""


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
        rate: the learning rate at its highest; it falls to 0 along a cosine over all epochs.
        enough: the validation accuracy at which training ends.
        threads: how many torch may use, or 0 for as many as it likes. Layers as small as ours gain little by sharing
            their work, and lose a lot where other programs want the same cores.
        optimizer: adam, adamw or sgd.
        weight_decay: how much a step takes off the weights, as the optimizer understands it.
        warmup: epochs in which the rate rises from 0.
        clip: the largest norm of all gradients together; 0 for any.
        label_smoothing: how much of the target is spread over all classes.
        ema: decay of the mean of the weights over steps, which then is what is judged and kept; 0 for the weights
            themselves.
        precision: 32, or bf16 or 16 for products in half precision.
        surrogate: NAME or NAME:SLOPE, what stands for the derivative of a spike in all neurons; empty for their own.
        augment: names of changes to the clips that are learned from.
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
    optimizer: str = "adam"
    weight_decay: float = 0.0
    warmup: float = 0.0
    clip: float = 0.0
    label_smoothing: float = 0.0
    ema: float = 0.0
    precision: str = "32"
    surrogate: str = ""
    augment: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        counts = (self.samples, self.validation, self.test, self.epochs, self.batch)
        if min(counts) < 1:
            raise UsageError("training", f"counts {counts}", "samples, epochs and batch of at least 1")
        if not 0 < self.rate < float("inf"):
            raise UsageError("training", f"a rate of {self.rate}", "a number above 0")
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise UsageError("training", f"{name} {getattr(self, name)!r}", f"one of {', '.join(choices)}")
        for name, limit in LIMITS.items():
            if not 0 <= getattr(self, name) < limit:
                wanted = f"a number from 0 to below {limit:g}" if limit < float("inf") else "a number of at least 0"
                raise UsageError("training", f"{name} {getattr(self, name)}", wanted)


RECIPES: Mapping[str, Recipe] = {
    "ann_convnet": Recipe("shape_frames", samples=8000, epochs=8, rate=4e-3, enough=0.995),
    "event_convnet": Recipe("moving_shapes", epochs=8, rate=5e-3, enough=0.98),
    "spiking_fusion": Recipe(
        "actions",
        samples=1200,
        validation=400,
        test=400,
        epochs=5,
        batch=32,
        rate=1e-2,
        optimizer="adamw",
        weight_decay=0.01,
        warmup=0.8,
        clip=2.0,
    ),
    # its weights are of the order of ten, and so are its steps
    "sequence_rnn": Recipe("burst_orders", samples=4000, epochs=12, batch=64, rate=5e-2, enough=0.995),
}


def recipe_of(name: str) -> Recipe:
    """The recipe of a network of the zoo."""
    entry(name)
    if name not in RECIPES:
        raise UsageError("training", f"no recipe for {name}", f"one of {', '.join(RECIPES)}")
    return RECIPES[name]
