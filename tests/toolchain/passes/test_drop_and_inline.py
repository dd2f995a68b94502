"""Dropping identities and dead nodes, opening sub-graphs."""

import numpy as np
import pytest
from spikeport.toolchain.graph import Graph, GraphBuilder, Node, chain, later
from spikeport.toolchain.graph.nodes import (
    LIF,
    Activation,
    Add,
    Affine,
    AveragePool,
    Delay,
    Flatten,
    Input,
    MaxPool,
    Mean,
    Output,
    Pad,
    Permute,
    Reshape,
    Scale,
    Slice,
    Sum,
    SumPool,
)
from spikeport.toolchain.graph.subgraph import SubGraph
from spikeport.toolchain.graph.text import to_text
from spikeport.toolchain.passes import make
from spikeport.toolchain.passes.drop_identities import IDENTITIES
from support.same_function import assert_same_function

drop = make("drop_identities")


def line(shape: tuple[int, ...], *nodes: Node, carries: str = "graded") -> Graph:
    named = [(f"n{i + 1}", node) for i, node in enumerate(nodes)]
    return chain([("in", Input(shape, carries)), *named, ("out", Output())])


IDENTICAL = {
    "a scale of 1": (Scale(np.ones((2, 1)), 0.0), "graded"),
    "a Reshape to the shape it had": (Reshape((2, -1)), "graded"),
    "a Flatten to the shape it had": (Flatten(1, 1), "graded"),
    "axes in the order they had": (Permute((0, 1)), "graded"),
    "a slice of everything": (Slice(-1, 0, 3), "graded"),
    "a pad of nothing": (Pad(((0, 0), (0, 0))), "graded"),
    "a delay of 0": (Delay((0, 0)), "graded"),
    "a window of one value": (MaxPool(1), "graded"),
    "relu of spikes": (Activation("relu"), "spikes"),
    "abs of int[0,3]": (Activation("abs"), "int[0,3]"),
    "clip of int[0,3]": (Activation("clip", {"low": 0, "high": 3}), "int[0,3]"),
    "step of spikes": (Activation("step", {"threshold": 0}), "spikes"),
    "step_or_equal of spikes": (Activation("step_or_equal", {"threshold": 1}), "spikes"),
}


@pytest.mark.parametrize("why", IDENTICAL)
def test_what_changes_nothing_goes(why: str) -> None:
    node, carries = IDENTICAL[why]
    graph = line((2, 3), node, LIF(beta=0.5), carries=carries)
    result = drop(graph)
    assert [change.text() for change in result.changes] == [f"dropped n1, {why}"]
    assert list(result.graph.nodes) == ["in", "n2", "out"]
    assert_same_function(graph, result.graph, exact=True)


@pytest.mark.parametrize("node", [Mean((0,), keep=True), Sum((-2,), keep=True), SumPool(1), AveragePool(1)])
def test_single_values_go_too(node: Node) -> None:
    graph = line((1, 3), node)
    result = drop(graph)
    assert list(result.graph.nodes) == ["in", "out"]
    assert_same_function(graph, result.graph, exact=True)


def test_every_rule_of_the_table_is_tried() -> None:
    tried = {type(node) for node, _ in IDENTICAL.values()} | {Mean, Sum, SumPool, AveragePool}
    assert tried == set(IDENTITIES)


STAYING = [
    (Scale(np.array([1.0, 1.0, 1.0 + 1e-9])), "graded"),
    (Scale(1.0, [0.0, 0.0, 1e-9]), "graded"),
    (Permute((1, 0)), "graded"),
    (Slice(1, 0, 3, 2), "graded"),
    (Delay((0, 1)), "graded"),
    (SumPool(1, 2), "graded"),
    (MaxPool(2, 1, ((1, 0),)), "graded"),
    (Mean((0,)), "graded"),
    (Activation("relu"), "graded"),
    (Activation("relu"), "int[-1,3]"),
    (Activation("clip", {"low": 0, "high": 2}), "int[0,3]"),
    (Activation("step", {"threshold": 1}), "spikes"),
    (Activation("step", {"threshold": 0}), "int[0,2]"),
    (Activation("step_or_equal", {"threshold": 0}), "spikes"),
]


