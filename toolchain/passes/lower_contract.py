"""Lower Contract, y = einsum(equation, x, M), to Affine, for targets that know matrix products alone.

The letters of x and M say what the product is. With F only in x, K summed over, N only in M:

    y[F, N] = Σ_K M[K, N] · x[F, K]     Permute to (F, K), Reshape, Affine with W[N, K], Reshape, Permute

A letter that x, M and y share asks for a matrix of its own for each entry. Where all letters of M are of that sort the
node is a Scale; otherwise it takes `dense`: y = W · flat(x) with W[i, j] = y_i(e_j), one matrix for everything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..graph import Node
from ..graph.nodes import Affine, Contract, Permute, Reshape, Scale
from ..graph.nodes.base import Array
from .base import Change, NodePass, Refusal, one
from .draft import Draft
from .drop_identities import identity
from .rescale import Shape


@dataclass(frozen=True)
class LowerContract(NodePass):
    """Lower contractions with a constant, graph convolutions among them, to Affine.

    Args:
        dense: one matrix between everything that comes in and everything that goes out, for targets whose only layer
            is dense; then also for an Affine on the last of several axes.
        most: the largest dense matrix, in values; beyond it the node stays.
    """

    dense: bool = False
    most: int = 2**24

    name: ClassVar[str] = "lower_contract"
    exact: ClassVar[bool] = False

    def at(self, draft: Draft, name: str) -> Change | Refusal | None:
        """Exchange one contraction."""
        node = draft.nodes[name]
        if self.dense and isinstance(node, (Affine, Contract)):
            rank = max(len(draft.received(name)[0].shape), len(draft.signals[name].shape))
            return None if rank == 1 and isinstance(node, Affine) else self._dense(draft, name, node)
        return _lower(draft, name, node) if isinstance(node, Contract) else None

    def _dense(self, draft: Draft, name: str, node: Affine | Contract) -> Change | Refusal:
        received, sent = draft.received(name)[0].shape, draft.signals[name].shape
        inward, outward = math.prod(received), math.prod(sent)
        if inward * outward > self.most:
            size = f"{outward} × {inward} = {outward * inward} values"
            return Refusal(name, f"as one matrix it would have {size}, more than the {self.most} allowed")
        own = next(iter(node.arrays().values())).dtype
        ones = np.eye(inward).reshape(inward, *received)
        linear = Affine(node.weight) if isinstance(node, Affine) else node
        weight = linear.step({}, ones)[0].reshape(inward, outward).T.astype(own)
        rows = Affine(weight, _repeated(node, sent))
        _chain(draft, name, [Reshape((inward,)), rows, Reshape(sent)])
        return Change((name,), f"lowered {name}, {one(node)}, to one matrix of {outward} × {inward}")


def _repeated(node: Affine | Contract, sent: Shape) -> Array | None:
    bias = node.bias if isinstance(node, Affine) else None
    return None if bias is None else np.broadcast_to(bias, sent).reshape(-1)


def _lower(draft: Draft, name: str, node: Contract) -> Change | Refusal:
    x, m, out = node.terms
    shared = [letter for letter in m if letter in x and letter in out]
    if not set(m) <= set(shared) and shared:
        return Refusal(
            name,
            f"'{node.equation}' keeps {shared[0]}, which x and the constant share: a matrix for each {shared[0]}; "
            "dense=True makes one of all",
        )
    if set(x) == set(out) and set(m) <= set(x):
        _chain(draft, name, _as_scale(node))
        return Change((name,), f"lowered {name}, '{node.equation}', to a Scale")
    if shared:
        return Refusal(name, f"'{node.equation}' scales and sums at once; dense=True makes one matrix of it")
    matrix = _as_affine(node, draft.received(name)[0].shape)
    _chain(draft, name, matrix)
    rows, columns = next(each for each in matrix if isinstance(each, Affine)).weight.shape
    return Change((name,), f"lowered {name}, '{node.equation}', to an Affine of {rows} × {columns}")


def _as_scale(node: Contract) -> list[Node]:
    """x · M, with M's axes in the order of x, and the axes then in the order of y."""
    x, m, out = node.terms
    ordered = node.constant.transpose([m.index(letter) for letter in x if letter in m])
    sides = iter(ordered.shape)
    scale = ordered.reshape([next(sides) if letter in m else 1 for letter in x])
    return [Scale(scale), Permute(tuple(x.index(letter) for letter in out))]


def _as_affine(node: Contract, shape: Shape) -> list[Node]:
    """Permute, Reshape, Affine, Reshape, Permute."""
    x, m, out = node.terms
    sizes = {**dict(zip(m, node.constant.shape, strict=True)), **dict(zip(x, shape, strict=True))}
    free = [letter for letter in x if letter in out]
    summed = [letter for letter in x if letter not in out]
    new = [letter for letter in m if letter in out]
    have = [letter for letter in summed if letter in m]
    matrix = np.einsum(node.constant, [*map(m.index, m)], [m.index(letter) for letter in (*new, *have)])
    sides = [sizes[letter] for letter in new] + [sizes[letter] if letter in have else 1 for letter in summed]
    full = [sizes[letter] for letter in (*new, *summed)]
    weight = np.broadcast_to(matrix.reshape(sides), full)
    weight = weight.reshape(math.prod(full[: len(new)]), math.prod(full[len(new) :]))
    between = [*free, *new]
    return [
        Permute(tuple(x.index(letter) for letter in (*free, *summed))),
        Reshape((*(sizes[letter] for letter in free), weight.shape[1])),
        Affine(weight),
        Reshape(tuple(sizes[letter] for letter in between)),
        Permute(tuple(between.index(letter) for letter in out)),
    ]


def _chain(draft: Draft, name: str, nodes: list[Node]) -> None:
    """Put nodes one behind the other in place of one, leaving out those that would change nothing."""
    parts: list[tuple[str, Node]] = []
    signal = draft.received(name)[0]
    for node in nodes:
        if identity(node, (signal,)) is None:
            parts.append(("matrix" if isinstance(node, Affine) else node.kind.lower(), node))
        signal = node.signal((signal,))
    draft.replace_by(name, parts)
