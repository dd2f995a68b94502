"""By which plan a run goes: kernels are much faster, but numba needs half a second before the first of them runs.

So a process that has not loaded numba runs by the definition, in numpy, until that has taken about as long as loading
would have: whoever runs little never waits for numba, whoever runs much loses at most once what it costs. Both plans
give the same integers.
"""

from __future__ import annotations

import math
import sys

from ..loihi.chip_graph import ChipGraph
from ..loihi.processes import Conv
from .fixed_plan import FixedPlan, fixed_plan

LOADING_S = 0.4
"""Seconds from a process without numba to its first kernel."""
CALL_S, VALUE_S, PRODUCT_S = 4e-5, 1e-8, 2e-9
"""Seconds that the definition takes for a process in a step, for a value of it, and for a product of a synapse."""


class Ledger:
    """What this process has spent on the definition."""

    def __init__(self, left: float = LOADING_S) -> None:
        """So many seconds are left."""
        self.left = left

    def plan(self, graph: ChipGraph, steps: int | None, batch: int) -> FixedPlan:
        """The plan for a run; steps are None where nobody knows how many there will be."""
        if "numba" in sys.modules or steps is None:
            return fixed_plan(graph)
        needed = seconds(graph, batch) * steps
        if needed > self.left:
            return fixed_plan(graph)
        self.left -= needed
        return fixed_plan(graph, compiled=False)


LEDGER = Ledger()


def seconds(graph: ChipGraph, batch: int) -> float:
    """About how long the definition takes for a step."""
    values = products = 0
    for name, node in graph.nodes.items():
        size = graph.signals[name].size
        values += size
        weight = getattr(node, "weight", None)
        if isinstance(node, Conv):
            products += size * math.prod(node.weight.shape[1:])
        elif weight is not None:
            products += weight.size
    return CALL_S * len(graph.nodes) + batch * (VALUE_S * values + PRODUCT_S * products)
