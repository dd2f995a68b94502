"""What `spikeport energy` does: networks counted on data, billed under rules, and one report of it all.

SOURCE ─► counts on every sample ─► bills ─┐
twin, other SOURCEs ─► the same            ├─► Findings ─► table · JSON · CSV · LaTeX · page
break-even, what if, conventions, spikes ──┘
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rich.console import Group
from rich.text import Text

from .. import __version__
from ..toolchain.console import Result, say, working
from ..toolchain.errors import FileError, UsageError
from ..toolchain.graph import Graph
from ..toolchain.inputs import Steps
from ..toolchain.loihi.chip_graph import ChipGraph
from ..toolchain.source import Given
from .break_even import break_even
from .compared import Counted, Subject, compared, counted, subject
from .estimate_bills import Tariff, billed, constants_of, tariffs
from .findings import Findings, Network, WhatIf
from .means import Means
from .report import plain, view, write_report
from .rules import rule_named
from .sensitivity import sensitivity
from .survey.sources import DataSource, DataSpec, each_of

if TYPE_CHECKING:
    from torch import Tensor

    from ..models.data.samples import Part
    from .conventions import Figure

PARTS = ("train", "validation", "test")
USUAL_WHAT_IF = {"ac": (0.1,)}
"""The other value that is tried where nobody says one: what an accumulate costs in the papers that bill it lowest."""


@dataclass(frozen=True)
class Ask:
    """What was asked for; the fields are the options of the command.

    Args:
        data: a name of made data, a file, or a folder of event files; none: drawn values.
        part: of made data.
        samples: how many.
        made: what is drawn.
        steps: how many are drawn, or are cut from events.
        seed: of what is made.
        rules: names; none: those that fit.
        profiles: names or files; none: those that the rules are meant for.
        against: SOURCEs, and `twin`.
        what_if: NAME=PJ.
        conventions: whether to print published counters' figures.
        persons: how many a sample holds, for those.
        road: auto, graph or module.
        infer: take what tensors carry from their values where nothing else says it.
        workers: processes on this machine.
        scheduler: of a Dask cluster.
        restart: forget what an earlier run has counted.
        output: the report's folder.
    """

    data: str | None
    part: str
    samples: int | None
    made: str
    steps: int | None
    seed: int
    rules: tuple[str, ...]
    profiles: tuple[str, ...]
    against: tuple[str, ...]
    what_if: tuple[str, ...]
    conventions: bool
    persons: int | None
    road: str
    infer: bool
    workers: int
    scheduler: str | None
    restart: bool
    output: Path | None

    def __post_init__(self) -> None:
        for name, value, known in (("--part", self.part, PARTS), ("--road", self.road, ("auto", "graph", "module"))):
            if value not in known:
                raise UsageError(name, f"'{value}'", ", ".join(known))
        if self.persons is not None and not self.conventions:
            raise UsageError("--persons", "says nothing without --conventions", fix="add it, or leave --persons out")
        if self.restart and self.output is None:
            raise UsageError("--restart", "no report whose counts could be forgotten", fix="say which with -o")

    @property
    def spec(self) -> DataSpec:
        """The data."""
        steps = Steps(None, None, self.steps)
        return DataSpec(self.data, cast("Part", self.part), self.samples, self.seed, self.made, steps)


def estimated(given: Given, ask: Ask) -> Result:
    """Counts, bills and reports."""
    what_if = _what_if(ask.what_if)
    prices = tariffs(ask.rules, ask.profiles)
    _make(ask.output)
    found = subject(given, ask.road)
    _check_infer(found, ask)
    _check_passes(found, given)
    prices = prices or tariffs(found.usual_rules, ask.profiles)
    means = Means(ask.workers, ask.scheduler, ask.output, ask.restart)
    with working(f"counting {found.title}") as tell:
        here = counted(found, ask.spec, replace(means, tell=tell), infer=ask.infer)
    for line in here.said:
        say(line)
    with working("counting what it is compared with") as tell:
        others = compared(given, here, ask.against, replace(means, tell=tell))
    return _result(
        findings_of(given.source.name, (here, *others), prices, what_if, _figures(given, here, ask)), ask.output
    )


def findings_of(
    source: str,
    found: Sequence[Counted],
    prices: Sequence[Tariff],
    what_if: Mapping[str, tuple[float, ...]] | None = None,
    figures: Sequence[Figure] = (),
) -> Findings:
    """Everything the report shows.

    Args:
        source: where the network comes from.
        found: the networks, counted; the subject first.
        prices: the rules, each with its profile.
        what_if: other values by constant; none: those that are always tried.
        figures: those of published counters.
    """
    here, networks = found[0], [_network(each, prices) for each in found]
    return Findings(
        command=shlex.join(["spikeport", *sys.argv[1:]]),
        version=__version__,
        source=source,
        data=here.data,
        data_identity=here.identity,
        networks=tuple(networks),
        constants=constants_of(networks, prices),
        rules={each: _about(each) for each in dict.fromkeys(price.rule for price in prices)},
        break_even=break_even(here.counts),
        what_if=tuple(_tried(networks, prices, what_if or {})),
        figures=tuple(figures),
        spikes=here.spikes,
        notes=(*here.notes, *here.said),
    )


def _check_infer(found: Subject, ask: Ask) -> None:
    """Values are looked at in modules alone."""
    if ask.infer and isinstance(found.network, Graph | ChipGraph):
        expected = "a network that is counted in the running module"
        raise UsageError("--infer-from-values", f"{found.title} is a graph, which says what its edges carry", expected)


def _check_passes(found: Subject, given: Given) -> None:
    """Passes change graphs in real numbers; a chip graph to compare with stays as it is."""
    if isinstance(found.network, ChipGraph) and given.passes not in (None, "none"):
        what = f"'{given.passes}' for {found.title}, a chip graph in the integers of a chip"
        raise UsageError("--passes", what, "a graph in real numbers", "leave it out")


def _make(output: Path | None) -> None:
    """The report's folder is made before anything is counted, so that it is known that it can be."""
    if output is None:
        return
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(str(output), f"cannot be a folder: {error.strerror}", fix="choose another for -o") from error


