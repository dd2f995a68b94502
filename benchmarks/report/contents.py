"""The tables of a report, as text in rows: made once, laid out by the terminal and the page in their own way.

A column whose title begins with '>' holds numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from ..findings import Billed, Findings, Statistics
from ..memory_accesses import KINDS as WORDS
from ..memory_accesses import Memory, memory_accesses, together
from ..operations import Facts, LayerCount, OpCount
from .bills import bill, label, over_samples, ratio, sd, tariffs, totals
from .text import Scale, constant, listed, percent, scale, whole

if TYPE_CHECKING:
    from ..conventions import Figure


@dataclass(frozen=True)
class Table:
    """One table.

    Args:
        caption: what one sees.
        columns: titles; '>' before those of numbers.
        rows: text, row by row.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def rules(findings: Findings) -> Table:
    """Rules side by side, the networks beside each other."""
    subject, *others = findings.networks
    unit = totals(findings)
    columns = ["Rule", "Profile", f">{subject.title} ({unit.unit})"]
    for other in others:
        columns += [f">{other.title} ({unit.unit})", ">ratio"]
    rows = []
    for tariff in tariffs(findings):
        own = bill(subject, tariff)
        row = [*tariff, _mean_of(own, unit)]
        for beside in (bill(other, tariff) for other in others):
            row += [_mean_of(beside, unit), ratio(beside, own)]
        rows.append(tuple(row))
    caption = f"Energy per sample by rule, {over_samples(findings)}."
    if others:
        caption += f" Ratio: what that network costs, over what {subject.title} costs."
    return Table(caption, tuple(columns), tuple(rows))


def _mean_of(found: Billed | None, unit: Scale) -> str:
    return "not billed" if found is None else unit.either(found.energy.pj, sd(found))


