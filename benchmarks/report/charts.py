"""The charts of energies and rates, each drawn for a width in inches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from ..energy import KINDS, Energy
from ..findings import Findings, Network
from .axes import along_count, along_energy, along_share, beyond, percent_tick, rows, stack
from .bills import Tariff, bill, label, sd, tariffs
from .svg import COLOUR, STYLE
from .text import energy, percent

MOST_LAYERS = 40
"""The most layers in one chart; the rest is one bar."""
MARKERS = ("o", "s", "D", "^", "v", "P")
"""One for each network, so that a mark is known without its colour."""


def rules(findings: Findings, width: float) -> Figure:
    """A mark for each rule and network, the subject's spread behind them."""
    made, axes = rows(width, [label(findings, tariff) for tariff in tariffs(findings)], 0.34)
    values = [each.energy.pj for network in findings.networks for each in network.billed]
    with mpl.rc_context(STYLE):
        own = [each.energy.pj for each in findings.subject.billed]
        if own:
            axes.axvspan(min(own), max(own), color=COLOUR["soft"], linewidth=0, zorder=0)
        for network, marker in zip(findings.networks, MARKERS * len(findings.networks), strict=False):
            _marks(axes, network, tariffs(findings), marker)
        along_energy(axes, values, "energy per sample")
    return made


def _marks(axes: Any, network: Network, prices: Sequence[Tariff], marker: str) -> None:
    subject = network.role == "subject"
    colour = COLOUR["accent" if subject else "contrast"]
    fill = colour if subject else COLOUR["surface"]
    found = [(y, each) for y, tariff in enumerate(prices) if (each := bill(network, tariff)) and each.energy.pj > 0]
    for y, each in found:
        pj, spread = each.energy.pj, sd(each) or 0.0
        if pj > spread > 0:
            axes.plot([pj - spread, pj + spread], [y, y], color=colour, linewidth=1.4)
        axes.plot(pj, y, marker, color=colour, markerfacecolor=fill, markersize=6.5, markeredgewidth=1.4)


def kinds(findings: Findings, width: float) -> Figure:
    """What the energy of every rule and network is made of, in shares, with the totals behind."""
    bars = list(_bars(findings))
    made, axes = rows(width, [name for name, _, _ in bars], 0.24, 0.78, [y for _, y, _ in bars])
    with mpl.rc_context(STYLE):
        for _, y, found in bars:
            by_kind, total = found.by_kind(), found.pj or 1.0
            stack(axes, y, [(kind, by_kind[kind] / total) for kind in KINDS if by_kind.get(kind)])
            beyond(axes, y, 1.0, energy(found.pj))
        percent_tick(axes)
        axes.set_xlabel("share of the energy; total behind the bar")
    return made


def _bars(findings: Findings) -> Iterator[tuple[str, float, Energy]]:
    """A name, a place and a bill for each bar: those of a rule together."""
    y = 0.0
    for tariff in tariffs(findings):
        first = True
        for network in findings.networks:
            if (found := bill(network, tariff)) is not None:
                title = label(findings, tariff) if first else f"· {network.title}"
                yield title if network.role == "subject" or not first else f"{title}: {network.title}", y, found.energy
                first, y = False, y + 1
        y += 0.45 * (len(findings.networks) > 1)


def by_layer(found: Energy, order: Sequence[str]) -> list[tuple[str, Mapping[str, float]]]:
    """Layer by layer, picojoules per sample of every kind of work; those that cost least are one row at the end."""
    table: dict[str, dict[str, float]] = {name: {} for name in order}
    for line in found.lines:
        kinds = table.setdefault(line.layer, {})
        kinds[line.kind] = kinds.get(line.kind, 0.0) + line.pj / found.samples
    costs = {name: sum(kinds.values()) for name, kinds in table.items() if kinds}
    kept = sorted(costs, key=lambda name: -costs[name])[:MOST_LAYERS]
    shown: list[tuple[str, Mapping[str, float]]] = [(name, table[name]) for name in costs if name in kept]
    rest = [table[name] for name in costs if name not in kept]
    if rest:
        shown.append((f"{len(rest)} others", {kind: sum(each.get(kind, 0.0) for each in rest) for kind in KINDS}))
    return shown


