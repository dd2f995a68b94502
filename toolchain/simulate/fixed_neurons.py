"""Neurons of a chip over a window [W, B, *shape]: one call of a kernel in place of W steps, bit for bit as `step`.

States are int32 arrays [B, *shape]; those of images lie in memory as the images that come in do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..graph.nodes.base import Array, State
from ..kernels import fixed_states as kernels
from ..kernels.fixed import fixed_range
from ..kernels.lif import BLOCK
from ..kernels.threads import on_cores
from ..loihi.limits import LOIHI2
from ..loihi.processes import (
    ATRLIF,
    LIF,
    RF,
    RF_IZ,
    Delta,
    GradedReluVec,
    GradedVec,
    LIFReset,
    NormVecDelay,
    Process,
    ProdNeuron,
    RFZero,
    Sigma,
    SigmaDelta,
    TernaryLIF,
)
from .fixed_defined import Roll
from .layout import IMAGES, before, behind, channels_lie_last, row_of

Shape = tuple[int, ...]
Membrane = LIF | LIFReset | TernaryLIF
NEVER = -(1 << 31)
"""A threshold that no voltage lies below."""
INT32 = np.dtype(np.int32)


def packed(rows: Sequence[Any], shape: Shape, ordered: Callable[[Array], Array] = lambda x: x) -> Any:
    """Parameters as the kernels of `fixed.py` take them: seven numbers, or seven rows with one for each neuron."""
    given = [np.asarray(row) for row in rows] + [np.zeros((), np.int64)] * (7 - len(rows))
    if all((value == value.reshape(-1)[0]).all() for value in given):
        return tuple(np.int32(value.reshape(-1)[0]) for value in given)
    return np.stack([ordered(np.broadcast_to(value, shape)).reshape(-1) for value in given]).astype(np.int32)


def membrane(node: Membrane) -> list[Array]:
    """k_u, k_v, b, θ₊ and θ₋."""
    high, low = (node.high, node.low) if isinstance(node, TernaryLIF) else (node.threshold, None)
    kept = [LOIHI2.decay_unity - decay for decay in (node.current_decay, node.voltage_decay)]
    below = np.asarray(NEVER) if low is None else low << LOIHI2.align_bits
    return [*kept, node.bias << node.bias_exponent, high << LOIHI2.align_bits, below]


@dataclass(frozen=True)
class Clock:
    """When u and v start again.

    Args:
        interval: steps between two resets; 0 for a neuron without a clock.
        offset: the step of the first, of steps counted from 1.
    """

    interval: int = 0
    offset: int = 0

    def countdown(self, state: State) -> int:
        """How many steps remain before the next reset."""
        return (self.offset - int(state["t"][0]) - 1) % self.interval if self.interval else 0


def clock_of(node: Membrane) -> Clock:
    """The clock of a LIFReset; of others one that never strikes."""
    return Clock(node.interval, node.offset) if isinstance(node, LIFReset) else Clock()


class Leaky:
    """LIF, LIFReset and TernaryLIF."""

    def __init__(self, node: Membrane, shape: Shape) -> None:
        """Parameters in both orders of memory.

        Args:
            node: the neuron.
            shape: of one sample.
        """
        rows = membrane(node)
        self.packed = packed(rows, shape)
        self.packed_last = packed(rows, shape, behind) if len(shape) == IMAGES - 2 else self.packed
        self.ternary = isinstance(node, TernaryLIF)
        self.voltage = not isinstance(node, TernaryLIF) and node.emit == "voltage"
        self.clock = clock_of(node)

    def __call__(self, state: State, inputs: Sequence[Array], keep: Collection[str], out: Array) -> Mapping[str, Array]:
        """One call of the kernel for each block of neurons."""
        last = channels_lie_last(inputs[0])
        rows, sent = flat(inputs[0], last), flat(out, last)
        none = np.empty((0, 0), INT32)
        record = {name: np.empty(rows.shape, INT32) if name in keep else none for name in "uv"}
        u, v = row_of(state, "u", last), row_of(state, "v", last)
        params = self.packed_last if last else self.packed
        countdown = self.clock.countdown(state)

        def piece(start: int, stop: int) -> None:
            fixed_range(
                rows, sent, params, u, v, record["u"], record["v"], self.ternary, self.voltage,
                self.clock.interval, countdown, start, stop, BLOCK,
            )  # fmt: skip

        on_cores(piece, rows.shape[1], rows.shape[0], BLOCK)
        if "t" in state:
            state["t"] = state["t"] + len(rows)
        return {name: unflat(record[name], inputs[0], last) for name in keep}


def flat(x: Array, last: bool) -> Array:
    """[W, B, *shape] as [W, N], as it lies in memory."""
    if last:
        return np.ascontiguousarray(behind(x)).reshape(len(x), -1)
    return np.ascontiguousarray(x).reshape(len(x), -1)


def unflat(rows: Array, like: Array, last: bool) -> Array:
    """[W, N] with the shape of `like` again."""
    return before(rows.reshape(behind(like).shape)) if last else rows.reshape(like.shape)


@dataclass(frozen=True)
class _Row:
    """How a kind runs.

    Args:
        kernel: its kernel.
        params: its parameters in the kernel's order.
        states: its states in the kernel's order.
    """

    kernel: Any
    params: Callable[[Any, int], Sequence[Any]]
    states: tuple[str, ...] = ()


def _atrlif(node: ATRLIF, _: int) -> Sequence[Any]:
    one, align = LOIHI2.decay_unity, LOIHI2.align_bits
    kept = [one - node.current_decay - 1, one - node.voltage_decay, one - node.threshold_decay]
    levels = [node.threshold << align, node.threshold_step << align]
    return [*kept, one - node.refractory_decay, *levels, node.bias << node.bias_exponent]


def _delta(node: Delta, _: int) -> Sequence[Any]:
    return [node.level, node.state_exponent, node.cumulative, node.spike_exponent + node.state_exponent]


def _sigma_delta(node: SigmaDelta, _: int) -> Sequence[Any]:
    return [node.level, node.state_exponent, node.cumulative, node.offset, node.activation == "relu"]


def _turning(node: RF | RF_IZ, inputs: int) -> Sequence[Any]:
    turn = [node.cos, node.sin, node.threshold, node.state_exponent, node.decay_bits]
    return [*turn, inputs == 2, isinstance(node, RF_IZ)]


ROWS: Mapping[type[Process], _Row] = {
    ATRLIF: _Row(kernels.atrlif, _atrlif, ("i", "v", "r", "theta")),
    Delta: _Row(kernels.delta, _delta, ("last", "owed", "error")),
    SigmaDelta: _Row(kernels.sigma_delta, _sigma_delta, ("last", "owed", "error", "sigma")),
    Sigma: _Row(kernels.sigma, lambda _, __: [0], ("sigma",)),
    RF: _Row(kernels.resonate, _turning, ("p", "q")),
    RF_IZ: _Row(kernels.resonate, _turning, ("p", "q")),
    RFZero: _Row(kernels.resonate_at_zero, lambda n, i: [n.cos, n.sin, n.threshold, i == 2], ("u", "v")),
    GradedVec: _Row(kernels.graded, lambda node, _: [node.threshold, 0]),
    GradedReluVec: _Row(kernels.graded, lambda node, _: [node.threshold, 1]),
    ProdNeuron: _Row(kernels.multiply, lambda node, _: [node.threshold, node.exponent]),
    NormVecDelay: _Row(kernels.normalise, lambda node, _: [node.threshold, node.sends == "square"], ("v",)),
}
"""The neurons that run by the kernels of `fixed_states.py`."""


class Plain:
    """A neuron of the table above."""

    def __init__(self, node: Process, shape: Shape, inputs: int) -> None:
        """Its parameters, a row for each, a column for each neuron or one for all.

        Args:
            node: the neuron.
            shape: of one sample.
            inputs: how many wires come in.
        """
        self.row = ROWS[type(node)]
        given = [np.asarray(value).astype(np.int64) for value in self.row.params(node, inputs)]
        columns = () if all(value.ndim == 0 for value in given) else shape
        self.params = np.stack([np.broadcast_to(value, columns).reshape(-1) for value in given])

    def __call__(self, state: State, inputs: Sequence[Array], keep: Collection[str], out: Array) -> Mapping[str, Array]:
        """One call of the kernel for each piece of the neurons."""
        states = self.row.states
        x, y, sent = flat(inputs[0], False), flat(inputs[-1], False), flat(out, False)
        held = np.zeros((len(states), x.shape[1]), np.int64)
        for index, name in enumerate(states):
            held[index] = state[name].reshape(-1)
        record = np.empty((len(states), *x.shape) if keep else (0, 0, 0), INT32)

        def piece(start: int, stop: int) -> None:
            self.row.kernel(x, y, sent, self.params, held, record, start, stop)

        on_cores(piece, x.shape[1], x.shape[0])
        state.update({name: held[i].reshape(state[name].shape).astype(INT32) for i, name in enumerate(states)})
        if not np.shares_memory(sent, out):  # images that lie pixel by pixel were copied
            out[...] = sent.reshape(out.shape)
        return {name: record[states.index(name)].reshape(out.shape) for name in keep}


def neuron(node: Process, shapes: Sequence[Shape]) -> Roll:
    """A neuron as the kernels run it."""
    if isinstance(node, (LIF, LIFReset, TernaryLIF)):
        return Leaky(node, shapes[0])
    return Plain(node, shapes[0], len(shapes))


NEURONS: tuple[type[Process], ...] = (LIF, LIFReset, TernaryLIF, *ROWS)
"""The neurons that have a kernel."""
