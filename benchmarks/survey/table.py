"""Counts of many samples as one table of whole numbers: what all samples share once, what differs once per sample.

    columns   (layer, field, key): ("conv1", "acs.effective", ""), ("lif1", "updates", "LIF"), ("", "steps", "")
    base      the number of every column in the first sample                int64 [columns]
    varying   the columns that are not the same in all samples              [V]
    values    those columns, for every sample                               int64 [samples, V]

Most columns (what a layer could do) are the same in every sample, so a sample takes a few numbers for each layer. A
field that is 0 in all samples has no column. Nothing is rounded: `table.sample(n)` is the count that went in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from operator import attrgetter
from typing import Any

import numpy as np

from ...toolchain.errors import UsageError
from ...toolchain.graph.nodes.base import Array
from ..operations import Facts, LayerCount, OpCount, Ops, Pairs, Road, Uncounted

Column = tuple[str, str, str]
"""Layer, field and key; the layer of what belongs to the whole network is ''."""
Timed = tuple[str, str]
"""The name and the layer of work that was not counted."""

PAIRS = ("acs", "integer_acs", "macs")
MAPPINGS = ("updates", "functions")
NUMBERS = (
    *(f"{pairs}.{each.name}" for pairs in PAIRS for each in fields(Pairs)),
    *(each.name for each in fields(Ops) if each.name not in (*PAIRS, *MAPPINGS)),
)
"""The fields of `Ops` that are one number."""
STEPS: Column = ("", "steps", "")
CALLS, VALUES = "uncounted.calls", "uncounted.values"
LARGEST = 2**63 - 1
_numbers = attrgetter(*NUMBERS)


@dataclass(frozen=True, eq=False)
class Table:
    """Counts of samples of one network.

    Args:
        network: its name.
        road: where the counts came from.
        facts: what its layers are, by name, in order.
        columns: what each column holds.
        base: the first sample's numbers.
        varying: the columns that differ among samples, in order.
        values: those columns, for every sample.
        seconds: how long the network ran, over all samples.
        timed: how long what was not counted took, by name and layer, over all samples.
        notes: of the counts.
    """

    network: str
    road: Road
    facts: Mapping[str, Facts]
    columns: tuple[Column, ...]
    base: Array
    varying: Array
    values: Array
    seconds: float = 0.0
    timed: Mapping[Timed, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def row(self, sample: int) -> Array:
        """All numbers of one sample."""
        found = self.base.copy()
        found[self.varying] = self.values[sample]
        return found

    def rows(self) -> Array:
        """All numbers of all samples."""
        found = np.repeat(self.base[None], len(self), axis=0)
        found[:, self.varying] = self.values
        return found

    def column(self, layer: str, name: str, key: str = "") -> Array:
        """One number of every sample."""
        if (layer, name, key) not in self._places:
            return np.zeros(len(self), np.int64)
        place = self._places[layer, name, key]
        at = int(np.searchsorted(self.varying, place))
        if at < len(self.varying) and self.varying[at] == place:
            return np.asarray(self.values[:, at])
        return np.full(len(self), self.base[place])

    @cached_property
    def _places(self) -> dict[Column, int]:
        return {column: place for place, column in enumerate(self.columns)}

    def sample(self, sample: int) -> OpCount:
        """The counts of one sample; times are the share of one sample in those of all."""
        return self.counts(self.row(sample).tolist(), 1)

    @property
    def total(self) -> OpCount:
        """The counts of all samples together, exact however large."""
        sums = [int(number) * len(self) for number in self.base]
        for at, place in enumerate(self.varying):
            sums[place] = exact_sum(self.values[:, at])
        return self.counts(sums, len(self))

    def counts(self, numbers: Sequence[int], samples: int) -> OpCount:
        """Counts of these numbers, one for each column."""
        share = samples / len(self)
        held: dict[str, dict[str, Any]] = {name: {} for name in self.facts}
        missed: dict[Timed, dict[str, int]] = {}
        steps = 0
        for (layer, name, key), number in zip(self.columns, numbers, strict=True):
            if name in (CALLS, VALUES):
                missed.setdefault((key, layer), {})[name] = number
            elif name == STEPS[1]:
                steps = number
            elif name in MAPPINGS:
                held[layer].setdefault(name, {})[key] = number
            else:
                held[layer][name] = number
        layers = {name: LayerCount(facts, _ops(held[name])) for name, facts in self.facts.items()}
        uncounted = tuple(
            Uncounted(*timed, found.get(CALLS, 0), found.get(VALUES, 0), share * self.timed.get(timed, 0.0))
            for timed, found in missed.items()
            if any(found.values())
        )
        return OpCount(self.network, self.road, layers, samples, steps, uncounted, share * self.seconds, self.notes)


def exact_sum(numbers: Array) -> int:
    """Σ of whole numbers that may not fit 64 bits: the upper and the lower halves apart."""
    low = int((numbers & 0xFFFFFFFF).sum(dtype=np.int64))
    return (int((numbers >> 32).sum(dtype=np.int64)) << 32) + low


def _ops(held: Mapping[str, Any]) -> Ops:
    found: dict[str, Any] = {name: value for name, value in held.items() if "." not in name}
    pairs: dict[str, dict[str, int]] = {}
    for name in held.keys() - found.keys():
        kind, _, part = name.partition(".")
        pairs.setdefault(kind, {})[part] = held[name]
    return Ops(**found | {kind: Pairs(**parts) for kind, parts in pairs.items()})


def tabled(counts: Sequence[OpCount]) -> Table:
    """A table of samples of one network, at least one.

    Args:
        counts: one for each sample.
    """
    first = counts[0]
    for each in counts:
        _check(first, each)
    fixed: list[Column] = [STEPS, *((layer, name, "") for layer in first.layers for name in NUMBERS)]
    rows = [[each.steps, *(n for layer in each.layers.values() for n in _numbers(layer.ops))] for each in counts]
    named = [_named(each) for each in counts]
    extra = list(dict.fromkeys(column for found in named for column in found))
    for row, found in zip(rows, named, strict=True):
        row += [found.get(column, 0) for column in extra]
    try:
        matrix = np.array(rows, np.int64)
    except OverflowError:
        raise UsageError(first.network, f"a count above {LARGEST:.1e} in one sample", "fewer steps") from None
    kept = [n for n, column in enumerate((*fixed, *extra)) if column[2] or column == STEPS or matrix[:, n].any()]
    columns = tuple((*fixed, *extra)[n] for n in kept)
    facts = {name: each.facts for name, each in first.layers.items()}
    seconds, notes = sum(each.seconds for each in counts), (note for each in counts for note in each.notes)
    rest = (float(seconds), _timed(counts), tuple(dict.fromkeys(notes)))
    return Table(first.network, first.road, facts, columns, *split(matrix[:, kept]), *rest)


def split(matrix: Array) -> tuple[Array, Array, Array]:
    """Base, varying and values of a table."""
    varying = np.flatnonzero((matrix != matrix[0]).any(0))
    return matrix[0].copy(), varying, matrix[:, varying].copy()


def _check(first: OpCount, other: OpCount) -> None:
    """One network, one sample each: what every row of a table is."""
    if other.samples != 1:
        raise UsageError("counts", f"of {other.samples} samples together", "of one", "count them one by one")
    mine, theirs = ((each.network, each.road, [*each.layers]) for each in (first, other))
    if mine != theirs or any(each.facts != first.layers[name].facts for name, each in other.layers.items()):
        raise _differing(first.network, other.network)


def _differing(first: str, other: str) -> UsageError:
    """A table has one row of layers: those of a network that decides by values what it runs do not fit."""
    found = "in one sample other layers than in another" if first == other else f"layers of {other} among its own"
    fix = "what a network runs must not depend on values; --samples 1 counts a single one"
    return UsageError(f"counts of {first}", found, "the same layers for every sample", fix)


def _named(counts: OpCount) -> dict[Column, int]:
    """The columns that not every network has."""
    found: dict[Column, int] = {}
    for layer, each in counts.layers.items():
        for name in MAPPINGS:
            found.update({(layer, name, key): number for key, number in getattr(each.ops, name).items()})
    for missed in counts.uncounted:
        for name, number in ((CALLS, missed.calls), (VALUES, missed.values)):
            column = (missed.layer, name, missed.name)
            found[column] = found.get(column, 0) + number
    return found


def _timed(counts: Iterable[OpCount]) -> dict[Timed, float]:
    found: dict[Timed, float] = {}
    for each in counts:
        for missed in each.uncounted:
            found[missed.name, missed.layer] = found.get((missed.name, missed.layer), 0.0) + missed.seconds
    return found


def joined(tables: Sequence[Table]) -> Table:
    """Tables of samples of one network, one below the other."""
    first = tables[0]
    for each in tables:
        if (each.network, each.road, [*each.facts.items()]) != (first.network, first.road, [*first.facts.items()]):
            raise _differing(first.network, each.network)
    columns = _in_order([column for each in tables for column in each.columns], first)
    places = {column: place for place, column in enumerate(columns)}
    base = _spread(first, places, first.base[None])[0]
    differs = np.zeros(len(columns), bool)
    for each in tables:
        differs |= _spread(each, places, each.base[None])[0] != base
        differs[[places[each.columns[n]] for n in each.varying]] = True
    varying = np.flatnonzero(differs)
    values = np.concatenate([_spread(each, places, each.rows())[:, varying] for each in tables])
    timed: dict[Timed, float] = {}
    for each in tables:
        for key, seconds in each.timed.items():
            timed[key] = timed.get(key, 0.0) + seconds
    notes = tuple(dict.fromkeys(note for each in tables for note in each.notes))
    seconds = sum(each.seconds for each in tables)
    return Table(first.network, first.road, first.facts, columns, base, varying, values, seconds, timed, notes)


def _in_order(columns: Iterable[Column], first: Table) -> tuple[Column, ...]:
    """Every column once, those of a layer together: the order does not tell which sample had one first."""
    layers = {name: place for place, name in enumerate(("", *first.facts))}
    names = {name: place for place, name in enumerate((STEPS[1], *NUMBERS, *MAPPINGS, CALLS, VALUES))}
    place = {column: n for n, column in enumerate(dict.fromkeys(columns))}
    return tuple(sorted(place, key=lambda c: (layers.get(c[0], len(layers)), names[c[1]], place[c])))


def _spread(table: Table, places: Mapping[Column, int], rows: Array) -> Array:
    """Rows of a table in the columns of another; 0 where it has none."""
    found = np.zeros((len(rows), len(places)), np.int64)
    found[:, [places[column] for column in table.columns]] = rows
    return found
