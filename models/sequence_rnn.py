"""A small recurrent network for sequences of spikes, such as spoken words from a silicon cochlea.

    spikes [T, B, inputs] ► recurrent CUBA-LIF neurons ► linear map ► leaky integrators [T, B, classes]
    the class is the integrator with the highest voltage at the end

A spike on a weight w lifts a membrane by up to about g·w / (1 − α) = 0.1·w at these time constants, so weights that
matter are far from 1: they are drawn with standard deviation 12 (inputs) and 0.9 (recurrent), trained with steps of
that size, and end beyond ±40. Nothing keeps them small: a converter has to take them as they are.

Model card: this architecture is ours, made for this project as a first example; it reproduces no published network and
claims no published accuracy. Without a checkpoint its weights are random, drawn so that the neurons fire: it is there
to be traced, converted, measured and trained (`spikeport train sequence_rnn`), not to recognise anything. Input: zeros
and ones, about one input in twenty active in a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..toolchain.errors import UsageError
from ..toolchain.kernels.gradients import Surrogate
from .input_kinds import InputKind
from .neurons import LI
from .recurrent import RecurrentCubaLIF
from .weights import draw


@dataclass(frozen=True)
class SequenceRnnConfig:
    """What can be chosen.

    Args:
        inputs: spikes in a step.
        hidden: recurrent neurons.
        classes: leaky integrators.
        tau_syn: time constant of the synaptic current in seconds.
        tau_mem: time constant of the membrane in seconds.
        dt: length of a step in seconds.
        slope: slope of the arc-tangent surrogate gradient.
    """

    inputs: int = 64
    hidden: int = 128
    classes: int = 10
    tau_syn: float = 0.002
    tau_mem: float = 0.020
    dt: float = 0.001
    slope: float = 2.0

    def __post_init__(self) -> None:
        widths = (self.inputs, self.hidden, self.classes)
        if not all(1 <= width <= 16384 for width in widths):
            raise UsageError("sequence_rnn", f"widths {widths}", "1 to 16384")
        if not 0 < self.dt < min(self.tau_syn, self.tau_mem):
            raise UsageError("sequence_rnn", f"dt {self.dt}", "above 0 and below both time constants")

    @property
    def takes(self) -> Mapping[str, InputKind]:
        """Its one input."""
        return {"input": InputKind((self.inputs,), "spikes")}


class SequenceRnn(nn.Module):
    """The network of this file; time first, [T, B, inputs] → voltages [T, B, classes]."""

    def __init__(self, config: SequenceRnnConfig) -> None:
        super().__init__()
        self.hidden = RecurrentCubaLIF.from_tau(
            config.inputs,
            config.hidden,
            config.tau_syn,
            config.tau_mem,
            dt=config.dt,
            surrogate=Surrogate("atan", config.slope, detach=True),
        )
        self.classify = nn.Linear(config.hidden, config.classes, bias=False)
        self.output = LI.from_tau(config.tau_mem, dt=config.dt)

    def forward(self, spikes: Tensor) -> Tensor:
        """Runs spikes [T, B, inputs]; gives voltages [T, B, classes]."""
        voltages: Tensor = self.output(self.classify(self.hidden(spikes)))
        return voltages


def build(config: SequenceRnnConfig, seed: int) -> SequenceRnn:
    """The network with weights drawn by `seed`: zero mean, and a gain that makes the neurons fire."""
    network, source = SequenceRnn(config), torch.Generator().manual_seed(seed)
    draw(network.hidden.input_weight, 96.0 * config.inputs**-0.5, source)
    draw(network.hidden.recurrent_weight, 10.0 * config.hidden**-0.5, source)
    draw(network.classify.weight, config.hidden**-0.5, source)
    return network
