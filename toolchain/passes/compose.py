"""Two linear maps in a row as one: B(A x + a) + b = (B A) x + (B a + b), for the pairs of the table.

Each rule hands back how many multiplications the one map takes and how to make it, so that weights are only computed
where it pays.
"""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..graph import Node
from ..graph.nodes import Affine, AveragePool, BatchNorm, Contract, Conv, Scale, SumPool
from ..graph.nodes.base import Array
from .base import Stays
from .convolve import convolved, geometry_of
from .lower_pooling import as_conv
from .rescale import Shape, rescale_of


@dataclass(frozen=True)
class Composed:
    """A map that stands for two.

    Args:
        multiplies: what it takes.
        make: the node.
    """

    multiplies: int
    make: Callable[[], Node]


def compose(a: Node, b: Node, shapes: tuple[Shape, Shape, Shape]) -> Composed | Stays | None:
    """A and then B as one; the reason where that cannot be; nothing for kinds that are no pair.

    Args:
        a: the first map.
        b: the second.
        shapes: what a receives, what goes between, what b sends.
    """
    rule = PAIRS.get((type(a), type(b)))
    return None if rule is None else rule(a, b, shapes)


def _wide(values: Array) -> Array:
    return values.astype(np.float64)


def _kind(a: Array, b: Array) -> Any:
    return np.result_type(a, b)


def _affines(a: Any, b: Any, shapes: tuple[Shape, Shape, Shape]) -> Composed | Stays:
    def make() -> Node:
        weight = _wide(b.weight) @ _wide(a.weight)
        return Affine(weight.astype(kind), _joined_bias(a, b, kind, lambda bias: _wide(b.weight) @ bias))

    kind = _kind(a.weight, b.weight)
    return Composed(math.prod(shapes[2]) * a.weight.shape[1], make)


def _joined_bias(a: Any, b: Any, kind: Any, through: Callable[[Array], Array]) -> Array | None:
    parts = [] if a.bias is None else [through(_wide(a.bias))]
    parts += [] if b.bias is None else [_wide(b.bias)]
    return sum(parts[1:], parts[0]).astype(kind) if parts else None


def _scales(a: Any, b: Any, shapes: tuple[Shape, Shape, Shape]) -> Composed | Stays:
    def make() -> Node:
        first, second = rescale_of(a, len(shapes[1])), rescale_of(b, len(shapes[2]))
        if first is None or second is None:
            raise TypeError("a pair of the table is not a rescaling")
        scale, shift = first.scale * second.scale, first.shift * second.scale + second.shift
        kind = _kind(*(next(iter(each.arrays().values())) for each in (a, b)))
        return Scale(scale.astype(kind), shift.astype(kind) if shift.any() else None)

    return Composed(math.prod(shapes[2]), make)


def _as_contract(node: Any, rank: int) -> Contract | Stays:
    """An Affine as a contraction of the last axis."""
    if isinstance(node, Contract):
        return node
    if node.bias is not None:
        return Stays("one of them has a bias, and a contraction has none")
    x = string.ascii_lowercase[:rank]
    return Contract(f"{x},A{x[-1]}->{x[:-1]}A", node.weight)


def _contracts(a: Any, b: Any, shapes: tuple[Shape, Shape, Shape]) -> Composed | Stays:
    first, second = _as_contract(a, len(shapes[0])), _as_contract(b, len(shapes[1]))
    if isinstance(first, Stays):
        return first
    if isinstance(second, Stays):
        return second
    x, m, between = first.terms
    names = dict(zip(second.terms[0], between, strict=True))
    free = [letter for letter in string.ascii_letters if letter not in {*x, *m, "Z"}]
    new = [letter for letter in second.terms[1] if letter not in names]
    if len(new) > len(free):
        return Stays("their equation would need more letters than there are")
    names |= dict(zip(new, free, strict=False))
    n, out = ("".join(names[letter] for letter in term) for term in second.terms[1:])
    kept = "".join(letter for letter in dict.fromkeys(m + n) if letter in x or letter in out)
    parts = [(m, first.constant), (n, second.constant)]

    def make() -> Node:
        constant = np.einsum(f"{m},{n}->{kept}", *(_wide(part) for _, part in parts))
        return Contract(f"{x},{kept}->{out}", constant.astype(_kind(first.constant, second.constant)))

    sizes = {letter: size for term, part in parts for letter, size in zip(term, part.shape, strict=True)}
    sizes |= dict(zip(x, shapes[0], strict=True))
    return Composed(math.prod(sizes[letter] for letter in {*x, *kept}), make)


def _convolutions(a: Any, b: Any, shapes: tuple[Shape, Shape, Shape]) -> Composed | Stays:
    first = a if isinstance(a, Conv) else as_conv(a, shapes[0])
    second = b if isinstance(b, Conv) else as_conv(b, shapes[1])
    if isinstance(first, Stays):
        return first
    if isinstance(second, Stays):
        return second
    geometry = geometry_of(first, second)
    if isinstance(geometry, Stays):
        return geometry
    count = math.prod(shapes[2]) * shapes[0][0] // geometry.groups * math.prod(geometry.kernel)
    return Composed(count, lambda: convolved(first, second, geometry))


_Rule = Callable[[Any, Any, tuple[Shape, Shape, Shape]], Composed | Stays]

PAIRS: Mapping[tuple[type[Node], type[Node]], _Rule] = {
    (Affine, Affine): _affines,
    **{(a, b): _scales for a in (Scale, BatchNorm) for b in (Scale, BatchNorm)},
    **dict.fromkeys(((Contract, Contract), (Contract, Affine), (Affine, Contract)), _contracts),
    **dict.fromkeys(((Conv, Conv), (AveragePool, Conv), (SumPool, Conv)), _convolutions),
    **dict.fromkeys(((Conv, AveragePool), (Conv, SumPool)), _convolutions),
}
"""For each pair of kinds that can be one map, the rule."""
