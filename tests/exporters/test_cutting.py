"""Networks cut into pieces: nothing twice, no way out of a piece and back into it, and together the same function."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.exporters.copying import copied, once
from spikeport.exporters.cutting import alone, connected, in_order, in_turns, with_loops
from spikeport.toolchain.graph import GraphBuilder, later
from spikeport.toolchain.graph.nodes import LIF, Add, Input, Output, Scale
from spikeport.toolchain.passes.drop_dead_nodes import DropDeadNodes
from spikeport.toolchain.simulate import simulate


@st.composite
def cuts(draw):
    """A random network of one shape, with loops, and some of its nodes for the host."""
    build = GraphBuilder("net")
    build.add("in", Input((2,)))
    names = ["in"]
    for index in range(draw(st.integers(2, 9))):
        first, second = (draw(st.sampled_from(names)) for _ in range(2))
        kind = draw(st.sampled_from(["scale", "lif", "add", "loop"]))
        name = f"n{index}"
        if kind == "loop":
            build.add(name, Add(), first, later(f"{name}.back"))
            names.append(build.add(f"{name}.back", LIF(beta=0.5), name))
        else:
            nodes = {"scale": Scale(np.asarray(0.5)), "lif": LIF(beta=0.5), "add": Add()}
            build.add(name, nodes[kind], *((first, second) if kind == "add" else (first,)))
        names.append(name)
    for number, name in enumerate(names[-2:]):
        build.add(f"out{number}", Output(), name)
    graph = DropDeadNodes()(build.build()).graph
    inner = [name for name in names if name != "in" and name in graph.nodes]
    host = with_loops(graph, draw(st.sets(st.sampled_from(inner), max_size=4))) if inner else set()
    return graph, host


def run(graph, pieces, x):
    """The pieces one after the other, over all steps at once."""
    sent = {"in": x}
    for piece in pieces:
        fed = {entry: sent[name] for entry, name in piece.reads.items()}
        trace = simulate(piece.graph, fed, record=list(piece.sends), dtype="float64")
        sent |= {name: trace[end].values.astype(float) for end, name in piece.sends.items()}
    return {name: sent[graph.wires[name][0].source] for name in graph.outputs}


@settings(deadline=None, max_examples=25)
@given(cuts())
def test_pieces_hold_every_node_once_and_make_the_network(cut):
    graph, host = cut
    x = np.random.default_rng(0).normal(1.0, 1.0, (5, 2, 2))
    wanted = simulate(graph, x, dtype="float64").outputs
    groups = connected(graph, host)
    hung = [
        alone(graph, names, f"part{number}", host=mine) for number, (names, mine) in enumerate(in_order(graph, groups))
    ]
    for pieces in (hung, in_turns(graph, host)):
        held = [name for piece in pieces for name in piece.nodes]
        assert sorted(held) == sorted(set(graph.nodes) - {*graph.inputs, *graph.outputs})
        assert all(piece.host == (name in host) for piece in pieces for name in piece.nodes)
        for name, values in run(graph, pieces, x).items():
            np.testing.assert_array_equal(values, wanted[name])


def test_no_way_leads_out_and_back():
    build = GraphBuilder("net")
    build.add("in", Input((2,)))
    build.add("early", LIF(beta=0.5), "in")
    build.add("host", Scale(np.asarray(0.5)), "early")
    build.add("sum", Add(), "early", "host")
    build.add("late", LIF(beta=0.5), "sum")
    build.add("side", LIF(beta=0.5), "early")
    build.add("out", Output(), "late")
    build.add("out2", Output(), "side")
    graph = build.build()
    groups = connected(graph, {"host"})
    assert sorted(map(sorted, groups)) == [["early", "side"], ["late", "sum"]]
    assert [names for names, _ in in_order(graph, groups)] == [["early", "side"], ["host"], ["sum", "late"]]


@settings(deadline=None, max_examples=15)
@given(cuts())
def test_two_pieces_that_touch_could_not_be_one(cut):
    graph, host = cut
    groups = connected(graph, host)
    onward = {name: {edge.target for edge in graph.readers(name)} for name in graph.nodes}
    for first in groups:
        for second in groups:
            if first is second or not any(onward[name] & second for name in first):
                continue
            both, seen = first | second, set()
            waiting = [name for each in both for name in onward[each] - both]
            while waiting:
                name = waiting.pop()
                if name not in seen:
                    seen.add(name)
                    waiting += onward[name]
            assert seen & both, "nothing but a way past both keeps them apart"


LINEAR = (Add, Scale)


@settings(deadline=None, max_examples=25)
@given(cuts(), st.randoms(use_true_random=False))
def test_sums_once_for_each_part_are_the_same_network_and_every_copy_serves_one_part(cut, random):
    graph, host = cut
    x = np.random.default_rng(0).normal(1.0, 1.0, (5, 2, 2))
    wanted = simulate(graph, x, dtype="float64").outputs
    inner = [name for name in graph.order if not isinstance(graph.nodes[name], (Input, Output))]
    sums = {name for name in inner if name not in host and isinstance(graph.nodes[name], LINEAR)}
    home = {name: random.randrange(3) for name in inner if name not in host and name not in sums}
    more, copies = copied(graph, sums, home)
    assert set(more.nodes) - set(graph.nodes) == set(copies)
    found = simulate(more, x, dtype="float64").outputs
    assert all(np.array_equal(found[name], wanted[name]) for name in wanted)
    for name in sums | set(copies):
        places, waiting = set(), [name]
        while waiting:
            for edge in more.readers(waiting.pop()):
                if copies.get(edge.target, edge.target) in sums and not edge.delayed:
                    waiting.append(edge.target)
                else:
                    places.add(home.get(edge.target, -1))
        assert len(places) <= 1 or any(edge.delayed for edge in more.edges)
    left = {name for name in more.nodes if random.random() < 0.5 or name in host} & {*sums, *copies, *host}
    other = set(more.nodes) - left - {*graph.inputs, *graph.outputs}
    again = once(more, copies, [left, other])
    for place in (left, other):
        kinds = [copies.get(name, name) for name in again.nodes if name in place]
        assert len(kinds) == len(set(kinds))
    found = simulate(again, x, dtype="float64").outputs
    assert all(np.array_equal(found[name], wanted[name]) for name in wanted)
