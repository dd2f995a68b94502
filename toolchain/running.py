"""What `run` does: inputs in, a backend, and out of it a table, a file and a picture."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .console import Result, say, working
from .errors import UsageError
from .graph import Graph
from .inputs import Steps, Taken, from_file, made_windows
from .loihi.chip_graph import ChipGraph
from .raster import Probe, items, layers, probe, spiking, voltages
from .simulate import BACKENDS, Trace, simulate
from .simulate.memory import refuse_what_cannot_fit
from .simulate.schedule import Planned, schedule
from .views import ran
from .writing import check_place

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MADE_STEPS = 16
"""The steps of made input where nobody says how many."""
TELL_S = 2.0
"""So long nothing new is said of how far a run is."""
GROUPS = ("outputs", "spikes", "all")
"""The words that `--record` takes."""


@dataclass(frozen=True)
class Ask:
    """What a run was asked for.

    Args:
        input: a file with values or events; none: made input.
        made: what to make, as KIND:NUMBER.
        steps: how many steps are made, or how events are cut.
        batch: how many samples are made.
        seed: the seed they are made from.
        backend: what runs it; none: what fits the network.
        dtype: what a graph is computed in.
        record: what the file keeps.
        output: the file.
        plot: a picture of the run.
        traces: the neurons whose voltage is drawn.
        sample: the sample that is drawn.
    """

    input: Path | None
    made: str
    steps: Steps
    batch: int
    seed: int
    backend: str | None
    dtype: str | None
    record: str
    output: Path | None
    plot: Path | None
    traces: tuple[str, ...]
    sample: int


def run_network(network: Graph | ChipGraph, ask: Ask) -> Result:
    """Runs a network and says what passed; writes what was asked for once all of it is there."""
    _check_files(ask)
    probes = [probe(text, network) for text in ask.traces]
    record = _record(network, ask, probes)
    backend = ask.backend or ("fixed" if isinstance(network, ChipGraph) else "reference")
    dtype = "float32" if ask.dtype is None and isinstance(network, Graph) else ask.dtype
    given = _given(network, ask, record, dtype)
    for line in given.said:
        say(line)
    trace, seconds = _run(network, given, record, backend, dtype)
    drawn = None if ask.plot is None else _drawn(network, trace, probes, ask, f"{given.what}, {backend}")
    if ask.output is not None:
        trace.save(ask.output)
    if drawn is not None and ask.plot is not None:
        from .plot import save

        save(drawn, ask.plot)
    files = {"file": ask.output, "plot": ask.plot}
    return ran(network, trace, backend=backend, seconds=seconds, said=given.said, files=files)


def _check_files(ask: Ask) -> None:
    """Refuses a file that could not be written, before anything is run."""
    if ask.output is not None:
        if ask.output.suffix != ".npz":
            raise UsageError("--output", f"'{ask.output}'", "a name that ends in .npz")
        check_place(ask.output)
    if ask.plot is not None:
        from .plot import check_suffix

        check_suffix(ask.plot)
        check_place(ask.plot)
    elif ask.traces:
        raise UsageError("--trace", "no picture to draw it in", "--plot with the name of one")


def _record(network: Graph | ChipGraph, ask: Ask, probes: list[Probe]) -> str | list[str]:
    """What to record: a word for a group of nodes, or names with commas between, and what is drawn."""
    if ask.plot is None or ask.record == "all":
        return ask.record if ask.record in GROUPS else [name.strip() for name in ask.record.split(",")]
    named = [] if ask.record in GROUPS else [name.strip() for name in ask.record.split(",")]
    group = [name for name in spiking(network) if name not in network.inputs] if ask.record == "spikes" else []
    return list(dict.fromkeys([*named, *group, *items(network, probes)]))


def _given(network: Graph | ChipGraph, ask: Ask, record: str | list[str], dtype: str | None) -> Taken:
    """What the network is run on. Made input and events are streams: a run that cannot fit is refused here."""
    if ask.input is not None:
        taken = from_file(network, ask.input, ask.steps)
        if taken.steps is not None:
            _check_memory(network, record, dtype, taken.steps, 1)
        return taken
    if (ask.steps.dt not in (None, network.dt)) or ask.steps.unit is not None:
        raise UsageError("--unit" if ask.steps.unit is not None else "--dt", "without a file of events", "--input")
    steps = ask.steps.count or MADE_STEPS
    windows = made_windows(network, ask.made, steps, ask.batch, ask.seed)
    _check_memory(network, record, dtype, steps, ask.batch)
    return Taken(windows, f"{ask.made}, seed {ask.seed}")


def _check_memory(
    network: Graph | ChipGraph, record: str | list[str], dtype: str | None, steps: int, batch: int
) -> None:
    """Refuses what cannot be kept: the simulation cannot know how long a stream will be."""
    planned: Planned
    if isinstance(network, ChipGraph):
        from .simulate.fixed_plan import fixed_plan
        from .simulate.fixed_recording import wanted as wanted_of_chip

        planned, keep = fixed_plan(network, compiled=False), wanted_of_chip(record, network)
    else:
        from .simulate.plan import plan
        from .simulate.recording import wanted

        if dtype not in ("float32", "float64"):
            raise UsageError("dtype", f"{dtype}", "float32 or float64")
        planned = plan(network, np.dtype(dtype))
        keep = wanted(record, planned)
    scheduled = schedule(planned, batch)
    refuse_what_cannot_fit(planned, scheduled, scheduled.window, keep, batch, steps)


def _run(
    network: Graph | ChipGraph, given: Taken, record: str | list[str], backend: str, dtype: str | None
) -> tuple[Trace, float]:
    """The run, and how long it took without the imports before it."""
    if backend in BACKENDS:
        import_module(BACKENDS[backend], f"{__package__}.simulate")
    start = time.perf_counter()
    with working(f"running {network.name}") as tell:
        if backend == "lava" and isinstance(network, ChipGraph) and dtype is None:
            from .simulate.lava import simulate as on_lava

            trace = on_lava(network, given.values, record=record, report=_seldom(tell))
        else:
            trace = simulate(network, given.values, backend=backend, record=record, dtype=dtype)
    return trace, time.perf_counter() - start


def _seldom(tell: Callable[[str], None]) -> Callable[[int, int], None]:
    """Says how far a run is, but not more often than a person wants to read it."""
    said = time.monotonic()

    def report(done: int, of: int) -> None:
        nonlocal said
        if time.monotonic() - said >= TELL_S:
            said = time.monotonic()
            tell(f"step {done:,} of {of:,}")

    return report


def _drawn(network: Graph | ChipGraph, trace: Trace, probes: list[Probe], ask: Ask, how: str) -> Figure:
    """The picture of one sample."""
    from .plot import Run, figure

    if ask.sample >= trace.batch:
        raise UsageError("--sample", f"{ask.sample}", f"0 to {trace.batch - 1}: there are {trace.batch} samples")
    found, whole = layers(network, trace, ask.sample), len(spiking(network))
    drawn = f", the first {len(found)} of {whole} layers" if len(found) < whole else ""
    about = f"{trace.steps:,} steps of {trace.dt * 1e3:g} ms, {how}, sample {ask.sample} of {trace.batch}{drawn}"
    run = Run(trace.name, about, trace.dt, trace.steps, trace.first)
    return figure(run, found, voltages(network, trace, probes, ask.sample))
