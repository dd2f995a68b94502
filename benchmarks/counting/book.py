"""What was counted so far, layer by layer, while a module runs."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import nn

from ...toolchain.graph.signal import GRADED, Carries, join
from ..operations import Facts, LayerCount, Ops, Pairs, Role, Uncounted, merged
from .provenance import Origin
from .sums import Sums

PAIRS = ("dense", "padded", "effective", "weighted", "spikes")


@dataclass(frozen=True)
class Shape:
    """What is known of a layer before its values.

    Args:
        kind: its kind of node or operation.
        role: what kind of work it is.
        more: kernel, stride, groups, channels, weights, biases, as `Facts` has them.
        key: what tells it from other layers of the same name.
    """

    kind: str
    role: Role
    more: Mapping[str, Any] = field(default_factory=dict)
    key: Hashable = None


@dataclass
class Entry:
    """One layer on its way.

    Args:
        name: where it stands.
        shape: what is known of it.
        carries: what its inputs carried so far.
        first: whether some input came from the network's without a neuron on the way.
        values: values it gave.
        numbers: what was counted, by the fields of `Pairs` and `Ops`.
        updates: neuron updates by kind.
        functions: values of functions by name.
    """

    name: str
    shape: Shape
    carries: list[Carries]
    first: bool = False
    values: int = 0
    numbers: dict[str, int] = field(default_factory=dict)
    updates: dict[str, int] = field(default_factory=dict)
    functions: dict[str, int] = field(default_factory=dict)

    def meet(self, origins: Iterable[Origin], values: int) -> Entry:
        """One more call, on such inputs, that gave so many values."""
        met = list(origins)
        for place, origin in enumerate(met[len(self.carries) :], len(self.carries)):
            self.carries.insert(place, origin.carries)
        self.carries = [
            mine if place >= len(met) or mine == met[place].carries else join((mine, met[place].carries))
            for place, mine in enumerate(self.carries)
        ]
        self.first = self.first or any(origin.first for origin in met)
        self.values += values
        return self

    def add(self, **numbers: int) -> Entry:
        """Add to what was counted."""
        for name, number in numbers.items():
            self.numbers[name] = self.numbers.get(name, 0) + number
        return self

    def update(self, kind: str, count: int) -> Entry:
        """So many neurons moved by a step."""
        self.updates[kind] = self.updates.get(kind, 0) + count
        return self

    def function(self, name: str, count: int) -> Entry:
        """A function of so many values."""
        self.functions[name] = self.functions.get(name, 0) + count
        return self

    def bias(self, biases: int, count: int, name: str) -> None:
        """A bias was added to so many values, by an operation of its own; the layer is called so then."""
        self.shape = replace(self.shape, more={**self.shape.more, "biases": biases})
        self.name = name
        self.add(bias_adds=count)

    def finished(self, runs: int) -> LayerCount:
        """The layer, counted, in a run of so many steps and samples."""
        numbers = dict(self.numbers)
        pairs = Pairs(**{name: numbers.pop(name, 0) for name in PAIRS})
        kind = class_of(self.carries, self.shape.role)
        if kind == "macs":
            pairs = Pairs(pairs.dense, pairs.padded, pairs.effective, pairs.weighted)
        if self.shape.role == "pool" and kind == "macs":  # sums of real numbers are additions
            numbers["adds"], pairs = numbers.get("adds", 0) + pairs.dense, Pairs()
        ops = Ops(**{kind: pairs}, **numbers, updates=self.updates, functions=self.functions)  # type: ignore[arg-type]
        sizes: dict[str, Any] = {"n_in": ops.received // runs, "n_out": self.values // runs, "first": self.first}
        carries = tuple(str(each) for each in self.carries)
        return LayerCount(Facts(self.shape.kind, self.shape.role, carries, **sizes, **self.shape.more), ops)


@dataclass(frozen=True)
class Product:
    """The last product with weights that had no bias so far.

    Args:
        storage: where its values lie.
        entry: its layer.
        module: the module that ran.
    """

    storage: int
    entry: Entry
    module: nn.Module | None


def class_of(carries: Iterable[Carries], role: Role = "synapses") -> str:
    """The field of `Ops` that pairs belong into; where two signals meet, the cheaper one says."""
    met = list(carries) or [GRADED]
    if role != "products":
        met = met[:1]
    if any(each.binary for each in met):
        return "acs"
    return "macs" if all(each.graded for each in met) else "integer_acs"


@dataclass
class Book:
    """Everything counted so far.

    Args:
        entries: layers in the order in which they were met.
        uncounted: what has no row.
        notes: what the reader has to know, once each.
        product: what a bias may follow.
    """

    entries: dict[Hashable, Entry] = field(default_factory=dict)
    uncounted: list[Uncounted] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)
    product: Product | None = None

    def layer(self, name: str, shape: Shape, origins: Iterable[Origin], values: int) -> Entry:
        """The layer of this name and shape, whose inputs carry what these do.

        A layer that reads spikes in one place and real numbers in another is two layers: each has its own price. The
        zeros that a state starts from belong to any of them.
        """
        met = tuple(origins)
        kind = ""
        if shape.role in ("synapses", "products", "pool"):
            zero = any(origin.carries == _ZERO for origin in met)
            kind = "start" if zero else class_of((origin.carries for origin in met), shape.role)
        key = (name, shape.kind, shape.role, shape.key, kind)
        if key not in self.entries:
            self.entries[key] = Entry(name, shape, [])
        return self.entries[key].meet(met, values)

    def note(self, text: str) -> None:
        """Something that the reader has to know."""
        self.notes[text] = None

    def miss(self, name: str, layer: str, values: int, seconds: float) -> None:
        """An operation without a row ran."""
        self.uncounted.append(Uncounted(name, layer, 1, values, seconds))
        if len(self.uncounted) > 256:
            self.uncounted = list(merged(self.uncounted))

    def layers(self, runs: int) -> dict[str, LayerCount]:
        """All layers by name, made unique by a number."""
        named: dict[str, LayerCount] = {}
        for entry in self._joined():
            unique, count = entry.name, 2
            while unique in named:
                unique, count = f"{entry.name}_{count}", count + 1
            named[unique] = entry.finished(runs)
        return named

    def _joined(self) -> list[Entry]:
        """The entries, with those of starts put into the layers that went on from there."""
        rest = [key for key in self.entries if key[-1] != "start"]  # type: ignore[index]
        joined = dict(self.entries)
        for key, entry in self.entries.items():
            after = next((each for each in rest if each[:-1] == key[:-1]), None)  # type: ignore[index]
            if key[-1] != "start" or after is None:  # type: ignore[index]
                continue
            joined[key] = _sum(entry, self.entries[after])
            joined.pop(after)
        return list(joined.values())


_ZERO = Carries(0, 0)


def _sum(start: Entry, later: Entry) -> Entry:
    """A layer whose first call read zeros."""
    whole = Entry(later.name, later.shape, list(later.carries), later.first or start.first, later.values + start.values)
    for part in (start, later):
        whole.add(**part.numbers)
        for name, count in part.updates.items():
            whole.update(name, count)
        for name, count in part.functions.items():
            whole.function(name, count)
    return whole


def pairs(sums: Sums, dense: int, padded: int) -> dict[str, int]:
    """The fields of `Pairs` of a layer with weights."""
    spikes = sums.charge or sums.reached
    return {"dense": dense, "padded": padded, "effective": sums.reached, "weighted": sums.weighted, "spikes": spikes}
