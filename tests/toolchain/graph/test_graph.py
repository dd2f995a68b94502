"""A graph that exists is a correct one: checks, order, loops, what follows from nodes and wires."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given, settings
from spikeport.toolchain.errors import GraphError
from spikeport.toolchain.graph import Edge, Graph, GraphBuilder, Wire, chain, later, replace_graph
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.graph import NAME
from support.by_steps import run_by_steps
from support.random_graphs import random_graph, random_inputs, seeds


def small() -> Graph:
    b = GraphBuilder("small", 2e-3)
    b.add("in", n.Input((4,), "spikes"))
    b.add("sum", n.Add(), "in", later("lif"))
    b.add("lif", n.LIF(beta=0.5), "sum")
    b.add("out", n.Output("sum"), "lif")
    return b.build()


def test_what_a_graph_tells_about_itself() -> None:
    graph = small()
    assert (graph.inputs, graph.outputs) == (("in",), ("out",))
    assert graph.order == ("in", "sum", "lif", "out")
    assert graph.edges == (
        Edge("in", "sum", 0),
        Edge("lif", "sum", 1, delayed=True),
        Edge("sum", "lif", 0),
        Edge("lif", "out", 0),
    )
    assert graph.readers("lif") == (Edge("lif", "sum", 1, delayed=True), Edge("lif", "out", 0))
    assert [str(signal) for signal in graph.received("sum")] == ["spikes [4]", "spikes [4]"]
    assert str(graph.signals["sum"]) == "int[0,2] [4]"
    assert graph.with_notes(a="b").notes == {"a": "b"}
    assert str(later("x")) == "~x"


def test_a_graph_cannot_be_changed() -> None:
    graph = small()
    with pytest.raises(FrozenInstanceError):
        graph.dt = 1.0
    for mapping in (graph.nodes, graph.wires, graph.notes, graph.signals):
        with pytest.raises(TypeError, match="does not support item assignment"):
            mapping["x"] = 1
    given = dict(graph.nodes)
    again = replace_graph(graph, nodes=given)
    given.clear()
    assert len(again.nodes) == 4


@given(seeds())
@settings(deadline=None, max_examples=60)
def test_the_order_keeps_sources_before_readers(seed: int) -> None:
    graph = random_graph(np.random.default_rng(seed))
    place = {name: index for index, name in enumerate(graph.order)}
    assert sorted(graph.order) == sorted(graph.nodes)
    assert all(edge.delayed or place[edge.source] < place[edge.target] for edge in graph.edges)


@given(seeds())
@settings(deadline=None, max_examples=30)
def test_the_order_in_which_nodes_are_given_does_not_change_what_they_do(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng)
    names = [str(name) for name in rng.permutation(list(graph.nodes))]
    other = replace_graph(graph, nodes={name: graph.nodes[name] for name in names})
    assert other.signals == graph.signals
    inputs = random_inputs(graph, rng, 4, 2)
    one, two = run_by_steps(graph, inputs), run_by_steps(other, inputs)
    assert all(np.array_equal(one[name], two[name]) for name in names)


def looped(*nodes: tuple[str, n.Node, tuple[str | Wire, ...]]) -> Graph:
    b = GraphBuilder()
    b.add("in", n.Input((4,), "spikes"))
    for name, node, sources in nodes:
        b.add(name, node, *sources)
    b.add("out", n.Output(), nodes[-1][0])
    return b.build()


def test_a_loop_through_a_concatenation_finds_its_shapes() -> None:
    graph = looped(
        ("both", n.Concat(), ("in", later("lif"))),
        ("fc", n.Affine(np.ones((3, 7))), ("both",)),
        ("lif", n.LIF(beta=0.5), ("fc",)),
    )
    assert graph.signals["both"].shape == (7,)
    assert run_by_steps(graph, {"in": np.ones((2, 1, 4))})["fc"].tolist() == [[[4, 4, 4]], [[7, 7, 7]]]


def test_a_loop_that_starts_with_a_delayed_wire_finds_its_shapes() -> None:
    graph = looped(
        ("back", n.Affine(np.ones((4, 4))), (later("lif"),)),
        ("sum", n.Add(), ("back", "in")),
        ("lif", n.LIF(beta=0.5), ("sum",)),
    )
    assert graph.signals["back"].shape == (4,)


def test_counts_that_grow_round_a_loop_become_graded() -> None:
    graph = looped(("sum", n.Add(), ("in", later("sum"))))
    assert graph.signals["sum"].carries.graded
    kept = looped(
        ("sum", n.Add(), ("in", later("top"))), ("top", n.Activation("clip", {"low": 0, "high": 5}), ("sum",))
    )
    assert str(kept.signals["top"]) == "int[0,5] [4]"
    assert str(kept.signals["sum"]) == "int[0,6] [4]"


def test_a_delayed_wire_also_carries_the_zero_before_the_first_step() -> None:
    b = GraphBuilder()
    b.add("in", n.Input((1,), "int[2,3]"))
    b.add("sum", n.Add(), "in", later("in"))
    b.add("out", n.Output(), "sum")
    graph = b.build()
    assert str(graph.signals["sum"]) == "int[2,6] [1]"
    assert [str(signal.carries) for signal in graph.received("sum")] == ["int[2,3]", "int[0,3]"]


IN, OUT = n.Input((4,)), n.Output()
REFUSED = {
    "dt: 0.0; expected a positive number of seconds": lambda: replace_graph(small(), dt=0),
    "dt: nan; expected a finite number": lambda: replace_graph(small(), dt=float("nan")),
    "dt: '1'; expected a number": lambda: replace_graph(small(), dt="1"),
    "dt: True; expected a number": lambda: replace_graph(small(), dt=True),
    "name: 'a b'; expected letters, digits, '_', '.' and '-', at most 200 and not '.' or '-' first": lambda: chain(
        [IN, OUT], name="a b"
    ),
    "name: '~a'; expected letters, digits, '_', '.' and '-', at most 200 and not '.' or '-' first": lambda: chain(
        [("~a", IN), OUT]
    ),
    "name: '3'; expected letters, digits, '_', '.' and '-', at most 200 and not '.' or '-' first": lambda: Graph(
        {3: IN}, {}
    ),
    "notes: '='; expected letters, digits, '_', '.' and '-', at most 200 and not '.' or '-' first": lambda: (
        replace_graph(small(), notes={"=": ""})
    ),
    "notes, a: 1; expected text": lambda: replace_graph(small(), notes={"a": 1}),
    "a: str; expected a node": lambda: Graph({"a": "Input"}, {}),
    "network: no input or no output; expected at least one of each": lambda: chain([IN]),
    "1_output: 0 inputs; expected 1 for Output": lambda: Graph({"0_input": IN, "1_output": OUT}, {}),
    "in: 1 inputs; expected 0 for Input": lambda: Graph({"in": IN}, {"in": (Wire("in"),)}),
    "a: 1 inputs; expected at least 2 for Add": lambda: looped(("a", n.Add(), ("in",))),
    "a: 3 inputs; expected 1 to 2 for ResonateFire": lambda: looped(
        ("a", n.ResonateFire(cos=1, sin=0), ("in", "in", "in"))
    ),
    "a: an input from 'b', which is not there; expected a node's name": lambda: looped(("a", n.Sigma(), ("b",))),
    "wires: inputs for 'b', which is not there; expected a node's name": lambda: Graph(
        {"a": IN, "c": OUT}, {"c": (Wire("a"),), "b": (Wire("a"),)}
    ),
    "b: an input from the output 'a'; expected the node before it": lambda: looped(
        ("a", n.Output(), ("in",)), ("b", n.Sigma(), ("a",))
    ),
    "wires: a loop without a delay, a -> b -> a; expected one delayed wire in every loop. "
    "Mark the wire that closes it with later(...)": lambda: looped(
        ("a", n.Add(), ("in", "b")), ("b", n.Sigma(), ("a",))
    ),
    "a: unknown shape of its input 'a'; expected a loop with a node that knows its shape": lambda: looped(
        ("a", n.Sigma(), (later("a"),))
    ),
    "a: an output of spikes [12] that changes on its way round a loop; expected one shape": lambda: looped(
        ("a", n.Concat(), ("in", later("a")))
    ),
    "a (Affine), input: shape [4]; expected a last axis of 3": lambda: looped(
        ("a", n.Affine(np.ones((2, 3))), ("in",))
    ),
    "b (Affine), input: shape [2]; expected a last axis of 3": lambda: looped(
        ("a", n.Affine(np.ones((2, 4))), ("in",)), ("b", n.Affine(np.ones((2, 3))), ("a",)), ("c", n.Sigma(), ("b",))
    ),
    "fc (Affine), input: shape [7]; expected a last axis of 8": lambda: looped(
        ("both", n.Concat(), ("in", later("lif"))),
        ("fc", n.Affine(np.ones((3, 8))), ("both",)),
        ("lif", n.LIF(beta=0.5), ("fc",)),
    ),
    "a (Add), inputs: shapes [4] and [3]; expected shapes that broadcast": lambda: looped(
        ("b", n.Slice(0, 0, 3), ("in",)), ("a", n.Add(), ("in", "b"))
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_messages(message: str) -> None:
    with pytest.raises(GraphError) as caught:
        REFUSED[message]()
    if "round a loop" not in message:
        assert str(caught.value) == message
    else:
        assert "that changes on its way round a loop; expected one shape" in str(caught.value)


def test_names_are_made_unique_by_a_number() -> None:
    b = GraphBuilder()
    assert [b.add("a", n.Input((1,))) for _ in range(3)] == ["a", "a_2", "a_3"]


@pytest.mark.parametrize("name", ["", " ", "a b", "a=b", "-a", ".a", "é", "a" * 201, "a\n", "a#", "~a"])
def test_names_that_the_text_form_could_not_read_are_none(name: str) -> None:
    assert not NAME.fullmatch(name)
