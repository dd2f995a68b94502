"""The types of node that NIR has and their fields, under the names that every version of it gave them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...toolchain.graph.nodes.base import need
from .neurons_in import ABSENT, NEURON_FIELDS
from .said import Said
from .tree import Leaf, Tree

PASS = "Pass"
"""The type of what hands on what comes in: an end of a sub-graph."""
FIELDS = {
    **NEURON_FIELDS,
    **dict.fromkeys(("Input", "Output"), ("shape",)),
    **dict.fromkeys(("Linear", "Affine"), ("weight", "bias")),
    **dict.fromkeys(("Conv1d", "Conv2d"), ("weight", "bias", "stride", "padding", "dilation", "groups", "input_shape")),
    **dict.fromkeys(("SumPool2d", "AvgPool2d"), ("kernel_size", "stride", "padding")),
    "Scale": ("scale",),
    "Threshold": ("threshold",),
    "Delay": ("delay",),
    "Flatten": ("start_dim", "end_dim", "input_type"),
    PASS: ("shape", "input_type"),
}
"""The fields that each type of node has."""
RENAMED = {"weights": "weight", "theta": "v_threshold"}
"""Fields that NIR before 0.1 called otherwise."""
TYPES = {"Identity": PASS}
"""Types that only some versions have, and what they are."""


ENDLESS = ("tau", "tau_mem", "tau_syn", "r")
"""Fields in which a framework may write infinity, where its dialect knows what is meant."""


def checked(tree: Tree, said: Said, path: str = "") -> Tree:
    """Every node with its fields under the names of today; a reason for each type that is not known.

    Neurons have all their fields, as numbers, but for those that may be absent; which are finite, but for ENDLESS.
    """
    nodes: dict[str, Leaf | Tree] = {}
    for name, node in tree.nodes.items():
        where = f"{path}{name}"
        if isinstance(node, Tree):
            nodes[name] = checked(node, said, f"{where}.")
            continue
        kind = TYPES.get(node.kind, node.kind)
        if kind in FIELDS:
            nodes[name] = _leaf(where, kind, node, said)
        else:
            known = ", ".join(each for each in FIELDS if each != PASS)
            said.reasons.append(said.error(where, f"a node of type '{kind[:60]}'", f"one of {known}"))
    return replace(tree, nodes=nodes)


def _leaf(path: str, kind: str, leaf: Leaf, said: Said) -> Leaf:
    values = {}
    for name, value in leaf.values.items():
        called = RENAMED.get(name, name)
        if called in FIELDS[kind] and called not in values:
            values[called] = value
        else:
            said.remark(path, f"{kind} has no field '{name[:60]}'; left unread")
    if kind == "Linear" and "bias" in values:
        said.remark(path, "a Linear with a bias, as NIR had it before 0.1: Affine")
        kind = "Affine"
    found = Leaf(kind, values, leaf.metadata)
    with said.at(path):
        _check_neuron(found)
    return found


def _check_neuron(leaf: Leaf) -> None:
    for name in NEURON_FIELDS.get(leaf.kind, ()):
        value = leaf.values.get(name)
        if value is None:
            need(name in ABSENT, name, "is not there", f"numbers, as {leaf.kind} has")
        elif isinstance(value, str) or value.dtype.kind == "b":
            need(False, name, "text" if isinstance(value, str) else "true or false", f"numbers, as {leaf.kind} has")
        else:
            need(value.size > 0, name, "no numbers", "one for each neuron")
            bad = np.isnan(value) if name in ENDLESS else ~np.isfinite(value)
            need(not bad.any(), name, "NaN or infinite values", "finite numbers")


def finite(tree: Tree, said: Said, path: str = "") -> None:
    """A reason for each neuron with a number that is not finite."""
    for name, node in tree.nodes.items():
        if isinstance(node, Tree):
            finite(node, said, f"{path}{name}.")
            continue
        for field in NEURON_FIELDS.get(node.kind, ()):
            value = node.values.get(field, np.zeros(()))
            with said.at(f"{path}{name}"):
                fine = isinstance(value, str) or bool(np.isfinite(value).all())
                need(fine, field, "NaN or infinite values", "finite numbers")
