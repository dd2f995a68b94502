"""The command that makes clips of people who act."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ....toolchain.console import Result, command
from ....toolchain.errors import UsageError

_STREAMS = "skeleton, events, video, depth, pose, points: which of them, with commas."


def register(app: typer.Typer) -> None:
    """Makes `synth` a command of `app`."""
    command(app, "synth", "Make")(synth)


def synth(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="The data folder to write.", show_default=False)
    ] = None,
    train: Annotated[int, typer.Option(min=0, help="Clips to train on; 0: none.")] = 1200,
    validation: Annotated[int, typer.Option(min=0, help="Clips to choose by.")] = 200,
    test: Annotated[int, typer.Option(min=0, help="Clips to test on.")] = 400,
    seed: Annotated[int, typer.Option(min=0, help="Draws everything.")] = 0,
    streams: Annotated[str, typer.Option(help=_STREAMS)] = "skeleton,events",
    steps: Annotated[int, typer.Option(min=1, max=1000, help="Steps of a clip, three pictures each.")] = 16,
    size: Annotated[int, typer.Option(min=16, max=1024, help="Height and width of video and depth.")] = 64,
    videos: Annotated[int, typer.Option(min=0, help="Also so many .mp4 videos with .skeleton files.")] = 0,
    pictures: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Write a picture of each action there; alone, nothing else.", show_default=False
        ),
    ] = None,
) -> Result:
    """Makes clips of people who act, as several sensors see them: train.npz, validation.npz and test.npz."""
    from .runs import Asked, pictured, written

    if pictures is not None:
        if output is not None:
            raise UsageError("--pictures", "a folder beside --output", "one of them", "run it twice")
        return pictured(pictures)
    if output is None:
        raise UsageError("--output", "no folder", "-o DIR", "say where: spikeport data synth -o DIR")
    counts = {"train": train, "validation": validation, "test": test}
    return written(Asked(output, counts, seed, tuple(streams.split(",")), steps, size, videos))
