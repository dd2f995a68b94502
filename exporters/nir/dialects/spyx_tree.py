"""Spyx's files as whole trees: the Delays that its neurons bring, its order of columns, and what it gets wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np

from ....toolchain.graph.nodes import Array
from ....toolchain.graph.nodes.base import need
from ..cycles import cycles
from ..tree import Leaf, Tree
from .chains import NEURONS, chain, changed, neurons, without
from .ode import number
from .subtracting import NEAR

DELAYS = "late"
"""The entry of our own metadata that says which Delay stood behind which neuron, as JSON."""
LATE = "put a Delay of one step behind each neuron, or take the biases away behind the first one"


def finish(tree: Tree) -> Tree:
    """Without the Delays that its neurons bring, and with columns in its order; a GraphError for what it gets wrong."""
    names = chain(tree)
    ends = names[0] == "input" and names[-1] == "output"
    need(ends, "ends", f"{names[0]} and {names[-1]}", "input and output: its importer knows them by these names")
    dt = float(str(tree.metadata["dt"]))
    late = {before: name for before, name in pairwise(names) if _one_step(tree, before, name, dt)}
    layers = [name for name in names if _fires(tree.nodes[name])]
    if len(late) < len(layers):
        need(not late, "Delay", "behind some of its neurons alone", "one step behind each", LATE)
        _time_alone(tree, names, layers)
    for name in late.values():
        tree = without(tree, name)
    for name in chain(tree):
        _check(name, tree.nodes[name])
    return _columns(replace(tree, metadata={**tree.metadata, DELAYS: json.dumps(late)}), channels_last=True)


def _one_step(tree: Tree, before: str, name: str, dt: float) -> bool:
    node = tree.nodes[name]
    if not _fires(tree.nodes[before]) or not isinstance(node, Leaf) or node.kind != "Delay":
        return False
    return bool(np.allclose(number(node, "delay"), dt, **NEAR))


def _fires(node: Leaf | Tree) -> bool:
    return bool(neurons(node)) if isinstance(node, Tree) else node.kind in NEURONS and node.kind != "LI"


def _time_alone(tree: Tree, names: tuple[str, ...], layers: list[str]) -> None:
    """Without Delays its answers come later, and are the same but for that where no bias comes in behind the first."""
    for name in names[names.index(layers[0]) + 1 :]:
        node = tree.nodes[name]
        biased = isinstance(node, Leaf) and "bias" in node.values and number(node, "bias").any()
        found = "another than 0, in a network whose neurons send without delay"
        need(not biased, f"bias of '{name}'", found, "0: Spyx's spikes leave a step later, the bias does not", LATE)


def _check(name: str, node: Leaf | Tree) -> None:
    if isinstance(node, Tree):
        leaves = [each for each in node.nodes.values() if isinstance(each, Leaf)]
        kinds = [leaf.kind for leaf in leaves if leaf.kind not in ("Input", "Output")]
        fits = len(leaves) == len(node.nodes) == 4 and len(kinds) == 2 and bool({"Linear", "Affine"} & set(kinds))
        need(fits, f"'{name}'", f"a loop of {', '.join(kinds)}", "one layer of weights and its neurons")
        biased = any(leaf.kind == "Affine" and number(leaf, "bias").any() for leaf in leaves)
        need(not biased, f"bias in '{name}'", "in a loop", "none: its importer drops it")
    elif node.kind == "Conv2d":
        need(bool((number(node, "groups") == 1).all()), f"groups of '{name}'", "more than 1", "1: Spyx drops them")
        need(bool((number(node, "dilation") == 1).all()), f"dilation of '{name}'", "another", "1: Spyx drops it")
        need(not isinstance(node.values["padding"], str), f"padding of '{name}'", "a word", "numbers")
    elif node.kind == "SumPool2d":
        need(not number(node, "padding").any(), f"padding of '{name}'", "another than 0", "0: Spyx has no such pool")
    need(
        isinstance(node, Tree) or node.kind != "Delay", f"'{name}'", "a Delay", "none but a step behind a neuron", LATE
    )


def _columns(tree: Tree, *, channels_last: bool) -> Tree:
    """The layers behind a Flatten with their columns in the order of channels last, or back in NIR's."""
    nodes: dict[str, Leaf | Tree] = {}
    for source, target in tree.edges:
        node, layer = tree.nodes[source], tree.nodes[target]
        shape = _image(node) if isinstance(node, Leaf) and node.kind == "Flatten" else ()
        if len(shape) != 3 or min(shape[0], shape[1] * shape[2]) == 1:
            continue
        weighs = isinstance(layer, Leaf) and layer.kind in ("Linear", "Affine")
        need(weighs, f"'{target}'", "behind a Flatten", "a dense layer, whose columns can be put in Spyx's order")
        if isinstance(layer, Leaf):
            weight = _permuted(number(layer, "weight"), shape, channels_last=channels_last)
            nodes[target] = Leaf(layer.kind, {**layer.values, "weight": weight}, layer.metadata)
    return changed(tree, nodes)


