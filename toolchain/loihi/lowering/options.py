"""What the user asked of quantising."""

from __future__ import annotations

from dataclasses import dataclass

from ..limits import LOIHI2
from .bounds import Rules


@dataclass(frozen=True)
class Options:
    """What the user asked for.

    Args:
        bits: bits of a weight.
        allow: approximations that may be used.
        reset_interval: steps between two resets by the clock; none for no such.
        target: lava or netx.
    """

    bits: int
    allow: frozenset[str]
    reset_interval: int | None
    target: str

    @property
    def rules(self) -> Rules:
        """What that leaves for scales."""
        netx = self.target == "netx"
        return Rules(self.bits, LOIHI2.align_bits if netx else None, by_channel=not netx, netx=netx)
