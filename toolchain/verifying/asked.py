"""What `spikeport verify` was asked to compare, made ready to run, and how it shows what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.text import Text

from ..console import Result, say, working
from ..errors import UsageError
from ..graph import Graph
from ..loihi.chip_graph import ChipGraph
from ..loihi.quantise import quantise
from ..source import REMARKS, Load, Source
from ..tables import table
from ..trial import Trial
from .golden import Recorded
from .sides import OnLava, OnRuntime
from .verdict import TITLES, Verdict
from .verify import verify

PREFIXES = ("torch", "chip", "lava", "onnx")
"""What can stand before a SOURCE, with a colon between."""
_PREFIXED = ", ".join(f"{each}:" for each in PREFIXES)


@dataclass(frozen=True)
class Asked:
    """How networks are read.

    Args:
        load: the ways from a source.
        source: what goes with every SOURCE.
        bits: bits of a weight, where a graph is quantised.
        allow: approximations that may be used there.
    """

    load: Load
    source: Source
    bits: int
    allow: tuple[str, ...]

    def side(self, text: str) -> Any:
        """The side that a text names."""
        kind, _, rest = text.partition(":")
        if kind not in PREFIXES:
            kind, rest = "", text
        if not rest:
            raise UsageError(f"'{text}'", "names no network", f"a SOURCE, perhaps with {_PREFIXED} before it")
        source = replace(self.source, name=rest)
        with working(f"reading {rest}"):
            if kind == "torch":
                return self.load.module(source)
            network = self.load.network(source)
        for line in network.notes.get(REMARKS, "").splitlines():
            say(f"{rest}: {line}")
        return self.ready(network, kind)

    def ready(self, network: Graph | ChipGraph, kind: str) -> Any:
        """The network as it runs where the prefix says."""
        if kind == "onnx":
            if isinstance(network, ChipGraph):
                raise UsageError("onnx:", f"{network.name}, in integers", "a graph in real numbers")
            return OnRuntime(network)
        if kind in ("chip", "lava"):
            chip = self.chip(network)
            return OnLava(chip) if kind == "lava" else chip
        return network

    def chip(self, network: Graph | ChipGraph) -> ChipGraph:
        """The network in integers."""
        if isinstance(network, ChipGraph):
            return network
        with working(f"quantising {network.name}"):
            return quantise(network, bits=self.bits, allow=self.allow)[0]

    def other(self, a: Any, text: str) -> Any:
        """What A is compared with when nothing else was said."""
        if isinstance(a, ChipGraph):
            return OnLava(a)
        if isinstance(a, Graph):
            return self.chip(a)
        raise UsageError("B", f"nothing to compare {text} with", "a second SOURCE")


def verified(asked: Asked, a: str, b: str | None, trial: Trial, *, at_least: float, tolerance: float | None) -> Result:
    """Runs both, and shows the verdict."""
    left = asked.side(a)
    right = asked.other(left, a) if b is None else asked.side(b)
    fed = left.chip if isinstance(left, OnLava) else left
    if not isinstance(fed, (Graph, ChipGraph)):
        fed = asked.load.network(replace(asked.source, name=a.partition(":")[2]))
    with working(f"comparing {a} and {b or 'its counterpart'}"):
        verdict = verify(left, right, trial.values(fed), at_least=at_least, tolerance=tolerance)
    return Result(verdict.data(), view(verdict), good=bool(verdict))


def repeated(asked: Asked, a: str, file: Path, *, at_least: float, tolerance: float | None) -> Result:
    """Feeds a network what a record says went in, and compares what it sends with what the record says was sent."""
    kind, _, rest = a.partition(":")
    prefix = kind if kind in PREFIXES else ""
    if prefix == "torch":
        raise UsageError("--trace", f"beside {a}", "a graph, or one with chip:, lava: or onnx: before it")
    network = asked.side(rest if prefix else a)
    if not isinstance(network, Graph):
        raise UsageError("--trace", f"beside {a}, in integers", "the graph in real numbers that it is a record of")
    golden = asked.load.golden(file, network)
    right = asked.ready(network, prefix)
    with working(f"repeating {file.name} on {a}"):
        verdict = verify(Recorded(golden, network), right, golden.inputs, at_least=at_least, tolerance=tolerance)
    return Result(verdict.data(), view(verdict), good=bool(verdict))


def view(verdict: Verdict) -> Group:
    """A verdict for people."""
    titles = tuple(f">{title}" if index else title for index, title in enumerate(TITLES))
    warnings = verdict.warnings()
    parts = [*map(Text, warnings), *([Text()] if warnings else [])]
    if verdict.first_difference is not None:
        parts += [Text(verdict.first_difference.text()), Text()]
    line = Text(verdict.line, style="bold" if verdict else "bold red")
    return Group(table(titles, list(verdict.rows())), Text(), *parts, line)
