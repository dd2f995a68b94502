"""The command that makes a data folder of recorded skeletons."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ....toolchain.console import Result, command
from ..dvs.commands import size_of


def register(app: typer.Typer) -> None:
    """Makes `skeletons` a command of `app`."""
    command(app, "skeletons", "Read")(skeletons)


def skeletons(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER|FILE",
            help="Recordings (.skeleton, .json), or a published .npz or .pkl file of them.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The data folder to write.", show_default=False)],
    data: Annotated[str, typer.Option("--set", help="Of a folder: ntu60, ntu120 or nw-ucla.")] = "ntu60",
    split: Annotated[
        str | None, typer.Option(help="xsub, xview or xset; none: the first of the set.", show_default=False)
    ] = None,
    frames: Annotated[int, typer.Option(min=1, max=4096, help="Frames of a clip, the steps of a network.")] = 16,
    streams: Annotated[
        str, typer.Option(help="joint, bone, joint-motion, bone-motion; the first is the input 'skeleton'.")
    ] = "joint",
    on_bad: Annotated[str, typer.Option(help="A bad file: skip and name it, or refuse.")] = "skip",
    fill: Annotated[
        str, typer.Option(help="Where a person was not seen: linear, hold, zeros or drop the frame.")
    ] = "linear",
    sampling: Annotated[str, typer.Option(help="linear, between frames; or even, whole frames.")] = "linear",
    centre: Annotated[bool, typer.Option(help="Put the first person's spine to 0.")] = True,
    upright: Annotated[bool, typer.Option(help="Turn the first person upright, shoulders along x.")] = False,
    unit: Annotated[bool, typer.Option(help="Scale each axis to [-1, 1], as published for NW-UCLA.")] = False,
    copies: Annotated[
        int, typer.Option(min=0, max=1000, help="Random crops and turns of each recording to train on.")
    ] = 0,
    angle: Annotated[
        float, typer.Option(min=0.0, max=3.1416, help="The largest angle of such a turn, about each axis, in radians.")
    ] = 0.3,
    validation: Annotated[float, typer.Option(help="Share kept back for validation.")] = 0.1,
    validation_by: Annotated[str, typer.Option(help="Keep back by subject or by clip.")] = "subject",
    seed: Annotated[int, typer.Option(min=0, help="Seed of crops, turns and of who validates.")] = 0,
    events: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Events of the same recordings: the input 'events'.", show_default=False),
    ] = None,
    event_size: Annotated[str, typer.Option(metavar="WxH", help="Of the frames of events.")] = "32x32",
    camera: Annotated[
        str | None, typer.Option(metavar="WxH", help="Of the camera, if its files do not say it.", show_default=False)
    ] = None,
    jobs: Annotated[int, typer.Option(min=0, max=256, help="Processes that read; 0: as many as processors.")] = 0,
) -> Result:
    """Reads recorded skeletons and writes train.npz, validation.npz and test.npz, with a report of what was bad."""
    from ..dvs.filmed import Seen
    from .runs import Asked, written

    kinds = tuple(streams.split(","))
    asked = Asked(source, output, data, split, on_bad, fill, jobs, kinds, validation, validation_by, events)
    seen = Seen(size_of("--event-size", event_size), None if camera is None else size_of("--camera", camera))
    wishes = {"events": seen if events else None, "copies": copies, "angle": angle, "seed": seed, "sampling": sampling}
    return written(asked, frames=frames, centre=centre, upright=upright, unit=unit, **wishes)
