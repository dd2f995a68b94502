"""Synapses: integer weights on the spikes of the step before.

Every wire into a synapse is a delayed one, so x below is what was sent in the step before. With `message_bits` 0 a
synapse sees spikes alone: x ≠ 0 counts as 1. Otherwise x is the payload of a graded spike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ...graph.nodes.base import Array, ArrayLike, State, ints, need, shown
from ...graph.nodes.window import channels_of, pairs, spread, windowed, windows
from ...graph.signal import GRADED, Signal
from ..arithmetic import INT32, SignMode, held_weights, int32, modulo24, shift, sign_mode
from ..limits import LOIHI2
from .base import Process, Role, narrow_whole, whole, within

PIECE = 1 << 18
"""So many weights are widened at a time."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Synapse(Process):
    """The fields that all synapses share."""

    message_bits: int = 0

    role: ClassVar[Role] = "synapse"

    def check(self) -> None:
        """A payload has so many bits."""
        within(self.message_bits, 0, LOIHI2.message_bits, "message_bits")

    def seen(self, x: Array) -> Array:
        """What the synapse sees of what was sent."""
        return x if self.message_bits else (x != 0).astype(np.int64)


@dataclass(frozen=True, eq=False, kw_only=True)
class Matrix(Synapse):
    """The fields that all synapses with a weight matrix share.

    The weights are those that Lava is given; `held` are those that the synapse holds: clipped, low bits cut off.
    """

    weight: ArrayLike = narrow_whole()
    exponent: int = 0
    bits: int = LOIHI2.weight_bits

    def check(self) -> None:
        """A matrix of integers."""
        super().check()
        need(self.weight.ndim == 2 and self.weight.size > 0, "weight", f"shape {shown(self.weight.shape)}", "(out, in)")
        nine = self.mode == "mixed"  # beyond the chip: lava-dl's loader asks for it where odd weights are large
        within(self.bits, 1, LOIHI2.weight_bits + nine, "bits")
        within(self.exponent, -16, 16, "exponent")
        within(self.weight, -(1 << 30), 1 << 30, "weight")

    @property
    def mode(self) -> SignMode:
        """The weights' sign mode."""
        return sign_mode(self.weight)

    @property
    def held(self) -> Array:
        """The weights as the synapse holds them."""
        return held_weights(self.weight, self.mode, self.bits)

    def held_rows(self) -> Iterator[tuple[slice, Array]]:
        """The same, some rows at a time: in 64 bits a whole matrix takes four times what the node holds."""
        mode, many = self.mode, max(1, PIECE // self.weight.shape[1])
        for first in range(0, len(self.weight), many):
            rows = slice(first, first + many)
            yield rows, held_weights(self.weight[rows], mode, self.bits)

    def total(self, x: Array) -> Array:
        """W · x; in Lava payloads are summed in 32 bits, spikes in 64."""
        product = self.seen(x) @ self.held.T
        return int32(product) if self.message_bits else product

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """A vector in, a vector out."""
        shape = inputs[0].shape
        need(shape == self.weight.shape[1:], "input", f"shape {shown(shape)}", f"[{self.weight.shape[1]}]")
        return Signal(self.weight.shape[:1], GRADED)


@dataclass(frozen=True, eq=False, kw_only=True)
class Dense(Matrix):
    """a[t] = (W · x) · 2ᵉ, rounded down for a negative e.

    Args:
        weight: W, (out, in), as given to Lava.
        exponent: e.
        bits: bits of a weight.
        message_bits: bits of a payload; 0 for plain spikes.
    """

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """One product, one shift."""
        return int32(shift(self.total(inputs[0]), self.exponent)), state


@dataclass(frozen=True, eq=False, kw_only=True)
class Sparse(Matrix):
    """a[t] = (W · x) · 2ᵉ as Dense, for a matrix with few weights that are not 0.

    Args:
        weight: W, (out, in), as given to Lava.
        exponent: e.
        bits: bits of a weight.
        message_bits: bits of a payload; 0 for plain spikes.
    """

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """One product, one shift."""
        return int32(shift(self.total(inputs[0]), self.exponent)), state


@dataclass(frozen=True, eq=False, kw_only=True)
class Delayed(Matrix):
    """a[i, t] = Σ_d ((Σ_{j: d_ij = d} W_ij · x_j[t − d]) · 2ᵉ): each synapse with a delay of its own, in steps."""

    delay: ArrayLike = whole()

    def check(self) -> None:
        """One delay for each weight, none longer than the chip's."""
        super().check()
        need(
            self.delay.shape == self.weight.shape, "delay", f"shape {shown(self.delay.shape)}", shown(self.weight.shape)
        )
        within(self.delay, 0, LOIHI2.delay + 1, "delay", " steps")

    @property
    def stateful(self) -> bool:
        """It remembers what has not arrived."""
        return bool(self.delay.max() > 0)

    @property
    def layers(self) -> Array:
        """The weights by delay, (delay, out, in)."""
        held = self.held
        return np.stack([np.where(self.delay == d, held, 0) for d in range(int(self.delay.max()) + 1)])

    def by_delay(self, x: Array) -> Array:
        """W · x for each delay, (delay, batch, out); payloads with 32 bits for each product."""
        if not self.message_bits:
            spikes: Array = np.einsum("doi,bi->dbo", self.layers, x)
            return spikes
        payloads: Array = int32(self.layers[:, None] * x[:, None]).sum(-1)
        return payloads

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:  # noqa: ARG002 - the arguments that every process has
        """Nothing is on its way."""
        return {"coming": np.zeros((int(self.delay.max()), batch, self.weight.shape[0]), dtype)}

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """What arrives now, and what is still on its way."""
        arriving = shift(self.by_delay(self.seen(inputs[0])), self.exponent)
        arriving[:-1] += state["coming"]
        return int32(arriving[0]), {"coming": int32(arriving[1:])}


@dataclass(frozen=True, eq=False, kw_only=True)
class DelayDense(Delayed):
    """a[i, t] = Σ_d ((Σ_{j: d_ij = d} W_ij · x_j[t − d]) · 2ᵉ).

    Args:
        weight: W, (out, in), as given to Lava.
        delay: d, (out, in), in steps.
        exponent: e.
        bits: bits of a weight.
        message_bits: bits of a payload; 0 for plain spikes.
    """


@dataclass(frozen=True, eq=False, kw_only=True)
class DelaySparse(Delayed):
    """a[i, t] as DelayDense, for a matrix with few weights that are not 0; payloads are summed in 32 bits.

    Args:
        weight: W, (out, in), as given to Lava.
        delay: d, (out, in), in steps.
        exponent: e.
        bits: bits of a weight.
        message_bits: bits of a payload; 0 for plain spikes.
    """

    def by_delay(self, x: Array) -> Array:
        """W · x for each delay, (delay, batch, out)."""
        product = np.einsum("doi,bi->dbo", self.layers, x)
        return int32(product) if self.message_bits else product


@dataclass(frozen=True, eq=False, kw_only=True)
class Conv(Synapse):
    """a[o, p, t] = Σ_{i,k} W[o, i, k] · x̂[i, p·s + k·d] modulo 2²⁴: a cross-correlation on (channels, height, width).

    Args:
        weight: W, (out, in/groups, height, width).
        stride: s, (height, width).
        padding: zeros around, (height, width).
        dilation: d, (height, width).
        groups: channels are split into as many independent groups.
        message_bits: bits of a payload; 0 for plain spikes.
    """

    weight: ArrayLike = narrow_whole()
    stride: Any = 1
    padding: Any = 0
    dilation: Any = 1
    groups: int = 1

    def check(self) -> None:
        """Everything fits the weight, and what Lava keeps in eight bits fits there."""
        super().check()
        need(self.weight.ndim == 4 and min(self.weight.shape) >= 1, "weight", shown(self.weight.shape), "four axes")
        within(self.weight, -(1 << 30), 1 << 30, "weight")
        for name, least in (("stride", 1), ("dilation", 1), ("padding", 0)):
            self._set(name, spread(getattr(self, name), 2, name, least))
            within(max(getattr(self, name)), 0, 127, name, " (Lava keeps it in 8 bits)")
        ints(self.groups, "groups", 1)
        within(max(self.kernel), 1, 127, "kernel", " (Lava keeps it in 8 bits)")
        need(
            self.weight.shape[0] % self.groups == 0, "groups", f"{self.groups}", f"a divisor of {self.weight.shape[0]}"
        )

    @property
    def kernel(self) -> tuple[int, int]:
        """The kernel's height and width."""
        return (int(self.weight.shape[2]), int(self.weight.shape[3]))

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """One value for each output channel and window."""
        shape = inputs[0].shape
        channels_of(shape, 2, self.weight.shape[1] * self.groups)
        places = windowed(shape[1:], self.kernel, self.stride, pairs(self.padding, 2), self.dilation)
        return Signal((self.weight.shape[0], *places), GRADED)

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Every window against every kernel, group by group."""
        x = self.seen(inputs[0])
        view = windows(np.pad(x, ((0, 0), (0, 0), *pairs(self.padding, 2))), self.kernel, self.stride, self.dilation)
        weights = np.split(self.weight.astype(np.int64), self.groups)
        parts = [
            np.einsum("bcyxhw,ochw->boyx", v, w) for v, w in zip(np.split(view, self.groups, 1), weights, strict=True)
        ]
        y = np.concatenate(parts, 1)
        return modulo24(np.where(np.abs(y) > INT32, 0, y)), state  # Lava's cast to 32 bits leaves 0 of what is larger


@dataclass(frozen=True, eq=False, kw_only=True)
class ConvInTime(Synapse):
    """a[t] = Σ_i W[K − 1 − i] · x[t − i]: a kernel over time on a vector; −2³¹ for what 32 bits do not hold.

    Args:
        weight: W, (taps, out, in); the last tap is the earliest to arrive.
        message_bits: bits of a payload; 0 for plain spikes.
    """

    weight: ArrayLike = narrow_whole()

    def check(self) -> None:
        """The kernel has taps."""
        super().check()
        need(
            self.weight.ndim == 3 and min(self.weight.shape) >= 1, "weight", shown(self.weight.shape), "(taps, out, in)"
        )
        within(self.weight, -(1 << 30), 1 << 30, "weight")

    @property
    def stateful(self) -> bool:
        """It remembers what has not arrived."""
        return bool(self.weight.shape[0] > 1)

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """A vector in, a vector out."""
        shape = inputs[0].shape
        need(shape == self.weight.shape[2:], "input", f"shape {shown(shape)}", f"[{self.weight.shape[2]}]")
        return Signal((int(self.weight.shape[1]),), GRADED)

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:  # noqa: ARG002 - the arguments that every process has
        """Nothing is on its way."""
        return {"coming": np.zeros((self.weight.shape[0] - 1, batch, self.weight.shape[1]), dtype)}

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """What arrives now, and what is still on its way."""
        arriving = np.einsum("doi,bi->dbo", self.weight[::-1].astype(np.int64), self.seen(inputs[0]))
        arriving[:-1] += state["coming"]
        y = np.where(np.abs(arriving[0]) > INT32, -INT32 - 1, arriving[0])  # as Lava's cast of floats to 32 bits has it
        return y, {"coming": arriving[1:]}
