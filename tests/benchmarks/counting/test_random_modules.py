"""Random networks of layers and functions, without neurons: the module that runs and its graph count the same."""

from __future__ import annotations

import random

import pytest
import torch
from spikeport.benchmarks.counting.of_graph import count_graph
from spikeport.benchmarks.counting.of_module import count_module
from spikeport.benchmarks.operations import OpCount, total
from spikeport.toolchain.graph import Graph
from spikeport.toolchain.tracing import trace
from support.brute_count import plain
from support.random_modules import RandomModule

NETWORKS, BLOCKS = 20, 4
"""So many in each of so many tests."""
REWRITTEN = ("where_", "interpolate", "clamp_high", "_slopes", "_below")
"""Nodes of functions that tracing puts together from others: there the graph does more than torch."""


def both(seed: int) -> tuple[Graph, OpCount, OpCount]:
    """A graph, what it did, and what the module did that it was traced from."""
    dice = random.Random(seed)
    shape = dice.choice([(6,), (3, 4), (2, 6, 5), (4, 3, 3)])
    module = RandomModule(seed, shape, dice.randrange(1, 7)).eval().double()
    torch.manual_seed(seed)
    x = (torch.rand(3, *shape) * (torch.rand(3, *shape) < 0.6)).double()
    graph = trace(module, x, time_axis=None, check=False, host=True)
    return graph, total(count_graph(graph, x[None].numpy())), count_module(module, x, samples=3, steps=1)


def clips_whole_numbers(module: OpCount) -> bool:
    """Where a graph has real numbers behind a bound, and the module that runs whole ones."""
    return any(dict(each.ops.functions).keys() & {"clip"} for each in module.layers.values()) and any(
        each.ops.integer_acs.dense or each.ops.acs.dense for each in module.layers.values()
    )


@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")  # torch on its speed
@pytest.mark.parametrize("block", range(BLOCKS))
def test_the_module_and_its_graph_are_the_same_integers(block: int) -> None:
    compared = 0
    for seed in range(block * NETWORKS, (block + 1) * NETWORKS):
        graph, wanted, found = both(seed)
        if any(name in node for node in graph.nodes for name in REWRITTEN) or clips_whole_numbers(found):
            continue
        compared += 1
        assert plain(found.total) == plain(wanted.total), seed
        assert not found.uncounted, seed
    assert compared > NETWORKS // 3
