"""Merging linear maps: every pair of the table, only where it saves multiplications, and the counts it gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.toolchain.graph import Graph, GraphBuilder, Node, chain, later
from spikeport.toolchain.graph.nodes import (
    LIF,
    Add,
    Affine,
    AveragePool,
    BatchNorm,
    Contract,
    Conv,
    Flatten,
    Input,
    Mean,
    Output,
    Scale,
    SumPool,
)
from spikeport.toolchain.graph.text import to_text
from spikeport.toolchain.passes import make
from spikeport.toolchain.passes.compose import PAIRS
from spikeport.toolchain.passes.multiplies import COUNTS, multiplies
from support.random_graphs import random_graph, seeds
from support.same_function import assert_same_function

rng = np.random.default_rng(4)
merge = make("merge_linear")


def normal(*shape: int) -> np.ndarray:
    return rng.normal(size=shape)


def line(shape: tuple[int, ...], *nodes: Node) -> Graph:
    named = [(f"n{i + 1}", node) for i, node in enumerate(nodes)]
    return chain([("in", Input(shape)), *named, ("out", Output())])


def total(graph: Graph) -> int:
    """What the linear nodes of a graph take together."""
    counted = [name for name, node in graph.nodes.items() if type(node) in COUNTS]
    return sum(multiplies(graph.nodes[n], graph.received(n)[0].shape, graph.signals[n].shape) for n in counted)


def merged(graph: Graph, text: str) -> Graph:
    result = merge(graph)
    assert [change.text() for change in result.changes] == [text]
    assert_same_function(graph, result.graph, exact=False)
    assert total(result.graph) < total(graph)
    return result.graph


def refused(graph: Graph) -> list[str]:
    result = merge(graph)
    assert result.graph is graph
    return [refusal.text() for refusal in result.refusals]


MERGED = {
    "affine, affine": ((2, 5), Affine(normal(4, 5), normal(4)), Affine(normal(2, 4)), (20, 56)),
    "affine, affine with a bias": ((5,), Affine(normal(4, 5)), Affine(normal(2, 4), normal(2)), (10, 28)),
    "scale, scale": ((2, 5), Scale(normal(2, 1), normal(5)), Scale(normal(5), 1.0), (10, 20)),
    "batch norm, scale": ((2,), BatchNorm(normal(2), [1.0, 2.0]), Scale(normal(2)), (2, 4)),
    "contract, contract": ((3, 6), Contract("cv,vw->wc", normal(6, 4)), Contract("vc,vu->uc", normal(4, 2)), (36, 96)),
    "contract, affine": ((3, 6), Contract("cv,vw->cw", normal(6, 4)), Affine(normal(2, 4)), (36, 96)),
    "affine, contract": ((3, 6), Affine(normal(4, 6)), Contract("cv,vwc->w", normal(4, 2, 3)), (36, 96)),
    "conv 1, conv 3 padded": (
        (2, 8),
        Conv(normal(6, 2, 1)),
        Conv(normal(3, 6, 3), normal(3), 2, 1, 1),
        (72, 312),
    ),
    "conv 3, conv 1": ((2, 6, 6), Conv(normal(6, 2, 3, 3), normal(6), 1, 1), Conv(normal(2, 6, 1, 1)), (1296, 4320)),
    "strides and dilations": (
        (1, 20),
        Conv(normal(4, 1, 2), normal(4), 2, 1, 3),
        Conv(normal(1, 4, 2), None, 2),
        (30, 120),
    ),
    "groups alike": ((4, 9), Conv(normal(8, 2, 1), groups=2), Conv(normal(4, 4, 3), normal(4), groups=2), (168, 480)),
    "one channel each, then few": (
        (4, 9),
        Conv(normal(4, 1, 1), groups=4),
        Conv(normal(1, 4, 2), normal(1)),
        (64, 100),
    ),
    "conv, average": ((2, 12), Conv(normal(3, 2, 3), normal(3), 1, 1), AveragePool(4), (108, 225)),
    "conv, sum": ((4, 12), Conv(normal(4, 2, 3), normal(4), groups=2), SumPool(4), (96, 240)),
}


@pytest.mark.parametrize("case", MERGED)
def test_two_maps_become_one(case: str) -> None:
    shape, first, second, (after, before) = MERGED[case]
    graph = line(shape, first, second)
    assert total(graph) == before
    done = merged(graph, f"merged n1 into n2, {after} multiplies instead of {before}")
    assert total(done) == after
    assert list(done.nodes) == ["in", "n2", "out"]


def test_every_pair_of_the_table_is_tried_above_or_below() -> None:
    tried = {(type(first), type(second)) for _, first, second, _ in MERGED.values()}
    refused_or_alike = {(AveragePool, Conv), (SumPool, Conv), (Scale, BatchNorm), (BatchNorm, BatchNorm)}
    assert tried | refused_or_alike == set(PAIRS)


@settings(max_examples=40, deadline=None)
@given(seeds())
def test_two_convolutions_of_any_form_become_one(seed: int) -> None:
    draw = np.random.default_rng(seed)
    dims = int(draw.integers(1, 3))
    groups, other = int(draw.choice([1, 2, 4])), int(draw.choice([1, 2, 4]))
    kernel, second = draw.integers(1, 4, dims), draw.integers(1, 4, dims)
    form = {"stride": tuple(draw.integers(1, 4, dims).tolist()), "dilation": tuple(draw.integers(1, 3, dims).tolist())}
    a = Conv(
        draw.normal(size=(4, 4 // groups, *kernel)),
        draw.normal(size=4),
        padding=int(draw.integers(3)),
        groups=groups,
        **form,
    )
    b = Conv(draw.normal(size=(4, 4 // other, *second)), draw.normal(size=4), groups=other, stride=2)
    graph = line((4, *[30] * dims), a, b)
    result = merge(graph)
    if result.changes:
        assert_same_function(graph, result.graph, exact=False)
    else:
        assert " it would take " in result.refusals[0].why


REFUSED = {
    "n1 stays: with n2 it would take 25 multiplies instead of 10": ((5,), Affine(normal(1, 5)), Affine(normal(5, 1))),
    "n1 stays: with n2 it would take 576 multiplies instead of 348": (
        (2, 12),
        Conv(normal(2, 1, 3), groups=2),
        Conv(normal(8, 2, 2), groups=1),
    ),
    "n1 stays: with n2: the second pads what lies between with zeros, which is not what the first makes of zeros": (
        (2, 9),
        Conv(normal(6, 2, 3)),
        Conv(normal(2, 6, 1), padding=1),
    ),
    "n1 stays: with n2: the second pads what lies between with zeros, which the bias of the first would fill": (
        (2, 9),
        Conv(normal(6, 2, 1), normal(6)),
        Conv(normal(2, 6, 3), padding=1),
    ),
    "n1 stays: with n2: one of them has a bias, and a contraction has none": (
        (3, 6),
        Contract("cv,vw->cw", normal(6, 4)),
        Affine(normal(2, 4), normal(2)),
    ),
    "n1 stays: with n2: the weights would no longer be finite": (
        (3,),
        Affine(np.full((3, 3), 1e30, np.float32)),
        Affine(np.full((1, 3), 1e30, np.float32)),
    ),
    "n1 stays: with n2 it would take 72 multiplies instead of 18": (
        (2, 12),
        SumPool(4),
        Conv(normal(3, 2, 1)),
    ),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_saves_nothing_or_cannot_be_is_refused(why: str) -> None:
    shape, first, second = REFUSED[why]
    assert refused(line(shape, first, second)) == [why]


def test_other_readers_and_delays_are_reasons() -> None:
    builder = GraphBuilder()
    builder.add("in", Input((5,)))
    builder.add("a", Affine(normal(4, 5)), "in")
    builder.add("b", Affine(normal(2, 4)), later("a"))
    builder.add("c", Affine(normal(2, 2)), "b")
    builder.add("sum", Add(), "b", "c")
    builder.add("out", Output(), "sum")
    assert refused(builder.build()) == ["b stays: b feeds c, sum", "a stays: the wire from a to b is delayed"]


def test_the_first_of_the_two_may_read_what_was_sent_before() -> None:
    builder = GraphBuilder()
    builder.add("in", Input((5,)))
    builder.add("a", Affine(normal(4, 5), normal(4)), later("in"))
    builder.add("b", Affine(normal(2, 4)), "a")
    builder.add("out", Output(), "b")
    assert str(merged(builder.build(), "merged a into b, 10 multiplies instead of 28").wires["b"][0]) == "~in"


def test_averages_hand_their_divisor_to_a_linear_layer_and_only_sum() -> None:
    after = merged(
        line((2, 6), AveragePool(3), Flatten(), Affine(normal(3, 4))),
        "put the 1/3 of n1 into n3, 4 multiplies fewer, past n2",
    )
    assert [node.kind for node in after.nodes.values()] == ["Input", "SumPool", "Flatten", "Affine", "Output"]
    after = Mean((-1,)), Affine(normal(3, 2))
    graph = line((2, 5), *after)
    result = merge(graph)
    assert [change.text() for change in result.changes] == ["put the 1/5 of n1 into n2, 2 multiplies fewer"]
    assert_same_function(graph, result.graph, exact=False)
    graph = line(
        (2, 16), Conv(normal(2, 2, 3), padding=2, stride=3), AveragePool(2, 1, count_padding=False), LIF(beta=0.5)
    )
    result = merge(graph)
    assert [change.text() for change in result.changes] == ["put the 1/2 of n2 into n1, 10 multiplies fewer"]
    assert_same_function(graph, result.graph, exact=False)


def test_averages_that_keep_their_divisor_say_why() -> None:
    assert refused(line((2, 6), AveragePool(3), LIF(beta=0.5))) == [
        "n1 stays: before it, in is Input, which takes up no scale; n2 is a neuron, whose gain is a product as well"
    ]
    assert refused(line((2, 6), AveragePool(3, 2, 1, False, False), LIF(beta=0.5))) == [
        "n1 stays: its windows hold different numbers of values, and one weight cannot divide by all"
    ]


def test_float32_maps_are_merged_in_float64_and_say_so() -> None:
    weights = [normal(*shape).astype(np.float32) for shape in ((4, 5), (2, 4))]
    result = merge(line((5,), *map(Affine, weights)))
    assert [change.text() for change in result.changes] == [
        "merged n1 into n2, 10 multiplies instead of 28, computed in float64 and rounded to float32"
    ]
    wanted = (weights[1].astype(float) @ weights[0].astype(float)).astype(np.float32)
    np.testing.assert_array_equal(result.graph.nodes["n2"].weight, wanted)


@settings(max_examples=60, deadline=None)
@given(seeds(), st.booleans())
def test_multiplications_never_become_more(seed: int, linear: bool) -> None:
    kinds = sorted({kind.__name__ for pair in PAIRS for kind in pair}) if linear else None
    graph = random_graph(np.random.default_rng(seed), kinds=kinds, dtype="float64")
    result = merge(graph)
    assert total(result.graph) <= total(graph)


def test_before_and_after_as_text() -> None:
    graph = line((2,), Affine([[1.0, 2.0], [0.5, 0.0]], [1.0, -1.0]), Affine([[2.0, 4.0]]))
    assert to_text(graph) == (
        "graph network dt=0.001\n"
        "  in = Input(shape=[2]) : graded [2]\n"
        "  n1 = Affine(in; weight=f64[2,2]{1.0, 2.0, 0.5, 0.0}, bias=f64[2]{1.0, -1.0}) : graded [2]\n"
        "  n2 = Affine(n1; weight=f64[1,2]{2.0, 4.0}) : graded [1]\n"
        "  out = Output(n2) : graded [1]\n"
    )
    assert to_text(merge(graph).graph) == (
        "graph network dt=0.001\n"
        "  in = Input(shape=[2]) : graded [2]\n"
        "  n2 = Affine(in; weight=f64[1,2]{4.0, 4.0}, bias=f64[1]{-2.0}) : graded [1]\n"
        "  out = Output(n2) : graded [1]\n"
    )
