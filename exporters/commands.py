"""The command that writes networks as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..toolchain.console import Result, command
from ..toolchain.errors import UsageError
from ..toolchain.source import Given, refuse_beside, with_source

app = typer.Typer()

_TO = typer.Option(metavar="FORMAT,…", help="What to write: graph, chip, netx, netx-parts, nir, nir-parts, onnx.")
_OUTPUT = typer.Option("--output", "-o", metavar="DIR", help="The folder to write to.")
_ALLOW = typer.Option(metavar="NAME,…", help="For a chip: approximations that may be used, as soft-reset.")
_CALIBRATION = typer.Option(
    help="For a chip and --neurons: inputs to choose scales and thresholds by, .npy, .npz.", show_default=False
)
_RESET_INTERVAL = typer.Option(min=1, help="For a chip: steps after which all neurons are reset.", show_default=False)
_MADE = typer.Option(metavar="KIND:NUMBER", help="Input of the proof, when there is no calibration.")
_DIALECT = typer.Option(
    metavar="NAME",
    help="For NIR, who shall read it: ode, snntorch, norse, spikingjelly, sinabs, rockpool, spyx, lava, nengo.",
    show_default=False,
)
_WITH_TRACE = typer.Option("--with-trace", help="For NIR: record what goes in and what is sent beside it.")
_UNROLL = typer.Option(help="For ONNX: scan, for a model of a whole run.", show_default=False)
_NEURONS = typer.Option(help="Turn a network of ReLUs into spikes first: sigma-delta or if.", show_default=False)
_BUDGET = typer.Option(help="For --neurons: the largest output error, of 1.", show_default=False)
_SPIKING_STEPS = typer.Option(
    min=1, help="For --neurons if: steps of a sample, in place of a budget.", show_default=False
)
_LAVA = typer.Option("--lava/--no-lava", help="Prove it on Lava too, where it is there.")


@command(app, "convert", "Change")
@with_source
def convert(
    given: Given,
    to: Annotated[str, _TO] = "graph",
    output: Annotated[Path, _OUTPUT] = Path(),
    bits: Annotated[int, typer.Option(help="For a chip: bits of a weight, 2 to 8.")] = 8,
    allow: Annotated[str, _ALLOW] = "",
    calibration: Annotated[Path | None, _CALIBRATION] = None,
    reset_interval: Annotated[int | None, _RESET_INTERVAL] = None,
    made: Annotated[str, _MADE] = "poisson:0.3",
    steps: Annotated[int, typer.Option(min=1, help="Steps of the proof's input.")] = 32,
    dialect: Annotated[str | None, _DIALECT] = None,
    with_trace: Annotated[bool, _WITH_TRACE] = False,
    unroll: Annotated[str | None, _UNROLL] = None,
    neurons: Annotated[str | None, _NEURONS] = None,
    budget: Annotated[float | None, _BUDGET] = None,
    spiking_steps: Annotated[int | None, _SPIKING_STEPS] = None,
    lava: Annotated[bool, _LAVA] = True,
) -> Result:
    """Writes a network as files, and proves each before it is there."""
    from ..toolchain.trial import Trial
    from .converting import Chip, Exchange, converted, folder
    from .formats import formats
    from .spiking import Neurons

    refuse_beside(given.typed, "calibration", ("made", "steps"))
    for option in ("budget", "spiking_steps"):
        if neurons is None and option in given.typed:
            name = option.replace("_", "-")
            raise UsageError(f"--{name}", "without --neurons", "--neurons sigma-delta or if", "leave it out")
    wanted = formats(to.split(","))
    place = folder(output)
    allowed = tuple(name.strip() for name in allow.split(",") if name.strip())
    chip = Chip(bits, allowed, calibration, reset_interval, Trial(calibration, made, steps), lava)
    into = None if neurons is None else Neurons(neurons, budget, spiking_steps)
    return converted(given, wanted, place, chip, Exchange(dialect, unroll, with_trace), into)
