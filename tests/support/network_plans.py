"""A random network on its way: what it is made of, in the order in which it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Shape = tuple[int, ...]


@dataclass
class Plan:
    """A network on its way: operations, what they are made of, and the shape of each value.

    Args:
        rng: where the randomness comes from.
        framework: whose neurons.
        form: how it is called.
        shapes: the shape of each value.
        operations: (what, place of its module, values it reads).
        layers: layers without a state.
        neurons: neurons, and how strong an input they need.
    """

    rng: np.random.Generator
    framework: str
    form: str
    shapes: list[Shape]
    dt: float = 1e-3
    operations: list[tuple[str, int, tuple[int, ...]]] = field(default_factory=list)
    layers: list[nn.Module] = field(default_factory=list)
    neurons: list[nn.Module] = field(default_factory=list)
    drives: list[float] = field(default_factory=list)

    @property
    def shape(self) -> Shape:
        """The shape of the last value."""
        return self.shapes[-1]

    @property
    def last(self) -> int:
        """The place of the last value."""
        return len(self.shapes) - 1

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def pick(self, *choices: Any) -> Any:
        return choices[self.rng.integers(len(choices))]

    def real(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def each(self, low: float, high: float) -> Tensor:
        """A parameter: one number, or one for each neuron or channel."""
        shape = self.pick((), (), self.shape, (self.shape[0], *[1] * (len(self.shape) - 1)))
        return torch.from_numpy(self.rng.uniform(low, high, shape).astype(np.float32))

    def add(self, what: str, place: int, reads: tuple[int, ...], shape: Shape) -> None:
        self.operations.append((what, place, reads))
        self.shapes.append(shape)

    def layer(self, made: nn.Module) -> None:
        """A layer behind the last value."""
        made = settled(made, self.rng)
        with torch.no_grad():
            shape = tuple(made(torch.zeros(2, *self.shape)).shape[1:])
        self.layers.append(made)
        self.add("layer", len(self.layers) - 1, (self.last,), shape)

    def fire(self, made: nn.Module, drive: float, shape: Shape) -> None:
        """A neuron behind the last value."""
        self.neurons.append(made)
        self.drives.append(drive)
        self.add("neuron", len(self.neurons) - 1, (self.last,), shape)


def settled(module: nn.Module, rng: np.random.Generator) -> nn.Module:
    """With a batch norm that has seen something."""
    if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
        module.running_mean.uniform_(-0.3, 0.3)  # type: ignore[union-attr]
        module.running_var.uniform_(0.5, 2.0)  # type: ignore[union-attr]
    return module.eval()
