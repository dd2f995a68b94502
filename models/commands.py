"""The commands that show the zoo and train it; those about data are in `data`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..toolchain.console import Result, command
from ..toolchain.errors import UsageError
from .data.commands import app as data

app = typer.Typer()
app.add_typer(data, name="data", rich_help_panel="Train")


@command(app, "models", "Look")
def models(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One network.", show_default=False)] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of its random weights.")] = 0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it as a .safetensors checkpoint.", show_default=False)
    ] = None,
) -> Result:
    """Shows the networks of the zoo; of one, its config and size; with -o, writes a checkpoint to start from."""
    from .listing import listed, shown

    if name is not None:
        return shown(name, seed, output)
    if output is not None:
        raise UsageError(
            "--output", "a file and no network", "the name of one", "say which: spikeport models NAME -o FILE"
        )
    return listed()


@command(app, "train", "Train")
def train(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A network of the zoo.")],
    data: Annotated[
        str | None, typer.Option(metavar="NAME", help="Data of another name than the recipe's.", show_default=False)
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="At most so many epochs.", show_default=False)] = None,
    samples: Annotated[int | None, typer.Option(min=1, help="Samples to train on.", show_default=False)] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of weights, data and order.")] = 0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it as a .safetensors checkpoint.", show_default=False)
    ] = None,
) -> Result:
    """Trains a network of the zoo on made data by its recipe, and tests it on samples that it has never seen."""
    from .training_runs import trained

    return trained(name, data, output, epochs, samples, seed)
