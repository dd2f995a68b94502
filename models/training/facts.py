"""What a checkpoint says of how its weights came about; no times, so that equal trainings give equal files."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict

import torch

from ... import __version__
from ..checkpoints import Checkpoint
from ..recipes import Recipe
from .processes import launched
from .results import Epoch, Trained, best_of
from .task import Task

TOLD = ("data", "samples", "batch", "rate")
"""Fields of a recipe that are told whatever they are; the others where they are not as usual."""
COMMAND = ("data", "epochs", "samples")
"""The same of options."""


def about_of(task: Task, found: Trained) -> Checkpoint:
    """What the checkpoint of a training says of itself."""
    metrics = {
        "test_accuracy": found.accuracy,
        "validation_accuracy": found.best.accuracy,
        "loss": found.best.loss,
        "largest_weight": found.largest,
    }
    rate = {} if found.test.rate is None else {"spike_rate": found.test.rate}
    facts = facts_of(task, found.history, found.data)
    return Checkpoint(task.name, task.config, task.chosen.seed, {**metrics, **rate}, facts)


def about_now(task: Task, history: Sequence[Epoch], data: str) -> Checkpoint:
    """The same of one under way, which has not seen the samples for the test."""
    best = best_of(history)
    metrics = {"validation_accuracy": best.accuracy, "loss": best.loss}
    return Checkpoint(task.name, task.config, task.chosen.seed, metrics, facts_of(task, history, data))


def facts_of(task: Task, history: Sequence[Epoch], data: str) -> dict[str, str | float]:
    """How the weights came about."""
    usual, recipe = asdict(Recipe("")), asdict(task.recipe)
    unusual = {name: value for name, value in recipe.items() if value != usual[name] and name != "epochs"}
    told = {**{name: recipe[name] for name in TOLD}, **unusual}
    plain = {name: value if isinstance(value, str | float | int) else " ".join(value) for name, value in told.items()}
    return {
        "command": command_of(task),
        "data_sha256": data,
        "epochs": len(history),
        "best_epoch": best_of(history).number,
        "processes": launched().world,
        "spikeport": __version__,
        "torch": str(torch.__version__),
        **plain,
    }


def command_of(task: Task) -> str:
    """The command that does it again, as a shell reads it."""
    chosen = task.chosen
    given = {name: value for name, value in chosen.changes.items() if value is not None and name not in COMMAND}
    options = [(name, getattr(task.recipe, name)) for name in COMMAND] + [("seed", chosen.seed)]
    for name, value in given.items():
        options += [(name.replace("_", "-"), each) for each in (value if isinstance(value, tuple) else (value,))]
    options += [("config", each) for each in chosen.config]
    words = [word for name, value in options for word in (f"--{name}", str(value))]
    return shlex.join(["spikeport", "train", chosen.source, *words])
