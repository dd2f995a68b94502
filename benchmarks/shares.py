"""How much of a network's work the parts are that a target takes, and why it does not take the others.

A pair is an input value and an output value that a weight, or another signal, connects, in one step of one sample;
effective ones have an input that is not 0. What works value by value (additions, functions, comparisons) has no pairs.
A layer that several parts have for themselves counts once, as the host's if the host is one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from ..exporters.chip_cut import NO_NEURON, READ, Setting, Why, cut_for_chip, word
from ..exporters.cutting import LOOP, Piece
from ..exporters.nir.parts import cut_for_nir
from ..toolchain.console import Result, working
from ..toolchain.errors import UsageError
from ..toolchain.graph import Graph
from ..toolchain.graph.nodes import Array, Firing
from ..toolchain.source import Given
from ..toolchain.tables import counted, table
from ..toolchain.trial import Trial
from .counting.of_graph import count_graph
from .operations import OpCount, Ops, total

TARGETS = ("netx", "lava", "nir")
"""What parts can be for."""
MADE = {True: "normal:1", False: "poisson:0.1"}
"""Made input by whether it is graded."""
BESIDE = (READ, NO_NEURON, LOOP)
"""Reasons that lie beside a node, and not in what it is."""


@dataclass(frozen=True)
class Work:
    """What some nodes do, over all samples.

    Args:
        nodes: how many nodes.
        neurons: how many of them fire.
        dense: pairs there are.
        effective: those whose input was not 0.
        values: what is done value by value.
    """

    nodes: int = 0
    neurons: int = 0
    dense: int = 0
    effective: int = 0
    values: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(*(mine + theirs for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True)))

    def data(self) -> dict[str, int]:
        """The same for programs."""
        return dict(vars(self))


@dataclass(frozen=True)
class Shares:
    """Work by part, and that of the host by reason.

    Args:
        parts: name of a part → whether it is the host's, its nodes, and its work.
        reasons: why → an example of what is said, and the work.
        uncounted: operations without a row in the tables of the counting, never taken for 0.
    """

    parts: Mapping[str, tuple[bool, tuple[str, ...], Work]]
    reasons: Mapping[str, tuple[str, Work]]
    uncounted: tuple[str, ...]

    @property
    def taken(self) -> Work:
        """What the target takes."""
        return sum((work for host, _, work in self.parts.values() if not host), Work())

    @property
    def whole(self) -> Work:
        """All of it."""
        return sum((work for _, _, work in self.parts.values()), Work())


def shares_of(graph: Graph, inputs: Mapping[str, Array], target: str) -> Shares:
    """The shares of a network's work on an input.

    Args:
        graph: the network.
        inputs: [T, B, *shape] for each input.
        target: netx, lava or nir.
    """
    flat, pieces, why, copies = _cut(graph, target)
    ops = total(count_graph(flat, inputs))
    again = _again(pieces, copies)
    works = {name: Work() if name in again else _work(flat, name, ops) for name in flat.nodes}
    parts = {piece.graph.name: (piece.host, _own(flat, piece), _sum(works, _own(flat, piece))) for piece in pieces}
    reasons: dict[str, tuple[str, Work]] = {}
    for name, each in why.items():
        key = each.said if each.said in BESIDE else each.what
        said, before = reasons.get(key, ("" if key == each.said else each.said, Work()))
        reasons[key] = said, before + works[name]
    return Shares(parts, reasons, tuple(dict.fromkeys(each.name for each in ops.uncounted)))


def _again(pieces: Iterable[Piece], copies: Mapping[str, str]) -> set[str]:
    """Of a node and its copies all but one, of which the work is: one of the host's where there is one."""
    found: set[str] = set()
    seen: set[str] = set()
    for piece in sorted(pieces, key=lambda piece: not piece.host):
        for name in piece.nodes:
            source = copies.get(name, name)
            if source in seen:
                found.add(name)
            seen.add(source)
    return found


