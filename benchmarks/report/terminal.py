"""The report in a terminal: 100 columns, or 80, numbers to the right, nothing that only a colour says."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from rich.console import Group, RenderableType
from rich.text import Text

from ..energy import Energy
from ..findings import Billed, Findings, Network
from ..operations import OpCount
from . import contents
from .bills import constants_text, label, spread_text, summary, tariffs
from .contents import Table
from .fitting import Cut, Fitting
from .text import energy, percent, printable, short, shortened

NAME, NARROW = 26, 18
"""The most characters of a layer's name that are shown here, and where there is little room; the files have all."""
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def view(findings: Findings) -> RenderableType:
    """The report as a person reads it in a terminal."""
    subject, others = findings.subject, findings.networks[1:]
    parts: list[RenderableType] = [_head(findings), _rules(findings), Text()]
    named = _known(findings, subject) if others else subject.title
    parts += [_line(f"Spread: {named} costs {spread_text(subject)}.")]
    parts += [_line(f"{_known(findings, each)}: {each.about or 'compared with'}.") for each in others]
    parts += [*_left_out(subject), _layers(findings)]
    parts += [_classes(findings)] if subject.billed and subject.billed[0].classes else []
    parts += [Fitting((_break_even(findings),))] if findings.break_even else []
    parts += [_what_if(findings)] if findings.what_if else []
    parts += [Fitting((_some(contents.conventions(findings), (0, 1, 2, 3)),))] if findings.figures else []
    parts += [Fitting((contents.uncounted(each.counts),)) for each in findings.networks if each.counts.uncounted]
    parts += [Text(), *(_line(text) for text in constants_text(findings)), *(_line(f"• {n}") for n in findings.notes)]
    return Group(*parts)


def _head(findings: Findings) -> RenderableType:
    lines = [f"{findings.subject.title}: {findings.data}"]
    lines += [f"{value}  {title}" for title, value in summary(findings)]
    return Text("\n".join(map(printable, lines)))


def _line(text: str) -> Text:
    return Text(printable(text))


def _some(made: Table, columns: Sequence[int]) -> Table:
    """A table of some of the columns."""
    rows = tuple(tuple(row[index] for index in columns) for row in made.rows)
    return Table(made.caption, tuple(made.columns[index] for index in columns), rows)


def _letter(findings: Findings, network: Network) -> str:
    """A letter for each network, to stand over a column for which its title is too long."""
    return f"({LETTERS[findings.networks.index(network) % len(LETTERS)]})"


def _known(findings: Findings, network: Network) -> str:
    """Its letter and its title."""
    return f"{_letter(findings, network)} {network.title}"


def _rules(findings: Findings) -> RenderableType:
    """Rules side by side: with profiles, without, with letters for networks, without spreads, one below the other."""
    made = contents.rules(findings)
    names = [label(findings, each) for each in tariffs(findings)]
    rows = tuple((name, *row[2:]) for name, row in zip(names, made.rows, strict=True))
    without = Table(made.caption, (made.columns[0], *made.columns[2:]), rows)
    lettered = Table(made.caption, _heads(findings, without.columns, 1), rows)
    means = tuple(tuple(cell.partition(" ± ")[0] for cell in row) for row in rows)
    caption = made.caption.replace("mean ± standard deviation", "mean")
    return Fitting((made, without, lettered, Table(caption, lettered.columns, means), _below(findings, lettered)))


def _heads(findings: Findings, columns: Sequence[str], first: int) -> tuple[str, ...]:
    """Titles of columns with letters in place of the titles of networks, in their order."""
    networks, found = list(findings.networks), list(columns[:first])
    for column in columns[first:]:
        if column == ">ratio":
            found.append(column)
        else:
            found.append(f">{_letter(findings, networks.pop(0))} {column.rpartition(' ')[2]}")
    return tuple(found)


