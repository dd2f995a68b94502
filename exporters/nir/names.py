"""Names that every reader takes: letters, digits and "_", as torch's modules have no dots, nor paths of NIR dashes."""

from __future__ import annotations

import re
from collections.abc import Iterable


def safe(name: str) -> str:
    """The name with every other character as '_'."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


class Names:
    """Names that are given once.

    Args:
        taken: names that are given already.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = set(taken)

    def free(self, name: str) -> str:
        """The name made safe, with a number behind it if it is taken."""
        start = safe(name)
        found, count = start, 2
        while found in self.taken:
            found, count = f"{start}_{count}", count + 1
        self.taken.add(found)
        return found
