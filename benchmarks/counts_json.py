"""Counts as what JSON can say, and back: `read(plain(counts)) == counts`, exactly.

    {"network", "road", "samples", "steps", "seconds", "notes",
     "layers": [{"name", "facts", "ops"}, …], "uncounted": [{"name", "layer", "calls", "values", "seconds"}, …]}

Layers stand in a list, in the order of the network. What is read may come from strangers: every field has to be there,
of its own type and in its range, and nothing beside them; anything else is one `FileError` that says where.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, get_args

from ..toolchain.errors import FileError
from .operations import Facts, LayerCount, OpCount, Ops, Pairs, Road, Role, Uncounted

MOST = 2**256
"""A count beyond this is no count."""
LONGEST = 4096
"""Characters of a name or a note."""
SHOWN = 60
MOST_ITEMS = 1_000_000
"""Layers, notes or entries of one list."""
MOST_AXES = 64

Plain = dict[str, Any]


def plain(counts: OpCount) -> Plain:
    """A dictionary of what JSON can say."""
    layers = [
        {"name": name, "facts": plain_facts(each.facts), "ops": _plain_ops(each.ops)}
        for name, each in counts.layers.items()
    ]
    return {
        "network": counts.network,
        "road": counts.road,
        "samples": counts.samples,
        "steps": counts.steps,
        "seconds": counts.seconds,
        "notes": list(counts.notes),
        "layers": layers,
        "uncounted": [dict(vars(each)) for each in counts.uncounted],
    }


def plain_facts(facts: Facts) -> Plain:
    """What a layer is, as what JSON can say."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(facts).items()}


def _plain_ops(ops: Ops) -> Plain:
    return {each.name: _plain_value(getattr(ops, each.name)) for each in fields(ops)}


def _plain_value(value: Pairs | Mapping[str, int] | int) -> Plain | int:
    if isinstance(value, Pairs):
        return dict(vars(value))
    return dict(value) if isinstance(value, Mapping) else value


@dataclass(frozen=True)
class Place:
    """A value in what is read, and where it stands there.

    Args:
        file: what is read, for messages.
        path: the way to the value: layers[3].ops.acs.
        value: it.
    """

    file: str
    path: str
    value: object

    def fail(self, expected: str) -> FileError:
        """A FileError that names the place, to be raised."""
        shown = str(self.value) if not isinstance(self.value, int) or abs(self.value) < MOST else "a huge number"
        found = f"{self.path or 'it'} is {shown[:SHOWN]!r}" if isinstance(self.value, str) else None
        return FileError(self.file, found or f"{self.path or 'it'} is {shown[:SHOWN]}", expected)

    def items(self) -> list[Place]:
        """The entries of a list."""
        if not isinstance(self.value, list | tuple) or len(self.value) > MOST_ITEMS:
            raise self.fail(f"a list of at most {MOST_ITEMS:,} entries")
        return [Place(self.file, f"{self.path}[{index}]", each) for index, each in enumerate(self.value)]

    def named(self, names: tuple[str, ...]) -> dict[str, Place]:
        """The entries of an object that has these and no others."""
        if not isinstance(self.value, dict) or set(self.value) != set(names):
            raise self.fail(f"an object with {', '.join(names)}")
        return {name: self._entry(name, self.value[name]) for name in names}

    def by_name(self) -> dict[str, int]:
        """An object of counts by any names."""
        if not isinstance(self.value, dict) or len(self.value) > MOST_ITEMS:
            raise self.fail("an object with a count for each name")
        return {
            self._entry(str(name), name).text(): self._entry(str(name), n).count() for name, n in self.value.items()
        }

    def _entry(self, name: str, value: object) -> Place:
        return Place(self.file, f"{self.path}.{name[:SHOWN]}".lstrip("."), value)

    def count(self, least: int = 0) -> int:
        """A whole number that counts something."""
        if type(self.value) is not int or not least <= self.value <= MOST:
            raise self.fail(f"a whole number of at least {least}")
        return self.value

    def counts(self) -> tuple[int, ...]:
        """A few of them."""
        found = tuple(each.count() for each in self.items())
        if len(found) > MOST_AXES:
            raise self.fail(f"at most {MOST_AXES} numbers")
        return found

    def text(self) -> str:
        """A name or a note."""
        if type(self.value) is not str or len(self.value) > LONGEST:
            raise self.fail(f"text of at most {LONGEST} characters")
        return self.value

    def seconds(self) -> float:
        """A time."""
        if type(self.value) not in (int, float) or not 0 <= self.value <= sys.float_info.max:  # type: ignore[operator]
            raise self.fail("seconds, a number of at least 0")
        return float(self.value)  # type: ignore[arg-type]

    def flag(self) -> bool:
        """Yes or no."""
        if type(self.value) is not bool:
            raise self.fail("true or false")
        return self.value

    def one_of(self, words: tuple[str, ...]) -> str:
        """One of some words."""
        if self.value not in words:
            raise self.fail(", ".join(words))
        return str(self.value)


def read(data: object, file: str = "counts") -> OpCount:
    """The counts that `plain` wrote.

    Args:
        data: what a JSON reader made of it.
        file: what it came from, for messages.
    """
    whole = Place(file, "", data).named(tuple(each.name for each in fields(OpCount)))
    layers: dict[str, LayerCount] = {}
    for each in whole["layers"].items():
        parts = each.named(("name", "facts", "ops"))
        name = parts["name"].text()
        if name in layers:
            raise parts["name"].fail("another name than the layers before it")
        layers[name] = LayerCount(read_facts(parts["facts"]), _ops(parts["ops"]))
    return OpCount(
        network=whole["network"].text(),
        road=whole["road"].one_of(get_args(Road)),  # type: ignore[arg-type]
        layers=layers,
        samples=whole["samples"].count(least=1),
        steps=whole["steps"].count(),
        uncounted=tuple(_uncounted(each) for each in whole["uncounted"].items()),
        seconds=whole["seconds"].seconds(),
        notes=tuple(each.text() for each in whole["notes"].items()),
    )


_FACTS: Mapping[str, Callable[[Place], Any]] = {
    "kind": Place.text,
    "role": lambda place: place.one_of(get_args(Role)),
    "carries": lambda place: tuple(each.text() for each in place.items()),
    "kernel": Place.counts,
    "stride": Place.counts,
    "groups": Place.count,
    "channels": Place.counts,
    "n_in": Place.count,
    "n_out": Place.count,
    "weights": Place.count,
    "biases": Place.count,
    "first": Place.flag,
}


def read_facts(place: Place) -> Facts:
    """The facts that `plain_facts` wrote."""
    parts = place.named(tuple(_FACTS))
    if len(parts["channels"].counts()) != 2:
        raise parts["channels"].fail("two counts: in and out")
    return Facts(**{name: reader(parts[name]) for name, reader in _FACTS.items()})


def _ops(place: Place) -> Ops:
    parts = place.named(tuple(each.name for each in fields(Ops)))
    return Ops(**{name: _value(name, part) for name, part in parts.items()})


def _value(name: str, place: Place) -> Any:
    if name in ("acs", "integer_acs", "macs"):
        parts = place.named(tuple(each.name for each in fields(Pairs)))
        return Pairs(**{key: part.count() for key, part in parts.items()})
    return place.by_name() if name in ("updates", "functions") else place.count()


def _uncounted(place: Place) -> Uncounted:
    parts = place.named(tuple(each.name for each in fields(Uncounted)))
    return Uncounted(
        parts["name"].text(),
        parts["layer"].text(),
        parts["calls"].count(),
        parts["values"].count(),
        parts["seconds"].seconds(),
    )
