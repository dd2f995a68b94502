"""The report in a terminal: 100 columns, numbers to the right, nothing that only a colour says."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.text import Text

from ...toolchain.tables import table
from ..findings import Findings
from ..operations import OpCount
from . import contents
from .bills import constants_text, spread_text, summary
from .contents import Table
from .text import energy, percent, printable, short, shortened

NAME = 26
"""The most characters of a layer's name that are shown here; the files have all of it."""


def view(findings: Findings) -> RenderableType:
    """The report as a person reads it in a terminal."""
    subject, *others = findings.networks
    parts: list[RenderableType] = [_head(findings), _shown(contents.rules(findings))]
    parts += [_line(f"Spread: {subject.title} costs {spread_text(subject)}.")]
    parts += [_line(f"{other.title}: {other.about or 'compared with'}.") for other in others]
    parts += [_shown(contents.unbilled(findings)), _shown(_layers(findings))]
    parts += [_shown(contents.classes(findings))] if subject.billed and subject.billed[0].classes else []
    parts += [_shown(contents.break_even(findings))] if findings.break_even else []
    parts += [_shown(contents.what_if(findings))] if findings.what_if else []
    parts += [_shown(_conventions(findings))] if findings.figures else []
    parts += [_shown(contents.uncounted(each.counts)) for each in findings.networks if each.counts.uncounted]
    parts += [Text(), *(_line(text) for text in constants_text(findings)), *(_line(f"• {n}") for n in findings.notes)]
    return Group(*(part for part in parts if part is not None))


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


def _layers(findings: Findings) -> Table:
    """One row for each layer: few columns, short numbers, and the bill of the first rule."""
    subject = findings.subject
    counts, billed = subject.counts, subject.billed[0].energy
    costs = billed.by_layer()
    names = [*counts.layers, *(name for name in costs if name not in counts.layers)]
    rows = tuple(_layer(name, counts, costs.get(name), billed.pj) for name in names)
    columns = ("Layer", "Kind", "Input", ">Input ≠ 0", ">Dense", ">Effective", ">Sent", ">Energy", ">Share")
    return Table(f"Layers of {subject.title}, per sample, by the rule {billed.rule}", columns, rows)


def _layer(name: str, counts: OpCount, pj: float | None, total: float) -> tuple[str, ...]:
    cost = ("", "") if pj is None else (energy(pj), percent(pj / total, 1) if total else "")
    if name not in counts.layers:
        return (shortened(name, NAME), "", "", "", "", "", "", *cost)
    each, samples = counts.layers[name], counts.samples
    ops, pairs = each.ops, each.ops.pairs
    return (
        shortened(name, NAME), each.facts.kind, ", ".join(each.facts.carries),
        percent(ops.rate) if ops.received else "",
        short(pairs.dense / samples) if pairs.dense else "", short(pairs.effective / samples) if pairs.dense else "",
        short(ops.sent_events / samples) if ops.sent else "", *cost,
    )  # fmt: skip


def _conventions(findings: Findings) -> Table:
    """Without the columns that need a page."""
    whole = contents.conventions(findings)
    return Table(whole.caption, whole.columns[:4], tuple(row[:4] for row in whole.rows))
