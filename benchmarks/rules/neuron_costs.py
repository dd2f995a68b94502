"""What one update of one neuron costs in operations, by kind, from the equations of the nodes.

A gain g = 1 and a bias b of a graph's neuron belong to the weights before it and cost nothing here; a process of
Loihi has its bias in a register and adds it in every step. Shifts cost nothing. The comparison with the threshold,
the reset and what a spike does to a threshold are counted on their own (comparisons, resets). A word of state is read
and written once in every update.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..operations import OpCount, Ops, Road


@dataclass(frozen=True)
class NeuronCost:
    """One update: its multiplications and additions, and the words of state that it reads and writes."""

    multiplies: int
    adds: int
    states: int
    equation: str


_CUBA = "u = α·u + x;  v = β·v + u"
_TURN = "p = c·p − d·q + x;  q = d·p + c·q + x′"
_SEND = "δ = x − x′ + e;  e = δ − y"

NEURON_COSTS: Mapping[str, NeuronCost] = MappingProxyType(
    {
        "IF": NeuronCost(0, 1, 1, "v + x"),
        "LIF": NeuronCost(1, 1, 1, "β·v + x"),
        "CubaLIF": NeuronCost(2, 2, 2, _CUBA),
        "AdaptiveLIF": NeuronCost(4, 4, 4, f"{_CUBA};  a = ρ·a;  r = ρ_r·r;  level = θ + a + r"),
        "Integrator": NeuronCost(0, 1, 1, "v + x"),
        "LeakyIntegrator": NeuronCost(1, 1, 1, "β·v + x"),
        "CubaIntegrator": NeuronCost(2, 2, 2, _CUBA),
        "ResonateFire": NeuronCost(4, 4, 2, _TURN),
        "Sigma": NeuronCost(0, 1, 1, "σ + x"),
        "Delta": NeuronCost(0, 3, 3, _SEND),
        "SigmaDelta": NeuronCost(0, 5, 4, f"σ + x;  f(σ + b);  {_SEND}"),
    }
)
"""Nodes of a graph, and torch modules, which are counted as such nodes."""

PROCESS_COSTS: Mapping[str, NeuronCost] = MappingProxyType(
    {
        "LIF": NeuronCost(2, 3, 2, f"{_CUBA} + b"),
        "LIFReset": NeuronCost(2, 3, 2, f"{_CUBA} + b"),
        "TernaryLIF": NeuronCost(2, 3, 2, f"{_CUBA} + b"),
        "ATRLIF": NeuronCost(4, 6, 4, f"{_CUBA} + b;  θ = keep(θ − θ₀) + θ₀;  r = keep(r);  v − r"),
        "RF": NeuronCost(4, 4, 2, _TURN),
        "RF_IZ": NeuronCost(4, 4, 2, _TURN),
        "RFZero": NeuronCost(4, 4, 2, _TURN),
        "Sigma": NeuronCost(0, 1, 1, "σ + a"),
        "Delta": NeuronCost(0, 3, 3, _SEND),
        "SigmaDelta": NeuronCost(0, 5, 4, f"σ + a;  f(σ + b);  {_SEND}"),
        "GradedVec": NeuronCost(0, 0, 0, "a"),
        "GradedReluVec": NeuronCost(0, 0, 0, "a"),
        "ProdNeuron": NeuronCost(1, 0, 0, "a₁·a₂"),
        "NormVecDelay": NeuronCost(1, 0, 1, "a₁·a₂"),
        "InvSqrt": NeuronCost(15, 5, 0, "five times: b·Y·Y;  3·2¹² − b;  y·Y"),
    }
)
"""Processes of a chip graph."""


def costs(road: Road) -> Mapping[str, NeuronCost]:
    """The table for counts that came by this road."""
    return PROCESS_COSTS if road == "chip" else NEURON_COSTS


def updates(ops: Ops, road: Road) -> Iterator[tuple[int, NeuronCost]]:
    """How many updates of which cost; kinds without an entry are left out, see `unknown`."""
    table = costs(road)
    return ((count, table[kind]) for kind, count in ops.updates.items() if kind in table)


def unknown(counts: OpCount) -> tuple[str, ...]:
    """Kinds of neurons that the table has no entry for, in words."""
    kinds = {kind for each in counts.layers.values() for kind, count in each.ops.updates.items() if count}
    missing = sorted(kinds - set(costs(counts.road)))
    return tuple(f"updates of {kind}: no entry in the table of neurons" for kind in missing)
