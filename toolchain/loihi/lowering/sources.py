"""What each source sends on the chip: spikes, whole numbers, or values in a scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...graph import Signal
from ...graph.signal import MOST, integers
from ..limits import LOIHI2
from .plan import Plan


@dataclass(frozen=True, eq=False)
class Sources:
    """The sources of a plan.

    Args:
        parts: the plan.
        scales: the scale of each source of values.
    """

    parts: Plan
    scales: Mapping[str, float]

    def scale(self, name: str) -> float:
        """What a float value of 1 is there."""
        return self.scales.get(name, 1.0)

    def signal(self, name: str) -> Signal:
        """What a source sends; an input with a scale sends whole numbers in that."""
        carries, scale = self.parts.carries(name), self.scale(name)
        if name not in self.parts.graph.inputs or (scale == 1 and not carries.graded):
            return Signal(self.parts.shape(name), carries)
        low, high = (-MOST, MOST) if carries.graded else (round(each * scale) for each in carries.bounds)
        return Signal(self.parts.shape(name), integers(low, high))

    def bounds(self, name: str) -> tuple[float, float]:
        """The largest and the lowest value that it can send, each with 0."""
        carries = self.signal(name).carries
        low, high = (-LOIHI2.most_state, LOIHI2.most_state) if carries.graded else carries.bounds
        return max(float(high), 0.0), min(float(low), 0.0)

    def message_bits(self, name: str) -> int:
        """Bits of a payload; 0 for plain spikes."""
        high, low = self.bounds(name)
        return 0 if low >= 0 and high <= 1 else min(int(max(-low, high)).bit_length() + 1, LOIHI2.message_bits)
