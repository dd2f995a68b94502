"""Bursts of spikes from four groups of channels; the class is the order in which the groups fire.

Every sample has one burst of every group, so sums over time tell nothing. Classes come in pairs that end alike and
differ only in the order of the first two bursts, so that order has to be kept in mind until the end. Onsets, lengths,
missing spikes and noise are random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...toolchain.errors import UsageError
from .samples import Array

ORDERS = ("CDAB", "DCAB", "ADBC", "DABC", "ABCD", "BACD", "BCDA", "CBDA", "BDCA", "DBCA")
GROUPS = "ABCD"


@dataclass(frozen=True)
class BurstOrdersConfig:
    """What can be chosen; times in steps.

    Args:
        channels: inputs; channel n belongs to group n mod 4.
        slot: from one burst to the next.
        shortest: shortest burst.
        longest: longest burst.
        jitter: how far a burst is early or late, at most.
        rate: chance of a spike of a channel in a step of its burst.
        noise: chance of a spike of noise of a channel in a step.
        rest: steps after the last slot.
    """

    channels: int = 64
    slot: int = 13
    shortest: int = 4
    longest: int = 7
    jitter: int = 3
    rate: float = 0.25
    noise: float = 0.01
    rest: int = 4

    def __post_init__(self) -> None:
        if not 4 <= self.channels <= 65536 or not 1 <= self.shortest <= self.longest <= 1000:
            found = f"{self.channels} channels, bursts of {self.shortest} to {self.longest} steps"
            raise UsageError("burst_orders", found, "4 to 65536 channels, bursts of 1 to 1000 steps")
        if self.jitter < 0 or self.rest < 0 or self.slot < self.longest + 2 * self.jitter:
            raise UsageError(
                "burst_orders",
                f"slots of {self.slot} steps, jitter {self.jitter}, rest {self.rest}",
                "none below 0, and slots in which no burst runs into the next: longest + 2 × jitter",
            )
        if not 0 <= self.rate <= 1 or not 0 <= self.noise <= 1:
            raise UsageError("burst_orders", f"rate {self.rate}, noise {self.noise}", "chances from 0 to 1")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one step of one sample."""
        return (self.channels,)

    @property
    def steps(self) -> int:
        """Steps of a sample."""
        return len(GROUPS) * self.slot + self.rest

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the labels stand for."""
        return ORDERS


def draw(config: BurstOrdersConfig, labels: Array, source: np.random.Generator) -> Array:
    """Spikes [T, B, channels] for labels [B]."""
    # places[order, group]: the slot in which a group fires
    places = np.array([[order.index(group) for group in GROUPS] for order in ORDERS])
    shape = (len(labels), len(GROUPS))
    late = config.jitter + source.integers(-config.jitter, config.jitter, shape, endpoint=True)
    onset = config.slot * places[labels] + late
    length = source.integers(config.shortest, config.longest, shape, endpoint=True)
    time = np.arange(config.steps)[:, None, None]
    fires = (onset <= time) & (time < onset + length)
    chance = np.where(fires, config.rate, 0.0)[:, :, np.arange(config.channels) % len(GROUPS)]
    random = source.random(chance.shape)
    spikes: Array = random < chance + config.noise * (1 - chance)
    return spikes
