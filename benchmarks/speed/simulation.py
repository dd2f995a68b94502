"""`spikeport bench simulation`: our reference simulation beside the torch module that the network was traced from.

Peers run as their users run them without gradients: SpikingJelly in multi-step mode, snnTorch and Norse step by step,
our own zoo networks with their fused neurons. Every pair is checked to give the same answer before it is timed.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from ...toolchain.console import working
from ...toolchain.errors import SimulationError
from ...toolchain.graph import Graph, replace_graph
from ...toolchain.graph.nodes import Activation, Firing
from ...toolchain.simulate import simulate
from ...toolchain.tracing import trace
from .networks import NETWORKS, Network
from .pairs import measure, seconds

SAME = 0.99
"""The share of answers that have to agree: where rounding moves a spike, that spike moves others."""

Row = dict[str, Any]


def bench(*, quick: bool = False) -> dict[str, Any]:
    """Runs every network.

    Args:
        quick: small inputs and few pairs: shows that everything runs, not how fast.

    Returns:
        {"name", "rows", "notes"}; a row has case, peer, ours_s, peer_s, ratio, pairs, limit_s and rates.
    """
    torch.manual_seed(0)
    pairs = 2 if quick else 15
    with torch.no_grad():
        rows = [_row(make(quick), pairs) for make in NETWORKS]
    notes = [
        f"float32, only outputs recorded, {torch.get_num_threads()} threads, medians of {pairs} pairs in both orders",
        "limit: our simulation of the same network with a bare comparison in the place of every neuron",
    ]
    return {"name": "simulation", "rows": rows, "notes": notes}


def _row(network: Network, pairs: int) -> Row:
    graph = trace(network.module, network.inputs[:3], carries="spikes", check=False)
    given = network.inputs.numpy()

    def ours() -> Any:
        (answer,) = simulate(graph, given).outputs.values()
        return answer

    def theirs() -> torch.Tensor:
        network.fresh(network.module)
        answer: torch.Tensor = network.module(network.inputs)
        return answer

    with working(f"{network.name}, {network.peer}"):
        _compared(network.name, ours(), theirs().numpy())
        found = measure(ours, theirs, pairs)
        limit_s = _limit(graph, given, pairs)
        sent = simulate(graph, given).counts
    rates = {name: round(count.rate, 4) for name, count in sent.items() if isinstance(graph.nodes[name], Firing)}
    return {"case": network.name, "peer": network.peer, **asdict(found), "limit_s": limit_s, "rates": rates}


def _compared(name: str, found: Any, wanted: Any) -> None:
    same = float(np.isclose(found, wanted, rtol=1e-3, atol=1e-3).mean())
    if same < SAME:
        raise SimulationError(name, f"{same:.1%} of the answers are the module's", f"at least {SAME:.0%}")


def _limit(graph: Graph, given: Any, pairs: int) -> float | None:
    """Seconds of the layers alone; None for a network with loops, which would run away without its neurons."""
    if any(wire.delayed for wires in graph.wires.values() for wire in wires):
        return None
    compare = Activation("step", {"threshold": 0.5})
    nodes = {name: compare if isinstance(node, Firing) else node for name, node in graph.nodes.items()}
    bare = replace_graph(graph, nodes=nodes)
    return min(seconds(lambda: simulate(bare, given)) for _ in range(max(2, pairs)))