def _below(findings: Findings, made: Table) -> Table:
    """One row for each rule and network, which fits wherever numbers do."""
    unit = made.columns[1].rpartition(" ")[2]
    rows = []
    for name, own, *others in made.rows:
        rows.append((name, _letter(findings, findings.subject), own, ""))
        beside = zip(findings.networks[1:], others[::2], others[1::2], strict=True)
        rows += [("", _letter(findings, each), mean, ratio) for each, mean, ratio in beside]
    return Table(made.caption, ("Rule", "Network", f">Energy {unit}", ">ratio"), tuple(rows))


def _classes(findings: Findings) -> RenderableType:
    made = contents.classes(findings)
    return Fitting((made, *(_some(made, kept) for kept in ((0, 1, 2, 3, 4, 5), (0, 1, 2, 3), (0, 2)))))


def _what_if(findings: Findings) -> RenderableType:
    made = contents.what_if(findings)
    return Fitting((made, Table(made.caption, _heads(findings, made.columns, 3), made.rows)))


def _left_out(subject: Network) -> list[RenderableType]:
    """What each rule has no line for, in one line for each."""
    found = [each for each in subject.billed if each.energy.unbilled]
    if not found:
        return []
    return [
        Text(),
        _line(f"Seen in {subject.title} and not billed:"),
        *(Cut(partial(_missing, each)) for each in found),
    ]


def _missing(billed: Billed, room: int) -> str:
    """As many phrases as there is room for, without what explains them, and how many more there are."""
    phrases = [each.partition(":")[0].partition(" (")[0] for each in billed.energy.unbilled]
    lines = [_phrases(billed.energy.rule, phrases, kept) for kept in range(len(phrases), -1, -1)]
    return next((line for line in lines if len(line) <= room), lines[-1])


def _phrases(rule: str, phrases: Sequence[str], kept: int) -> str:
    more = [f"{len(phrases) - kept} more"] if kept < len(phrases) else []
    return printable(f"  {rule}: {', '.join((*phrases[:kept], *more))}")


def _layers(findings: Findings) -> RenderableType:
    """One row for each layer: few columns, short numbers, and the bill of the first rule."""
    subject = findings.subject
    counts, billed = subject.counts, subject.billed[0].energy if subject.billed else Energy("none", "", ())
    costs = billed.by_layer()
    names = [*counts.layers, *(name for name in costs if name not in counts.layers)]
    columns = ("Layer", "Kind", "Input", ">≠ 0", ">Dense", ">Effective", ">Energy", ">Share", ">Sent")
    caption = f"Layers of {subject.title}, per sample, by the rule {billed.rule}"
    wide, narrow = (
        Table(caption, columns, tuple(_layer(name, counts, costs.get(name), billed.pj, most) for name in names))
        for most in (NAME, NARROW)
    )
    smaller = ((0, 1, 2, 3, 4, 5, 6, 8), (0, 1, 2, 3, 4, 5, 6), (0, 2, 3, 4, 5, 6), (0, 3, 4, 5, 6), (0, 3, 5, 6))
    return Fitting((wide, narrow, *(_some(each, kept) for kept in smaller for each in (wide, narrow))))


def _layer(name: str, counts: OpCount, pj: float | None, total: float, most: int) -> tuple[str, ...]:
    cost = ("", "") if pj is None else (energy(pj), percent(pj / total, 1) if total else "")
    if name not in counts.layers:
        return (shortened(name, most), "", "", "", "", "", *cost, "")
    each, samples = counts.layers[name], counts.samples
    ops, pairs = each.ops, each.ops.pairs
    return (
        shortened(name, most), each.facts.kind, ", ".join(each.facts.carries),
        percent(ops.rate, 1) if ops.received else "",
        short(pairs.dense / samples) if pairs.dense else "", short(pairs.effective / samples) if pairs.dense else "",
        *cost, short(ops.sent_events / samples) if ops.sent else "",
    )  # fmt: skip


def _break_even(findings: Findings) -> Table:
    """Without the bits and steps, which are those of the network."""
    made = contents.break_even(findings)
    first = findings.break_even[0]
    caption = f"Break-even with an ANN of {first.bits} bits, {first.steps:g} steps, without and with neuron updates"
    rows = tuple((shortened(each[0], NAME), *each[3:]) for each in made.rows)
    return Table(caption, ("Layer", ">Rate", ">Below", "", ">Below, with", ""), rows)
