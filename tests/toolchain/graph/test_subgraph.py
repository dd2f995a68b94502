"""A graph as a node: the same function as its nodes in its place."""

import numpy as np
import pytest
from hypothesis import given, settings
from spikeport.toolchain.errors import GraphError
from spikeport.toolchain.graph import Graph, GraphBuilder, SubGraph, Wire, chain, inline, later, parse, to_text
from spikeport.toolchain.graph import nodes as n
from support.by_steps import run_by_steps
from support.random_graphs import random_graph, random_inputs, seeds


@given(seeds())
@settings(deadline=None, max_examples=80)
def test_inlining_keeps_the_function_to_the_last_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, nodes=8, subgraphs=True)
    flat = inline(graph)
    assert not any(isinstance(node, SubGraph) for node in flat.nodes.values())
    inputs = random_inputs(graph, rng, 6, 2)
    nested, plain = run_by_steps(graph, inputs), run_by_steps(flat, inputs)
    common = [name for name in graph.nodes if name in flat.nodes and flat.nodes[name] is graph.nodes[name]]
    assert set(graph.inputs + graph.outputs) <= set(common)
    assert all(np.array_equal(nested[name], plain[name]) for name in common)


def inner(name: str = "inner") -> Graph:
    b = GraphBuilder(name)
    b.notes["from"] = "a test"
    b.add("x", n.Input((3,)))
    b.add("sum", n.Add(), "x", later("fired"))
    b.add("fired", n.LIF(beta=0.5, threshold=0.7), "sum")
    b.add("y", n.Output(), "fired")
    return b.build()


def test_names_notes_and_order_after_inlining() -> None:
    graph = chain([("in", n.Input((3,))), ("a", SubGraph(inner())), ("b", SubGraph(inner())), ("out", n.Output())])
    assert to_text(inline(graph)) == (
        "graph network dt=0.001\n"
        "  in = Input(shape=[3]) : graded [3]\n"
        "  a.sum = Add(in, ~a.fired) : graded [3]\n"
        "  a.fired = LIF(a.sum; threshold=0.7, beta=0.5) : spikes [3]\n"
        "  b.sum = Add(a.fired, ~b.fired) : int[0,2] [3]\n"
        "  b.fired = LIF(b.sum; threshold=0.7, beta=0.5) : spikes [3]\n"
        "  out = Output(b.fired) : spikes [3]\n"
        '  note a.from="a test"\n'
        '  note b.from="a test"\n'
    )


def test_a_name_that_is_taken_gets_a_number() -> None:
    b = GraphBuilder()
    b.add("in", n.Input((3,)))
    b.add("a.sum", n.Sigma(), "in")
    b.add("a", SubGraph(inner()), "a.sum")
    b.add("out", n.Output(), "a")
    flat = inline(b.build())
    assert list(flat.nodes) == ["in", "a.sum", "a.sum_2", "a.fired", "out"]
    assert flat.wires["a.sum_2"] == (Wire("a.sum"), Wire("a.fired", delayed=True))


def test_two_delays_in_a_row_stay_two_delays() -> None:
    inside = GraphBuilder()
    inside.add("x", n.Input((1,)))
    inside.add("twice", n.Scale(2.0), later("x"))
    inside.add("y", n.Output(), later("twice"))
    b = GraphBuilder()
    b.add("in", n.Input((1,)))
    b.add("sub", SubGraph(inside.build()), later("in"))
    b.add("out", n.Output(), later("sub"))
    graph, x = b.build(), np.arange(1.0, 8).reshape(7, 1, 1)
    nested, flat = run_by_steps(graph, {"in": x}), run_by_steps(inline(graph), {"in": x})
    assert nested["out"].ravel().tolist() == flat["out"].ravel().tolist() == [0, 0, 0, 0, 2, 4, 6]


def test_a_graph_that_only_hands_through_vanishes() -> None:
    wire = chain([("x", n.Input((2,))), ("y", n.Output())])
    graph = chain([("in", n.Input((2,))), ("a", SubGraph(wire)), ("b", SubGraph(wire)), ("out", n.Output())])
    assert list(inline(graph).nodes) == ["in", "out"]
    plain = chain([n.Input((2,)), n.Output()])
    assert inline(plain) is plain


def test_what_a_node_says_about_itself() -> None:
    node = SubGraph(inner())
    assert node.stateful
    assert node.dt == 1e-3
    assert set(node.start((3,), 2, np.float32)) == {"fired/~", "fired/v"}
    assert all(value.dtype == np.float32 for value in node.start((3,), 2, np.float32).values())
    assert {"fired.beta", "fired.threshold"} <= set(node.arrays())
    still = SubGraph(chain([n.Input((2,)), n.Scale(2.0), n.Output()]))
    assert not still.stateful


def test_inner_nodes_hand_on_arrays_in_c_order_as_a_run_of_the_outer_graph_does() -> None:
    turned = SubGraph(chain([n.Input((2, 3)), n.Permute((1, 0)), n.Output()]))
    y, _ = turned.step(turned.start((2, 3), 4, np.float64), np.ones((4, 2, 3)))
    assert y.shape == (4, 3, 2)
    assert y.flags.c_contiguous


def test_a_loop_may_run_through_a_sub_graph_alone() -> None:
    b = GraphBuilder()
    b.add("in", n.Input((3,)))
    b.add("sub", SubGraph(inner()), later("scaled"))
    b.add("scaled", n.Scale(0.5), "sub")
    b.add("sum", n.Add(), "in", "scaled")
    b.add("out", n.Output(), "sum")
    assert b.build().signals["sub"].shape == (3,)


REFUSED = {
    "graph: 2 outputs; expected one": lambda: SubGraph(
        parse("graph g dt=1 x=Input(shape=[1]) y=Output(x) z=Output(x)")
    ),
    "graph: an output that reads out 'sum'; expected readout 'steps'": lambda: SubGraph(
        chain([n.Input((1,)), n.Output("sum")])
    ),
    "graph: int; expected a graph": lambda: SubGraph(3),
    "1_subgraph (SubGraph), inputs: 1; expected 2, as the inner graph has": lambda: chain(
        [
            n.Input((1,)),
            SubGraph(parse("graph g dt=0.001 x=Input(shape=[1]) x2=Input(shape=[1]) s=Add(x,x2) z=Output(s)")),
            n.Output(),
        ]
    ),
    "1_subgraph (SubGraph), 0_input: graded [1]; expected spikes [1], as the inner input promises": lambda: chain(
        [n.Input((1,)), SubGraph(chain([n.Input((1,), "spikes"), n.Output()])), n.Output()]
    ),
    "1_subgraph: steps of 0.5 s; expected 0.001 s, as the graph around it has": lambda: chain(
        [n.Input((1,)), SubGraph(chain([n.Input((1,)), n.Output()], dt=0.5)), n.Output()]
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_messages(message: str) -> None:
    with pytest.raises(GraphError) as caught:
        REFUSED[message]()
    assert str(caught.value) == message
