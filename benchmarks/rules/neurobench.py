"""NeuroBench's synaptic operations, priced: effective and dense.

effective: pairs with an input and a weight that are not 0;   dense: all pairs, as if nothing were 0
spikes cost an AC, everything else a MAC; biases, neurons, pools and products of two signals are not counted

NeuroBench itself has no energies, and it tells a spike from a value by looking at the values of a batch: here what
the edge carries decides.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..operations import OpCount, Pairs
from ..profile import Profile
from .rule import Bill, Rule, join, left_out, line, of


def _bill(counts: OpCount, profile: Profile, pairs: Callable[[Pairs], int], what: str) -> Bill:
    """Synapses alone."""
    mac, ac = profile.constant("mac"), profile.constant("ac")
    parts = (
        (
            *line(name, "synapses", f"{what} AC", pairs(each.ops.acs), ac),
            *line(name, "synapses", f"{what} MAC", pairs(each.ops.integer_acs + each.ops.macs), mac),
        )
        for name, each in of(counts, "synapses")
    )
    return Bill(join(*parts), left_out(counts))


def _weighted(pairs: Pairs) -> int:
    """Input and weight not 0."""
    return pairs.weighted


def _dense(pairs: Pairs) -> int:
    """All there are."""
    return pairs.dense


SOURCE = "NeuroBench 2.3 (metrics SynapticOperations: Effective_ACs, Effective_MACs, Dense); energies added here"

RULE = Rule(
    name="neurobench",
    text="NeuroBench's effective operations: spikes at weights that are not 0 as ACs, other values that are not 0 at "
    "such weights as MACs; nothing else.",
    formula="E = E_AC·Effective_ACs + E_MAC·Effective_MACs",
    source=SOURCE,
    needs=("mac", "ac"),
    profile="45nm-fp32",
    bill=partial(_bill, pairs=_weighted, what="effective"),
)

DENSE = Rule(
    name="neurobench-dense",
    text="NeuroBench's dense operations: every synapse in every step, whether or not anything arrived.",
    formula="E = E_AC·dense pairs of spikes + E_MAC·dense pairs of other values",
    source=SOURCE,
    needs=("mac", "ac"),
    profile="45nm-fp32",
    bill=partial(_bill, pairs=_dense, what="dense"),
)
