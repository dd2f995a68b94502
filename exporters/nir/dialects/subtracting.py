"""What sinabs, Rockpool and Spyx have in common: reset by subtraction, from 0, and numbers in float32.

In float32, v > θ is v ≥ θ⁺ with the next number after θ, and v ≥ θ is v > θ⁻ with the one before it. A network with the
compare that a framework does not have is written with that number, and comes back with θ.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ....toolchain.errors import GraphError
from ....toolchain.graph.nodes import Array, Firing, Integrating
from ....toolchain.graph.nodes.base import need
from ..tree import Leaf
from .base import Told
from .ode import number

NEAR: dict[str, Any] = {"rtol": 1e-6, "atol": 1e-12}


def firing(leaf: Leaf, told: Told, *, at_least: bool) -> dict[str, Any]:
    """The fields of a neuron in a file of a framework that compares with ≥ (at_least) or with >."""
    need(told.reset == "subtract", "reset", f"'{told.reset}'", "by subtraction, as this framework resets")
    level = number(leaf, "v_threshold")
    if told.at_least != at_least:
        level = beside(level, up=not at_least)
    return {"threshold": level, "reset": "subtract", "when": told.when, "at_least": told.at_least}


def level_of(node: Firing, *, at_least: bool) -> Array:
    """θ as such a framework has to be told it."""
    need(node.reset == "subtract", "reset", f"'{node.reset}'", "by subtraction: its importer makes no other")
    need(node.emit == "spikes", "emit", f"'{node.emit}'", "spikes: its neurons send nothing else")
    return node.threshold if node.at_least == at_least else beside(node.threshold, up=at_least)


def beside(level: Array, *, up: bool) -> Array:
    """The next number in float32, up or down."""
    end = np.float32(np.inf if up else -np.inf)
    return np.nextafter(np.asarray(level, np.float32), end).astype(np.float64)


def has(node: Integrating, name: str, wanted: Array | float, words: str) -> None:
    """Refuses a parameter that is not what the importer makes of it whatever the file says."""
    value = node.arrays()[name]
    if not np.allclose(value, wanted, **NEAR):
        raise GraphError(name, f"{float(value.flat[0]):g}", words)


def starts_at_rest(node: Integrating) -> None:
    """Refuses a neuron that does not start from 0."""
    has(node, "v_start", 0.0, "0: its neurons start there")


def spread(values: dict[str, Array], shape: tuple[int, ...]) -> dict[str, Array]:
    """One value for each neuron, in float32."""
    return {name: np.broadcast_to(value, shape).astype(np.float32) for name, value in values.items()}
