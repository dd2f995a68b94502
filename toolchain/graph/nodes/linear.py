"""Linear maps without a window: affine, scale, batch normalisation, a contraction with a constant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import GraphError
from ..signal import GRADED, Signal
from .base import Array, ArrayLike, Node, State, array, need, shown


@dataclass(frozen=True, eq=False)
class Affine(Node):
    """y[…, i] = Σ_j W[i, j] · x[…, j] + b[i], on the last axis.

    Args:
        weight: W, (out, in).
        bias: b, (out,), or none.
    """

    weight: ArrayLike = array()
    bias: ArrayLike | None = array(default=None)

    def check(self) -> None:
        """W is a matrix and b fits it."""
        need(self.weight.ndim == 2, "weight", f"shape {shown(self.weight.shape)}", "two axes, (out, in)")
        check_bias(self.bias, self.weight.shape[0])

    @property
    def width(self) -> tuple[int, int] | None:
        """The last axis is `in` long."""
        return -1, self.weight.shape[1]

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The last axis becomes `out` long."""
        shape = inputs[0].shape
        out, width = self.weight.shape
        need(len(shape) >= 1 and shape[-1] == width, "input", f"shape {shown(shape)}", f"a last axis of {width}")
        return Signal((*shape[:-1], out), GRADED)

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """One matrix product."""
        x = inputs[0]
        y = x @ self.weight.astype(x.dtype).T
        return (y if self.bias is None else y + self.bias.astype(x.dtype)), state


@dataclass(frozen=True, eq=False)
class Scale(Node):
    """y = s · x + c, element by element.

    Args:
        scale: s; broadcasts to the input's shape.
        shift: c; broadcasts to the input's shape, or none.
    """

    scale: ArrayLike = array()
    shift: ArrayLike | None = array(default=None)

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The same shape."""
        for name, value in self.arrays().items():
            check_broadcast(value, inputs[0].shape, name)
        return Signal(inputs[0].shape, GRADED)

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """One product, one sum."""
        x = inputs[0]
        y = x * self.scale.astype(x.dtype)
        return (y if self.shift is None else y + self.shift.astype(x.dtype)), state


@dataclass(frozen=True, eq=False)
class BatchNorm(Node):
    """y[c] = (x[c] − μ[c]) / √(σ²[c] + ε) · γ[c] + b[c], on the first axis, with the statistics of training.

    Args:
        mean: μ, (channels,).
        variance: σ², (channels,).
        weight: γ, (channels,), or none for 1.
        bias: b, (channels,), or none for 0.
        epsilon: ε.
    """

    mean: ArrayLike = array()
    variance: ArrayLike = array()
    weight: ArrayLike | None = array(default=None)
    bias: ArrayLike | None = array(default=None)
    epsilon: float = 1e-5

    def check(self) -> None:
        """All statistics are vectors of one length."""
        channels = self.mean.shape
        for name, value in self.arrays().items():
            need(
                value.ndim == 1 and value.shape == channels,
                name,
                f"shape {shown(value.shape)}",
                "the shape of mean, one axis",
            )
        positive = (self.variance.astype(np.float64) + self.epsilon > 0).all()
        need(bool(positive), "variance", "values of at most −ε", "variance + ε above 0")

    @property
    def width(self) -> tuple[int, int] | None:
        """The first axis is the channels."""
        return 0, len(self.mean)

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """The same shape."""
        shape = inputs[0].shape
        need(
            len(shape) >= 1 and shape[0] == len(self.mean),
            "input",
            f"shape {shown(shape)}",
            f"a first axis of {len(self.mean)}",
        )
        return Signal(shape, GRADED)

    def affine(self) -> tuple[Array, Array]:
        """The same map as y = s·x + c, in float64: s = γ/√(σ²+ε), c = b − μ·s."""
        mean, variance = self.mean.astype(np.float64), self.variance.astype(np.float64)
        gain = 1.0 / np.sqrt(variance + self.epsilon)
        scale = gain if self.weight is None else gain * self.weight
        shift = -mean * scale if self.bias is None else self.bias - mean * scale
        return scale, shift

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """The equation as it stands."""
        x = inputs[0]
        sides = (-1, *([1] * (x.ndim - 2)))
        mean, variance = (v.astype(x.dtype).reshape(sides) for v in (self.mean, self.variance))
        y = (x - mean) / np.sqrt(variance + x.dtype.type(self.epsilon))
        if self.weight is not None:
            y = y * self.weight.astype(x.dtype).reshape(sides)
        if self.bias is not None:
            y = y + self.bias.astype(x.dtype).reshape(sides)
        return y, state


@dataclass(frozen=True, eq=False)
class Contract(Node):
    """y = einsum(equation, x, M) for a constant M: a graph convolution is "cv,vw->cw" with its adjacency.

    Args:
        equation: the subscripts of x and of M, without time and batch, as "cv,vw->cw".
        constant: M.
    """

    equation: str
    constant: ArrayLike = array()

    def check(self) -> None:
        """The equation names the axes of one signal and of the constant."""
        left, arrow, out = self.equation.partition("->")
        terms = left.split(",")
        ok = arrow == "->" and len(terms) == 2 and all(_letters(term) for term in (*terms, out))
        need(ok, "equation", f"'{self.equation}'", "subscripts such as 'cv,vw->cw', each letter once in a term")
        need(len(terms[1]) == self.constant.ndim, "constant", f"{self.constant.ndim} axes", f"axes {terms[1]}")
        need(set(out) <= set(left), "equation", f"'{self.equation}'", "no new letter on the right")
        need("Z" not in self.equation, "equation", "the letter Z", "another letter: Z stands for the batch")

    @property
    def terms(self) -> tuple[str, str, str]:
        """The subscripts of x, of M and of y."""
        left, _, out = self.equation.partition("->")
        x, m = left.split(",")
        return x, m, out

    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """Sizes by letter."""
        x, m, out = self.terms
        shape = inputs[0].shape
        need(len(shape) == len(x), "input", f"shape {shown(shape)}", f"axes {x}")
        sizes = dict(zip(m, self.constant.shape, strict=True))
        for letter, size in zip(x, shape, strict=True):
            expected = f"{sizes.get(letter, size)} along {letter}, as in the constant"
            need(sizes.setdefault(letter, size) == size, "input", f"shape {shown(shape)}", expected)
        return Signal(tuple(sizes[letter] for letter in out), GRADED)

    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """One einsum."""
        x, m, out = self.terms
        return np.einsum(f"Z{x},{m}->Z{out}", inputs[0], self.constant.astype(inputs[0].dtype)), state


def _letters(term: str) -> bool:
    return all(c.isascii() and c.isalpha() for c in term) and len(set(term)) == len(term)


def check_bias(bias: Array | None, out: int) -> None:
    """A bias is a vector with one value for each output."""
    if bias is not None:
        need(bias.shape == (out,), "bias", f"shape {shown(bias.shape)}", f"[{out}]")


def check_broadcast(value: Array, shape: tuple[int, ...], name: str) -> None:
    """A parameter broadcasts to a signal's shape without making it larger."""
    try:
        fits = np.broadcast_shapes(value.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise GraphError(name, f"shape {shown(value.shape)}", f"one that broadcasts to {shown(shape)}")
