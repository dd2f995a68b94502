"""How many multiplications a linear node takes for one step of one sample, counted as if every value arrived."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from ..graph import Node
from ..graph.nodes import Affine, AveragePool, BatchNorm, Contract, Conv, Scale, SumPool
from .rescale import Shape


def multiplies(node: Node, received: Shape, sent: Shape) -> int:
    """The count of COUNTS; a KeyError for a node that is not there."""
    return COUNTS[type(node)](node, received, sent)


def _each(_: Any, __: Shape, sent: Shape) -> int:
    return math.prod(sent)


def _affine(node: Any, _: Shape, sent: Shape) -> int:
    return math.prod(sent) * int(node.weight.shape[1])


def _conv(node: Any, _: Shape, sent: Shape) -> int:
    return math.prod(sent) * int(node.weight[0].size)


def _contract(node: Any, received: Shape, _: Shape) -> int:
    x, m, __ = node.terms
    sizes = {**dict(zip(x, received, strict=True)), **dict(zip(m, node.constant.shape, strict=True))}
    return math.prod(sizes.values())


def _none(_: Any, __: Shape, ___: Shape) -> int:
    return 0


COUNTS: Mapping[type[Node], Callable[[Any, Shape, Shape], int]] = {
    Affine: _affine,
    Conv: _conv,
    Contract: _contract,
    Scale: _each,
    BatchNorm: _each,
    AveragePool: _each,
    SumPool: _none,
}
"""For each kind, the products that its equation states; a BatchNorm as the one scale that it comes to."""
