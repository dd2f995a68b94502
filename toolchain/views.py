"""What `inspect` and `run` show, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from .console import Result
from .graph.network import Network
from .graph.text import digest, to_text
from .passes.pipeline import PipelineResult, Step
from .simulate import Trace
from .summary import Row, Summary, summarise
from .tables import by, count, counted, known, number, table


def inspected(done: PipelineResult, *, explain: bool, text: bool) -> Result:
    """What a graph is made of, and what the passes before it did."""
    graph, summary = done.graph, summarise(done.graph)
    data = {
        "name": graph.name,
        "dt": graph.dt,
        "inputs": list(graph.inputs),
        "outputs": list(graph.outputs),
        "notes": dict(graph.notes),
        "nodes": [_row_data(row) for row in summary.rows],
        **_sums(summary),
        "passes": [step_data(step) for step in done.steps],
        "digest": digest(graph),
        "text": to_text(graph),
    }
    parts: list[RenderableType] = [Text(done.text()), Text()] if explain else []
    parts.append(Text(to_text(graph).rstrip("\n"), no_wrap=True, overflow="ignore"))
    return Result(data, Group(*parts, *([] if text else [Text(), _rows(summary)])))


def _rows(summary: Summary) -> RenderableType:
    columns = ("node", "kind", "sends", ">params", ">neurons", ">synapses")
    rows = [
        (row.name, row.kind, f"{row.carries} {by(row.shape)}", *map(count, (row.parameters, row.neurons, row.synapses)))
        for row in summary.rows
    ]
    sums = ("total", "", "", *map(count, (summary.parameters, summary.neurons, summary.synapses)))
    made = table(columns, rows)
    made.add_section()
    made.add_row(*sums, style="bold")
    return made


def _row_data(row: Row) -> dict[str, object]:
    return {
        "name": row.name,
        "kind": row.kind,
        "sources": list(row.sources),
        "shape": list(row.shape),
        "carries": row.carries,
        "parameters": row.parameters,
        "neurons": row.neurons,
        "synapses": row.synapses,
    }


def _sums(summary: Summary) -> dict[str, object]:
    return {"parameters": summary.parameters, "neurons": summary.neurons, "synapses": summary.synapses}


def step_data(step: Step) -> dict[str, object]:
    """What a pass did, for programs."""
    return {
        "name": step.name,
        "ran": step.ran,
        "exact": step.exact,
        "changes": [change.text() for change in step.changes],
        "refusals": [refusal.text() for refusal in step.refusals],
    }


def ran(
    graph: Network,
    trace: Trace,
    *,
    backend: str,
    seconds: float,
    said: Sequence[str],
    files: Mapping[str, Path | None],
) -> Result:
    """What passed through every layer in a run, and what the network answered.

    Args:
        graph: the network.
        trace: the run.
        backend: what ran it.
        seconds: how long that took.
        said: what was said about its inputs.
        files: the files that were written, by what they are.
    """
    data = {
        "name": trace.name,
        "backend": backend,
        "dtype": trace.dtype.name,
        "steps": trace.steps,
        "batch": trace.batch,
        "seconds": seconds,
        "nodes": [_count_data(graph, trace, name) for name in _counted(graph, trace)],
        "outputs": {name: _output_data(trace, name) for name in trace.outputs},
        "said": list(said),
        **{what: None if path is None else str(path) for what, path in files.items()},
    }
    size = f"{counted(trace.steps, 'step')} × {counted(trace.batch, 'sample')}"
    speed = f"{size}, {trace.dtype.name}, {backend}: {number(seconds, 3)} s"
    names = [str(path) for path in files.values() if path is not None]
    written = [Text(f"\nwritten: {', '.join(names)}")] if names else []
    return Result(
        data, Group(Text(f"{trace.name}: {speed}\n"), _counts(graph, trace), Text(), _outputs(trace), *written)
    )


def _counted(graph: Network, trace: Trace) -> list[str]:
    return [name for name in graph.nodes if name in trace.counts]


def _counts(graph: Network, trace: Trace) -> RenderableType:
    rows = []
    for name in _counted(graph, trace):
        sends, passed = graph.signals[name], trace.counts[name]
        what = f"{sends.carries} {by(sends.shape)}"
        rows.append((name, graph.nodes[name].kind, what, f"{passed.nonzero:,}", number(passed.rate)))
    return table(("node", "kind", "sends", ">not 0", ">per value and step"), rows)


def _count_data(graph: Network, trace: Trace, name: str) -> dict[str, object]:
    passed = trace.counts[name]
    return {
        "name": name,
        "kind": graph.nodes[name].kind,
        "carries": str(graph.signals[name].carries),
        "shape": list(graph.signals[name].shape),
        "values": passed.values,
        "nonzero": passed.nonzero,
        "total": passed.total,
        "rate": passed.rate,
    }


def _outputs(trace: Trace) -> RenderableType:
    rows = []
    for name, array in trace.outputs.items():
        rows.append((name, by(array.shape), *(number(float(v)) for v in (array.min(), array.mean(), array.max()))))
    return table(("output", "shape", ">least", ">mean", ">most"), rows)


def _output_data(trace: Trace, name: str) -> dict[str, object]:
    array = trace.outputs[name]
    least, mean, most = (known(float(value)) for value in (array.min(), array.mean(), array.max()))
    return {"shape": list(array.shape), "min": least, "mean": mean, "max": most}