def unbilled(findings: Findings) -> Table:
    """What each rule leaves out."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for network in findings.networks:
        for each in network.billed:
            if each.energy.unbilled:
                titles = found.setdefault((each.energy.rule, "; ".join(each.energy.unbilled)), {})
                titles[network.title] = None  # once, however many profiles the rule is applied with
    every = len(findings.networks)
    rows = tuple(
        (rule, left_out, "every network" if len(titles) == every > 1 else listed(titles))
        for (rule, left_out), titles in found.items()
    )
    return Table("Work that was seen and that a rule has no line for.", ("Rule", "Left out", "Of"), rows)


def meanings(findings: Findings) -> Table:
    """What each rule means."""
    rows = tuple((name, *texts) for name, texts in findings.rules.items())
    return Table("What each rule bills.", ("Rule", "In words", "Formula", "Source"), rows)


def layers(title: str, counts: OpCount) -> Table:
    """What was to do and what was done, layer by layer, for one sample; columns without a number are left out."""
    columns = (
        "Layer", "Kind", "Input carries", ">Input ≠ 0", ">Dense pairs", ">Effective", ">Share", ">AC", ">int AC",
        ">MAC", ">Updates", ">Sent", ">Rate sent",
    )  # fmt: skip
    rows = [_layer(name, each, counts.samples) for name, each in counts.layers.items()]
    used = [index for index in range(len(columns)) if any(row[index] for row in rows)]
    shown = tuple(tuple(row[index] for index in used) for row in (*rows, _sum(counts)))
    caption = (
        f"Operations by layer, per sample: {title}. A pair is one input value and one output value that a weight, "
        "or another signal, connects in one step; it is effective when the input value is not 0."
    )
    return Table(caption, tuple(columns[index] for index in used), shown)


def _layer(name: str, each: LayerCount, samples: int) -> tuple[str, ...]:
    ops, facts = each.ops, each.facts
    pairs = ops.pairs
    return (
        name, facts.kind + _window(facts), ", ".join(facts.carries), percent(ops.rate) if ops.received else "",
        _mean(pairs.dense, samples), _mean(pairs.effective, samples), _share(pairs.effective, pairs.dense),
        _mean(ops.acs.effective, samples), _mean(ops.integer_acs.effective, samples),
        _mean(ops.macs.effective, samples), _mean(sum(ops.updates.values()), samples),
        _mean(ops.sent_events, samples), _share(ops.sent_events, ops.sent),
    )  # fmt: skip


def _window(facts: Facts) -> str:
    return f" {'×'.join(map(str, facts.kernel))}" if facts.kernel else ""


def _sum(counts: OpCount) -> tuple[str, ...]:
    row = _layer("all layers", LayerCount(Facts("", "elementwise"), counts.total), counts.samples)
    return (*row[:2], "", "", *row[4:])


def _mean(number: int, samples: int) -> str:
    mean = number / samples
    return f"{mean:,.0f}" if mean >= 1000 else whole(mean) if number else ""


def _share(part: int, of: int) -> str:
    return percent(part / of) if of else ""


def memory(title: str, counts: OpCount) -> Table:
    """Words read and written, effective and dense, layer by layer, for one sample."""
    found = memory_accesses(counts)
    columns = ("Layer", *(f">{kind.replace('_', ' ').capitalize()}" for kind in WORDS), ">All", ">All, dense")
    every = [*found.items(), ("all layers", together(found.values()))]
    rows = tuple(_accesses(name, each, counts.samples) for name, each in every)
    caption = (
        f"Memory accesses by layer, in words per sample, of a machine without caches: {title}. All columns but the "
        "last are effective: values that are 0 are not read, and touch no weight and no sum."
    )
    return Table(caption, columns, rows)


def _accesses(name: str, each: Memory, samples: int) -> tuple[str, ...]:
    numbers = (*(getattr(each.effective, kind) for kind in WORDS), each.effective.total, each.dense.total)
    return (name, *(_mean(number, samples) for number in numbers))


def layer_energy(findings: Findings) -> Table:
    """Energy by layer, every rule of the subject in a column."""
    subject = findings.subject
    by_rule = [each.energy.by_layer() for each in subject.billed]
    names = dict.fromkeys((*subject.counts.layers, *(name for found in by_rule for name in found)))
    unit = scale(value for found in by_rule for value in found.values())
    rows = [
        (name, *(unit.text(found[name]) if name in found else "" for found in by_rule))
        for name in names
        if any(name in found for found in by_rule)
    ]
    columns = ("Layer", *(f">{label(findings, (each.energy.rule, each.energy.profile))}" for each in subject.billed))
    return Table(f"Energy of {subject.title} by layer and rule, in {unit.unit} per sample.", columns, tuple(rows))


def statistics(findings: Findings) -> Table:
    """The totals over samples: spread and confidence."""
    found = [(net.title, b.energy.rule, b.over) for net in findings.networks for b in net.billed if b.over is not None]
    unit = scale(over.most for _, _, over in found)
    rows = tuple((title, rule, *_numbers(over, unit)) for title, rule, over in found)
    columns = ("Network", "Rule", *_NUMBERS)
    return Table(f"Energy over samples, in {unit.unit} per sample.", columns, rows)


_NUMBERS = (">Samples", ">Mean", ">SD", ">95 % from", ">to", ">Least", ">Most")


def _numbers(over: Statistics, unit: Scale) -> tuple[str, ...]:
    """Of one sample no spread is known, and none is shown."""
    spread = [unit.text(each) if over.samples > 1 else "–" for each in (over.sd, over.low, over.high)]
    return (f"{over.samples:,}", unit.text(over.mean), *spread, unit.text(over.least), unit.text(over.most))


def classes(findings: Findings) -> Table:
    """The first rule's energy, class by class."""
    billed = findings.subject.billed[0]
    unit = scale(over.most for over in billed.classes.values())
    rows = tuple((name, *_numbers(over, unit)) for name, over in billed.classes.items())
    caption = f"Energy of {findings.subject.title} by class under {billed.energy.rule}, in {unit.unit} per sample."
    return Table(caption, ("Class", *_NUMBERS), rows)


