"""Random chip graphs against Lava's own simulator: every process sends the same, in every step, bit for bit."""

from pathlib import Path

import numpy as np
import pytest
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import PROCESSES, Conv
from spikeport.toolchain.loihi.to_lava import ROWS, to_lava
from spikeport.toolchain.simulate.lava_runner import run_all
from support.by_steps import run_by_steps
from support.random_chips import random_chip, random_spikes

SEEDS = (*range(20), 23, 24, 36, 37)
"""Among them every process, and each sends something in one of them."""
STEPS, BATCH = 14, 2


@pytest.fixture(scope="module")
def found(lava: Path) -> list[tuple[ChipGraph, dict[str, np.ndarray], dict[str, np.ndarray]]]:
    """For each network: the graph, what its processes send by the definition, and what they send in Lava."""
    graphs = [random_chip(seed) for seed in SEEDS]
    inputs = [random_spikes(graph, seed, STEPS, BATCH) for seed, graph in zip(SEEDS, graphs, strict=True)]
    programs = [to_lava(graph, given) for graph, given in zip(graphs, inputs, strict=True)]
    runs = run_all([program for program, _ in programs], lava)
    every = zip(graphs, inputs, programs, runs, strict=True)
    return [
        (graph, run_by_steps(graph, given), {name: run.values[member] for name, member in record.items()})
        for graph, given, (_, record), run in every
    ]


@pytest.mark.parametrize("index", range(len(SEEDS)))
def test_every_process_sends_what_it_sends_in_lava(found, index: int):
    graph, ours, lavas = found[index]
    for name in graph.order:
        if name in lavas:
            theirs = lavas[name].transpose(0, 1, 4, 3, 2) if isinstance(graph.nodes[name], Conv) else lavas[name]
            np.testing.assert_array_equal(ours[name], theirs, err_msg=f"{graph.name}, {name}")


def test_the_networks_hold_every_process_and_all_of_them_send_something(found):
    sent: dict[str, bool] = {}
    for graph, ours, _ in found:
        for name, node in graph.nodes.items():
            sent[node.kind] = sent.get(node.kind, False) or bool(np.any(ours[name]))
    assert set(sent) == set(PROCESSES) - {"InvSqrt"}
    assert all(sent.values()), [kind for kind, any_sent in sent.items() if not any_sent]


def test_every_process_of_lavas_has_a_row():
    assert {kind for kind in PROCESSES.values() if kind.role in ("synapse", "neuron")} == set(ROWS)
