"""A network of ReLUs as a network of integrate-and-fire neurons whose rates are the ReLUs' values.

    v̂[t] = v[t−1] + z[t];  s[t] = v̂[t] ≥ λ;  v[t] = v̂[t] − λ·s[t];  v[0] = λ/2;  what is sent is λ·s[t]

For a constant z the mean of λ·s over T steps is max(z, 0) rounded to the nearest multiple of λ/T and cut off at λ: the
start at half the threshold turns rounding down into rounding to the nearest. The answer is the mean of the last layer's
current. A ReLU that is cut off at h needs no more than λ ≤ h.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import Refused, SpikeportError
from ..graph import Graph
from ..graph.nodes import IF, Node, Output, Scale
from ..passes.draft import Draft
from .putting import put_behind
from .relus import Relus

WORD = "if"
SILENT = 1.0
"""λ of neurons that never were active."""


def with_rates(relus: Relus, levels: Mapping[str, float], encoded: Mapping[str, float] | None = None) -> Graph:
    """The network with λ for each ReLU.

    Args:
        relus: the network.
        levels: λ of each ReLU.
        encoded: λ of each input that shall come in as spikes too; none where currents come in.
    """
    draft = Draft(relus.graph)
    for name, level in (encoded or {}).items():
        spikes = put_behind(draft, name, "spikes", neuron(level or SILENT))
        put_behind(draft, spikes, "scale", Scale(np.asarray(level or SILENT)))
    for name, height in relus.heights.items():
        level = min(levels[name] or SILENT, height)
        draft.replace(name, neuron(level))
        put_behind(draft, name, "scale", Scale(np.asarray(level)))
    for name in relus.graph.outputs:
        draft.replace(name, Output("mean"))
    return draft.build()


def neuron(level: float) -> Node:
    """v[0] = λ/2; a spike at λ takes λ away."""
    return IF(threshold=level, v_start=level / 2, reset="subtract", at_least=True)


def spiking_of(graph: Graph) -> tuple[str, ...]:
    """The neurons that spike."""
    return tuple(name for name, node in graph.nodes.items() if isinstance(node, IF))


def refuse_negative(lowest: Mapping[str, float]) -> None:
    """Raise for inputs below 0, which no rate of spikes can be."""
    wrong: list[SpikeportError] = [
        SpikeportError(name, f"values down to {low:g}", "values of at least 0", "let currents come in instead")
        for name, low in lowest.items()
        if low < 0
    ]
    if wrong:
        raise Refused("inputs as spikes", wrong)
