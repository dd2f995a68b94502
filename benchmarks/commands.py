"""The commands that show everything at once, and that measure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..toolchain.console import Result, command
from .energy_commands import app as energy
from .parts_commands import app as parts

app = typer.Typer()
app.add_typer(energy)
app.add_typer(parts)


@command(app, "demo", "Start here")
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The folder for its files.")] = Path(
        "demo"
    ),
) -> Result:
    """Does the main job end to end, on data it makes itself: trace, simplify, save, run, and compare with PyTorch."""
    from .demo import demonstrate

    return demonstrate(output)


@command(app, "bench", "Measure")
def bench(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="What to measure: accuracy, actions, ann, convert, dvs, energy, lava, neurons, peers, scan, "
            "simulation, store.",
        ),
    ],
    quick: Annotated[bool, typer.Option("--quick", help="Fewer repeats, on smaller networks.")] = False,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(help="accuracy: a trained network, in place of training; more than once.", show_default=False),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="energy: a picture of the curve: .png, .svg or .pdf.", show_default=False)
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="actions: keeps data and trainings; goes on with what is there.", show_default=False),
    ] = None,
    marked: Annotated[bool, typer.Option("--markdown", help="The table in Markdown, for a page.")] = False,
) -> Result:
    """Measures our speed beside the peers', side by side in one run."""
    from .races import raced

    return raced(name, quick=quick, checkpoints=checkpoint or (), plot=plot, folder=folder, marked=marked)
