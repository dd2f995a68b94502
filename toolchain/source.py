"""What a command is told about the network it shall work on, and the way from there to a graph.

Every folder's commands take a SOURCE; only the top of the package sees all the places it can come from. So `__main__`
hands its `load` down through the command line's context, and no arrow points upwards.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec, cast

import typer

from .console import Result, say, working
from .errors import UsageError

if TYPE_CHECKING:
    from torch import nn

    from .graph import Graph
    from .loihi.chip_graph import ChipGraph
    from .passes.pipeline import PipelineResult
    from .verifying.golden import Golden

P = ParamSpec("P")


@dataclass(frozen=True)
class Reading:
    """How a NIR or ONNX file is meant, where it does not say so itself or says it wrongly.

    Args:
        dialect: of NIR, whose file it is.
        dt: of NIR, the length of a step in seconds.
        reset: of NIR, what a spike does to the voltage: value, subtract or none.
        batch_axis: of ONNX, which axis of its inputs is the batch: first or none.
        sizes: of ONNX, the sizes of axes that it leaves open, by their names.
        also: those of these options that the command has a use of its own for.
    """

    dialect: str | None = None
    dt: float | None = None
    reset: str | None = None
    batch_axis: str | None = None
    sizes: Mapping[str, int] | None = None
    also: tuple[str, ...] = ()

    def refuse(self, name: str) -> None:
        """A UsageError for an option that is for files of another format than this SOURCE has."""
        for format, suffix, options in (
            ("NIR", ".nir", {"dialect": self.dialect, "dt": self.dt, "reset": self.reset}),
            ("ONNX", ".onnx", {"batch-axis": self.batch_axis, "size": self.sizes}),
        ):
            wrong = [each for each, value in options.items() if value is not None and each not in self.also]
            if wrong and not name.endswith(suffix):
                raise UsageError(f"--{wrong[0]}", f"beside {name}, which is no {format} file", fix="leave it out")


@dataclass(frozen=True)
class Source:
    """A SOURCE and what goes with it.

    Args:
        name: what was typed: a name of the zoo, a file, `package.module:factory`.
        weights: a file with weights for a network that is built by a name.
        shape: the shape of one step of one sample, for a network that does not say it itself.
        carries: what its input promises to carry: graded, spikes or int[low,high].
        host: whether what a chip cannot do becomes Host nodes, in place of a refusal.
        reading: how a NIR file is meant.
    """

    name: str
    weights: Path | None = None
    shape: tuple[int, ...] | None = None
    carries: str = "graded"
    host: bool = False
    reading: Reading = Reading()


@dataclass(frozen=True)
class Load:
    """The ways from a SOURCE that the top of the package knows.

    Args:
        network: to a graph or a chip graph.
        module: to a torch module, where it is one.
        example: to an example of that module's input, as it takes it.
        golden: from a file to the record of a network's run that it holds.
    """

    network: Callable[[Source], Graph | ChipGraph]
    module: Callable[[Source], nn.Module]
    example: Callable[[Source], object]
    golden: Callable[[Path, Graph], Golden]


REMARKS = "remarks"
"""The note of a network that says, a line each, what its reader found remarkable in the file."""


@dataclass(frozen=True)
class Given:
    """What a command was given to work on.

    Args:
        source: where the network comes from.
        passes: the passes that were asked for, as typed; none where nothing was said.
        explain: whether to say what they did.
        load: the ways from a source.
        typed: the options that were typed, by name.
    """

    source: Source
    passes: str | None
    explain: bool
    load: Load
    typed: frozenset[str] = frozenset()

    def network(self) -> Graph | ChipGraph:
        """Reads the network, and says on stderr what is remarkable about its file."""
        with working(f"reading {self.source.name}"):
            network = self.load.network(self.source)
        for line in network.notes.get(REMARKS, "").splitlines():
            say(f"{self.source.name}: {line}")
        return network

    def either(self, passes: str) -> PipelineResult | ChipGraph:
        """Reads the network; a chip graph as it is, for a graph what `graph` gives."""
        network = self.network()
        from .loihi.chip_graph import ChipGraph

        if isinstance(network, ChipGraph) and self.passes in (None, "none") and not self.explain:
            return network
        return changed(self._graph(network), self.passes or passes)

    def graph(self, passes: str) -> PipelineResult:
        """Reads the network and runs the passes that were asked for, or else those given here, by name or `none`."""
        return changed(self._graph(self.network()), self.passes or passes)

    def _graph(self, network: Graph | ChipGraph) -> Graph:
        from .graph import Graph

        if isinstance(network, Graph):
            return network
        fix = "give the graph that it was made from; inspect, run and convert without passes take a chip graph as it is"
        raise UsageError(self.source.name, "is a chip graph, in the integers of a chip", "a graph in real numbers", fix)


def changed(graph: Graph, names: str) -> PipelineResult:
    """What passes make of a graph: single ones and ready pipelines by name, with commas between; or `none`."""
    from .passes import pipeline

    return pipeline(*([] if names == "none" else [name.strip() for name in names.split(",")]))(graph)


BOTH = ("dt",)
"""Options of a command that are for SOURCE too."""


def with_source(function: Callable[Concatenate[Given, P], Result]) -> Callable[..., Result]:
    """Gives a command SOURCE and the options that go with it, in place of its first parameter.

    Where the command has an option of the same name, that of SOURCE is called from_NAME; those of BOTH serve both.
    """
    shared = {n: p for n, p in inspect.signature(_given, eval_str=True).parameters.items() if n != "also"}
    own = inspect.signature(function, eval_str=True)
    also = tuple(name for name in BOTH if name in own.parameters)
    called = {name: f"from_{name}" if name in own.parameters and name not in BOTH else name for name in shared}

    @functools.wraps(function)
    def run(**kwargs: Any) -> Result:
        given = _given(**{name: kwargs[each] for name, each in called.items()}, also=also)
        rest = {name: value for name, value in kwargs.items() if name in own.parameters}
        return cast("Callable[..., Result]", function)(given, **rest)

    _, *rest = own.parameters.values()
    first = [p.replace(name=called[name]) for name, p in shared.items() if called[name] not in own.parameters]
    signature = own.replace(parameters=[*first, *(p.replace(kind=p.KEYWORD_ONLY) for p in rest)])
    run.__signature__ = signature  # type: ignore[attr-defined]  # inspect, and so typer, reads it
    run.__annotations__ = {name: p.annotation for name, p in signature.parameters.items()}
    return run


def _given(
    *,
    also: tuple[str, ...],
    context: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A name of the zoo, a .safetensors checkpoint, package.module:factory, a .graph, .nir, .onnx or netx "
            "file.",
            show_default=False,
        ),
    ],
    weights: Annotated[
        Path | None, typer.Option(help="Weights for it: .safetensors, or .pt without code.", show_default=False)
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(metavar="N,N,…", help="For a factory: shape of one step of one sample.", show_default=False),
    ] = None,
    carries: Annotated[
        str, typer.Option(help="For a factory: its input carries graded, spikes or int\\[low,high].")
    ] = "graded",
    host: Annotated[bool, typer.Option("--host", help="Keep what a chip cannot do as Host nodes.")] = False,
    dialect: Annotated[str | None, typer.Option(help="For a NIR file: whose it is.", show_default=False)] = None,
    dt: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="For a NIR file: the length of a step.", show_default=False),
    ] = None,
    reset: Annotated[
        str | None,
        typer.Option(help="For a NIR file: what a spike does: value, subtract or none.", show_default=False),
    ] = None,
    batch_axis: Annotated[
        str | None,
        typer.Option(
            help="For an ONNX file: which axis is the batch: first (the default) or none.", show_default=False
        ),
    ] = None,
    size: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=N", help="For an ONNX file: size of an axis it leaves open.", show_default=False),
    ] = None,
    passes: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,…", help="Passes to run: simplify, lower, none, or single ones.", show_default=False
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what each pass did, and what it did not do and why.")
    ] = False,
) -> Given:
    """The options every command with a SOURCE has."""
    shaped = None if shape is None else sizes(shape)
    made = Source(source, weights, shaped, carries, host, Reading(dialect, dt, reset, batch_axis, named(size), also))
    return Given(made, passes, explain, cast(Load, context.obj), typed(context))


def typed(context: typer.Context) -> frozenset[str]:
    """The names of the options that were typed, and not left as they are."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return frozenset(name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE")


