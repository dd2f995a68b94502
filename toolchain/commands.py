"""The commands that look into a network and run it."""

from __future__ import annotations

import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .console import Result, command, working
from .errors import UsageError
from .source import Given, with_source

if TYPE_CHECKING:
    from .graph import Graph

app = typer.Typer()


@command(app, "inspect", "Look")
@with_source
def inspect(
    given: Given,
    text: Annotated[bool, typer.Option("--text", help="Show the graph's text form alone.")] = False,
) -> Result:
    """Shows what a network is made of: nodes, what their edges carry, parameters, neurons, synapses."""
    from .views import inspected

    return inspected(given.graph("simplify" if given.explain else "none"), explain=given.explain, text=text)


@command(app, "run", "Look")
@with_source
def run(
    given: Given,
    input: Annotated[
        Path | None, typer.Option(help="Values [T, B, …]: .npy, or .npz by input.", show_default=False)
    ] = None,
    made: Annotated[
        str, typer.Option(metavar="KIND:NUMBER", help="Made input: poisson:RATE, normal:SIGMA, constant:VALUE.")
    ] = "poisson:0.1",
    steps: Annotated[int, typer.Option(min=1, help="Steps of made input.")] = 16,
    batch: Annotated[int, typer.Option(min=1, help="Samples of made input.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of made input.")] = 0,
    backend: Annotated[str, typer.Option(help="What runs it.")] = "reference",
    dtype: Annotated[str, typer.Option(help="What it is computed in: float32 or float64.")] = "float32",
    record: Annotated[
        str,
        typer.Option(metavar="NAME,…", help="What -o keeps: outputs, spikes, all, NODE, NODE.voltage, NODE.current."),
    ] = "outputs",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A .npz file to keep it in.", show_default=False)
    ] = None,
) -> Result:
    """Runs a network, step by step, and shows the spikes and rates of every layer."""
    from .inputs import from_file, made_windows
    from .simulate import BACKENDS, simulate
    from .views import ran

    _check_output(output)
    graph = given.graph("none").graph
    if input is None:
        _check_memory(graph, _recorded(record), dtype, steps, batch)
    values = made_windows(graph, made, steps, batch, seed) if input is None else from_file(graph, input)
    if backend in BACKENDS:
        import_module(BACKENDS[backend], f"{__package__}.simulate")  # the time below is the run's own
    start = time.perf_counter()
    with working(f"running {graph.name}"):
        trace = simulate(graph, values, backend=backend, record=_recorded(record), dtype=dtype)
    seconds = time.perf_counter() - start
    if output is not None:
        trace.save(output)
    return ran(graph, trace, backend=backend, seconds=seconds, output=output)


def _check_output(output: Path | None) -> None:
    """Refuses a file that could not be written, before anything is run."""
    from .writing import check_place

    if output is not None:
        if output.suffix != ".npz":
            raise UsageError("--output", f"'{output}'", "a name that ends in .npz")
        check_place(output)


def _check_memory(graph: Graph, record: str | list[str], dtype: str, steps: int, batch: int) -> None:
    """Refuses what cannot be kept: made input is a stream, and the simulation cannot know how long a stream will be."""
    import numpy as np

    from .simulate.memory import refuse_what_cannot_fit
    from .simulate.plan import plan, schedule
    from .simulate.recording import wanted

    if dtype not in ("float32", "float64"):
        raise UsageError("dtype", dtype, "float32 or float64")
    planned = plan(graph, np.dtype(dtype))
    scheduled = schedule(planned, batch)
    refuse_what_cannot_fit(planned, scheduled, scheduled.window, wanted(record, planned), batch, steps)


def _recorded(text: str) -> str | list[str]:
    """What to record: a word for a group of nodes, or names with commas between."""
    return text if text in ("outputs", "spikes", "all") else [name.strip() for name in text.split(",")]
