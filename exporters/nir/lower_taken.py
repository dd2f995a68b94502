"""What NIR has and an importer does not take, in nodes that it does take.

AvgPool2d     SumPool2d and a Scale by 1/n, which the next layer takes up
SumPool2d     a convolution with weights 1
Scale         a diagonal matrix, or a convolution with a kernel of one value
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...toolchain.graph import Node
from ...toolchain.graph.nodes import Affine, AveragePool, Conv, Scale, SumPool
from ...toolchain.passes.base import Change, Stays
from ...toolchain.passes.draft import Draft
from ...toolchain.passes.rescale import rescale_of
from .channels import each_channel

Rule = Callable[[Draft, str, Any], Change | None]
LARGEST = 2**24
"""The most weights of a diagonal matrix."""


def pools_for(takes: frozenset[str]) -> tuple[Rule, ...]:
    """The rules for pools that an importer does not take."""
    missing = {kind for kind in ("AvgPool2d", "SumPool2d") if takes and kind not in takes}
    average = (_average,) if "AvgPool2d" in missing else ()
    return (*average, *((_sum,) if "SumPool2d" in missing else ()))


def scales_for(takes: frozenset[str]) -> tuple[Rule, ...]:
    """The rules for scales that an importer does not take, once nothing near has taken them up."""
    return (_scale,) if takes and "Scale" not in takes else ()


def _average(draft: Draft, name: str, kind: Any) -> Change | None:
    node = draft.nodes[name]
    if not isinstance(node, AveragePool):
        return None
    shape = draft.received(name)[0].shape
    pool = SumPool(node.window, node.stride, node.padding, node.ceil)
    sums = draft.insert(f"{name}_sum", pool, *draft.wires[name], before=name)
    n = node.divisors(shape)
    even = bool((n == n.flat[0]).all())
    draft.replace(name, Scale((1 / (n.flat[0] if even else n[None])).astype(kind)), sums)
    return Change((name,), f"wrote {name}, an AveragePool, as a SumPool and a Scale")


def _sum(draft: Draft, name: str, kind: Any) -> Change | None:
    node = draft.nodes[name]
    if not isinstance(node, SumPool) or len(node.window) > 2:
        return None
    shape = draft.received(name)[0].shape
    _, padding = node.places(shape)
    draft.replace(name, each_channel(np.ones(node.window, kind), shape[0], stride=node.stride, padding=padding))
    return Change((name,), f"wrote {name}, a SumPool, as a Conv with weights 1")


def _scale(draft: Draft, name: str, kind: Any) -> Change | None:
    node, shape = draft.nodes[name], draft.signals[name].shape
    layer = _layer(node, shape, kind) if isinstance(node, Scale) else None
    if layer is None:
        return None
    draft.replace(name, layer)
    return Change(
        (name,), f"wrote {name}, a Scale, as {'a diagonal matrix' if isinstance(layer, Affine) else 'a Conv'}"
    )


def _layer(node: Scale, shape: tuple[int, ...], kind: Any) -> Node | None:
    r = rescale_of(node, len(shape))
    found = r.vectors(0, shape[0]) if r is not None else Stays("no scale")
    if isinstance(found, Stays) or len(shape) > 3:
        return None
    scale, shift = (part.astype(np.result_type(kind)) for part in found)
    bias = shift if shift.any() else None
    if len(shape) == 1:
        return Affine(np.diag(scale), bias) if shape[0] ** 2 <= LARGEST else None
    eye = each_channel(np.ones((1,) * (len(shape) - 1), kind), shape[0])
    return Conv(eye.weight * scale.reshape(-1, *([1] * len(shape))), bias, groups=eye.groups)