def refuse_beside(options: frozenset[str], one: str, others: Sequence[str]) -> None:
    """A UsageError for options, and arguments, that say nothing beside another one that was typed."""
    for name in others:
        if {one, name} <= options:
            fix = "leave one of them out"
            shown = name.upper() if len(name) == 1 else f"--{name}"  # A and B are arguments
            raise UsageError(shown, f"says nothing beside --{one}, which brings its own values", fix=fix)


def named(texts: Sequence[str] | None) -> Mapping[str, int] | None:
    """Reads sizes of axes, NAME=N each; none where there are none."""
    found = {}
    for text in texts or ():
        name, _, number = text.rpartition("=")
        if not name or not re.fullmatch(r"[1-9]\d{0,8}", number):
            raise UsageError("--size", f"'{text}'", "NAME=N, as height=32")
        found[name] = int(number)
    return found or None


def sizes(text: str) -> tuple[int, ...]:
    """Reads a shape: whole numbers of at least 1 with commas between, as 2,34,34."""
    if not re.fullmatch(r"\s*[1-9]\d{0,8}(\s*,\s*[1-9]\d{0,8})*\s*", text):
        raise UsageError("--shape", f"'{text}'", "whole numbers of at least 1 with commas between, as 2,34,34")
    return tuple(int(part) for part in text.split(","))
