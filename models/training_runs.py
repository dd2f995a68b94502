"""What `train` does and shows: one training of a network of the zoo, and its checkpoint."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.text import Text

from ..toolchain.console import Result, working
from ..toolchain.errors import UsageError
from ..toolchain.tables import number, table
from ..toolchain.writing import check_place
from . import zoo
from .checkpoints import Checkpoint, save_checkpoint
from .data.made import config_of as data_config
from .recipes import Recipe, recipe_of
from .training import Epoch, Trained, train


def trained(
    name: str, data: str | None, output: Path | None, epochs: int | None, samples: int | None, seed: int
) -> Result:
    """Trains a network of the zoo by its recipe, with what is given in place of some of it."""
    recipe, config = changed(recipe_of(name), data, epochs, samples), zoo.config_of(name)
    check_fit(name, config, recipe.data)
    if output is not None:
        if output.suffix != ".safetensors":
            raise UsageError("--output", f"'{output}'", "a name that ends in .safetensors")
        check_place(output)
    network = zoo.build(name, config, seed)
    with working(f"training {name}") as tell:
        found = train(network, recipe, zoo.entry(name).readout, seed, told=lambda epoch: tell(_line(epoch, recipe)))
    about = Checkpoint(name, config, seed, metrics_of(found), facts_of(name, recipe, found, seed))
    if output is not None:
        save_checkpoint(output, network, about)
    return _result(about, recipe, found, output)


def changed(recipe: Recipe, data: str | None, epochs: int | None, samples: int | None) -> Recipe:
    """The recipe with what is not None."""
    given: dict[str, Any] = {"data": data, "epochs": epochs, "samples": samples}
    return replace(recipe, **{key: value for key, value in given.items() if value is not None})


def check_fit(name: str, config: zoo.Config, data: str) -> None:
    """Refuses data of another shape than the network's input."""
    shape = data_config(data).shape
    (taken,) = (kind.shape for kind in config.takes.values())
    if shape != taken:
        found = f"samples of shape {list(shape)}"
        raise UsageError("--data", f"{data} has {found}", f"{list(taken)}, the input of {name}")


def metrics_of(found: Trained) -> dict[str, float]:
    """The numbers that go with the weights."""
    return {
        "test_accuracy": found.accuracy,
        "validation_accuracy": found.best.accuracy,
        "loss": found.best.loss,
        "largest_weight": found.largest,
    }


def facts_of(name: str, recipe: Recipe, found: Trained, seed: int) -> dict[str, str | float]:
    """How the weights came about; no times, so that equal trainings give equal files."""
    command = (
        f"spikeport train {name} --data {recipe.data} --epochs {recipe.epochs} --samples {recipe.samples} --seed {seed}"
    )
    return {
        "command": command,
        "data": recipe.data,
        "samples": recipe.samples,
        "batch": recipe.batch,
        "rate": recipe.rate,
        "epochs": len(found.history),
        "best_epoch": found.best.number,
    }


def _line(epoch: Epoch, recipe: Recipe) -> str:
    return f"epoch {epoch.number} of {recipe.epochs}, loss {epoch.loss:.3f}, validation {epoch.accuracy:.1%}"


def _result(about: Checkpoint, recipe: Recipe, found: Trained, output: Path | None) -> Result:
    data = {
        "name": about.model,
        "seed": about.seed,
        "recipe": asdict(recipe),
        "epochs": [asdict(epoch) for epoch in found.history],
        **about.metrics,
        "best_epoch": found.best.number,
        "seconds": found.seconds,
        "file": None if output is None else str(output),
    }
    rows = [
        (
            f"{epoch.number}{' ◄' if epoch is found.best else ''}",
            f"{epoch.loss:.3f}",
            f"{epoch.accuracy:.1%}",
            number(epoch.seconds, 3),
        )
        for epoch in found.history
    ]
    heading = f"{about.model} on {recipe.data}: {recipe.samples:,} samples, seed {about.seed}\n"
    test = f"\ntest accuracy {found.accuracy:.1%} of {recipe.test:,} samples"
    rest = f"\nlargest |weight| {found.largest:.3g}, {found.seconds:.0f} s"
    written = [Text(f"written: {output}")] if output is not None else []
    epochs = table(("epoch", ">loss", ">validation", ">seconds"), rows)
    return Result(data, Group(Text(heading), epochs, Text(test, style="bold").append(rest, style="not bold"), *written))
