"""Viewers are shown what every node sends while a network runs: what a recording would have kept."""

import numpy as np
import pytest
from spikeport.toolchain.errors import SimulationError
from spikeport.toolchain.graph import chain
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.inline import inline
from spikeport.toolchain.simulate import fixed
from spikeport.toolchain.simulate.reference import watch
from spikeport.toolchain.simulate.run import simulate
from support.random_chips import random_chip, random_spikes
from support.random_graphs import random_graph, random_inputs


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("window", [None, 1, 3])
def test_windows_are_what_is_recorded(seed: int, window: int | None) -> None:
    """Loops with delayed wires are among the graphs, as kernels and step by step."""
    rng = np.random.default_rng(seed)
    graph = inline(random_graph(rng, subgraphs=True))
    inputs = random_inputs(graph, rng, 7, 2)
    shown: dict[str, list[np.ndarray]] = {name: [] for name in graph.nodes}
    asked = []

    def viewers(batch: int, dtype: np.dtype) -> dict:
        asked.append((batch, dtype))
        return {name: lambda rows, name=name: shown[name].append(rows.copy()) for name in graph.nodes}

    assert watch(graph, inputs, viewers, window=window) == (7, 2)
    trace = simulate(graph, inputs, record="all", window=window)
    assert asked == [(2, np.float64)]
    for name, rows in shown.items():
        assert np.array_equal(np.concatenate(rows), trace[name].values, equal_nan=True), name
        assert window is None or max(map(len, rows)) <= window


def test_a_stream_is_shown_and_nothing_of_it_is_kept() -> None:
    graph = chain([n.Input((3,), "spikes"), ("if", n.IF(threshold=0.5)), n.Output()])
    seen = []
    stream = (np.ones((1, 2, 3)) for _ in range(9))
    steps = watch(graph, stream, lambda _, __: {"if": lambda rows: seen.append(rows.sum())}, window=4)
    assert steps == (9, 2)
    assert seen == [24, 24, 6]


def test_a_node_that_nobody_looks_at_is_not_shown() -> None:
    graph = chain([n.Input((3,)), ("a", n.Scale(2.0)), ("b", n.Scale(2.0)), n.Output()])
    seen = []
    watch(graph, np.ones((2, 1, 3)), lambda _, __: {"b": lambda rows: seen.append(rows.max())})
    assert seen == [4]


def test_inputs_that_do_not_fit_are_refused() -> None:
    graph = chain([n.Input((3,)), n.Output()])
    with pytest.raises(SimulationError, match="an input of shape"):
        watch(graph, np.ones((2, 1, 4)), lambda _, __: {})


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("window", [None, 1, 3])
def test_windows_of_chip_graphs_are_what_is_recorded(seed: int, window: int | None) -> None:
    graph = random_chip(seed)
    inputs = random_spikes(graph, seed, 7, 2)
    shown: dict[str, list[np.ndarray]] = {name: [] for name in graph.nodes}

    def viewers(batch: int, _: np.dtype) -> dict:
        assert batch == 2
        return {name: lambda rows, name=name: shown[name].append(rows.copy()) for name in graph.nodes}

    assert fixed.watch(graph, inputs, viewers, window=window) == (7, 2)
    trace = simulate(graph, inputs, record="all")
    for name, rows in shown.items():
        assert np.array_equal(np.concatenate(rows), trace[name].values), name
