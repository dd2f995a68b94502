"""Reading a profile: a TOML file in which every constant has a value, a unit, a process, a year and a source."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import Any

from ..toolchain.errors import FileError
from .profile import CONSTANTS, MOST, PARAMETERS, Constant, Profile

UNITS: Mapping[str, float] = {"fJ": 1e-3, "pJ": 1.0, "nJ": 1e3, "J": 1e12}
"""Picojoules of each unit."""

LONGEST = 100_000
"""The most bytes a profile may have."""

DOTS = 200
"""The most dots a line of it may have: a reader of TOML takes the square of the parts of a dotted name in memory."""

YEARS = (1950, 2100)
"""Between which years a source was printed."""


def read_profile(path: Path, name: str) -> Profile:
    """The profile in a file, checked to the last key."""
    where = f"profile {name}"
    table = _parsed(path, where)
    _known(where, table, ("title", "constants", "parameters"))
    entries = _table(where, table, "constants")
    if not entries:
        raise FileError(where, "no constants", "at least one table [constants.…]", "see docs/energy.md for an example")
    constants = {key: _constant(f"{where}, constants.{key}", key, entry) for key, entry in entries.items()}
    sizes = {key: _size(f"{where}, constants.{key}", entry) for key, entry in entries.items() if "bytes" in entry}
    if len(set(sizes.values())) != len(sizes):
        raise FileError(where, "two memories of one size", "one price for each size of memory")
    return Profile(name, _text(where, table, "title"), constants, _parameters(where, table), sizes)


def _parsed(path: Path, where: str) -> dict[str, Any]:
    """The file as TOML."""
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise FileError(where, f"cannot be read: {reason}", "a TOML file") from None
    if len(content) > LONGEST:
        raise FileError(where, f"more than {LONGEST} bytes", "a profile: a page of constants")
    if any(line.count(b".") > DOTS for line in content.splitlines()):
        raise FileError(where, f"more than {DOTS} dots in one line", "[constants.…] and [parameters]")
    try:
        return tomllib.loads(content.decode())
    except RecursionError:
        raise FileError(where, "tables nested too deeply", "[constants.…] and [parameters]") from None
    except ValueError as error:
        raise FileError(where, f"no TOML: {error}", "a TOML file in UTF-8") from None


def _known(where: str, table: Mapping[str, Any], names: Iterable[str]) -> None:
    """Refuses a key that nothing reads, with the one that may have been meant."""
    names = tuple(names)
    for key in table:
        if key not in names:
            near = get_close_matches(key, names, 1)
            fix = f"did you mean {near[0]}?" if near else ""
            raise FileError(where, f"unknown key {_shown(key)}", f"one of {', '.join(names)}", fix)


def _table(where: str, table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The table under a key; an empty one where there is none."""
    found = table.get(key, {})
    if not isinstance(found, dict):
        raise FileError(where, f"{key} is {_shown(found)}", f"a table [{key}]")
    return found


def _constant(where: str, name: str, entry: Any) -> Constant:
    """One constant, every field checked."""
    if not isinstance(entry, dict):
        raise FileError(where, _shown(entry), "a table with value, unit, process, year and source")
    _known(where, entry, ("value", "unit", "process", "year", "source", "note", "bytes"))
    if name not in CONSTANTS and not name.startswith("sram_"):
        near = get_close_matches(name, CONSTANTS, 1)
        fix = f"did you mean {near[0]}?" if near else ""
        raise FileError(where, "no rule knows this constant", f"one of {', '.join(CONSTANTS)} or sram_…", fix)
    if name not in CONSTANTS and "bytes" not in entry:
        raise FileError(where, "no bytes", "the size of the memory", "add bytes = 8192, for example")
    if name in CONSTANTS and "bytes" in entry:
        raise FileError(where, "bytes", "no size: only sram_… is an access to memory of a size", "take the line out")
    unit = _text(where, entry, "unit")
    if unit not in UNITS:
        raise FileError(where, f"unit {_shown(unit)}", f"one of {', '.join(UNITS)}")
    pj = _number(where, entry, "value", MOST / UNITS[unit]) * UNITS[unit]
    note = _text(where, entry, "note") if "note" in entry else ""
    return Constant(name, pj, _text(where, entry, "process"), _year(where, entry), _source(where, entry), note)


def _source(where: str, entry: Mapping[str, Any]) -> str:
    """Where the constant is printed."""
    if not str(entry.get("source", "")).strip():
        fix = "say where the value is printed: authors, title, year, table"
        raise FileError(where, "no source", "source: a constant without one is refused", fix)
    return _text(where, entry, "source")


def _text(where: str, entry: Mapping[str, Any], key: str) -> str:
    """A line of text."""
    if key not in entry:
        raise FileError(where, f"no {key}", f"{key}, a line of text", f'add {key} = "…"')
    value = entry[key]
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > 1000:
        raise FileError(where, f"{key} is {_shown(value)}", "a line of text of at most 1000 characters")
    return value.strip()


def _number(where: str, entry: Mapping[str, Any], key: str, most: float) -> float:
    """A number from 0 to `most`."""
    if key not in entry:
        raise FileError(where, f"no {key}", f"{key}, a number", f"add {key} = 4.6, for example")
    value = entry[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise FileError(where, f"{key} is {_shown(value)}", f"a number from 0 to {most:g}")
    return float(value)


def _year(where: str, entry: Mapping[str, Any]) -> int:
    """The year of the source."""
    low, high = YEARS
    value = entry.get("year")
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        found = "no year" if value is None else f"year is {_shown(value)}"
        raise FileError(where, found, f"the year of the source, {low} to {high}", "add year = 2014, for example")
    return value


def _size(where: str, entry: Mapping[str, Any]) -> int:
    """Bytes of a memory."""
    value = entry["bytes"]
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 2**50:
        raise FileError(where, f"bytes is {_shown(value)}", "the size of the memory, a whole number from 1")
    return value


def _parameters(where: str, table: Mapping[str, Any]) -> dict[str, float]:
    """What rules are told beside energies."""
    entries = _table(where, table, "parameters")
    where = f"{where}, parameters"
    _known(where, entries, PARAMETERS)
    return {key: _number(where, entries, key, 1e9) for key in entries}


def _shown(value: object) -> str:
    """A value as it stands in the file, cut short."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**30:
        return "a huge number"
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    text = repr(value) if not isinstance(value, dict | list) else f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}…"
