"""What `train` shows when it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Group, RenderableType
from rich.text import Text

from ...toolchain.console import Result
from ...toolchain.tables import number, table
from ..checkpoints import Checkpoint
from .results import Trained
from .task import Task

MOST = 30
"""Classes and layers that are shown one by one; all of them are in --json."""


def result(about: Checkpoint, task: Task, found: Trained, class_names: Sequence[str], *, told: bool) -> Result:
    """The training as data and as tables."""
    output, test = task.chosen.output, found.test
    data = {
        "name": about.model,
        "seed": about.seed,
        "config": asdict(task.config),
        "recipe": asdict(task.recipe),
        "epochs": [asdict(epoch) for epoch in found.history],
        **about.metrics,
        "best_epoch": found.best.number,
        "by_class": dict(zip(class_names, test.by_class, strict=False)),
        "confusion": test.confusion.tolist(),
        "right": test.right.astype(int).tolist(),
        "rates": dict(test.rates),
        "seconds": found.seconds,
        "file": None if output is None else str(output),
    }
    heading = f"{about.model} on {task.recipe.data}: {task.recipe.samples:,} samples, seed {about.seed}\n"
    answer = f"\ntest accuracy {found.accuracy:.1%} of {task.recipe.test:,} samples"
    rest = f"\nlargest |weight| {found.largest:.3g}, {found.seconds:.0f} s"
    said = Text(answer, style="bold").append(rest, style="not bold")
    written = [Text(f"written: {output}")] if output is not None else []
    return Result(data, Group(Text(heading), _epochs(found), said, *_details(found, class_names), *written), told=told)


def _epochs(found: Trained) -> RenderableType:
    rows = [
        (
            f"{epoch.number}{' ◄' if epoch is found.best else ''}",
            f"{epoch.loss:.3f}",
            f"{epoch.learned:.1%}",
            f"{epoch.accuracy:.1%}",
            "" if epoch.spikes is None else f"{epoch.spikes:.1%}",
            number(epoch.seconds, 3),
        )
        for epoch in found.history
    ]
    return table(("epoch", ">loss", ">learned", ">validation", ">spikes", ">seconds"), rows)


def _details(found: Trained, class_names: Sequence[str]) -> list[RenderableType]:
    """The worst classes, and the layers with how often they fire."""
    known = [(right, name) for name, right in zip(class_names, found.test.by_class, strict=False) if right is not None]
    worst = [(name, f"{right:.1%}") for right, name in sorted(known)[:3]]
    rates = [(name, f"{rate:.1%}") for name, rate in found.test.rates.items()][:MOST]
    fired: list[RenderableType] = [Text(), table(("layer", ">spikes of a neuron in a step"), rates)] if rates else []
    return [Text(), table(("hardest class", ">right"), worst), *fired, Text()]
