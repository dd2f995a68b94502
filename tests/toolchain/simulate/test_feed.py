"""What a run takes as its inputs, and what it refuses."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.toolchain.errors import SimulationError, UsageError
from spikeport.toolchain.graph import Graph, GraphBuilder, nodes
from spikeport.toolchain.simulate import Trace, simulate
from spikeport.toolchain.simulate.inputs import feed


def network(carried: str = "graded") -> Graph:
    g = GraphBuilder()
    g.add("x", nodes.Input((3,), carried))
    g.add("n", nodes.LIF(beta=0.9, threshold=0.4), "x")
    g.add("w", nodes.Affine(np.random.default_rng(0).normal(size=(4, 3))), "n")
    g.add("out", nodes.Output(), "w")
    return g.build()


def two_inputs() -> Graph:
    g = GraphBuilder()
    g.add("a", nodes.Input((3,)))
    g.add("b", nodes.Input((3,)))
    g.add("sum", nodes.Add(), "a", "b")
    g.add("out", nodes.Output(), "sum")
    return g.build()


X = np.random.default_rng(3).normal(size=(10, 2, 3))


def out(trace: Trace) -> np.ndarray:
    return trace.outputs["out"]


def test_arrays_tensors_mappings_and_streams_are_the_same_run() -> None:
    wanted = out(simulate(network(), X))
    same = [X, torch.from_numpy(X), {"x": X}, {"x": torch.from_numpy(X)}, iter([X]), (X[t : t + 1] for t in range(10))]
    same += [
        iter([{"x": X[:4]}, {"x": X[4:]}]),
        torch.from_numpy(X).requires_grad_(),
        np.asfortranarray(X),
        X[::-1][::-1],
    ]
    for inputs in same:
        np.testing.assert_array_equal(out(simulate(network(), inputs)), wanted)
    frozen = X.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(out(simulate(network(), frozen)), wanted)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 7), min_size=1, max_size=8), st.one_of(st.none(), st.integers(1, 9)))
def test_a_stream_may_come_in_any_pieces(lengths: list[int], window: int | None) -> None:
    x = np.random.default_rng(4).normal(size=(sum(lengths), 2, 3))
    ends = np.cumsum(lengths)
    pieces = (x[end - length : end] for end, length in zip(ends, lengths, strict=True))
    streamed = simulate(network(), pieces, window=window, record=["n", "n.voltage"])
    whole = simulate(network(), x, record=["n", "n.voltage"])
    np.testing.assert_array_equal(out(streamed), out(whole))
    np.testing.assert_array_equal(streamed["n"].voltages, whole["n"].voltages)
    assert streamed.steps == sum(lengths)


def test_inputs_are_not_written_to() -> None:
    x = X.copy()
    simulate(network(), x, record="all")
    np.testing.assert_array_equal(x, X)


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int64, np.float16, np.float32, torch.bfloat16, torch.int32])
def test_all_but_float64_runs_in_float32(kind: object) -> None:
    ones = torch.ones((2, 1, 3)).to(kind) if isinstance(kind, torch.dtype) else np.ones((2, 1, 3), kind)
    trace = simulate(network(), ones)
    assert trace.dtype == out(trace).dtype == np.float32
    assert out(simulate(network(), ones, dtype=torch.float64)).dtype == np.float64
    assert out(simulate(network(), np.ones((2, 1, 3)))).dtype == np.float64
    assert out(simulate(network(), np.ones((2, 1, 3)), dtype="float32")).dtype == np.float32


def at(value: float, dtype: object = np.float64) -> np.ndarray:
    x = np.zeros((10, 2, 3), dtype)
    x[7, 1, 2] = value
    return x


@pytest.mark.parametrize(
    ("carried", "inputs", "message"),
    [
        ("graded", np.zeros((10, 3)), r"x: an input of shape \[10,3\]; expected \[T,B,3\]. Add an axis for the batch"),
        ("graded", np.zeros((10, 2, 4)), r"x: an input of shape \[10,2,4\]; expected \[T,B,3\]"),
        ("graded", np.zeros((0, 2, 3)), "inputs: 0 steps of 2 samples; expected at least one of each"),
        ("graded", np.zeros((4, 0, 3)), "inputs: 4 steps of 0 samples"),
        ("graded", np.zeros((4, 1, 3), complex), "x: values of type complex128; expected real numbers"),
        ("graded", np.array([["a"]]), "x: values of type <U1; expected real numbers"),
        ("graded", [[[1, 2, 3]]], r"x: a list; expected an array \[T,B,...\], a mapping.*Join .* with np.stack"),
        ("graded", {"y": X}, r"inputs: arrays for \['y'\]; expected arrays for \['x'\]"),
        ("graded", torch.zeros(4, 1, 3).to_sparse(), "x: a tensor torch.sparse_coo of torch.float32; expected a dense"),
        ("graded", iter([]), "inputs: a stream without a window; expected at least one step"),
        ("graded", iter([X, X[:, :1]]), "inputs: a window of 1 samples after one of 2; expected one batch size"),
        ("graded", at(np.nan), r"x: nan in step 7, sample 1, at \[2\]; expected finite float64 numbers"),
        ("graded", at(-np.inf), r"x: -inf in step 7, sample 1, at \[2\]; expected finite"),
        ("spikes", at(2), r"x: 2.0 in step 7, sample 1, at \[2\]; expected spikes, as the input promises"),
        ("spikes", at(0.5), r"x: 0.5 in step 7, sample 1, at \[2\]; expected spikes"),
        ("spikes", at(np.nan), r"x: nan in step 7, sample 1, at \[2\]; expected spikes"),
        ("spikes", at(7, np.uint8), r"x: 7 in step 7, sample 1, at \[2\]; expected spikes"),
        ("int[-1,3]", at(4), r"x: 4.0 in step 7, sample 1, at \[2\]; expected int\[-1,3\], as the input promises"),
        ("int[-1,3]", at(0.5), r"x: 0.5 in step 7"),
        ("graded", at(2**24 + 1, np.int64), "x: 16777217 in step 7.*expected integers that float32 holds exactly"),
        ("graded", at(2**63 - 1, np.int64), "x: 9223372036854775807 in step 7.*integers that float32 holds exactly"),
    ],
)
def test_inputs_that_are_refused(carried: str, inputs: object, message: str) -> None:
    with pytest.raises(SimulationError, match=message):
        simulate(network(carried), inputs, window=4)


def test_a_number_too_large_for_float32_is_refused_there() -> None:
    with pytest.raises(SimulationError, match=r"x: 1e\+300 in step 7.*expected finite float32 numbers"):
        simulate(network(), at(1e300), dtype="float32")
    simulate(network(), at(1e300))


def test_finite_numbers_with_an_infinite_sum_are_fine() -> None:
    simulate(network(), np.full((2, 2, 3), 3e38, np.float32))


@pytest.mark.parametrize("carried", ["spikes", "int[-1,3]", "graded"])
def test_what_keeps_the_promise_runs(carried: str) -> None:
    assert out(simulate(network(carried), at(1), window=3)).shape == (10, 2, 4)


def test_several_inputs_go_by_name() -> None:
    trace = simulate(two_inputs(), {"b": X, "a": 2 * X})
    np.testing.assert_array_equal(out(trace), 3 * X)
    with pytest.raises(SimulationError, match=r"inputs: one array; expected a mapping with a, b\. Give each input"):
        simulate(two_inputs(), X)
    with pytest.raises(SimulationError, match=r"inputs: a \[10,2,3\], b \[4,2,3\]; expected the same number of steps"):
        simulate(two_inputs(), {"a": X, "b": X[:4]})


def test_the_first_offending_step_is_counted_from_the_start_of_the_whole_run() -> None:
    state = simulate(network(), X[:3]).state
    with pytest.raises(SimulationError, match="nan in step 10, sample 1"):
        simulate(network(), at(np.nan), state=state)


def test_a_state_goes_on_with_its_own_network_batch_and_dtype_only() -> None:
    state = simulate(network(), X).state
    with pytest.raises(SimulationError, match="state: a run of 2 samples in float64; expected 1 samples in float64"):
        simulate(network(), X[:, :1], state=state)
    with pytest.raises(SimulationError, match="state: a run of 2 samples in float64; expected 2 samples in float32"):
        simulate(network(), X, state=state, dtype="float32")
    with pytest.raises(
        SimulationError, match="state: another network's state; expected the state of a run of 'network'"
    ):
        simulate(two_inputs(), {"a": X, "b": X}, state=state)
    assert simulate(network(), X.astype(np.float32), state=state).dtype == np.float64


def test_a_state_can_be_used_again() -> None:
    state = simulate(network(), X).state
    first = out(simulate(network(), X, state=state))
    np.testing.assert_array_equal(out(simulate(network(), X, state=state)), first)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "lava?"}, "backend: 'lava\\?'; expected reference"),
        ({"dtype": "float16"}, "dtype: float16; expected float32 or float64"),
        ({"dtype": "fast"}, "dtype: fast; expected float32 or float64"),
        ({"window": 0}, "window: 0; expected a number of steps, at least 1"),
        ({"window": 2.0}, "window: 2.0; expected a number"),
    ],
)
def test_options_that_do_not_exist(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        simulate(network(), X, **options)


@pytest.mark.parametrize("first", [0, 3, 8, 13])
def test_windows_end_at_multiples_of_their_length_however_a_stream_comes(first: int) -> None:
    nodes_by_name = {"x": nodes.Input((3,))}
    for inputs in (X, (X[t : t + 3] for t in range(0, 10, 3))):
        cuts = list(feed(inputs, nodes_by_name, None).windows(first, 4))
        assert [start for start, _ in cuts] == [first, *range((first // 4 + 1) * 4, first + 10, 4)]
        np.testing.assert_array_equal(np.concatenate([rows["x"] for _, rows in cuts]), X)
