"""What an edge carries: arithmetic of sets, and the promise kept in every run."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.toolchain.errors import GraphError
from spikeport.toolchain.graph import GRADED, SPIKES, Carries, Graph, carries, inline, integers
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.signal import MOST, Signal, join, product, repeated, total
from support.by_steps import run_by_steps
from support.random_graphs import random_graph, random_inputs, seeds

ranges = st.tuples(st.integers(-6, 6), st.integers(-6, 6)).map(lambda pair: Carries(min(pair), max(pair)))


def values(part: Carries) -> range:
    return range(part.low, part.high + 1)


@given(ranges, ranges)
def test_sums_products_and_unions_hold_every_value_and_no_bound_is_loose(a: Carries, b: Carries) -> None:
    both = list(itertools.product(values(a), values(b)))
    for found, seen in (
        (total([a, b]), {x + y for x, y in both}),
        (product([a, b]), {x * y for x, y in both}),
        (join([a, b]), {*values(a), *values(b)}),
        (a.or_zero(), {0, *values(a)}),
    ):
        assert found.bounds == (min(seen), max(seen))


@given(ranges, st.integers(1, 4))
def test_a_sum_of_some_values_holds_every_sum(part: Carries, most: int) -> None:
    found = repeated(part, most)
    for count in range(most + 1):
        low, high = part.low * count, part.high * count
        assert found.bounds[0] <= low
        assert high <= found.bounds[1]


@given(ranges, ranges)
def test_a_set_holds_another_where_all_of_its_values_are_in_it(a: Carries, b: Carries) -> None:
    assert a.holds(b) == (set(values(b)) <= set(values(a)))
    assert GRADED.holds(a)
    assert not a.holds(GRADED)


@given(ranges)
def test_text_comes_back(part: Carries) -> None:
    again = carries(str(part))
    assert again == part or (again == SPIKES and part == Carries(0, 0))


def test_large_integers_are_graded() -> None:
    assert integers(0, MOST) == Carries(0, MOST)
    assert integers(0, MOST + 1) == GRADED
    assert carries(f"int[0,{MOST + 1}]") == GRADED
    assert total([Carries(0, MOST), SPIKES]) == GRADED
    assert total([GRADED, SPIKES]) == product([GRADED, SPIKES]) == repeated(GRADED, 3) == GRADED
    assert str(Signal((2, 3), Carries(-1, 4))) == "int[-1,4] [2,3]"


@pytest.mark.parametrize("text", ["", "Spikes", "int[1]", "int[2,1]", "int[a,b]", "int[0,9999999999]", "spikes "])
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(GraphError, match="carries: "):
        carries(text)


@pytest.mark.parametrize("bounds", [(1, None), (None, 1), (2, 1)])
def test_other_bounds_are_refused(bounds: tuple[int, int]) -> None:
    with pytest.raises(GraphError, match="carries: "):
        Carries(*bounds)


def keeps_its_promises(graph: Graph, rng: np.random.Generator) -> None:
    for name, sent in run_by_steps(graph, random_inputs(graph, rng, 8, 3)).items():
        promise = graph.signals[name]
        assert sent.shape[2:] == promise.shape
        low, high = promise.carries.bounds
        assert low <= sent.min()
        assert sent.max() <= high
        assert promise.carries.graded or np.array_equal(sent, np.round(sent))


@given(seeds())
@settings(deadline=None, max_examples=150)
def test_what_is_sent_lies_in_what_was_promised(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, subgraphs=seed % 3 == 0)
    keeps_its_promises(graph, rng)
    keeps_its_promises(inline(graph), rng)


COUNTING = [
    "Add",
    "Multiply",
    "Concat",
    "Sum",
    "SumPool",
    "MaxPool",
    "Pad",
    "Delay",
    "Activation",
    "Slice",
    "IF",
    "Permute",
]


@given(seeds())
@settings(deadline=None, max_examples=60)
def test_integers_stay_integers(seed: int) -> None:
    """Graphs of the nodes that compute with integers, on integers, where a promise is most easily broken."""
    rng = np.random.default_rng(seed)
    for carried in ("int[-2,3]", "int[2,3]", "int[-3,-1]"):
        keeps_its_promises(random_graph(rng, nodes=10, kinds=COUNTING, carried=carried), rng)


@pytest.mark.parametrize("function", n.FUNCTIONS)
@given(ranges, st.floats(-4, 4), st.floats(-4, 4), st.booleans())
def test_activations_of_integers_send_what_they_promise(
    function: str, part: Carries, a: float, b: float, whole: bool
) -> None:
    low, high = sorted((round(a), round(b)) if whole else (a, b))
    numbers = {"low": low, "high": high, "slope": 0.1, "alpha": 0.7, "threshold": low, "scale": 0.5, "zero": 1}
    if function == "quantise":
        numbers |= {"low": round(low), "high": round(high)}
    node = n.Activation(function, {name: numbers[name] for name in n.FUNCTIONS[function][0]})
    sent, _ = node.step({}, np.array([values(part)], np.float64))
    promise = node.signal([Signal((1,), part)]).carries
    assert promise.bounds[0] <= sent.min()
    assert sent.max() <= promise.bounds[1]
    assert promise.graded or np.array_equal(sent, np.round(sent))


@pytest.mark.parametrize(
    ("node", "promise"),
    [
        (n.Activation("abs"), "int[2,3]"),
        (n.Activation("relu"), "spikes"),
        (n.Activation("step", {"threshold": -5}), "spikes"),
        (n.Activation("clip", {"low": -2.0, "high": 9.0}), "int[-2,-2]"),
        (n.Activation("clip", {"low": -2.5, "high": 9.0}), "graded"),
        (n.Pad(((1, 0),)), "int[-3,0]"),
        (n.Pad(((0, 0),)), "int[-3,0]"),
        (n.Delay((1,)), "int[-3,0]"),
        (n.Slice(0, 0, 1), "int[-3,-2]"),
        (n.Sum((0,)), "int[-6,0]"),
        (n.Mean((0,)), "graded"),
        (n.Scale(2.0), "graded"),
        (n.IF(), "spikes"),
        (n.IF(emit="charge"), "graded"),
        (n.Output(), "int[-3,-2]"),
    ],
    ids=str,
)
def test_promises(node: n.Node, promise: str) -> None:
    assert str(node.signal([Signal((2,), Carries(-3, -2))]).carries) == promise
