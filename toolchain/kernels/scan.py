"""The selective scan over frames of tokens, forward and backward, each in one call.

    h[n] = e[n]·h[n−1] + b[n] ⊗ Δ[n]·x[n]     e: what is left of the state, 0 to 1
    y[n] = Σ over directions ⟨c[n], h[n]⟩

    x, y [T, B, N, E]    Δ, e [T, B, N, R, heads]    b, c [T, B, N, R, groups, S]    h [B, R, S, E]

Places n run over the tokens of a frame and then over frames; in the second of two directions R over the tokens from the
last to the first, and over frames as before. Channel i of E belongs to head i·heads // E and to group i·groups // E.

A sample's state stays in the nearest caches while its places go by, so that time is linear in length and nothing larger
than the output is made. The forward pass keeps a state now and then; the backward pass runs each stretch again from
there, and then back. Sums may be taken in another order than written: results are right up to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .scan_loops import scan_back_range, scan_range
from .threads import on_cores

Array = NDArray[Any]

STRETCH = 32
"""The most places from one kept state to the next."""
HELD = 1 << 17
"""The most numbers in the states of a stretch, which the backward pass holds at once: they stay in a core's cache."""


@dataclass(frozen=True)
class ScanInputs:
    """What a scan reads, contiguous and of one type; shapes as in the module's docstring.

    Args:
        x: what goes in.
        step: Δ.
        decay: e.
        b: how it goes in.
        c: how the state is read.
    """

    x: Array
    step: Array
    decay: Array
    b: Array
    c: Array

    @property
    def arrays(self) -> tuple[Array, Array, Array, Array, Array]:
        """All of them, in order."""
        return self.x, self.step, self.decay, self.b, self.c

    @property
    def places(self) -> int:
        """The length of the sequence: the tokens of all frames."""
        return int(self.x.shape[0] * self.x.shape[2])

    @property
    def numbers(self) -> int:
        """Numbers of a state in one direction."""
        return int(self.b.shape[5] * self.x.shape[3])

    @property
    def stretch(self) -> int:
        """Places from one kept state to the next."""
        return max(1, min(STRETCH, HELD // max(1, self.numbers)))

    @property
    def work(self) -> int:
        """What a sample costs, in updates of one number of the state."""
        return self.places * int(self.step.shape[3]) * self.numbers


@dataclass(frozen=True)
class ScanRun:
    """What a scan gives.

    Args:
        y: [T, B, N, E].
        state: h after the last place.
        kept: the states for the backward pass [stretches, B, R, S, E], none where they were not asked for.
    """

    y: Array
    state: Array
    kept: Array


def run_scan(inputs: ScanInputs, state: Array, keep: bool = False) -> ScanRun:
    """Runs from a state, which is not written to.

    Args:
        inputs: what it reads.
        state: h before the first place.
        keep: whether there will be a backward pass.
    """
    x, step, decay, b, c = inputs.arrays
    after, y = np.array(state, order="C"), np.empty_like(x)
    marks = -(-inputs.places // inputs.stretch) if keep else 0
    kept = np.empty((marks, *state.shape), state.dtype)

    def piece(start: int, stop: int) -> None:
        scan_range(x, step, decay, b, c, y, after, kept, inputs.stretch, start, stop)

    on_cores(piece, x.shape[1], inputs.work)
    return ScanRun(y, after, kept)


def run_scan_backward(inputs: ScanInputs, kept: Array, dy: Array, dstate: Array) -> tuple[Array, ...]:
    """Gradients of x, Δ, e, b, c and of the first state, from those of y and of the last state.

    Args:
        inputs: what the forward pass read.
        kept: the states that it kept.
        dy: [T, B, N, E], contiguous.
        dstate: [B, R, S, E]; not written to.
    """
    x, step, decay, b, c = inputs.arrays
    dx, dstep, ddecay, db, dc = grads = [np.empty_like(each) for each in inputs.arrays]
    dh = np.array(dstate, order="C")

    def piece(start: int, stop: int) -> None:
        scan_back_range(x, step, decay, b, c, dy, kept, inputs.stretch, dx, dstep, ddecay, db, dc, dh, start, stop)

    on_cores(piece, x.shape[1], inputs.work)
    return *grads, dh
