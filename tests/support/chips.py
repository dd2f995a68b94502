"""A chip graph against the graph it came from, by every process' own step."""

from __future__ import annotations

import numpy as np
from spikeport.toolchain.graph import Graph
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.places import Place, read_places
from support.by_steps import run_by_steps

Arrays = dict[str, np.ndarray]


def on_chip(chip: ChipGraph, inputs: Arrays) -> Arrays:
    """What every process sends, with steps of rest behind so that the last answer arrives."""
    late = max(place.latency for place in read_places(chip).values())
    rest = {name: np.zeros((late, *x.shape[1:]), np.int64) for name, x in inputs.items()}
    return run_by_steps(chip, {name: np.concatenate([x, rest[name]]).astype(np.int64) for name, x in inputs.items()})


def seen_at(place: Place, sent: Arrays, steps: int) -> np.ndarray:
    """What a place sends in the steps of the float graph, in its scale."""
    return sent[place.node][place.latency : place.latency + steps] / place.scale


def differences(graph: Graph, chip: ChipGraph, inputs: Arrays) -> dict[str, float]:
    """For each place the part of neurons and steps where the chip says something else than the graph."""
    floats = run_by_steps(graph, {name: x.astype(np.float64) for name, x in inputs.items()})
    sent = on_chip(chip, inputs)
    steps = len(next(iter(inputs.values())))
    return {
        name: float((floats[name] != seen_at(place, sent, steps)).mean()) for name, place in read_places(chip).items()
    }
