"""The report in a terminal: 100 columns, or 80, numbers to the right, nothing that only a colour says."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.rule import Rule
from rich.text import Text

from ...toolchain.tables import table
from ..energy import Energy
from ..findings import Findings
from ..operations import OpCount
from . import contents
from .bills import constants_text, label, spread_text, summary, tariffs
from .contents import Table
from .text import energy, percent, printable, short, shortened

NAME = 26
"""The most characters of a layer's name that are shown here; the files have all of it."""
WIDE = 96
"""The columns that a terminal has to have for everything."""


def view(findings: Findings) -> RenderableType:
    """The report as a person reads it in a terminal."""
    subject, *others = findings.networks
    parts: list[RenderableType] = [_head(findings), _rules(findings)]
    parts += [_line(f"Spread: {subject.title} costs {spread_text(subject)}.")]
    parts += [_line(f"{other.title}: {other.about or 'compared with'}.") for other in others]
    parts += [_shown(contents.unbilled(findings)), _layers(findings)]
    parts += [_shown(contents.classes(findings))] if subject.billed and subject.billed[0].classes else []
    parts += [_shown(_break_even(findings))] if findings.break_even else []
    parts += [_shown(contents.what_if(findings))] if findings.what_if else []
    parts += [_shown(_some(contents.conventions(findings), (0, 1, 2, 3)))] if findings.figures else []
    parts += [_shown(contents.uncounted(each.counts)) for each in findings.networks if each.counts.uncounted]
    parts += [Text(), *(_line(text) for text in constants_text(findings)), *(_line(f"• {n}") for n in findings.notes)]
    return Group(*parts)


@dataclass(frozen=True)
class _Fitting:
    """What is shown in a wide terminal, and what in a narrow one."""

    wide: RenderableType
    narrow: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The one that fits."""
        yield self.wide if options.max_width >= WIDE else self.narrow


def _head(findings: Findings) -> RenderableType:
    lines = [f"{findings.subject.title}: {findings.data}"]
    lines += [f"{value}  {title}" for title, value in summary(findings)]
    return Text("\n".join(map(printable, lines)) + "\n")


def _line(text: str) -> Text:
    return Text(printable(text))


def _shown(made: Table) -> RenderableType:
    """A table under its caption; nothing where it has no rows."""
    if not made.rows:
        return Group()
    rows = [tuple(map(printable, row)) for row in made.rows]
    head = Rule(Text(printable(made.caption.split(". ")[0].rstrip("."))), align="left", characters="─", style="none")
    return Group(Text(), head, table(tuple(map(printable, made.columns)), rows))


def _some(made: Table, columns: tuple[int, ...]) -> Table:
    """A table of some of the columns."""
    rows = tuple(tuple(row[index] for index in columns) for row in made.rows)
    return Table(made.caption, tuple(made.columns[index] for index in columns), rows)


def _rules(findings: Findings) -> RenderableType:
    """Rules side by side; where there is little room a rule's name says its profile only if it has several."""
    made = contents.rules(findings)
    if not made.rows or len(findings.networks) < 3:
        return _shown(made)
    without = _some(made, (0, *range(2, len(made.columns))))
    rows = ((label(findings, each), *row[1:]) for each, row in zip(tariffs(findings), without.rows, strict=True))
    return _Fitting(_shown(made), _shown(Table(made.caption, without.columns, tuple(rows))))


def _layers(findings: Findings) -> RenderableType:
    """One row for each layer: few columns, short numbers, and the bill of the first rule."""
    subject = findings.subject
    counts, billed = subject.counts, subject.billed[0].energy if subject.billed else Energy("none", "", ())
    costs = billed.by_layer()
    names = [*counts.layers, *(name for name in costs if name not in counts.layers)]
    rows = tuple(_layer(name, counts, costs.get(name), billed.pj) for name in names)
    columns = ("Layer", "Kind", "Input", ">≠ 0", ">Dense", ">Effective", ">Energy", ">Share", ">Sent")
    made = Table(f"Layers of {subject.title}, per sample, by the rule {billed.rule}", columns, rows)
    return _Fitting(_shown(made), _shown(_some(made, tuple(range(7)))))


def _layer(name: str, counts: OpCount, pj: float | None, total: float) -> tuple[str, ...]:
    cost = ("", "") if pj is None else (energy(pj), percent(pj / total, 1) if total else "")
    if name not in counts.layers:
        return (shortened(name, NAME), "", "", "", "", "", *cost, "")
    each, samples = counts.layers[name], counts.samples
    ops, pairs = each.ops, each.ops.pairs
    return (
        shortened(name, NAME), each.facts.kind, ", ".join(each.facts.carries),
        percent(ops.rate, 1) if ops.received else "",
        short(pairs.dense / samples) if pairs.dense else "", short(pairs.effective / samples) if pairs.dense else "",
        *cost, short(ops.sent_events / samples) if ops.sent else "",
    )  # fmt: skip


def _break_even(findings: Findings) -> Table:
    """Without the bits and steps, which are those of the network."""
    made = contents.break_even(findings)
    first = findings.break_even[0]
    caption = f"Break-even with an ANN of {first.bits} bits, {first.steps:g} steps, without and with neuron updates"
    return Table(caption, ("Layer", ">Rate", ">Below", "", ">Below, with", ""), _some(made, (0, 3, 4, 5, 6, 7)).rows)
