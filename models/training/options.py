"""The options of `spikeport train`; what is not given stays as the recipe has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

RECIPE, RUN = "How it learns", "Where it runs, what it keeps"

Model = Annotated[str, typer.Argument(metavar="MODEL", help="A network of the zoo, or a checkpoint to start from.")]
Data = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE|DIR",
        help="Other data than the recipe's: a name, a .npz file of clips, or a folder of train, validation and test.",
        show_default=False,
    ),
]
Epochs = Annotated[int | None, typer.Option(min=1, help="At most so many epochs.", show_default=False)]
Samples = Annotated[int | None, typer.Option(min=1, help="Samples to train on.", show_default=False)]
Seed = Annotated[int, typer.Option(min=0, help="Seed of weights, data and order.")]
Config = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="A field of the network's config; again for others.", show_default=False),
]


def _recipe(text: str, **more: object) -> object:
    return typer.Option(help=text, show_default=False, rich_help_panel=RECIPE, **more)  # type: ignore[arg-type]


def _run(text: str, *names: str, **more: object) -> object:
    return typer.Option(*names, help=text, show_default=False, rich_help_panel=RUN, **more)  # type: ignore[arg-type]


Batch = Annotated[int | None, _recipe("Samples in a step, in all processes together.", min=1)]
Rate = Annotated[float | None, _recipe("The highest learning rate; it falls along a cosine.")]
Warmup = Annotated[float | None, _recipe("Epochs in which the rate rises from 0.")]
Optimizer = Annotated[str | None, _recipe("adam, adamw or sgd.")]
WeightDecay = Annotated[float | None, _recipe("Weight decay, of what has two dimensions or more.")]
Clip = Annotated[float | None, _recipe("The largest norm of all gradients together.")]
LabelSmoothing = Annotated[float | None, _recipe("Share of the target that is spread over all classes.")]
Ema = Annotated[float | None, _recipe("Decay of the mean of the weights; the mean is judged and kept.")]
Surrogate = Annotated[str | None, _recipe("The surrogate of all neurons.", metavar="NAME[:SLOPE]")]
Augment = Annotated[list[str] | None, _recipe("A change to the clips: crop-time or turn; again for others.")]
Enough = Annotated[float | None, _recipe("The validation accuracy at which training ends.")]
Precision = Annotated[str | None, _run("32; bf16 or 16 for products in half precision.")]
Threads = Annotated[int | None, _run("Threads, 0 for as many as torch likes.", min=0)]
Devices = Annotated[int | None, _run("Devices of each machine; torchrun starts a process for each.", min=1)]
Nodes = Annotated[int | None, _run("Machines.", min=1)]
KeepEvery = Annotated[int, _run("Keep a state after so many steps too, not only after each epoch.", min=0)]
Resume = Annotated[bool, _run("Go on with the training in the folder.")]
Tensorboard = Annotated[bool, _run("Write a log for TensorBoard into the folder.")]
Output = Annotated[
    Path | None,
    _run("A folder for all of it, or a .safetensors file for the checkpoint.", "--output", "-o", metavar="DIR|FILE"),
]


@dataclass(frozen=True)
class Chosen:
    """What was asked for.

    Args:
        source: a name of the zoo, or a checkpoint.
        changes: fields of the recipe, None for those to stay.
        config: KEY=VALUE.
        seed: of everything.
        output: a folder, or a checkpoint's file.
        resume: whether to go on.
        every: steps between two states.
        tensorboard: whether to log for it.
    """

    source: str
    changes: Mapping[str, object]
    config: Sequence[str]
    seed: int
    output: Path | None
    resume: bool
    every: int
    tensorboard: bool