@pytest.mark.parametrize(("node", "carries"), STAYING)
def test_what_changes_something_stays(node: Node, carries: str) -> None:
    shape = (1, 3) if isinstance(node, Mean) else (2, 3)
    graph = line(shape, node, carries=carries)
    result = drop(graph)
    assert result.graph is graph
    assert not result.refusals


def loop(*, twice: bool) -> Graph:
    builder = GraphBuilder()
    builder.add("in", Input((2,)))
    builder.add("sum", Add(), "in", later("same"))
    builder.add("same", Scale(1.0), later("sum") if twice else "sum")
    builder.add("out", Output(), "sum")
    return builder.build()


def test_loops_keep_their_delay() -> None:
    result = drop(loop(twice=False))
    assert [str(wire) for wire in result.graph.wires["sum"]] == ["in", "~sum"]
    assert_same_function(loop(twice=False), result.graph, exact=True)


def test_two_delayed_wires_are_not_joined() -> None:
    graph = loop(twice=True)
    result = drop(graph)
    assert result.graph is graph
    assert [refusal.text() for refusal in result.refusals] == [
        "same stays: the wires on both sides of it are delayed, and one wire holds a single step"
    ]


def test_dead_nodes_go_and_inputs_stay() -> None:
    builder = GraphBuilder()
    builder.add("in", Input((2,)))
    builder.add("unused", Input((2,)))
    builder.add("a", Affine(np.eye(2)), "in")
    builder.add("b", Scale(2.0), "unused")
    builder.add("round", Add(), "a", later("round"))
    builder.add("back", Scale(0.5), later("late"))
    builder.add("late", Add(), "a", "back")
    builder.add("out", Output(), "late")
    graph = builder.build()
    result = make("drop_dead_nodes")(graph)
    assert [change.text() for change in result.changes] == [
        "dropped b, which no output depends on",
        "dropped round, which no output depends on",
    ]
    assert to_text(result.graph) == (
        "graph network dt=0.001\n"
        "  in = Input(shape=[2]) : graded [2]\n"
        "  unused = Input(shape=[2]) : graded [2]\n"
        "  a = Affine(in; weight=f64[2,2]{1.0, 0.0, 0.0, 1.0}) : graded [2]\n"
        "  back = Scale(~late; scale=0.5) : graded [2]\n"
        "  late = Add(a, back) : graded [2]\n"
        "  out = Output(late) : graded [2]\n"
    )
    assert_same_function(graph, result.graph, exact=True)


def test_sub_graphs_are_opened() -> None:
    inner = chain([("x", Input((2,))), ("fc", Affine(np.eye(2))), ("y", Output())])
    graph = line((2,), SubGraph(inner), SubGraph(inner))
    result = make("inline_subgraphs")(graph)
    assert [change.text() for change in result.changes] == [
        "opened n1, a sub-graph of 3 nodes",
        "opened n2, a sub-graph of 3 nodes",
    ]
    assert to_text(result.graph) == (
        "graph network dt=0.001\n"
        "  in = Input(shape=[2]) : graded [2]\n"
        "  n1.fc = Affine(in; weight=f64[2,2]{1.0, 0.0, 0.0, 1.0}) : graded [2]\n"
        "  n2.fc = Affine(n1.fc; weight=f64[2,2]{1.0, 0.0, 0.0, 1.0}) : graded [2]\n"
        "  out = Output(n2.fc) : graded [2]\n"
    )
    assert_same_function(graph, result.graph, exact=True)


def test_before_and_after_as_text() -> None:
    graph = line((2, 2), Permute((0, 1)), Activation("relu"), Scale(1.0), carries="spikes")
    assert to_text(graph) == (
        "graph network dt=0.001\n"
        '  in = Input(shape=[2,2], carries="spikes") : spikes [2,2]\n'
        "  n1 = Permute(in; axes=[0,1]) : spikes [2,2]\n"
        '  n2 = Activation(n1; function="relu") : spikes [2,2]\n'
        "  n3 = Scale(n2; scale=1.0) : graded [2,2]\n"
        "  out = Output(n3) : graded [2,2]\n"
    )
    assert to_text(drop(graph).graph) == (
        "graph network dt=0.001\n"
        '  in = Input(shape=[2,2], carries="spikes") : spikes [2,2]\n'
        "  out = Output(in) : spikes [2,2]\n"
    )
