"""What a training says while it runs, on stderr: a bar with the time left, or a line for each epoch in a log."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ...toolchain.console import quiet, say
from ..recipes import Recipe
from .processes import launched
from .results import Epoch, Stepped, Told


@dataclass(frozen=True)
class Shown:
    """What is to be called."""

    told: Told
    stepped: Stepped


@contextmanager
def progress(name: str, recipe: Recipe) -> Iterator[Shown]:
    """Shows how far a training is; nothing where a program reads the result, or another process says it."""
    if quiet() or launched().rank:
        yield Shown(lambda _: None, lambda _: None)
    elif sys.stderr.isatty():
        with _bar() as bar:
            steps = -(-recipe.samples // recipe.batch) * recipe.epochs
            task = bar.add_task(f"training {name}", total=steps, said="")
            yield Shown(
                lambda epoch: bar.update(task, said=line(epoch, recipe)), lambda done: bar.update(task, completed=done)
            )
    else:
        yield Shown(
            lambda epoch: say(f"training {name}: {line(epoch, recipe)}{_left(epoch, recipe)} …"), lambda _: None
        )


def _bar() -> Progress:
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    console = Console(stderr=True, highlight=False, emoji=False)
    return Progress(TextColumn("{task.description}"), *columns, TextColumn("{task.fields[said]}"), console=console)


def line(epoch: Epoch, recipe: Recipe) -> str:
    """An epoch in a line."""
    done = f"epoch {epoch.number} of {recipe.epochs}, loss {epoch.loss:.3f}, validation {epoch.accuracy:.1%}"
    return done if epoch.spikes is None else f"{done}, spikes {epoch.spikes:.1%}"


def _left(epoch: Epoch, recipe: Recipe) -> str:
    """How long it takes if it goes on at the speed of the last epoch."""
    minutes, seconds = divmod(round(epoch.seconds * (recipe.epochs - epoch.number)), 60)
    return f", {minutes}:{seconds:02d} left" if epoch.number < recipe.epochs else ""
