"""The plain definition of a graph's run: every node's `step`, one step after the other, and nothing else."""

import numpy as np
from spikeport.toolchain.graph import Graph


def run_by_steps(graph: Graph, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What every node sends in every step, [T, B, *shape]; an Output's entry is what reaches it, its readout undone."""
    first = inputs[graph.inputs[0]]
    steps, batch, dtype = first.shape[0], first.shape[1], first.dtype
    states = {name: node.start(_received(graph, name), batch, dtype) for name, node in graph.nodes.items()}
    sent = {name: np.zeros((steps, batch, *graph.signals[name].shape), dtype) for name in graph.nodes}
    for t in range(steps):
        for name in graph.order:
            handed = [inputs[name][t]] if name in graph.inputs else _handed(graph, name, sent, t)
            sent[name][t], states[name] = graph.nodes[name].step(states[name], *handed)
    return sent


def answers(graph: Graph, sent: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Every output's readout over a run."""
    readouts = {
        "steps": lambda y: y,
        "last": lambda y: y[-1],
        "sum": lambda y: y.sum(0),
        "mean": lambda y: y.mean(0),
        "max": lambda y: y.max(0),
    }
    return {name: readouts[graph.nodes[name].readout](sent[name]) for name in graph.outputs}


def _received(graph: Graph, name: str) -> tuple[int, ...]:
    wires = graph.wires[name]
    return graph.signals[wires[0].source if wires else name].shape


def _handed(graph: Graph, name: str, sent: dict[str, np.ndarray], t: int) -> list[np.ndarray]:
    return [
        sent[wire.source][t]
        if not wire.delayed
        else sent[wire.source][t - 1]
        if t
        else np.zeros_like(sent[wire.source][0])
        for wire in graph.wires[name]
    ]
