"""Lowering pools: what each becomes, and what one constant kernel cannot say."""

import numpy as np
import pytest
from spikeport.toolchain.graph import Graph, Node, chain
from spikeport.toolchain.graph.nodes import (
    LIF,
    Activation,
    AveragePool,
    Conv,
    Flatten,
    Input,
    MaxPool,
    Mean,
    Output,
    Scale,
    Sum,
    SumPool,
)
from spikeport.toolchain.graph.subgraph import SubGraph
from spikeport.toolchain.graph.text import to_text
from spikeport.toolchain.passes import make
from support.same_function import assert_same_function

lower = make("lower_pooling")


def line(shape: tuple[int, ...], *nodes: Node, carries: str = "graded") -> Graph:
    named = [(f"n{i + 1}", node) for i, node in enumerate(nodes)]
    return chain([("in", Input(shape, carries)), *named, ("out", Output())])


def lowered(graph: Graph, text: str, *, exact: bool = False, **options: object) -> Graph:
    result = make("lower_pooling", **options)(graph)
    assert [change.text() for change in result.changes] == [text]
    assert not result.refusals
    assert_same_function(graph, result.graph, exact=exact)
    return result.graph


def refused(graph: Graph) -> list[str]:
    result = lower(graph)
    assert result.graph is graph
    return [refusal.text() for refusal in result.refusals]


ONE_CONV = {
    "a sum": ((2, 9), SumPool(3, 2), "a SumPool, to a Conv with weights 1"),
    "a sum over the end": ((2, 3, 8), SumPool((2, 3), None, 1, ceil=True), "a SumPool, to a Conv with weights 1"),
    "an average": ((3, 4, 6), AveragePool((2, 3)), "an AveragePool, to a Conv with weights 0.166667"),
    "an average with padding": ((2, 6), AveragePool(3, 2, 1), "an AveragePool, to a Conv with weights 0.333333"),
    "a mean over space": ((2, 4, 2), Mean((-2, -1), keep=True), "a Mean over space, to a Conv with weights 0.125"),
    "a sum over rows": ((2, 4, 2), Sum((1,), keep=True), "a Sum over space, to a Conv with weights 1"),
    "in three dimensions": ((2, 4, 2, 4), SumPool((2, 2, 2)), "a SumPool, to a Conv with weights 1"),
}


@pytest.mark.parametrize("case", ONE_CONV)
def test_a_pool_becomes_one_convolution(case: str) -> None:
    shape, pool, words = ONE_CONV[case]
    after = lowered(line(shape, pool), f"lowered n1, {words}")
    conv = after.nodes["n1"]
    assert isinstance(conv, Conv)
    assert conv.groups == shape[0]
    assert conv.weight.shape[:2] == (shape[0], 1)
    assert conv.weight.dtype == np.float64


@pytest.mark.parametrize("node", [Mean((1, 2)), Sum((2,))])
def test_axes_that_go_are_reshaped_away(node: Node) -> None:
    end = "0.125" if isinstance(node, Mean) else "1"
    after = lowered(
        line((3, 2, 4), node), f"lowered n1, a {node.kind} over space, to a Conv with weights {end} and a Reshape"
    )
    assert [each.kind for each in after.nodes.values()] == ["Input", "Conv", "Reshape", "Output"]


def test_a_maximum_of_spikes_is_a_sum_above_zero() -> None:
    words = "lowered n1, a MaxPool of spikes, to a Conv with weights 1 and a step above 0"
    graph = line((2, 5, 6), MaxPool((3, 2), (2, 1), ((1, 1), (0, 1)), ceil=True), carries="spikes")
    after = lowered(graph, words, exact=True)
    assert after.signals["n1"] == graph.signals["n1"]
    assert [each.kind for each in after.nodes.values()] == ["Input", "Conv", "Activation", "Output"]


def test_windows_that_hold_fewer_values_take_a_scale_if_wanted() -> None:
    graph = line((2, 6, 5), AveragePool((3, 3), 2, 1, count_padding=False))
    why = "its windows hold 4 to 9 values, and a Conv has one weight for all; border_scale=True puts a Scale behind it"
    assert refused(graph) == [f"n1 stays: {why}"]
    words = "lowered n1, an AveragePool, to a Conv with weights 1 and a Scale for each place"
    after = lowered(graph, words, border_scale=True)
    assert isinstance(after.nodes["n1"], Scale)
    assert after.nodes["n1"].scale.shape == (1, 3, 3)


def test_what_is_no_window_of_a_convolution_stays() -> None:
    assert refused(line((2, 4), MaxPool(2))) == [
        "n1 stays: a maximum of graded values is not linear; only of spikes it is a sum above 0"
    ]
    assert refused(line((2, 4), MaxPool(2), carries="int[0,3]")) == [
        "n1 stays: a maximum of int[0,3] values is not linear; only of spikes it is a sum above 0"
    ]
    assert refused(line((2, 4), Mean((0,)), Activation("relu"))) == []
    assert refused(line((2, 4, 1, 1, 1), Mean((2,)))) == []


def test_a_sub_graph_that_counts_on_whole_numbers_keeps_its_pools() -> None:
    inner = chain([("in", Input((2, 2), "int[0,2]")), ("flat", Flatten()), ("lif", LIF(beta=0.5)), ("out", Output())])
    graph = line((2, 4), SumPool(2), SubGraph(inner), carries="spikes")
    assert refused(graph) == ["n1 stays: a sub-graph may count on its int[0,2]; inline_subgraphs opens it"]
    opened = make("inline_subgraphs")(graph).graph
    assert lower(opened).changes
    assert_same_function(graph, lower(opened).graph, exact=True)


def test_before_and_after_as_text() -> None:
    graph = line((1, 4), MaxPool(2), SumPool(2), carries="spikes")
    assert to_text(graph) == (
        "graph network dt=0.001\n"
        '  in = Input(shape=[1,4], carries="spikes") : spikes [1,4]\n'
        "  n1 = MaxPool(in; window=[2], stride=[2]) : spikes [1,2]\n"
        "  n2 = SumPool(n1; window=[2], stride=[2]) : int[0,2] [1,1]\n"
        "  out = Output(n2) : int[0,2] [1,1]\n"
    )
    assert to_text(lower(graph).graph) == (
        "graph network dt=0.001\n"
        '  in = Input(shape=[1,4], carries="spikes") : spikes [1,4]\n'
        "  n1_sum = Conv(in; weight=f64[1,1,2]{1.0, 1.0}, stride=[2]) : graded [1,2]\n"
        '  n1 = Activation(n1_sum; function="step", parameters={threshold: 0.0}) : spikes [1,2]\n'
        "  n2 = Conv(n1; weight=f64[1,1,2]{1.0, 1.0}, stride=[2]) : graded [1,1]\n"
        "  out = Output(n2) : graded [1,1]\n"
    )
