"""The command that compares two networks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from .console import Result, command
from .source import Load, Reading, Source, refuse_beside, sizes, typed

app = typer.Typer()

_A = typer.Argument(
    metavar="A",
    help="A SOURCE, as it is; torch:SOURCE, its module run by torch; chip:SOURCE, quantised; lava:SOURCE, on Lava "
    "itself; onnx:SOURCE, on ONNX Runtime.",
    show_default=False,
)
_B = typer.Argument(
    metavar="[B]",
    help="The same; left out, a chip graph is compared with Lava, a graph with its chip graph or what --trace holds.",
    show_default=False,
)


_WEIGHTS = typer.Option(help="Weights for networks that are built by a name.", show_default=False)
_SHAPE = typer.Option(metavar="N,N,…", help="For factories: shape of one step.", show_default=False)
_CARRIES = typer.Option(help="For factories: the input carries graded, spikes or int\\[low,high].")
_INPUT = typer.Option(help="Values [T, B, …] in A's units: .npy, .npz.", show_default=False)
_MADE = typer.Option(metavar="KIND:NUMBER", help="Made input: poisson:RATE, normal:SIGMA, constant:VALUE.")
_AT_LEAST = typer.Option(help="Share of equal spikes and silences that is enough.")
_TOLERANCE = typer.Option(help="How far values may lie apart, of the largest.", show_default=False)
_ALLOW = typer.Option(metavar="NAME,…", help="For chip: and lava: of a graph: approximations that may be used.")
_TRACE = typer.Option(help="A recorded run, .trace.nir, that A has to repeat.", show_default=False)
_DIALECT = typer.Option(help="For NIR files: whose they are.", show_default=False)
_DT = typer.Option(metavar="SECONDS", help="For NIR files: the length of a step.", show_default=False)
_RESET = typer.Option(help="For NIR files: what a spike does: value, subtract or none.", show_default=False)


@command(app, "verify", "Look")
def verify(
    *,
    context: typer.Context,
    a: Annotated[str, _A],
    b: Annotated[str | None, _B] = None,
    weights: Annotated[Path | None, _WEIGHTS] = None,
    shape: Annotated[str | None, _SHAPE] = None,
    carries: Annotated[str, _CARRIES] = "graded",
    input: Annotated[Path | None, _INPUT] = None,
    made: Annotated[str, _MADE] = "poisson:0.3",
    steps: Annotated[int, typer.Option(min=1, help="Steps of made input.")] = 32,
    batch: Annotated[int, typer.Option(min=1, help="Samples of made input.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of made input.")] = 0,
    at_least: Annotated[float, _AT_LEAST] = 1.0,
    tolerance: Annotated[float | None, _TOLERANCE] = None,
    bits: Annotated[int, typer.Option(help="For chip: and lava: of a graph: bits of a weight.")] = 8,
    allow: Annotated[str, _ALLOW] = "",
    trace: Annotated[Path | None, _TRACE] = None,
    dialect: Annotated[str | None, _DIALECT] = None,
    dt: Annotated[float | None, _DT] = None,
    reset: Annotated[str | None, _RESET] = None,
) -> Result:
    """Compares two networks on one input: node by node, with the first step and neuron where they differ."""
    from .trial import Trial
    from .verifying.asked import Asked, repeated, verified

    size = None if shape is None else sizes(shape)
    asked = Asked(
        cast(Load, context.obj),
        Source("", weights, size, carries, reading=Reading(dialect, dt, reset)),
        bits,
        tuple(name.strip() for name in allow.split(",") if name.strip()),
    )
    if trace is not None:
        refuse_beside(typed(context), "trace", ("b", "input", "made", "steps", "batch", "seed"))
        return repeated(asked, a, trace, at_least=at_least, tolerance=tolerance)
    refuse_beside(typed(context), "input", ("made", "steps", "batch", "seed"))
    trial = Trial(input, made, steps, batch, seed)
    return verified(asked, a, b, trial, at_least=at_least, tolerance=tolerance)
