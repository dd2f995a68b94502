"""The commands that look into a network and run it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .console import Result, command
from .source import Given, refuse_beside, with_source

app = typer.Typer()


@command(app, "inspect", "Look")
@with_source
def inspect(
    given: Given,
    text: Annotated[bool, typer.Option("--text", help="Show the graph's text form alone.")] = False,
) -> Result:
    """Shows what a network is made of: nodes, what edges carry, parameters, neurons, synapses; of a chip worst sums."""
    from .chip_views import inspected_chip
    from .loihi.chip_graph import ChipGraph
    from .views import inspected

    found = given.either("simplify" if given.explain else "none")
    if isinstance(found, ChipGraph):
        return inspected_chip(found, text=text)
    return inspected(found, explain=given.explain, text=text)


_INPUT = typer.Option(
    help="Values [T, B, …]: .npy, or .npz by input. Or events x, y, t, p: these, .h5, .csv, .txt.", show_default=False
)
_MADE = typer.Option(metavar="KIND:NUMBER", help="Made input: poisson:RATE, normal:SIGMA, constant:VALUE.")
_STEPS = typer.Option(min=1, help="Steps of made input (16), or of events (up to the last).", show_default=False)
_DT = typer.Option(
    metavar="SECONDS",
    help="Events: a step, if not the network's; a NIR file: the network's.",
    show_default=False,
)
_UNIT = typer.Option(help="Events: what t counts: s, ms, us (the default) or ns.", show_default=False)
_BACKEND = typer.Option(
    help="What runs it: reference or onnxruntime; for a chip graph fixed or lava.", show_default=False
)
_DTYPE = typer.Option(help="What a graph is computed in: float32 (the default) or float64.", show_default=False)
_RECORD = typer.Option(
    metavar="NAME,…",
    help="What -o keeps beside what is drawn: outputs, spikes, all, NODE, NODE.voltage, NODE.current.",
)
_OUTPUT = typer.Option("--output", "-o", help="A .npz file to keep it in.", show_default=False)
_PLOT = typer.Option(help="A raster plot: .png, .svg or .pdf.", show_default=False)
_TRACE = typer.Option(
    metavar="NODE[I,J]",
    help="Draw this neuron's voltage too; NODE alone: one of median rate. Again for more.",
    show_default=False,
)


@command(app, "run", "Look")
@with_source
def run(
    given: Given,
    input: Annotated[Path | None, _INPUT] = None,
    made: Annotated[str, _MADE] = "poisson:0.1",
    steps: Annotated[int | None, _STEPS] = None,
    batch: Annotated[int, typer.Option(min=1, help="Samples of made input.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of made input.")] = 0,
    dt: Annotated[float | None, _DT] = None,
    unit: Annotated[str | None, _UNIT] = None,
    backend: Annotated[str | None, _BACKEND] = None,
    dtype: Annotated[str | None, _DTYPE] = None,
    record: Annotated[str, _RECORD] = "outputs",
    output: Annotated[Path | None, _OUTPUT] = None,
    plot: Annotated[Path | None, _PLOT] = None,
    trace: Annotated[list[str] | None, _TRACE] = None,
    sample: Annotated[int, typer.Option(min=0, help="The sample that is drawn.")] = 0,
) -> Result:
    """Runs a network, step by step, and shows the spikes and rates of every layer."""
    from .inputs import Steps
    from .loihi.chip_graph import ChipGraph
    from .running import Ask, run_network

    refuse_beside(given.typed, "input", ("made", "batch", "seed"))
    cut, traces = Steps(dt, unit, steps), tuple(trace or ())
    ask = Ask(input, made, cut, batch, seed, backend, dtype, record, output, plot, traces, sample)
    found = given.either("none")
    return run_network(found if isinstance(found, ChipGraph) else found.graph, ask)
