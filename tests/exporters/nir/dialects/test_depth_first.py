"""The order in which nirtorch's executor runs a graph, against that executor itself."""

import warnings
from itertools import pairwise

import nir
import nirtorch
import numpy as np
import pytest
import torch
from spikeport.exporters.nir.dialects.depth_first import late, runnable
from spikeport.exporters.nir.tree import Leaf, Tree
from spikeport.toolchain.errors import GraphError

GRAPHS = {
    "a chain": ("in a b out", True),
    "a way round, the short one first": ("in-a a-c a-b b-c c-out", False),
    "a way round, the long one first": ("in-a a-b b-c a-c c-out", True),
    "two branches": ("in-a in-b a-c b-c c-out", False),
    "a loop": ("in-a a-w w-a a-out", True),
    "a loop and a way round": ("in-a a-w w-a a-c a-b b-c c-out", False),
}


def edges_of(text: str) -> list[tuple[str, str]]:
    if "-" not in text:
        names = text.split()
        return list(pairwise(names))
    return [tuple(edge.split("-")) for edge in text.split()]


def order_of_executor(edges: list[tuple[str, str]]) -> list[str]:
    """The names in the order in which nirtorch runs them."""
    names = list(dict.fromkeys(name for edge in edges for name in edge))
    one = np.ones((1, 1), np.float32)
    nodes = {name: nir.Linear(one) for name in names}
    nodes |= {"in": nir.Input(np.array([1])), "out": nir.Output(np.array([1]))}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = nirtorch.load(
            nir.NIRGraph(nodes, edges, type_check=False),
            lambda node: torch.nn.Identity() if isinstance(node, nir.Linear) else None,
        )
    return [node.name for node in net.execution_order]


@pytest.mark.parametrize("name", GRAPHS)
def test_late_edges_are_those_that_the_executor_has_late(name: str) -> None:
    text, right = GRAPHS[name]
    edges = edges_of(text)
    order = order_of_executor(edges)
    backward = [(a, b) for a, b in edges if order.index(a) > order.index(b) and (b, a) not in edges]
    assert (late(edges) is None) == right
    assert bool(backward) != right


def tree_of(text: str) -> Tree:
    edges = edges_of(text)
    return Tree({name: Leaf("Linear", {}) for edge in edges for name in edge}, tuple(edges))


def test_edges_are_put_in_an_order_that_runs_rightly() -> None:
    for name in ("a way round, the short one first", "a loop and a way round"):
        found = runnable(tree_of(GRAPHS[name][0])).edges
        assert late(found) is None
        assert sorted(found) == sorted(edges_of(GRAPHS[name][0]))


def test_an_order_that_is_right_is_kept() -> None:
    tree = tree_of(GRAPHS["a way round, the long one first"][0])
    assert runnable(tree).edges == tree.edges


def test_branches_are_refused_wherever_they_are() -> None:
    with pytest.raises(GraphError) as caught:
        runnable(Tree({"inner": tree_of(GRAPHS["two branches"][0])}, ()))
    assert str(caught.value).startswith(
        "c: reads b, which Norse runs after it, a step late; expected one branch. Put one"
    )