def layers(found: Energy, order: Sequence[str], width: float) -> Figure:
    """What each layer costs, by kind of work."""
    shown = by_layer(found, order)
    made, axes = rows(width, [name for name, _ in shown], right=0.72)
    totals = [sum(kinds.values()) for _, kinds in shown]
    with mpl.rc_context(STYLE):
        for y, (_, kinds) in enumerate(shown):
            stack(axes, y, [(kind, kinds[kind]) for kind in KINDS if kinds.get(kind)])
            beyond(axes, y, totals[y], percent(totals[y] / (sum(totals) or 1.0), 1))
        along_energy(axes, totals, "energy per sample; share of the total behind the bar", zero=True)
    return made


def effective(findings: Findings, width: float) -> Figure:
    """Pairs whose input was not 0, in the bar of all pairs there are."""
    counts = findings.subject.counts
    found = [(name, each.ops.pairs) for name, each in counts.layers.items() if each.ops.pairs.dense]
    found = sorted(found, key=lambda pair: -pair[1].dense)[:MOST_LAYERS]
    found = [(name, counts.layers[name].ops.pairs) for name in counts.layers if name in dict(found)]
    made, axes = rows(width, [name for name, _ in found], right=0.72)
    with mpl.rc_context(STYLE):
        for y, (_, pairs) in enumerate(found):
            dense, part = pairs.dense / counts.samples, pairs.effective / counts.samples
            axes.barh(y, dense, 0.66, color=COLOUR["soft"], edgecolor=COLOUR["muted"], linewidth=0.7)
            axes.barh(y, part, 0.66, color=COLOUR["accent"], linewidth=0)
            beyond(axes, y, dense, percent(pairs.effective / pairs.dense))
        along_count(axes, "pairs per sample; effective share behind the bar")
    return made


def break_even(findings: Findings, width: float) -> Figure:
    """The rate measured, and the rate below which the layer wins, joined by a line."""
    found = findings.break_even[:MOST_LAYERS]
    made, axes = rows(width, [each.layer for each in found])
    values = [value for each in found for value in (each.measured, each.below) if isfinite(value)]
    with mpl.rc_context(STYLE):
        for y, each in enumerate(found):
            colour = COLOUR["accent" if each.wins else "contrast"]
            if isfinite(each.below):
                axes.plot([each.measured, each.below], [y, y], color=colour, linewidth=2, alpha=0.45)
                axes.plot(each.below, y, "|", color=COLOUR["ink"], markersize=13, markeredgewidth=2)
            axes.plot(each.measured, y, "o" if each.wins else "X", color=colour, markersize=7.5)
        along_share(axes, values, "spikes for each pair and step")
    return made


def classes(findings: Findings, width: float) -> Figure:
    """Mean and 95 % confidence interval of each class, the smallest and the largest sample as a thin line."""
    found = findings.subject.billed[0].classes
    made, axes = rows(width, list(found))
    with mpl.rc_context(STYLE):
        for y, over in enumerate(found.values()):
            axes.plot([over.least, over.most], [y, y], color=COLOUR["muted"], linewidth=0.9)
            axes.plot([over.low, over.high], [y, y], color=COLOUR["accent"], linewidth=4.5, alpha=0.45)
            axes.plot(over.mean, y, "o", color=COLOUR["accent"], markersize=6)
        axes.axvline(findings.subject.billed[0].energy.pj, color=COLOUR["ink"], linewidth=0.9, linestyle=(0, (3, 2)))
        along_energy(axes, [each.most for each in found.values()], "energy per sample", zero=True)
    return made