def break_even(findings: Findings) -> Table:
    """Each layer's rate beside the rate below which it beats a quantised ANN of equal bits."""
    rows = tuple(
        (
            each.layer, f"{each.bits}", f"{each.steps:g}", percent(each.measured), _rate(each.below),
            _verdict(each.wins), _rate(each.below_with_neurons), _verdict(each.wins_with_neurons),
        )
        for each in findings.break_even
    )  # fmt: skip
    columns = (
        "Layer", ">Bits", ">Steps", ">Rate", ">Wins below", "Verdict", ">with neurons", "Verdict with neurons",
    )  # fmt: skip
    caption = (
        "Break-even with a quantised ANN of equal bits. The ANN's values have ⌈log₂(T + 1)⌉ bits; rates are spikes "
        "for each pair and step, |n| for an integer n. With neurons: their updates are billed to the layer before "
        "them; 0 means that no rate is low enough."
    )
    return Table(caption, columns, rows)


def _rate(share: float) -> str:
    return percent(share) if isfinite(share) else "always"


def _verdict(wins: bool) -> str:
    return "wins" if wins else "loses"


def what_if(findings: Findings) -> Table:
    """Totals under other values of a constant."""
    titles = [network.title for network in findings.networks]
    unit = scale(value for each in findings.what_if for value in each.totals.values())
    rows = tuple(
        (
            label(findings, (each.rule, each.profile)), each.constant, constant(each.pj),
            *(_known(each.totals.get(title), unit) for title in titles),
        )
        for each in findings.what_if
    )  # fmt: skip
    columns = ("Rule", "Constant", ">pJ", *(f">{title} ({unit.unit})" for title in titles))
    return Table("What if a constant had another value: energy per sample.", columns, rows)


def _known(pj: float | None, unit: Scale) -> str:
    return "" if pj is None else unit.text(pj)


def constants(findings: Findings) -> Table:
    """Every constant with its provenance; memory of many sizes last, by size."""
    rows = tuple(
        (profile, each.name, f"{constant(each.pj)} pJ", each.process, f"{each.year}", each.source, each.note)
        for profile, found in findings.constants.items()
        for each in sorted(found, key=lambda one: ("(" in one.name, one.pj if "(" in one.name else 0.0))
    )
    columns = ("Profile", "Constant", ">Value", "Process", ">Year", "Source", "Note")
    return Table("Every constant that was used, and where it is printed.", columns, rows)


def conventions(findings: Findings) -> Table:
    """The same network by the conventions that papers print."""
    rows = tuple(
        (
            each.convention, each.mode, _values(each), each.counts_what, f"{each.persons or 'not said'}",
            "inside" if each.steps_inside else "outside", each.source,
        )
        for each in findings.figures
    )  # fmt: skip
    columns = ("Convention", "Mode", "Figure", "What it counts", "Persons", "Steps", "Source")
    caption = (
        "The same network by published conventions, on one sample with all of its steps, or on all that its example "
        "holds: why two papers' numbers differ."
    )
    return Table(caption, columns, rows)


def misses(findings: Findings) -> Table:
    """What each convention does not see in this network."""
    rows = tuple((each.convention, "; ".join(each.misses)) for each in findings.figures if each.misses)
    return Table("What these conventions do not see in this network.", ("Convention", "Not seen"), rows)


def _values(each: Figure) -> str:
    """What was counted in all; a counter divides by the first axis, be it samples or steps, before it prints."""
    found = _named(each.values)
    if each.samples > 1:
        printed = each.printed or _named(each.per_sample)
        return f"{found}; divided by {each.samples}, its first axis, it prints {printed}"
    return f"{found}; printed as {each.printed}" if each.printed else found


def _named(values: Mapping[str, float]) -> str:
    return "; ".join(f"{name} {whole(value)}" for name, value in values.items())


def uncounted(counts: OpCount) -> Table:
    """What has no row, with its share of time."""
    rows = tuple(
        (each.name, each.layer, f"{each.calls:,}", f"{each.values:,}", _time(each.seconds, counts.seconds))
        for each in counts.uncounted
    )
    caption = f"Work of {counts.network} that was not counted: it is in no number of this report."
    return Table(caption, ("Operation", "Layer", ">Calls", ">Values", ">Share of time"), rows)


def _time(seconds: float, of: float) -> str:
    return percent(seconds / of) if seconds and of else "not measured"
