"""The command that shows which parts of a network a chip takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..toolchain.console import Result, command
from ..toolchain.source import Given, refuse_beside, with_source

app = typer.Typer()

_DATA = typer.Option(
    "--data", metavar="FILE", help="Inputs to count on: .npy, .npz, or a file of events.", show_default=False
)
_MADE = typer.Option(
    metavar="KIND:NUMBER",
    help="Without --data, made input: poisson:RATE, normal:SIGMA, constant:VALUE; by default normal:1, or poisson:0.1 "
    "for spikes.",
    show_default=False,
)
_TARGET = typer.Option(metavar="netx|lava|nir", help="Who takes the parts: netx files, a chip graph, or NIR.")


@command(app, "parts", "Look")
@with_source
def parts(
    given: Given,
    data: Annotated[Path | None, _DATA] = None,
    made: Annotated[str | None, _MADE] = None,
    steps: Annotated[int, typer.Option(min=1, help="Steps of made input.")] = 16,
    target: Annotated[str, _TARGET] = "netx",
) -> Result:
    """Shows which parts of a network a chip takes, their share of the work, and why not the others."""
    from .shares import Input, shown

    refuse_beside(given.typed, "data", ("made", "steps"))
    return shown(given, Input(data, made, steps), target)
