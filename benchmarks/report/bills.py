"""Bills beside each other: which network was billed by which rule, how far they are apart, and what to say first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from ..energy import spread
from ..findings import Billed, Findings, Network
from ..profile import Constant
from .text import Scale, constant, energy, percent, scale, short, times


def over_samples(findings: Findings) -> str:
    """What a mean is over: "mean ± standard deviation of 200 samples", or the one sample."""
    samples = findings.subject.counts.samples
    if samples == 1:
        return "one sample"
    measured = any(each.over is not None for each in findings.subject.billed)
    return f"mean ± standard deviation over {samples:,} samples" if measured else f"mean of {samples:,} samples"


def sd(billed: Billed) -> float | None:
    """The standard deviation over samples; none where there was one sample."""
    return billed.over.sd if billed.over is not None and billed.over.samples > 1 else None


def totals(findings: Findings) -> Scale:
    """The unit of the totals."""
    return scale(each.energy.pj for network in findings.networks for each in network.billed)


Tariff = tuple[str, str]
"""A rule and a profile."""


def tariffs(findings: Findings) -> tuple[Tariff, ...]:
    """Every rule with its profile, in the order asked for."""
    found = [(each.energy.rule, each.energy.profile) for network in findings.networks for each in network.billed]
    return tuple(dict.fromkeys(found))


def bill(network: Network, tariff: Tariff) -> Billed | None:
    """A network's bill; none where the rule has nothing to say about it."""
    return next((each for each in network.billed if (each.energy.rule, each.energy.profile) == tariff), None)


def label(findings: Findings, tariff: Tariff) -> str:
    """The rule's name, with the profile's where it is applied with several."""
    return _alone([rule for rule, _ in tariffs(findings)], tariff)


def _alone(rules: Sequence[str], tariff: Tariff) -> str:
    """The rule, where it is there once; else with its profile."""
    return tariff[0] if rules.count(tariff[0]) == 1 else f"{tariff[0]} · {tariff[1]}"


def ratio(over: Billed | None, under: Billed | None) -> str:
    """What one costs over what the other costs; a dash where one of them is not there or 0."""
    if over is None or under is None or not under.energy.pj:
        return "–"
    return times(over.energy.pj / under.energy.pj)


def spread_text(network: Network) -> str:
    """The honest uncertainty, in words."""
    if not network.billed:
        return "nothing that a rule bills"
    if len(network.billed) == 1:
        return f"{energy(network.billed[0].energy.pj)} by the one rule asked for"
    found = spread(each.energy for each in network.billed)
    rules = [each.energy.rule for each in network.billed]
    low, high = (f"{energy(end.pj)} ({_alone(rules, (end.rule, end.profile))})" for end in (found.least, found.most))
    text = f"{low} to {high}"
    apart = f", {times(found.ratio)} apart" if math.isfinite(found.ratio) else ""
    return f"{text} over {len(network.billed)} bills{apart}"


def summary(findings: Findings) -> tuple[tuple[str, str], ...]:
    """What a reader wants to know first: titles and values."""
    subject, total = findings.subject, findings.subject.counts.total
    found = []
    if subject.billed:
        first = subject.billed[0]
        own = scale([first.energy.pj])
        found.append(
            (f"per sample, by the rule {first.energy.rule}", f"{own.either(first.energy.pj, sd(first))} {own.unit}")
        )
    width = spread(each.energy for each in subject.billed).ratio if len(subject.billed) > 1 else math.inf
    if math.isfinite(width):
        found.append(("between the lowest and the highest bill", times(width)))
    found += [each for other in findings.networks[1:] for each in _ratios(findings, other)]
    if total.pairs.dense:
        dense = short(total.pairs.dense / subject.counts.samples)
        found.append((f"of {dense} pairs were effective", percent(total.pairs.effective / total.pairs.dense)))
    if total.sent:
        found.append(("of neuron updates sent a spike", percent(total.sent_events / total.sent)))
    return tuple(found)


def _ratios(findings: Findings, other: Network) -> Iterator[tuple[str, str]]:
    """What a network costs in multiples of the subject, over the rules."""
    pairs = [(bill(other, tariff), bill(findings.subject, tariff)) for tariff in tariffs(findings)]
    found = [over.energy.pj / under.energy.pj for over, under in pairs if over and under and under.energy.pj]
    if found:
        low, high = times(min(found)), times(max(found))
        text = low if low == high else f"{low[:-1]}–{high}"
        yield f"energy of {other.title} ÷ {findings.subject.title}, by rule", text


def constants_text(findings: Findings) -> tuple[str, ...]:
    """A line for each profile with its constants, memory of many sizes as a range; then the sources by number."""
    found = [(profile, each) for profile, constants in findings.constants.items() for each in constants]
    sources = list(dict.fromkeys(_source(each) for _, each in found))
    lines = []
    for profile, constants in findings.constants.items():
        values = [(number, _values(constants, each)) for number, each in enumerate(sources, 1)]
        parts = [f"{text} pJ [{number}]" for number, text in values if text]
        lines += [f"{profile}: {'; '.join(parts)}."] if parts else []
    return (*lines, *(f"[{number}] {each}." for number, each in enumerate(sources, 1)))


def _source(each: Constant) -> str:
    return f"{each.process}: {each.source}"


def _values(constants: Iterable[Constant], source: str) -> str:
    """Names and values of those of one source."""
    names: dict[str, list[float]] = {}
    for each in constants:
        if _source(each) == source:
            names.setdefault(each.name.partition("(")[0], []).append(each.pj)
    return ", ".join(f"{name} {_range(values)}" for name, values in names.items())


def _range(values: list[float]) -> str:
    least, most = min(values), max(values)
    return constant(least) if least == most else f"{least:.3g} to {most:.3g}"
