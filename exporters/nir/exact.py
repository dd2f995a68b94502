"""A neuron from the numbers of a file, bit for bit where the file keeps them: both roads use this.

NIR's fields are turned into the graph's parameters in float64, and those into the type of the fields. Rounding on the
way of β over τ to β is put right by arrays in the node's metadata: each has to agree with what the field says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar, cast

import numpy as np

from ...toolchain.graph.nodes import Array, Integrating, Node
from ...toolchain.passes.plain import parameter
from .dialects.base import Decode, Told
from .tree import Leaf

N = TypeVar("N", bound=Node)
ROUNDING = 1e-4
"""How far a parameter may be from the one that the field gives, relative to it; float32 and β near 1 need so much."""
NEAR = 1e-6
"""How far it may be where it is next to 0, relative to the largest; decays are of the size of 1."""
UNSAID = ("v_start",)
"""Parameters that no field of NIR holds."""
VOLTAGES = ("v_start", "v_reset", "threshold")
"""Parameters that are the same for a step of any length."""


def with_arrays(node: N, arrays: Mapping[str, Array]) -> N:
    """The node with other arrays."""
    return cast(N, replace(cast(Any, node), **arrays))


def decoded(leaf: Leaf, told: Told, decode: Decode) -> Integrating:
    """The neuron that the fields give, its arrays in the type that they have."""
    wide = {
        name: value if isinstance(value, str) else np.asarray(value, np.float64) for name, value in leaf.values.items()
    }
    node = decode(Leaf(leaf.kind, wide, leaf.metadata), told)
    kind = np.result_type(*(value.dtype for value in leaf.values.values() if not isinstance(value, str)))
    return with_arrays(node, {name: parameter(value.astype(kind)) for name, value in node.arrays().items()})


def kept(node: Integrating, leaf: Leaf) -> tuple[dict[str, Array], list[str]]:
    """The arrays in a leaf's metadata that belong to this neuron, and the names of those that contradict it."""
    arrays = node.arrays()
    given = {name: value for name, value in leaf.metadata.items() if name in arrays and not isinstance(value, str)}
    found = {name: _laid(value) for name, value in given.items()}
    wrong = [name for name, value in found.items() if name not in UNSAID and not agrees(name, value, arrays[name])]
    return {name: value for name, value in found.items() if name not in wrong}, wrong


def restored(node: Integrating, leaf: Leaf, *, steps: bool) -> tuple[Integrating, list[str]]:
    """The neuron with the arrays that its leaf keeps, and the names of those that contradict the fields.

    Args:
        node: the neuron as the fields give it.
        leaf: with the arrays in its metadata.
        steps: whether the node is in the steps that these were written for; else only voltages are taken.
    """
    given = {name: value for name, value in leaf.metadata.items() if steps or name in VOLTAGES}
    found, wrong = kept(node, Leaf(leaf.kind, {}, given))
    return with_arrays(node, found) if found else node, wrong


def _laid(value: Array) -> Array:
    return parameter(np.asarray(value).reshape(()) if np.size(value) == 1 else np.asarray(value))


def agrees(name: str, exact: Array, rounded: Array) -> bool:
    """Whether one is the other but for rounding."""
    around = 1.0 if name in ("alpha", "beta") else float(np.abs(exact).max())
    try:
        return bool(np.allclose(exact, rounded, rtol=ROUNDING, atol=NEAR * around))
    except ValueError:
        return False


def same_bits(a: Array, b: Array) -> bool:
    """Whether two arrays are equal in type, shape and every bit."""
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def differences(node: Integrating, back: Integrating) -> Mapping[str, Any]:
    """The fields in which what comes back is not the neuron, bit for bit, with the neuron's own values."""
    found: dict[str, Any] = {}
    for each in fields(node):
        mine, theirs = getattr(node, each.name), getattr(back, each.name)
        alike = same_bits(parameter(mine), parameter(theirs)) if isinstance(mine, np.ndarray) else mine == theirs
        if not alike:
            found[each.name] = mine
    return found
