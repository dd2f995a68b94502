"""The errors a user can meet. Every message has four parts: where, what was found, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Sequence


class SpikeportError(Exception):
    """Something about the user's network, file or command is not as it has to be.

    Args:
        where: the node, file, module path or option the message is about.
        found: what is there.
        expected: what would have been right; empty when `found` says it.
        fix: what the user can do about it; empty when there is nothing to do.
    """

    def __init__(self, where: str, found: str, expected: str = "", fix: str = "") -> None:
        self.where = where
        self.found = found
        self.expected = expected
        self.fix = fix
        super().__init__(where, found, expected, fix)

    def __str__(self) -> str:
        text = f"{self.where}: {self.found}"
        if self.expected:
            text += f"; expected {self.expected}"
        if self.fix:
            text += f". {self.fix[0].upper()}{self.fix[1:]}"
        return text

    def inside(self, where: str) -> SpikeportError:
        """The same error with the place it happened in put before its own."""
        return type(self)(f"{where}, {self.where}", self.found, self.expected, self.fix)


class GraphError(SpikeportError):
    """A graph, node or signal that cannot exist."""


class FileError(SpikeportError):
    """A file that cannot be read or written, or that does not hold what it should."""


class UsageError(SpikeportError):
    """A call or command with arguments that do not go together."""


class SimulationError(SpikeportError):
    """A simulation that cannot run with these inputs."""


class Refused(SpikeportError):
    """Work that was refused, with every reason at once.

    Args:
        where: what was refused.
        reasons: one error for each reason, in the order they were met.
    """

    def __init__(self, where: str, reasons: Sequence[SpikeportError]) -> None:
        self.reasons = tuple(reasons)
        count = f"{len(self.reasons)} reason" + ("s" if len(self.reasons) != 1 else "")
        super().__init__(where, f"refused for {count}")

    def __str__(self) -> str:
        return "\n".join([super().__str__() + ":", *(f"  - {reason}" for reason in self.reasons)])

    def inside(self, where: str) -> Refused:
        """The same refusal with the place it happened in put before its own."""
        return Refused(f"{where}, {self.where}", self.reasons)
