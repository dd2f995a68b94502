"""The table of what each kind of node is counted as; a kind that is not in it is listed as uncounted, never as 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from weakref import WeakKeyDictionary

import numpy as np

from ...toolchain.graph import Graph, Node
from ...toolchain.graph import nodes as n
from ...toolchain.summary import NEURONS
from .layer import Layer, Place, places_of
from .neurons import neuron
from .products import multiplied
from .synapses import largest, pooled, states, taps, weighted
from .values import activated, added, hosted, normalised, scaled

ROWS: Mapping[type[Node], Callable[[Place], Layer | None]] = {
    **dict.fromkeys((n.Affine, n.Conv, n.ConvTranspose, n.Contract), weighted),
    n.TemporalKernel: taps,
    n.StateSpace: states,
    **dict.fromkeys((n.SumPool, n.AveragePool, n.Sum, n.Mean), pooled),
    n.MaxPool: largest,
    **dict.fromkeys((n.IF, n.LIF, n.CubaLIF, n.AdaptiveLIF), neuron),
    **dict.fromkeys((n.Integrator, n.LeakyIntegrator, n.CubaIntegrator), neuron),
    **dict.fromkeys((n.ResonateFire, n.Sigma, n.Delta, n.SigmaDelta), neuron),
    n.Multiply: multiplied,
    n.Add: added,
    n.Scale: scaled,
    n.BatchNorm: normalised,
    n.Activation: activated,
    n.Host: hosted,
}
"""Kinds that do something, and what makes a layer of them."""

IDLE: tuple[type[Node], ...] = (
    *(n.Input, n.Output, n.Delay),
    *(n.Flatten, n.Reshape, n.Permute, n.Slice, n.Pad, n.Concat),
)
"""Kinds that move values and compute nothing."""

_LAYERS: WeakKeyDictionary[Graph, Mapping[str, Layer | None]] = WeakKeyDictionary()


def layers_of(graph: Graph) -> Mapping[str, Layer | None]:
    """The layers of a graph without sub-graphs, in its order, made once; none for a node that no row counts."""
    if graph not in _LAYERS:
        _LAYERS[graph] = {
            name: _layer(place) for name, place in places_of(graph, lambda node: isinstance(node, NEURONS))
            if not _idle(place.node)
        }  # fmt: skip
    return _LAYERS[graph]


def _idle(node: Node) -> bool:
    """Whether it computes nothing; a sign that changes is free."""
    turns = isinstance(node, n.Scale) and node.shift is None and bool((np.abs(node.scale) == 1).all())
    return turns or type(node) in IDLE


def _layer(place: Place) -> Layer | None:
    row = ROWS.get(type(place.node))
    return None if row is None else row(place)
