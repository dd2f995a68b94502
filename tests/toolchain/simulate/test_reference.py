"""The simulator against the definition: every node's `step`, one step after the other."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from spikeport.toolchain.graph import KINDS, Graph
from spikeport.toolchain.simulate import Trace, simulate
from support.by_steps import answers, run_by_steps
from support.random_graphs import random_graph, random_inputs, seeds

#: Kinds that run the same operations on the same numbers as their definition, so not a bit may differ.
EXACT = set(KINDS) - {
    "Activation", "Affine", "AveragePool", "BatchNorm", "Contract", "Conv", "ConvTranspose", "Mean", "Sum", "SumPool",
    "TemporalKernel",
}  # fmt: skip
#: What another order of summation may change, relative to the largest value of a signal.
CLOSE = {"float64": 1e-12, "float32": 2e-5}
STEPS, BATCH = 11, 3


def some_run(seed: int, dtype: str = "float64", **options: object) -> tuple[Graph, dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, **options)
    return graph, random_inputs(graph, rng, STEPS, BATCH, dtype)


def by_steps(graph: Graph, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    with np.errstate(all="ignore"):
        return run_by_steps(graph, inputs)


def assert_close(found: np.ndarray, wanted: np.ndarray, dtype: str = "float64") -> None:
    assert found.shape == wanted.shape
    assert found.dtype == wanted.dtype == np.dtype(dtype)
    size = np.abs(wanted).max(initial=1, where=np.isfinite(wanted))
    np.testing.assert_allclose(found, wanted, rtol=CLOSE[dtype], atol=CLOSE[dtype] * size)


def assert_same(found: Trace, wanted: dict[str, np.ndarray]) -> None:
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name].values, values, err_msg=name)


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_kind_sends_what_its_step_sends(kind: str, dtype: str) -> None:
    met = 0
    for seed in range(6):
        graph, inputs = some_run(seed, dtype, kinds=[kind], nodes=3, recurrent=False)
        met += sum(node.kind == kind for node in graph.nodes.values())
        wanted = by_steps(graph, inputs)
        trace = simulate(graph, inputs, record="all")
        if {node.kind for node in graph.nodes.values()} <= EXACT | {"Host"} and kind != "Host":
            assert_same(trace, wanted)
        else:
            for name in graph.nodes:
                assert_close(trace[name].values, wanted[name], dtype)
    assert met


@settings(deadline=None, max_examples=25)
@given(seeds())
def test_random_graphs_send_what_their_steps_send(seed: int) -> None:
    graph, inputs = some_run(seed)
    wanted = by_steps(graph, inputs)
    trace = simulate(graph, inputs, record="all")
    for name in graph.nodes:
        assert_close(trace[name].values, wanted[name])
    for name, answer in answers(graph, wanted).items():
        assert_close(trace.outputs[name], answer)


@settings(deadline=None, max_examples=25)
@given(seeds())
def test_the_window_does_not_change_a_bit(seed: int) -> None:
    graph, inputs = some_run(seed)
    whole = simulate(graph, inputs, record="all")
    for window in (1, 1 + seed % (STEPS - 1), STEPS + 5):
        other = simulate(graph, inputs, record="all", window=window)
        assert_same(other, {name: whole[name].values for name in graph.nodes})
        for name in graph.outputs:
            np.testing.assert_array_equal(other.outputs[name], whole.outputs[name])


@settings(deadline=None, max_examples=25)
@given(seeds())
def test_a_continued_run_is_the_whole_run_bit_for_bit(seed: int) -> None:
    graph, inputs = some_run(seed, ("float32", "float64")[seed % 2])
    whole = simulate(graph, inputs, record="all")
    cuts = sorted({0, 1 + seed % (STEPS - 1), 1 + seed // 7 % (STEPS - 1), STEPS})
    state, parts = None, []
    for start, stop in itertools.pairwise(cuts):
        parts.append(simulate(graph, {n: x[start:stop] for n, x in inputs.items()}, record="all", state=state))
        state = parts[-1].state
    for name in graph.nodes:
        joined = np.concatenate([part[name].values for part in parts])
        np.testing.assert_array_equal(joined, whole[name].values, err_msg=name)
    for name in graph.outputs:
        if graph.nodes[name].readout != "steps":
            np.testing.assert_array_equal(parts[-1].outputs[name], whole.outputs[name])
    assert [part.first for part in parts] == cuts[:-1]
    assert state is not None
    assert state.step == STEPS


@settings(deadline=None, max_examples=15)
@given(seeds())
def test_samples_do_not_meet(seed: int) -> None:
    graph, inputs = some_run(seed)
    together = simulate(graph, inputs, record="all")
    for sample in range(BATCH):
        alone = simulate(graph, {n: x[:, sample : sample + 1] for n, x in inputs.items()}, record="all")
        for name in graph.nodes:
            assert_close(alone[name].values, together[name].values[:, sample : sample + 1])


@settings(deadline=None, max_examples=15)
@given(seeds())
def test_what_is_recorded_changes_nothing(seed: int) -> None:
    graph, inputs = some_run(seed)
    everything = simulate(graph, inputs, record="all")
    little = simulate(graph, inputs)
    assert little.counts == {name: everything.counts[name] for name in little.counts}
    for name in graph.outputs:
        np.testing.assert_array_equal(little.outputs[name], everything.outputs[name])
    names = list(graph.nodes)
    for name in (names[seed % len(names)], names[seed // 3 % len(names)]):
        np.testing.assert_array_equal(
            simulate(graph, inputs, record=[name])[name].values, everything[name].values, err_msg=name
        )
