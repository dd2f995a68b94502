"""What a reader has to say while it reads: remarks for the user, and reasons why it must not go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ...toolchain.errors import FileError, GraphError, SpikeportError
from ...toolchain.opening import LONG, printable

MOST = 50
"""The most remarks, and reasons; the rest is counted."""
NAMED, SHORT = 6, 100
"""How many places a remark names, and how much of a name."""


@dataclass
class Said:
    """Remarks and reasons, as they come up.

    Args:
        name: of the file, for messages.
        remarks: lines for the user, each with the places that it is about.
        reasons: why the network cannot be read.
    """

    name: str
    remarks: dict[str, dict[str, None]] = field(default_factory=dict)
    reasons: list[SpikeportError] = field(default_factory=list)

    def remark(self, where: str, text: str) -> None:
        """One more line, or one more place for a line that is there."""
        self.remarks.setdefault(printable(text, LONG), {})[printable(where)] = None

    def error(self, where: str, found: str, expected: str = "", fix: str = "") -> FileError:
        """An error in the file."""
        return FileError(f"{self.name}, {printable(where)}" if where else self.name, printable(found), expected, fix)

    @contextmanager
    def at(self, where: str) -> Iterator[None]:
        """Turns errors of a node into errors of the file, and keeps them."""
        try:
            yield
        except GraphError as error:
            self.reasons.append(self.error(f"{where}, {error.where}", error.found, error.expected, error.fix))
        except FileError as error:
            self.reasons.append(error)

    def shown(self) -> tuple[str, ...]:
        """The remarks, but not too many."""
        lines = [_line(text, [place for place in places if place]) for text, places in self.remarks.items()]
        return tuple(lines) if len(lines) <= MOST else (*lines[:MOST], f"… and {len(lines) - MOST} remarks more")


def _line(text: str, places: list[str]) -> str:
    named = ", ".join(place[:SHORT] for place in places[:NAMED])
    more = f" and {len(places) - NAMED} more" if len(places) > NAMED else ""
    return f"{named}{more}: {text}" if places else text
