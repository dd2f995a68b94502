"""The commands that show the zoo and train it; those about data are in `data`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..toolchain.console import Result, command
from ..toolchain.errors import UsageError
from .data.commands import app as data
from .training import options

app = typer.Typer()
app.add_typer(data, name="data", rich_help_panel="Train")


@command(app, "models", "Look")
def models(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One network.", show_default=False)] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of its random weights; without, 0.", show_default=False)
    ] = None,
    trained: Annotated[bool, typer.Option("--trained", help="With the trained weights that come along.")] = False,
    config: options.Config = None,
    weights: Annotated[
        Path | None, typer.Option(help="Weights for it: .safetensors, .pt or .pth.", show_default=False)
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it as a .safetensors checkpoint.", show_default=False)
    ] = None,
) -> Result:
    """Shows the networks of the zoo; of one, its config and size; with -o, writes a checkpoint to go on with."""
    from .listing import listed, shown

    if trained and seed is not None:
        raise UsageError("--seed", "draws weights, and --trained has them", fix="leave one of them out")
    for option, given in (("--config", config), ("--weights", weights)):
        if trained and given:
            raise UsageError(option, "beside --trained, which has its own", fix="leave one of them out")
    if name is not None:
        return shown(name, None if trained else seed or 0, output, config or (), weights)
    if output is not None:
        raise UsageError(
            "--output", "a file and no network", "the name of one", "say which: spikeport models NAME -o FILE"
        )
    for option, chosen in (("--trained", trained), ("--config", bool(config)), ("--weights", weights is not None)):
        if chosen:
            raise UsageError(option, "no network", "the name of one", f"say which: spikeport models NAME {option}")
    return listed()


@command(app, "train", "Train")
def train(
    model: options.Model,
    data: options.Data = None,
    epochs: options.Epochs = None,
    samples: options.Samples = None,
    seed: options.Seed = 0,
    config: options.Config = None,
    batch: options.Batch = None,
    rate: options.Rate = None,
    warmup: options.Warmup = None,
    optimizer: options.Optimizer = None,
    weight_decay: options.WeightDecay = None,
    clip: options.Clip = None,
    label_smoothing: options.LabelSmoothing = None,
    ema: options.Ema = None,
    surrogate: options.Surrogate = None,
    augment: options.Augment = None,
    enough: options.Enough = None,
    precision: options.Precision = None,
    threads: options.Threads = None,
    devices: options.Devices = None,
    nodes: options.Nodes = None,
    keep_every: options.KeepEvery = 0,
    resume: options.Resume = False,
    tensorboard: options.Tensorboard = False,
    output: options.Output = None,
) -> Result:
    """Trains a network of the zoo by its recipe, and tests it on samples that it has never seen.

    Several processes: torchrun --nproc_per_node 2 -m spikeport train …
    """
    from .training.processes import check_launch
    from .training.runs import trained

    changes = {
        "data": data, "epochs": epochs, "samples": samples, "batch": batch, "rate": rate, "warmup": warmup,
        "optimizer": optimizer, "weight_decay": weight_decay, "clip": clip, "label_smoothing": label_smoothing,
        "ema": ema, "surrogate": surrogate, "augment": tuple(augment) if augment else None, "enough": enough,
        "precision": precision, "threads": threads,
    }  # fmt: skip
    check_launch(devices, nodes)
    return trained(options.Chosen(model, changes, config or (), seed, output, resume, keep_every, tensorboard))
