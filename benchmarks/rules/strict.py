"""The strict rule: what an input carries, by the graph, decides what each of its non-zero values costs.

spikes: 1 AC     an integer n: |n| ACs     a real number: 1 MAC     element-wise: a multiplication, an addition

A pair whose input is 0 costs nothing. Work without pairs (a residual sum, a norm, a pool of real numbers) is done, and
billed, for every value, 0 or not.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..energy import Line
from ..operations import OpCount, Ops
from ..profile import Profile
from .rule import Bill, Rule, join, left_out, line


def arithmetic(name: str, ops: Ops, profile: Profile) -> Iterator[Line]:
    """Pairs by what their input carries, and one value at a time."""
    yield from line(name, "synapses", "AC", ops.acs.effective, profile.constant("ac"))
    yield from line(name, "synapses", "AC, |n| for an integer n", ops.integer_acs.spikes, profile.constant("ac"))
    yield from line(name, "synapses", "MAC", ops.macs.effective, profile.constant("mac"))
    yield from elementwise(name, ops, profile)


def elementwise(name: str, ops: Ops, profile: Profile) -> Iterator[Line]:
    """Additions and multiplications of one value at a time."""
    yield from line(name, "elementwise", "addition", ops.adds, profile.constant("add"))
    yield from line(name, "elementwise", "multiplication", ops.multiplies, profile.constant("multiply"))


BILLED = {"products of two signals", "sums over windows (pools)", "element-wise additions and multiplications"}


def _bill(counts: OpCount, profile: Profile) -> Bill:
    """Every layer alike."""
    lines = join(*(arithmetic(name, each.ops, profile) for name, each in counts.layers.items()))
    return Bill(lines, left_out(counts, BILLED))


RULE = Rule(
    name="strict",
    text="A spike costs an AC at each synapse that it reaches, an integer n costs |n| ACs and a real number a MAC; "
    "products of two signals are billed too, and element-wise work for every value; a pair whose input is 0 costs "
    "nothing.",
    formula="E = E_AC·(pairs of spikes + Σ|n| over pairs of integers) + E_MAC·pairs of real numbers, each with an "
    "input that is not 0, + E_add·adds + E_mul·multiplies",
    source="Spikeport; it answers the objection that sums of spikes are not spikes",
    needs=("mac", "ac", "multiply", "add"),
    profile="45nm-fp32",
    bill=_bill,
)
