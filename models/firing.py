"""What stands where a network fires, chosen in one place: spiking neurons, or rectifiers in its twin without spikes.

lif    v̂[t] = (1 − 1/τ)·v[t−1] + x[t]/τ;   s[t] = v̂[t] ≥ θ;   v[t] = 0 where s[t] = 1, else v̂[t]
relu   s[t] = max(x[t], 0)
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from torch import nn

from ..toolchain.errors import UsageError
from ..toolchain.kernels.gradients import Surrogate
from .neurons import LIF

KINDS = ("lif", "relu")


@dataclass(frozen=True)
class Firing:
    """What fires in a network.

    Args:
        kind: lif, or relu for the twin without spikes.
        tau: τ of the neurons, in steps.
        threshold: θ where a layer does not ask for another.
        surrogate: what stands for the derivative of a spike, a name of the kernels' table.
        slope: its slope.
    """

    kind: str = "lif"
    tau: float = 2.0
    threshold: float = 1.0
    surrogate: str = "sigmoid"
    slope: float = 4.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError("neurons", f"the kind {self.kind!r}", f"one of {', '.join(KINDS)}")
        if not self.tau >= 1 or not self.threshold > 0:
            raise UsageError("neurons", f"tau {self.tau}, threshold {self.threshold}", "tau ≥ 1, a threshold above 0")
        Surrogate(self.surrogate, self.slope)

    @property
    def spikes(self) -> bool:
        """Whether what fires sends spikes."""
        return self.kind == "lif"

    @property
    def drive(self) -> float:
        """What has to come in at once for a resting neuron to fire, τ·θ; 1 where rectifiers stand."""
        return self.tau * self.threshold if self.spikes else 1.0

    def layer(self, threshold: float | None = None) -> nn.Module:
        """A new layer of what fires, [T, B, *shape] → the same shape.

        Args:
            threshold: θ of this layer; rectifiers have none.
        """
        if not self.spikes:
            return nn.ReLU()
        return LIF(
            1 - 1 / self.tau,
            1 / self.tau,
            threshold=self.threshold if threshold is None else threshold,
            inclusive=True,
            surrogate=Surrogate(self.surrogate, self.slope),
        )


@dataclass(frozen=True, kw_only=True)
class FiringConfig:
    """The part of a network's config that says what fires in it.

    Args:
        neurons: lif, or relu for the twin without spikes.
        tau: τ of the neurons, in steps.
        threshold: θ of the neurons.
        surrogate: what stands for the derivative of a spike.
        slope: its slope.
    """

    neurons: str = "lif"
    tau: float = 2.0
    threshold: float = 1.0
    surrogate: str = "sigmoid"
    slope: float = 4.0

    def firing(self) -> Firing:
        """What fires."""
        return Firing(self.neurons, self.tau, self.threshold, self.surrogate, self.slope)

    def fires_alike(self) -> dict[str, Any]:
        """The fields of another config in which the same fires."""
        return {each.name: getattr(self, each.name) for each in fields(FiringConfig)}
