"""Names of a graph for the nodes of a file, whose names may be anything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from .said import Said

LONGEST = 180
"""The most characters of a name; numbers are put behind it."""


class Taken:
    """Names that are given once, in time that does not grow with how often a name is asked for.

    Args:
        names: that are given already.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.names = set(names)
        self.counts: dict[str, int] = {}

    def free(self, name: str) -> str:
        """The name, with a number behind it if it is taken; taken from then on."""
        found, count = name, self.counts.get(name, 1)
        while found in self.names:
            count += 1
            found = f"{name}_{count}"
        self.counts[name] = count
        self.names.add(found)
        return found


def named(paths: Iterable[str], own: Mapping[str, str], said: Said) -> dict[str, str]:
    """A name for every node: its own, or what the file calls it where that can be a name."""
    taken = Taken()
    found: dict[str, str] = {}
    for path in paths:
        wanted = own.get(path, path)
        found[path] = taken.free(clean(wanted))
        if found[path] != wanted:
            text = "names are of letters, digits, '_', '.' and '-', and each is there once"
            said.remark(path, f"called {found[path]} here: {text}")
    return found


def clean(name: str) -> str:
    """The name with '_' for what no name can have."""
    found = re.sub(r"[^A-Za-z0-9_.\-]", "_", name)[:LONGEST]
    return found if re.match(r"[A-Za-z0-9_]", found) else f"_{found}"
