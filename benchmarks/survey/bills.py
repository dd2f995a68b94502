"""What each sample costs under a rule.

A rule is applied to the counts of one sample at a time. Samples whose counts are the same but for what was not 0
(events, effective pairs, spikes sent …) differ in their bill by a price for each of these numbers:

    E(sample) = E(first) + Σ over columns of price · (n(sample) − n(first))

So a thousand samples need as many bills as there are columns. That a rule is of this form is not taken on trust: the
bills of the samples that lie furthest out are made in full, and where one differs, those of all samples are.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...toolchain.graph.nodes.base import Array
from ..findings import Statistics
from ..profile import Profile
from ..rules import bill
from .run import Survey
from .statistics import by_class, statistics
from .table import Table

WORKED = ("effective", "weighted", "spikes", "events", "sent_events", "active", "comparisons", "resets")
"""The fields that depend on values; all others are decided by shapes and steps."""
PROBES = 8
"""So many samples of a group are billed in full, to see whether the prices hold."""
CLOSE = 1e-9
"""Relative: what sums in another order may differ by."""


def over_samples(
    survey: Survey, rule: str, profile: str | Profile | None = None
) -> tuple[Statistics | None, Mapping[str, Statistics]]:
    """Picojoules per sample: over all samples, and over those of each class.

    Args:
        survey: the counts.
        rule: the rule's name.
        profile: what operations cost; None: the rule's own.

    Returns:
        The statistics, none where there is one sample, and those of the classes that have samples, by name.
    """
    energies = sample_energies(survey.table, rule, profile)
    whole = statistics(energies) if len(energies) > 1 else None
    return whole, by_class(energies, survey.labels, survey.class_names)


def sample_energies(table: Table, rule: str, profile: str | Profile | None = None) -> Array:
    """Picojoules of every sample, float64."""
    found = np.empty(len(table))
    for samples in _alike(table):
        found[samples] = _priced(table, samples, rule, profile)
    return found


def _alike(table: Table) -> list[Array]:
    """The samples in groups that differ in nothing but `WORKED`."""
    shapes = [at for at, place in enumerate(table.varying) if _field(table, int(place)) not in WORKED]
    _, group = np.unique(table.values[:, shapes], axis=0, return_inverse=True)
    return [np.flatnonzero(group == each) for each in range(int(group.max()) + 1)]


def _field(table: Table, place: int) -> str:
    return table.columns[place][1].rpartition(".")[2]


def _priced(table: Table, samples: Array, rule: str, profile: str | Profile | None) -> Array:
    """The bills of one group: by prices where there are more samples than columns, else each in full."""
    values = table.values[samples]
    differs = np.flatnonzero((values != values[0]).any(0))
    if len(samples) <= len(differs) + PROBES:
        return _in_full(table, samples, rule, profile)
    first = table.row(int(samples[0]))
    base, prices = _bill(table, first, rule, profile), np.empty(len(differs))
    for at, column in enumerate(differs):
        # As far away as any sample is: the price of one more would drown in the digits of the sum.
        reach = int((values[:, column] - values[0, column])[np.abs(values[:, column] - values[0, column]).argmax()])
        moved = first.copy()
        moved[table.varying[column]] += reach
        prices[at] = (_bill(table, moved, rule, profile) - base) / reach
    found: Array = base + (values[:, differs] - values[0, differs]) @ prices
    probes = np.unique([0, found.argmin(), found.argmax(), *np.linspace(0, len(samples) - 1, PROBES).astype(int)])
    wanted = _in_full(table, samples[probes], rule, profile)
    good = np.allclose(found[probes], wanted, rtol=CLOSE, atol=0)
    return found if good else _in_full(table, samples, rule, profile)


def _in_full(table: Table, samples: Array, rule: str, profile: str | Profile | None) -> Array:
    return np.array([_bill(table, table.row(int(sample)), rule, profile) for sample in samples])


def _bill(table: Table, row: Array, rule: str, profile: str | Profile | None) -> float:
    return bill(table.counts(row.tolist(), 1), rule, profile).pj
