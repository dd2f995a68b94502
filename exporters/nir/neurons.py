"""The node of NIR that a neuron is, and what its numbers do not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...toolchain.graph import Graph
from ...toolchain.graph.nodes import Array, Firing, Integrating
from ...toolchain.graph.nodes.base import brief, need
from .dialects import ode
from .dialects.base import Dialect, told_of
from .exact import UNSAID, agrees, decoded, differences, with_arrays
from .facts import NeuronFacts
from .tree import Leaf

FACTS = ("rule",)
"""What only the facts hold, in every dialect."""


@dataclass(frozen=True)
class Written:
    """A neuron as it is written.

    Args:
        leaf: the node of NIR, with arrays that its fields only give up to rounding as metadata.
        facts: what its numbers do not say.
        unsaid: parameters that only the metadata hold.
    """

    leaf: Leaf
    facts: NeuronFacts
    unsaid: tuple[str, ...]


def neuron_leaf(node: Integrating, shape: tuple[int, ...], dialect: Dialect, dt: float, kind: Any) -> Written:
    """A neuron in a dialect; a GraphError where it has none.

    Args:
        node: the neuron.
        shape: of its signal.
        dialect: the dialect.
        dt: the length of a step in seconds.
        kind: the type of its numbers.
    """
    need(node.kind in KINDS, "kind", node.kind, f"one of those that NIR has: {', '.join(KINDS)}", CUT)
    emit = node.emit if isinstance(node, Firing) else "spikes"
    need(emit == "spikes", "emit", f"'{emit}'", "spikes, which is all that NIR's neurons send", CUT)
    told = told_of(node, dt)
    wide = with_arrays(node, {name: value.astype(np.float64) for name, value in node.arrays().items()})
    leaf = _typed(dialect.encode(wide, shape, told), kind)
    back = decoded(leaf, told, dialect.imported)
    need(back.kind == node.kind, "kind", node.kind, f"{back.kind}, which is all that {dialect.name} has for it")
    apart = {name: value for name, value in differences(node, back).items() if name not in FACTS}
    unsaid = tuple(name for name in apart if name in UNSAID and dialect.name == ode.DIALECT.name)
    for name, value in apart.items():
        if name not in unsaid:
            _check_near(name, value, getattr(back, name), dialect)
    exact = {name: np.atleast_1d(value) for name, value in apart.items()}
    return Written(Leaf(leaf.kind, leaf.values, {**leaf.metadata, **exact}), _facts(node), unsaid)


def _check_near(name: str, value: Any, theirs: Any, dialect: Dialect) -> None:
    """What comes back is what was written, but for rounding."""
    if not isinstance(value, np.ndarray):
        need(False, name, f"'{value}'", f"'{theirs}', as {dialect.name} runs it", OTHER)
    need(agrees(name, value, theirs), name, _brief(value), f"{_brief(theirs)}, as {dialect.name} runs it", OTHER)


KINDS = tuple(kind.__name__ for kind in ode.KINDS)
CUT = "cut it out, into a folder of parts: --to nir-parts"
OTHER = f"write it in another dialect ({ode.DIALECT.name} has all of them), or change the neuron"


def _typed(leaf: Leaf, kind: Any) -> Leaf:
    """The leaf with its numbers in one type."""
    values = {
        name: v if isinstance(v, str) or v.dtype.kind != "f" else v.astype(kind) for name, v in leaf.values.items()
    }
    return Leaf(leaf.kind, values, leaf.metadata)


def _facts(node: Integrating) -> NeuronFacts:
    if isinstance(node, Firing):
        return NeuronFacts(node.rule, node.reset, node.when, node.at_least)
    return NeuronFacts(node.rule)


def _brief(value: Array) -> str:
    flat = np.asarray(value).reshape(-1)
    return brief(", ".join(f"{each:.7g}" for each in flat[:3]) + (", …" if flat.size > 3 else ""))


def kind_of(graph: Graph) -> Any:
    """The type of the network's numbers: float32 where no array of it, single numbers aside, is wider."""
    arrays = [
        value
        for node in graph.nodes.values()
        for value in node.arrays().values()
        if value.size > 1 and value.dtype.kind == "f"
    ]
    return np.result_type(*(value.dtype for value in arrays)) if arrays else np.dtype(np.float64)


def unsaid_remarks(unsaid: Mapping[str, tuple[str, ...]]) -> list[str]:
    """A line for each parameter that only Spikeport finds again."""
    names = {field: [name for name, each in unsaid.items() if field in each] for field in UNSAID}
    return [
        f"{', '.join(nodes)}: starts at {field}, which stands in the metadata; other readers start at 0"
        for field, nodes in names.items()
        if nodes
    ]
