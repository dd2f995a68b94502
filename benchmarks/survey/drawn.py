"""Values that are drawn from a seed, as `spikeport run` makes them, each sample from a seed of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...toolchain.errors import UsageError
from ...toolchain.graph.nodes.base import Array
from ...toolchain.graph.signal import Signal
from ...toolchain.inputs import recipe
from .sources import DRAWN_SAMPLES, DRAWN_STEPS, DataSpec, digest_of


@dataclass(frozen=True)
class Drawn:
    """Samples without meaning.

    Args:
        recipe: poisson:RATE, normal:SIGMA or constant:VALUE.
        shape: of one step of one sample.
        carries: what the network's input takes.
        steps: of a sample.
        count: how many samples.
        seed: draws everything.
        stream: draws other values from the same seed, for another input.
    """

    recipe: str
    shape: tuple[int, ...]
    carries: str
    steps: int
    count: int
    seed: int
    stream: tuple[int, ...] = ()

    @staticmethod
    def of(spec: DataSpec, signal: Signal, stream: tuple[int, ...] = ()) -> Drawn:
        """What was asked for, for this input."""
        recipe(spec.made)  # refuses what is none
        for name, value in {"--dt": spec.steps.dt, "--unit": spec.steps.unit}.items():
            if value is not None:
                raise UsageError(name, "without events", "a folder of event files", "leave it out")
        steps, count = spec.steps.count or DRAWN_STEPS, spec.samples or DRAWN_SAMPLES
        return Drawn(spec.made, signal.shape, str(signal.carries), steps, count, spec.seed, stream)

    def __len__(self) -> int:
        return self.count

    @property
    def class_names(self) -> tuple[str, ...]:
        """There are no classes."""
        return ()

    @property
    def identity(self) -> str:
        """Of the recipe."""
        asked = (self.recipe, self.shape, self.carries, self.steps, self.count, self.seed, *self.stream)
        return digest_of("drawn", *asked, np.__version__)

    @property
    def about(self) -> str:
        """In words."""
        plural = "" if self.count == 1 else "s"
        return f"{self.recipe}, {self.count:,} sample{plural} of {self.steps} steps, seed {self.seed}"

    @property
    def together(self) -> None:
        """All samples have the same number of steps."""

    @property
    def travels(self) -> bool:
        """Every machine draws the same."""
        return True

    def batch(self, indices: Sequence[int]) -> tuple[Array, None]:
        """Some samples: float32, or whole numbers where the input takes only such."""
        draw, amount = recipe(self.recipe)
        shape = (self.steps, *self.shape)
        samples = [draw(np.random.default_rng([self.seed, *self.stream, index]), amount, shape) for index in indices]
        with np.errstate(over="ignore"):  # what no float32 holds is refused with its place, where it is counted
            found = np.stack(samples, 1).astype(np.float32)
        whole = self.recipe.startswith("normal") and self.carries != "graded"
        return (np.rint(found) if whole else found), None

    def said(self, indices: Sequence[int]) -> tuple[str, ...]:  # noqa: ARG002 - as the protocol has it
        """Nothing is left out."""
        return ()

    def check_unchanged(self) -> None:
        """There is no file that could change."""