def _image(flatten: Leaf) -> tuple[int, ...]:
    shape = tuple(int(size) for size in np.ravel(number(flatten, "input_type")))
    if len(shape) == 3:
        start, end = (int(number(flatten, name)) % 3 for name in ("start_dim", "end_dim"))
        need((start, end) == (0, 2), "Flatten", "of some of its axes", "of all: Spyx flattens all")
    return shape


def _permuted(weight: Array, shape: tuple[int, ...], *, channels_last: bool) -> Array:
    channels, height, width = shape
    if channels_last:
        return weight.reshape(-1, channels, height, width).transpose(0, 2, 3, 1).reshape(weight.shape)
    return weight.reshape(-1, height, width, channels).transpose(0, 3, 1, 2).reshape(weight.shape)


def begin(tree: Tree, dt: float) -> Tree:
    """With the Delay behind each neuron that Spyx's bring, and columns in NIR's order."""
    inside = {name for loop in cycles(tree) for name in loop}
    nodes, edges, said = dict(tree.nodes), list(tree.edges), _said(tree)
    for name, node in tree.nodes.items():
        if not _fires(node) or (said is not None and name not in said):
            continue
        late = _free((said or {}).get(name, f"{name}_late"), nodes)
        nodes[late] = Leaf("Delay", {"delay": np.full(_sends(node), dt)})
        edges = [
            (late, target) if source == name and target not in inside else (source, target) for source, target in edges
        ]
        edges.append((name, late))
    return _columns(Tree(nodes, tuple(edges), tree.metadata, tree.version), channels_last=False)


def _said(tree: Tree) -> dict[str, str] | None:
    """The Delay behind each neuron that our own file says it had; none where it says nothing."""
    try:
        found = json.loads(str(tree.metadata[DELAYS]))
    except (KeyError, ValueError, RecursionError):
        return None
    return {str(name): str(late) for name, late in found.items()} if isinstance(found, dict) else None


def _sends(node: Leaf | Tree) -> tuple[int, ...]:
    leaf = neurons(node)[0] if isinstance(node, Tree) else node
    return number(leaf, "v_threshold").shape


def _free(name: str, taken: dict[str, Leaf | Tree]) -> str:
    while name in taken:
        name += "_"
    return name


def warns(tree: Tree) -> tuple[str, ...]:
    """How it is run there."""
    names = chain(tree)
    dt = str(tree.metadata["dt"])
    layers = [name for name in names if _fires(tree.nodes[name])]
    lines = [f"from_nir(graph, inputs, dt={dt}) is how Spyx gets this step: its own is 1"]
    if layers and not _said(tree):
        lines.append(
            f"Spyx's neurons send a step late: its answers are those of this network {len(layers)} steps later"
        )
    if any(isinstance(node, Leaf) and node.kind == "Conv2d" for node in tree.nodes.values()):
        lines.append("Spyx has channels last: its inputs and outputs are [time, batch, height, width, channels]")
    return tuple(lines)
