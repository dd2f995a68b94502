"""The command that makes the energy table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..toolchain.console import Result, command
from ..toolchain.source import Given, refuse_beside, with_source

app = typer.Typer()

_DATA = typer.Option(
    "--data",
    "--input",
    metavar="NAME|PATH",
    help="A data set: a name (spikeport data), a .npz or .npy file of values \\[T, B, …] (a .npz with one array for "
    "each of several inputs, by name), a file of events, a folder of such.",
    show_default=False,
)
_MADE = typer.Option(
    metavar="KIND:NUMBER", help="Without --data, made input: poisson:RATE, normal:SIGMA, constant:VALUE."
)
_RULE = typer.Option(
    metavar="NAME,…", help="What is billed as what; again, or with commas, for more. `spikeport rules` lists them."
)
_PROFILE = typer.Option(
    metavar="NAME|FILE",
    help="What an operation costs: a name, or a .toml file of yours. Again for more.",
    show_default=False,
)
_AGAINST = typer.Option(
    metavar="SOURCE|twin",
    help="A network to compare with, or `twin`: the same layers with ReLU in place of spikes. Again for more.",
    show_default=False,
)
_ROAD = typer.Option(help="Counted in the graph, or in the running torch module: auto, graph, module.")
_INFER = typer.Option(
    "--infer-from-values", help="In a module, take what a tensor carries from its values where nothing else says it."
)
_WHAT_IF = typer.Option(
    metavar="NAME=PJ,…", help="Other values of a constant, each with its total.", show_default=False
)


@command(app, "energy", "Measure")
@with_source
def energy(
    given: Given,
    data: Annotated[str | None, _DATA] = None,
    part: Annotated[str, typer.Option(help="Of data that is made: train, validation or test.")] = "test",
    samples: Annotated[
        int | None,
        typer.Option(min=1, help="How many samples; all there are, or 100 of made ones.", show_default=False),
    ] = None,
    made: Annotated[str, _MADE] = "poisson:0.1",
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps of made input (16), or of events.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of what is made.")] = 0,
    rule: Annotated[list[str] | None, _RULE] = None,
    profile: Annotated[list[str] | None, _PROFILE] = None,
    against: Annotated[list[str] | None, _AGAINST] = None,
    what_if: Annotated[list[str] | None, _WHAT_IF] = None,
    conventions: Annotated[
        bool, typer.Option("--conventions", help="Print the figures that published counters give, too.")
    ] = False,
    persons: Annotated[
        int | None, typer.Option(min=1, help="How many persons a sample has, for --conventions.", show_default=False)
    ] = None,
    road: Annotated[str, _ROAD] = "auto",
    infer: Annotated[bool, _INFER] = False,
    workers: Annotated[int, typer.Option(min=0, help="So many processes on this machine; 0: this one.")] = 0,
    scheduler: Annotated[
        str | None, typer.Option(metavar="tcp://…", help="A Dask cluster that does the counting.", show_default=False)
    ] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Forget what an earlier run has counted.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="A folder for the report.", show_default=False),
    ] = None,
) -> Result:
    """Counts operations and works out energy under named rules: a table, JSON, CSV, LaTeX and a page."""
    from .estimate import Ask, estimated

    refuse_beside(given.typed, "data", ("made",))
    return estimated(
        given,
        Ask(
            data, part, samples, made, steps, seed, listed(rule), listed(profile), tuple(against or ()),
            listed(what_if), conventions, persons, road, infer, workers, scheduler, restart, output,
        ),
    )  # fmt: skip


def listed(given: list[str] | None) -> tuple[str, ...]:
    """Names that came one by one, or with commas between."""
    return tuple(name.strip() for text in given or () for name in text.split(",") if name.strip())


@command(app, "rules", "Measure")
def rules() -> Result:
    """Lists the rules and profiles of `spikeport energy`, with their sources."""
    from .rule_views import listed_rules

    return listed_rules()
