"""Every synapse takes a step: latencies and slacks on random networks."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.toolchain.loihi.lowering.retiming import Link, retimed


@st.composite
def networks(draw):
    count = draw(st.integers(2, 8))
    nodes = [f"n{i}" for i in range(count)]
    links = []
    for _ in range(draw(st.integers(1, 14))):
        a, b = draw(st.integers(0, count - 1)), draw(st.integers(1, count - 1))
        links.append(Link(nodes[a], nodes[b], draw(st.integers(int(a >= b), 3))))
    return nodes, links


@settings(max_examples=200, deadline=None)
@given(networks())
def test_slacks_are_what_the_equation_says_and_no_latency_could_be_smaller(network):
    nodes, links = network
    found = retimed(nodes, links)
    for link, slack, more in zip(links, found.slack, found.added, strict=True):
        assert slack == found.latency[link.target] - found.latency[link.source] - 1 + link.delay + more
        assert slack >= 0
    for name in nodes:
        into = [slack for link, slack in zip(links, found.slack, strict=True) if link.target == name]
        assert found.latency[name] == 0 or min(into) == 0
    assert bool(found.loops) == any(found.added)


@settings(max_examples=200, deadline=None)
@given(networks())
def test_only_loops_that_are_too_short_are_made_longer(network):
    nodes, links = network
    found = retimed(nodes, links)
    size = len(nodes)
    far = np.full((size, size), -np.inf)
    for link in links:
        a, b = nodes.index(link.source), nodes.index(link.target)
        far[a, b] = max(far[a, b], link.late)
    for middle in range(size):
        far = np.maximum(far, far[:, [middle]] + far[[middle]])
    assert bool((np.diagonal(far) > 0).any()) == bool(found.loops)


def test_a_loop_is_named_once_around():
    links = [Link("in", "a"), Link("a", "b"), Link("b", "c"), Link("c", "a", 1)]
    found = retimed(["in", "a", "b", "c"], links)
    ((loop, short),) = found.loops
    assert sorted(loop) == ["a", "b", "c"]
    assert short == 2
    assert found.added == (0, 0, 0, 2)
    assert found.latency == {"in": 0, "a": 1, "b": 2, "c": 3}
