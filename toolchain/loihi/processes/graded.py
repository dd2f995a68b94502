"""Neurons that send values: vectors, ReLU, products, and the two halves of a normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from ...graph.nodes.base import Array, ArrayLike, State, need
from ...graph.nodes.linear import check_broadcast
from ...graph.signal import GRADED, Signal
from ..arithmetic import INT32, int32, magnitude
from .base import Process, Role, one_shape, whole, within


@dataclass(frozen=True, eq=False, kw_only=True)
class Graded(Process):
    """The fields and checks that these neurons share."""

    threshold: ArrayLike = whole(default=0)

    role: ClassVar[Role] = "neuron"

    def check(self) -> None:
        """One threshold that a 32-bit register holds."""
        need(self.threshold.ndim == 0, "threshold", "several values", "one for the process, as Lava takes it")
        within(self.threshold, -INT32 - 1, INT32, "threshold")

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """Integers of the same shape."""
        shape = one_shape(inputs)
        check_broadcast(self.threshold, shape, "threshold")
        return Signal(shape, GRADED)


@dataclass(frozen=True, eq=False, kw_only=True)
class GradedVec(Graded):
    """y[t] = a where |a| > θ, else 0.

    Args:
        threshold: θ.
    """

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """One comparison."""
        return np.where(magnitude(inputs[0]) > self.threshold, inputs[0], 0), state


@dataclass(frozen=True, eq=False, kw_only=True)
class GradedReluVec(Graded):
    """y[t] = a where a > θ, else 0.

    Args:
        threshold: θ.
    """

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """One comparison."""
        return np.where(inputs[0] > self.threshold, inputs[0], 0), state


@dataclass(frozen=True, eq=False, kw_only=True)
class ProdNeuron(Graded):
    """y[t] = p where |p| > θ, else 0;  p = (a₁·a₂) / 2ᵉ, rounded down.

    Args:
        threshold: θ.
        exponent: e.
    """

    exponent: int = 0

    arity: ClassVar[tuple[int, int | None]] = (2, 2)

    def check(self) -> None:
        """A shift that 32 bits know."""
        super().check()
        within(self.exponent, 0, 31, "exponent")

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """One product, one shift, one comparison."""
        product = int32(inputs[0] * inputs[1]) >> self.exponent
        return np.where(magnitude(product) > self.threshold, product, 0), state


@dataclass(frozen=True, eq=False, kw_only=True)
class NormVecDelay(Graded):
    """One of the two outputs of Lava's NormVecDelay, which each take one of its inputs or both.

        square:   y[t] = a₁[t]²
        product:  y[t] = p where |p| > θ, else 0;  p = a₁[t−1]·a₂[t]

    Args:
        threshold: θ.
        sends: square or product.
    """

    sends: Literal["square", "product"] = "product"

    arity: ClassVar[tuple[int, int | None]] = (2, 2)

    def check(self) -> None:
        """The output is one there is."""
        super().check()
        need(self.sends in ("square", "product"), "sends", f"'{self.sends}'", "square or product")

    @property
    def stateful(self) -> bool:
        """It remembers a₁ for a step."""
        return True

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:
        """Nothing has come in."""
        return {"v": np.zeros((batch, *shape), dtype)}

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """The square of what comes in, or the product of what came in with what comes in."""
        if self.sends == "square":
            return int32(inputs[0] * inputs[0]), {"v": inputs[0]}
        product = int32(state["v"] * inputs[1])
        return np.where(magnitude(product) > self.threshold, product, 0), {"v": inputs[0]}


@dataclass(frozen=True, eq=False, kw_only=True)
class InvSqrt(Process):
    """y[t] = 2¹²/√(a/2¹²) by five Newton steps from a table by leading zeros; 0 for 0.

        Y = table[24 − bits of a];  y = ⌊Y/2⌋;  b = a
        five times: b = ⌊⌊b·Y/2¹³⌋·Y/2¹³⌋;  Y = 3·2¹² − b;  y = ⌊y·Y/2¹³⌋

    Lava has it for one value, and refuses values below 0 and of more than 24 bits, as the simulations here do.
    """

    role: ClassVar[Role] = "neuron"

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """One value."""
        need(inputs[0].shape == (1,), "input", f"shape {inputs[0].shape}", "one value, as Lava has it")
        return Signal((1,), GRADED)

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """Look up, then five steps."""
        a = inputs[0]
        within(a, 0, (1 << 24) - 1, "input")
        bits = np.array([int(value).bit_length() for value in a.reshape(-1)]).reshape(a.shape)
        guess = FIRST_GUESS[np.minimum(24 - bits, 23)]
        y, b = guess >> 1, a
        for _ in range(5):
            b = ((b * guess) >> 13) * guess >> 13
            guess = (3 << 12) - b
            y = (y * guess) >> 13
        return np.where(a == 0, 0, y), state


FIRST_GUESS = np.array([2 * int(2**12 / (2 ** ((23 - m - 12) / 2) * 1.238982962)) for m in range(24)])
"""Lava's table (lava/proc/graded/models.py: make_fpinv_table), by the number of leading zeros of 24 bits."""
