"""One neuron of the graph with all its synapses, ready for integers: weights by rows, θ and b, all in float64.

The weights themselves are worked out where they are asked for: a network's in float64 are twice its own size.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ...errors import SpikeportError
from ...graph.nodes.base import Array
from .convolutions import Convolution
from .dialects import Membrane
from .forms import MOST_MATRIX, Form, Move, settled
from .paths import Shape


@dataclass(frozen=True, eq=False)
class Layer:
    """A target and what comes into it.

    Args:
        name: the neuron.
        shape: its shape.
        membrane: its equation, the gain in the weights.
        forms: its synapses.
        factors: for each synapse, what the weights of each output are multiplied by.
        scales: for each synapse, what they are divided by: the scale of its source.
        channels: for each synapse, which of the neuron's channels each of its outputs goes to; none where an output
            goes to several.
        most: the largest value and the lowest that each synapse's source sends.
    """

    name: str
    shape: Shape
    membrane: Membrane
    forms: tuple[Form, ...]
    factors: tuple[Array, ...]
    scales: tuple[float, ...]
    channels: tuple[Array | None, ...]
    most: tuple[tuple[float, float], ...]

    @cached_property
    def weights(self) -> tuple[Array, ...]:
        """The weights of each synapse in float64, its outputs first."""
        return tuple(
            form.weight.astype(np.float64) * rows.reshape(-1, *([1] * (form.weight.ndim - 1))) / scale
            for form, rows, scale in zip(self.forms, self.factors, self.scales, strict=True)
        )

    def lean(self) -> Layer:
        """The same without the weights in float64, which are worked out anew where they are asked for."""
        return replace(self)

    @property
    def loops(self) -> bool:
        """Whether its own spikes come back to it."""
        return any(form.source == self.name for form in self.forms)

    @property
    def by_channel(self) -> bool:
        """Whether each channel of the neuron can have a scale of its own."""
        return len(self.shape) > 0 and self.shape[0] > 1 and all(each is not None for each in self.channels)


def layer(
    name: str,
    shape: Shape,
    held: Membrane,
    forms: tuple[Form, ...],
    most: tuple[tuple[float, float], ...],
    scales: tuple[float, ...],
    *,
    one: bool,
) -> Layer | SpikeportError:
    """The layer with its gain in its weights, by the scales of its sources; with `one`, all thresholds made one."""
    factor, theta, bias = _shares(held, one=one)
    found = _weighted(forms, np.broadcast_to(factor, shape))
    if found is None and _can_divide(held) and not one:
        factor, theta, bias = np.ones(()), held.threshold / held.gain, held.bias / held.gain
        found = _weighted(forms, np.broadcast_to(factor, shape))
    if found is None:
        return _uneven(name, one=one)
    forms, factors = found
    index = np.broadcast_to(np.arange(shape[0]).reshape(-1, *([1] * (len(shape) - 1))), shape) if shape else None
    channels = tuple(None if index is None else rows_of(form, index) for form in forms)
    plain = replace(held, gain=np.ones(()), threshold=theta, bias=bias)
    return Layer(name, shape, plain, forms, factors, scales, channels, most)


def _shares(held: Membrane, *, one: bool) -> tuple[Array, Array | None, Array]:
    """What the weights, the threshold and the bias take of the gain, and of the thresholds where all are to be one."""
    gain, theta, bias = held.gain, held.threshold, held.bias
    if one and theta is not None and bool((theta != theta.flat[0]).any()) and bool((theta > 0).all()):
        return gain / theta, np.ones(()), bias / theta
    return gain, theta, bias


def _can_divide(held: Membrane) -> bool:
    """Whether threshold and bias can be divided by the gain instead: a neuron that only says when it fires."""
    return held.threshold is not None and held.emit == "spikes" and bool((held.gain > 0).all())


def _weighted(forms: tuple[Form, ...], factor: Array) -> tuple[tuple[Form, ...], tuple[Array, ...]] | None:
    """The synapses, and each neuron's factor by their outputs; none where a synapse has one weight for several."""
    kept, factors = [], []
    for form in forms:
        rows = rows_of(form, factor)
        if rows is None and identity(form):
            form, rows = one_by_one(form), factor.reshape(-1)
        if rows is None:
            return None
        kept.append(form)
        factors.append(rows)
    return tuple(kept), tuple(factors)


def identity(form: Form) -> bool:
    """Whether a synapse hands every value on by one weight, and could be a matrix."""
    return isinstance(form.map, Convolution) and form.weight.size == 1 and form.map.received[2] ** 2 <= MOST_MATRIX


def one_by_one(form: Form) -> Form:
    """The same with a weight for each value, as a matrix."""
    count = form.map.received[2] if isinstance(form.map, Convolution) else len(form.map)
    final = form.after[-1].shape if form.after else (1, 1, count)
    behind = settled((count,), (Move(final),))
    return replace(form, before=(*form.before, Move((count,))), map=np.eye(count) * form.weight.flat[0], after=behind)


def _uneven(name: str, *, one: bool) -> SpikeportError:
    found = "a gain or a threshold that is another at each place of an image"
    fix = "train it with one for each channel" + ("; the target lava takes thresholds place by place" if one else "")
    return SpikeportError(name, found, "one for each channel, as a convolution has them", fix)


def rows_of(form: Form, values: Array) -> Array | None:
    """Values at the neurons, as one for each output (channel) of the synapse; none where an output has several."""
    if values.size and bool((values == values.flat[0]).all()):
        return np.full(form.weight.shape[0], values.flat[0])
    start = form.map.sent if isinstance(form.map, Convolution) else (form.map.shape[0],)
    back = _unmoved(values, start, form.after)
    rows = back.reshape(start[0], -1)
    return rows[:, 0].copy() if bool((rows == rows[:, :1]).all()) else None


def _unmoved(values: Array, start: Shape, moves: tuple[Move, ...]) -> Array:
    """Values as they were before moves that began with a shape."""
    turned, shape = [], start
    for move in moves:
        turned.append(tuple(shape[axis] for axis in move.axes) if move.axes is not None else shape)
        shape = move.shape
    for move, before in zip(reversed(moves), reversed(turned), strict=True):
        values = values.reshape(before)
        values = values if move.axes is None else values.transpose(np.argsort(move.axes))
    return values.reshape(start)
