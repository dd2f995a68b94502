"""Nodes that mix time without spiking: delays, kernels over time, diagonal state-space recursions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..signal import GRADED, Signal
from .base import Array, ArrayLike, Node, State, array, ints, need, shown

LONGEST = 4096
"""The longest delay or kernel, in steps."""


@dataclass(frozen=True, eq=False)
class Delay(Node):
    """y[c, t] = x[c, t − d_c], and 0 before the first step.

    Args:
        steps: d, one for all channels or one for each entry of the first axis.
    """

    steps: tuple[int, ...]

    def check(self) -> None:
        """Delays are whole steps."""
        self._set("steps", ints(self.steps, "steps"))
        need(len(self.steps) >= 1, "steps", "none", "at least one delay")
        need(max(self.steps) <= LONGEST, "steps", f"{max(self.steps)}", f"at most {LONGEST}")

    @property
    def stateful(self) -> bool:
        """It remembers what it has not sent yet."""
        return max(self.steps) > 0

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The same values, later."""
        shape = inputs[0].shape
        fits = len(self.steps) == 1 or (len(shape) >= 1 and len(self.steps) == shape[0])
        need(fits, "steps", f"{len(self.steps)} delays", f"one, or one for each channel of {shown(shape)}")
        return Signal(shape, inputs[0].carries.or_zero())

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:
        """Nothing has come in."""
        return {"past": np.zeros((max(self.steps), batch, *shape), dtype)}

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Take the value that is old enough; `past[k]` came in k + 1 steps ago."""
        line = np.concatenate([inputs[0][None], state["past"]])
        if len(self.steps) == 1:
            y = line[self.steps[0]]
        else:
            y = np.stack([line[delay, :, channel] for channel, delay in enumerate(self.steps)], axis=1)
        return y, {"past": line[:-1]}


@dataclass(frozen=True, eq=False)
class TemporalKernel(Node):
    """y[o, t] = Σ_{k,i} W[k, o, i] · x[i, t − k] + b[o], on the first axis, and x = 0 before the first step.

    Args:
        weight: W, (taps, out, in); tap 0 is the present.
        bias: b, (out,), or none.
    """

    weight: ArrayLike = array()
    bias: ArrayLike | None = array(default=None)

    def check(self) -> None:
        """The kernel has taps."""
        need(
            self.weight.ndim == 3 and min(self.weight.shape) >= 1,
            "weight",
            f"shape {shown(self.weight.shape)}",
            "(taps, out, in)",
        )
        need(self.weight.shape[0] <= LONGEST, "weight", f"{self.weight.shape[0]} taps", f"at most {LONGEST}")
        if self.bias is not None:
            need(
                self.bias.shape == (self.weight.shape[1],),
                "bias",
                f"shape {shown(self.bias.shape)}",
                f"[{self.weight.shape[1]}]",
            )

    @property
    def stateful(self) -> bool:
        """It remembers as many steps as it has taps, less one."""
        return bool(self.weight.shape[0] > 1)

    @property
    def width(self) -> tuple[int, int] | None:
        """The first axis is `in` long."""
        return 0, self.weight.shape[2]

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The first axis becomes `out` long."""
        shape = inputs[0].shape
        _, out, width = self.weight.shape
        need(len(shape) >= 1 and shape[0] == width, "input", f"shape {shown(shape)}", f"a first axis of {width}")
        return Signal((out, *shape[1:]), GRADED)

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:
        """Nothing has come in."""
        return {"past": np.zeros((self.weight.shape[0] - 1, batch, *shape), dtype)}

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Every tap on the step it looks at."""
        x = inputs[0]
        line = np.concatenate([x[None], state["past"]])
        y = np.moveaxis(np.tensordot(line, self.weight.astype(x.dtype), axes=((0, 2), (0, 2))), -1, 1)
        if self.bias is not None:
            y = y + self.bias.astype(x.dtype).reshape(-1, *([1] * (x.ndim - 2)))
        return y, {"past": line[:-1]}


@dataclass(frozen=True, eq=False)
class StateSpace(Node):
    """h[c, n, t] = A[c, n] · h[c, n, t−1] + B[c, n] · x[c, t];  y[c, t] = Re Σ_n C[c, n] · h[c, n, t] + D[c] · x[c, t].

    Args:
        decay: A, (channels, states), real or complex.
        inward: B, (channels, states).
        outward: C, (channels, states).
        through: D, (channels,), or none for 0.
    """

    decay: ArrayLike = array(complex_too=True)
    inward: ArrayLike = array(complex_too=True)
    outward: ArrayLike = array(complex_too=True)
    through: ArrayLike | None = array(default=None)

    def check(self) -> None:
        """A, B and C have one shape."""
        need(self.decay.ndim == 2, "decay", f"shape {shown(self.decay.shape)}", "(channels, states)")
        for name, value in (("inward", self.inward), ("outward", self.outward)):
            need(
                value.shape == self.decay.shape,
                name,
                f"shape {shown(value.shape)}",
                f"{shown(self.decay.shape)}, as decay",
            )
        if self.through is not None:
            expected = shown(self.decay.shape[:1])
            need(self.through.shape == self.decay.shape[:1], "through", f"shape {shown(self.through.shape)}", expected)

    @property
    def stateful(self) -> bool:
        """It remembers h."""
        return True

    @property
    def width(self) -> tuple[int, int] | None:
        """The first axis is the channels."""
        return 0, self.decay.shape[0]

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The same shape; the recursion runs on the first axis, alike for all places behind it."""
        shape = inputs[0].shape
        channels = self.decay.shape[0]
        need(len(shape) >= 1 and shape[0] == channels, "input", f"shape {shown(shape)}", f"a first axis of {channels}")
        return Signal(shape, GRADED)

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:
        """h = 0."""
        kinds = (self.decay, self.inward)
        wide = np.result_type(dtype, np.complex64) if any(v.dtype.kind == "c" for v in kinds) else np.dtype(dtype)
        return {"h": np.zeros((batch, *shape, self.decay.shape[1]), wide)}

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """One step of the recursion."""
        x, wide = inputs[0], state["h"].dtype
        sides = (self.decay.shape[0], *([1] * (x.ndim - 2)), self.decay.shape[1])
        h = self.decay.astype(wide).reshape(sides) * state["h"] + self.inward.astype(wide).reshape(sides) * x[..., None]
        y = (self.outward.reshape(sides) * h).sum(-1).real.astype(x.dtype)
        if self.through is not None:
            y = y + self.through.astype(x.dtype).reshape(sides[:-1]) * x
        return y, {"h": h}
