"""The types of node that NIR has and their fields, under the names that every version of it gave them."""

from __future__ import annotations

from .flat import PASS, Flat
from .neurons_in import NEURON_FIELDS
from .said import Said
from .tree import Leaf

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


def checked(flat: Flat, said: Said) -> None:
    """Every node with its fields under the names of today; a reason for each type that is not known."""
    for path, leaf in flat.nodes.items():
        kind = TYPES.get(leaf.kind, leaf.kind)
        if kind in FIELDS:
            flat.nodes[path] = _leaf(path, kind, leaf, said)
        else:
            known = ", ".join(each for each in FIELDS if each != PASS)
            said.reasons.append(said.error(path, f"a node of type '{kind[:60]}'", f"one of {known}"))


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
    return Leaf(kind, values, leaf.metadata)
