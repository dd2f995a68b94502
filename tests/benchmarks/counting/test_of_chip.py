"""Counts of chip graphs against every synapse and every neuron, one by one."""

from collections import Counter

import numpy as np
import pytest
from spikeport.benchmarks.counting import of_chip
from spikeport.benchmarks.counting.of_chip import count_chip
from spikeport.benchmarks.operations import Pairs, Uncounted
from spikeport.toolchain.errors import SimulationError
from spikeport.toolchain.graph import Wire, later
from spikeport.toolchain.loihi import processes as p
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes.base import Process
from support.brute_chip import brute_chip
from support.brute_count import plain
from support.chip_steps import Definition
from support.random_chips import random_chip, random_spikes

STEPS, BATCH, SEEDS = 6, 2, range(60)


@pytest.mark.parametrize("first", range(0, len(SEEDS), 10))
def test_every_synapse_and_neuron(first: int) -> None:
    for seed in range(first, first + 10):
        graph = random_chip(seed)
        inputs = random_spikes(graph, seed, STEPS, BATCH)
        counted = count_chip(graph, inputs)
        for counts, brute in zip(counted, brute_chip(graph, Definition(graph, inputs).sent), strict=True):
            assert list(counts.layers) == list(brute)
            assert (counts.road, counts.steps, counts.uncounted) == ("chip", STEPS, ())
            for name, layer in counts.layers.items():
                assert plain(layer.ops) == brute[name], (seed, name)


def test_the_random_chips_hold_nearly_every_process() -> None:
    kinds = Counter(node.kind for seed in SEEDS for node in random_chip(seed).nodes.values())
    assert set(p.PROCESSES) - set(kinds) <= {"InvSqrt", "NormVecDelay", "ConvInTime", "GradedReluVec"}


@pytest.mark.parametrize("seed", range(0, 12, 2))
def test_windows_and_streams_do_not_change_counts(seed: int) -> None:
    graph = random_chip(seed)
    inputs = random_spikes(graph, seed, STEPS, BATCH)
    whole = count_chip(graph, inputs)
    assert count_chip(graph, inputs, window=1) == count_chip(graph, inputs, window=4) == whole
    assert count_chip(graph, ({n: x[t : t + 1] for n, x in inputs.items()} for t in range(STEPS))) == whole


@pytest.mark.parametrize("kind", p.PROCESSES)
def test_every_process_has_a_row_or_is_a_join(kind: str) -> None:
    assert (p.PROCESSES[kind] in of_chip.ROWS) != (p.PROCESSES[kind] in of_chip.IDLE)


def small(**lif: object) -> ChipGraph:
    nodes: dict[str, Process] = {
        "in": p.ChipInput((3,)),
        "w": p.Dense(weight=np.array([[64, 0, 2], [64, -64, 1]])),
        "lif": p.LIF(current_decay=4096, voltage_decay=4096, threshold=63, **lif),
        "out": p.ChipOutput(),
    }
    return ChipGraph(nodes, {"w": (later("in"),), "lif": (Wire("w"),), "out": (Wire("lif"),)})


def test_a_layer_by_hand() -> None:
    """Weights of both signs have no last bit: 1 is held as 0. What is sent last is not read any more."""
    x = np.array([[1, 1, 0], [0, 0, 1], [1, 1, 1]]).reshape(3, 1, 3)
    (count,) = count_chip(small(), x)
    w = count.layers["w"]
    assert w.ops.acs == Pairs(dense=18, padded=18, effective=6, weighted=2 + 1 + 1, spikes=6)
    assert (w.facts.carries, w.facts.first, w.facts.channels, w.facts.weights) == (("spikes",), True, (3, 2), 6)
    # nothing arrives in step 0, 64 and 64 − 64 in step 1, 2 and 0 in step 2
    lif = count.layers["lif"].ops
    assert (lif.updates, lif.active, lif.comparisons) == ({"LIF": 6}, 2, 6)
    assert (lif.sent, lif.sent_events, lif.resets) == (6, 1, 1)


def test_a_voltage_that_the_host_reads_is_nothing_sent() -> None:
    x = np.array([[1, 1, 0], [0, 0, 1], [1, 1, 1]]).reshape(3, 1, 3)
    (count,) = count_chip(small(emit="voltage"), x)
    lif = count.layers["lif"].ops
    assert (lif.sent, lif.sent_events, lif.resets, lif.comparisons) == (0, 0, 1, 6)


def test_what_has_no_row_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    left = {kind: row for kind, row in of_chip.ROWS.items() if kind is not p.LIF}
    monkeypatch.setattr(of_chip, "ROWS", left)
    (count,) = count_chip(small(), np.ones((3, 1, 3), int))
    assert count.uncounted == (Uncounted("LIF", "lif", 3, 6),)


def test_inputs_that_do_not_fit_are_refused() -> None:
    with pytest.raises(SimulationError, match="in: 2 in step 0, sample 0"):
        count_chip(small(), np.full((3, 1, 3), 2))