def _network(each: Counted, prices: Iterable[Tariff]) -> Network:
    """A network with its bills; rules that have nothing to say about it are left out of its row."""
    bills = tuple(bill for price in prices if (bill := billed(each, price)) is not None)
    return Network(each.title, each.role, each.counts, bills, each.about)


def _about(rule: str) -> tuple[str, str, str]:
    found = rule_named(rule)
    return found.text, found.formula, found.source


def _what_if(texts: Iterable[str]) -> Mapping[str, tuple[float, ...]]:
    """Values by constant."""
    found: dict[str, tuple[float, ...]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not (equals and 0 <= number < float("inf")):
            raise UsageError("--what-if", f"'{text}'", "NAME=PICOJOULES, as ac=0.1")
        found[name] = (*found.get(name, ()), number)
    return found


def _tried(
    networks: Iterable[Network], prices: Iterable[Tariff], values: Mapping[str, tuple[float, ...]]
) -> Iterable[WhatIf]:
    """The totals under other values, for every rule on a profile that has the constant."""
    networks = list(networks)
    known = {name for price in prices for name in price.profile.constants}
    for name in values:
        if name not in known:
            raise UsageError("--what-if", f"'{name}'", f"one of {', '.join(sorted(known))}")
    values = values or USUAL_WHAT_IF
    for price in prices:
        mine = {name: each for name, each in values.items() if name in price.needs}
        counts = {each.title: each.counts for each in networks if price.takes(each.counts)}
        if mine and counts:
            yield from sensitivity(counts, price.rule, price.profile, mine)


def _figures(given: Given, here: Counted, ask: Ask) -> tuple[Figure, ...]:
    """The figures of published counters, which look at torch modules."""
    if not ask.conventions:
        return ()
    from .conventions import figures

    module = given.load.module(given.source)
    inputs = here.example if here.source is None else _first(here.source)
    with working("published counters"):
        return figures(module, inputs, persons=ask.persons)


def _first(source: DataSource) -> Tensor | dict[str, Tensor]:
    """The first sample, as a batch of one, [T, 1, *shape]; of several inputs by name."""
    import torch

    found: Tensor | dict[str, Tensor] = each_of(source.batch([0])[0], lambda values: torch.from_numpy(values).float())
    return found


def _result(findings: Findings, output: Path | None) -> Result:
    """What is shown, and the files."""
    if output is None:
        return Result(plain(findings), view(findings))
    with working("writing the report"):
        files = write_report(findings, output)
    data = {**plain(findings), "files": [str(path) for path in files]}
    lines = "\n".join(f"  {path}" for path in files)
    return Result(data, Group(view(findings), Text(f"\n{lines}")))
