"""`spikeport data clips`: files of events, a folder of them for each class, as data to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ....toolchain.console import Result, command
from ....toolchain.errors import UsageError
from .commands import size_of


def register(app: typer.Typer) -> None:
    """Makes `clips` a command of `app`."""
    command(app, "clips", "Read")(clips)


def clips(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Holds a folder for each class, with files of events.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="The data folder to write.", show_default=False)
    ],
    frames: Annotated[int, typer.Option(min=1, max=4096, help="Frames of a clip, the steps of a network.")] = 16,
    frame_size: Annotated[str, typer.Option(metavar="WxH", help="Of the frames.")] = "32x32",
    camera: Annotated[
        str | None, typer.Option(metavar="WxH", help="Of the camera, if its files do not say it.", show_default=False)
    ] = None,
    validation: Annotated[float, typer.Option(help="Share of each class to choose the best epoch by.")] = 0.1,
    test: Annotated[float, typer.Option(help="Share of each class to report the accuracy on.")] = 0.2,
    seed: Annotated[int, typer.Option(min=0, help="Draws which file goes where.")] = 0,
    on_bad: Annotated[str, typer.Option(help="A bad file: skip and name it, or refuse.")] = "skip",
) -> Result:
    """Turns files of events, in a folder for each class, into train.npz, validation.npz and test.npz."""
    from .filmed import Seen
    from .labelled import Wanted, written

    if on_bad not in ("skip", "refuse"):
        raise UsageError("--on-bad", f"'{on_bad}'", "skip or refuse")
    seen = Seen(size_of("--frame-size", frame_size), None if camera is None else size_of("--camera", camera))
    return written(folder, output, Wanted(frames, seen, validation, test, seed, on_bad == "skip"))
