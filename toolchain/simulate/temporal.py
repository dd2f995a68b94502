"""Nodes that mix steps without a neuron, over a window: delays, and kernels over time.

Both see the line of all steps that still matter: those before the window, then the window.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import torch

from ..graph.nodes import Delay, TemporalKernel
from ..graph.nodes.base import Array, State
from .tensors import constant, optional, tensor

DType = np.dtype[Any]
Shapes = Sequence[tuple[int, ...]]
Rolled = tuple[Array, dict[str, Array]]


class DelayLine:
    """y[c, t] = x[c, t − d_c] over a window."""

    def __init__(self, node: Delay, _: Shapes, __: DType) -> None:
        """Nothing to prepare.

        Args:
            node: the delay.
        """
        self.steps = node.steps

    def __call__(self, state: State, inputs: Sequence[Array], _: Collection[str]) -> Rolled:
        """What was sent d steps ago, channel by channel."""
        line = line_of(state, inputs[0])
        past, steps = len(state["past"]), len(inputs[0])
        keep_past(state, line)
        if len(self.steps) == 1:
            start = past - self.steps[0]
            return line[start : start + steps], {}
        y = np.empty_like(inputs[0])
        for channel, delay in enumerate(self.steps):
            y[:, :, channel] = line[past - delay : past - delay + steps, :, channel]
        return y, {}


class KernelOverTime:
    """y[o, t] = Σ_{k,i} W[k, o, i] · x[i, t − k] + b[o] over a window, as one product for each tap, in the taps' order.

    Every product is of one step, so no sum depends on how many steps there are in a window.
    """

    def __init__(self, node: TemporalKernel, _: Shapes, dtype: DType) -> None:
        """The weights as tensors.

        Args:
            node: the kernel.
            dtype: what is computed in.
        """
        self.taps, self.out, self.width = node.weight.shape
        rows = node.weight[::-1].transpose(1, 0, 2).reshape(self.out, self.taps * self.width)
        self.weight, self.bias = constant(rows, dtype), optional(node.bias, dtype)

    def __call__(self, state: State, inputs: Sequence[Array], _: Collection[str]) -> Rolled:
        """Every step by itself, its taps side by side."""
        line = line_of(state, inputs[0])
        keep_past(state, line)
        steps, batch, *shape = inputs[0].shape
        rows = tensor(line).reshape(len(line), batch, self.width, -1)
        y = torch.empty((steps, batch, self.out, rows.shape[-1]), dtype=rows.dtype)
        for t in range(steps):
            seen = rows[t : t + self.taps].transpose(0, 1).reshape(batch, self.taps * self.width, -1)
            y[t] = torch.matmul(self.weight, seen)
        if self.bias is not None:
            y += self.bias.reshape(-1, 1)
        return y.reshape(steps, batch, self.out, *shape[1:]).numpy(), {}


def line_of(state: State, x: Array) -> Array:
    """The steps before the window, oldest first, and the window; `past[k]` came in k + 1 steps ago."""
    return np.concatenate([state["past"][::-1], x])


def keep_past(state: State, line: Array) -> None:
    """What the next window still has to see."""
    count = len(state["past"])
    state["past"] = np.ascontiguousarray(line[len(line) - count :][::-1])