def _cut(graph: Graph, target: str) -> tuple[Graph, tuple[Piece, ...], Mapping[str, Why], Mapping[str, str]]:
    if target not in TARGETS:
        raise UsageError("--target", f"'{target}'", ", ".join(TARGETS))
    with working(f"finding the parts of {graph.name}"):
        if target == "nir":
            nir = cut_for_nir(graph)
            why = {name: Why(word(nir.flat.nodes[name]), said) for name, said in nir.why.items()}
            return nir.flat, tuple(part.piece for part in nir.parts), why, {}
        chip = cut_for_chip(graph, Setting(target=target))
        return chip.flat, chip.pieces, chip.why, chip.copies


def _own(flat: Graph, piece: Piece) -> tuple[str, ...]:
    """The network's own nodes in a piece, without reshapes that were put between."""
    return tuple(name for name in piece.nodes if name in flat.nodes)


def _work(flat: Graph, name: str, counts: OpCount) -> Work:
    layer = counts.layers.get(name)
    ops = Ops() if layer is None else layer.ops
    values = ops.adds + ops.multiplies + ops.comparisons + sum(ops.functions.values())
    return Work(1, int(isinstance(flat.nodes[name], Firing)), ops.pairs.dense, ops.pairs.effective, values)


def _sum(works: Mapping[str, Work], names: Iterable[str]) -> Work:
    return sum((works[name] for name in names), Work())


@dataclass(frozen=True)
class Input:
    """What a network is counted on.

    Args:
        file: values or events; none for made input.
        made: a recipe for made input; by default one that fits what each of the network's inputs promises.
        steps: steps of made input.
    """

    file: Path | None
    made: str | None
    steps: int

    def values(self, graph: Graph) -> dict[str, Array]:
        """[T, B, *shape] for each input."""
        if self.file is not None or self.made is not None:
            return Trial(self.file, self.made or "", self.steps).values(graph)
        made = {graded: Trial(made=recipe, steps=self.steps).values(graph) for graded, recipe in MADE.items()}
        return {name: made[graph.signals[name].carries.graded][name] for name in graph.inputs}


def shown(given: Given, asked: Input, target: str) -> Result:
    """The table of a SOURCE's parts."""
    graph = given.graph("simplify").graph
    found = shares_of(graph, asked.values(graph), target)
    whole, taken = found.whole, found.taken
    data: dict[str, Any] = {
        "name": graph.name,
        "target": target,
        "whole": whole.data(),
        "taken": taken.data(),
        "parts": [
            {"name": name, "host": host, "nodes": list(nodes), "work": work.data()}
            for name, (host, nodes, work) in found.parts.items()
        ],
        "reasons": [{"why": why, "said": said, "work": work.data()} for why, (said, work) in found.reasons.items()],
        "uncounted": list(found.uncounted),
    }
    return Result(data, _view(graph.name, found, target))


def _view(name: str, found: Shares, target: str) -> RenderableType:
    whole, columns = found.whole, (">firing", ">pairs", ">share", ">effective", ">share")
    parts = [(part, "host" if host else target, *_cells(work, whole)) for part, (host, _, work) in found.parts.items()]
    ends = [("all parts", target, *_cells(found.taken, whole)), ("the network", "", *_cells(whole, whole))]
    most = sorted(found.reasons.items(), key=lambda row: -row[1][1].dense)
    reasons = [(why if not said else f"{why}: {said}", *_cells(work, whole)) for why, (said, work) in most]
    lines: list[RenderableType] = [table(("part", "", *columns), [*parts, *ends])]
    if reasons:
        lines += [Text(), table(("why the host's", *columns), reasons)]
    if found.uncounted:
        lines += [Text(), Text(f"not counted, for want of a row: {', '.join(found.uncounted)}")]
    taken = counted(sum(not host for host, _, _ in found.parts.values()), "part")
    share, live = (_share(getattr(found.taken, each), getattr(whole, each)) for each in ("dense", "effective"))
    said = f"{name}: {target} takes {taken} with {share} of all pairs and {live} of the effective ones"
    return Group(*lines, Text(), Text(said))


def _cells(work: Work, whole: Work) -> tuple[str, ...]:
    dense, effective = _share(work.dense, whole.dense), _share(work.effective, whole.effective)
    return f"{work.neurons or ''}", f"{work.dense:,}", dense, f"{work.effective:,}", effective


def _share(part: int, whole: int) -> str:
    return "100 %" if part == whole else f"{100 * part / whole:.1f} %"
