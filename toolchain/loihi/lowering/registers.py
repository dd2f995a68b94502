"""The scales that a neuron which sends values is made for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Registers:
    """What a value of 1 is inside of a neuron, and in its messages.

    Args:
        port: S·2ˢ, the scale of the sums that come in; of a neuron that reads an input, the scale of that.
        shift: s, bits by which messages are shifted down; of a product, bits by which that is.
        spike: bits that messages keep behind the unit of thresholds and biases.
        direct: whether it reads an input: what it shifts up when it reads, it shifts down when it sends.
    """

    port: float
    shift: int = 0
    spike: int = 0
    direct: bool = False

    @property
    def unit(self) -> float:
        """What a value of 1 is where thresholds and biases count."""
        return self.port if self.direct else self.scale / 2.0**self.spike

    @property
    def scale(self) -> float:
        """S, the scale of messages of a neuron that sends changes."""
        return self.port * 2.0**self.spike if self.direct else self.port / 2.0**self.shift
