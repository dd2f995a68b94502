"""The command that writes networks as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..toolchain.console import Result, command
from ..toolchain.errors import UsageError
from ..toolchain.source import Given, refuse_beside, with_source

app = typer.Typer()


@command(app, "convert", "Change")
@with_source
def convert(
    given: Given,
    to: Annotated[
        str,
        typer.Option(metavar="FORMAT,…", help="What to write: graph, chip, netx, netx-parts, nir, nir-parts, onnx."),
    ] = "graph",
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The folder to write to.")] = Path(),
    bits: Annotated[int, typer.Option(help="For a chip: bits of a weight, 2 to 8.")] = 8,
    allow: Annotated[
        str, typer.Option(metavar="NAME,…", help="For a chip: approximations that may be used, as soft-reset.")
    ] = "",
    calibration: Annotated[
        Path | None, typer.Option(help="For a chip: inputs to choose scales by, .npy, .npz.", show_default=False)
    ] = None,
    reset_interval: Annotated[
        int | None, typer.Option(min=1, help="For a chip: steps after which all neurons are reset.", show_default=False)
    ] = None,
    made: Annotated[
        str, typer.Option(metavar="KIND:NUMBER", help="Input of the proof, when there is no calibration.")
    ] = "poisson:0.3",
    steps: Annotated[int, typer.Option(min=1, help="Steps of the proof's input.")] = 32,
    dialect: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="For NIR, whose importer shall read it: ode, snntorch, norse, spikingjelly, sinabs, rockpool, spyx, "
            "lava, nengo.",
            show_default=False,
        ),
    ] = None,
    with_trace: Annotated[
        bool, typer.Option("--with-trace", help="For NIR: record what goes in and what is sent beside it.")
    ] = False,
    unroll: Annotated[
        str | None, typer.Option(help="For ONNX: scan, for a model of a whole run.", show_default=False)
    ] = None,
    neurons: Annotated[
        str | None,
        typer.Option(help="Turn a network of ReLUs into spikes first: sigma-delta or if.", show_default=False),
    ] = None,
    budget: Annotated[
        float | None, typer.Option(help="For --neurons: the largest output error, of 1.", show_default=False)
    ] = None,
    spiking_steps: Annotated[
        int | None,
        typer.Option(min=1, help="For --neurons if: steps of a sample, in place of a budget.", show_default=False),
    ] = None,
    lava: Annotated[bool, typer.Option("--lava/--no-lava", help="Prove it on Lava too, where it is there.")] = True,
) -> Result:
    """Writes a network as files, and proves each before it is there."""
    from ..toolchain.trial import Trial
    from .converting import Chip, Exchange, converted, folder
    from .formats import formats
    from .spiking import Neurons

    refuse_beside(given.typed, "calibration", ("made", "steps"))
    for option in ("budget", "spiking-steps"):
        if neurons is None and option.replace("-", "_") in given.typed:
            raise UsageError(f"--{option}", "without --neurons", "--neurons sigma-delta or if", "leave it out")
    into = None if neurons is None else Neurons(neurons, budget, spiking_steps)
    wanted = formats(to.split(","))
    place = folder(output)
    allowed = tuple(name.strip() for name in allow.split(",") if name.strip())
    chip = Chip(bits, allowed, calibration, reset_interval, Trial(calibration, made, steps), lava)
    return converted(given, wanted, place, chip, Exchange(dialect, unroll, with_trace), into)
