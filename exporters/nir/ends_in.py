"""Inputs and outputs that a file leaves out, where they follow from the rest."""

from __future__ import annotations

import numpy as np

from ...toolchain.graph.nodes.base import shown
from .flat import Flat
from .kinds_in import PASS
from .neurons_in import NEURON_FIELDS, Shape
from .place_in import known_counts
from .said import Said
from .tree import Leaf

EXPECTED = "a node of type Input and one of type Output"


def completed(flat: Flat, said: Said) -> None:
    """Adds an Input before what nothing feeds, and an Output behind what nothing reads."""
    if not flat.nodes:
        said.reasons.append(said.error("", "no nodes", EXPECTED))
        return
    _check_ends(flat, said)
    for name in [n for n, leaf in flat.nodes.items() if leaf.kind != "Input" and not flat.sources[n]]:
        shape = _taken(flat.nodes[name])
        if shape is None or flat.nodes[name].kind == "Output":
            text = f"nothing feeds it, and a {flat.nodes[name].kind} does not say what it takes"
            said.reasons.append(said.error(name, text, "an edge to it"))
            continue
        said.remark(name, f"nothing feeds it; an input of {shown(shape)} is added")
        _add(flat, "input", Leaf("Input", {"shape": np.array(shape, np.int64)}), name)
    readers = flat.readers()
    for name in [n for n, leaf in flat.nodes.items() if leaf.kind != "Output" and not readers[n]]:
        if flat.nodes[name].kind == "Input":
            said.remark(name, "nothing reads this input")
            continue
        said.remark(name, "nothing reads it; an output is added")
        added = _add(flat, "output", Leaf("Output", {}), "")
        flat.sources[added] = [name]
    for kind in ("Input", "Output"):
        if not flat.of_kind(kind) and not said.reasons:
            said.reasons.append(said.error("", f"no {kind.lower()}", EXPECTED))


def _check_ends(flat: Flat, said: Said) -> None:
    readers = flat.readers()
    for name in flat.of_kind("Input"):
        if flat.sources[name]:
            said.reasons.append(said.error(name, f"an edge from '{flat.sources[name][0]}' into an Input", "none"))
    for name in flat.of_kind("Output"):
        if readers[name]:
            said.reasons.append(said.error(name, f"an edge from an Output to '{readers[name][0]}'", "none"))


def _add(flat: Flat, name: str, leaf: Leaf, reader: str) -> str:
    unique, count = name, 2
    while unique in flat.nodes:
        unique, count = f"{name}_{count}", count + 1
    flat.nodes[unique], flat.sources[unique] = leaf, []
    if reader:
        flat.sources[reader] = [unique]
    return unique


def _taken(leaf: Leaf) -> Shape | None:
    """The shape of what a node takes, as far as its own fields say."""
    fields = {name: value for name, value in leaf.values.items() if not isinstance(value, str)}
    shapes = [value.shape for name, value in fields.items() if name in NEURON_FIELDS.get(leaf.kind, ())]
    if shapes:
        return max(shapes, key=len) or (1,)
    weight = fields.get("weight")
    if leaf.kind in ("Linear", "Affine") and weight is not None and weight.ndim >= 2:
        return (*weight.shape[:-2], weight.shape[-1])
    for name, kinds in (("scale", "Scale"), ("threshold", "Threshold"), ("delay", "Delay")):
        if leaf.kind == kinds and name in fields and fields[name].ndim:
            return fields[name].shape
    space, groups = known_counts(leaf, "input_shape"), known_counts(leaf, "groups") or (1,)
    if leaf.kind in ("Conv1d", "Conv2d") and weight is not None and weight.ndim > 2 and space is not None:
        return (weight.shape[1] * groups[0], *space)
    return known_counts(leaf, "input_type") if leaf.kind in ("Flatten", PASS) else None
