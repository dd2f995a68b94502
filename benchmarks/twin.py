"""The ANN twin: the same layers without spikes.

every synapse and product: all pairs are MACs      a neuron that compares: a ReLU, one comparison for each value
a neuron that does not: nothing                    sums over windows: additions; the rest as it was

`one` pass over one input, or the twin run in `all` steps of the run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Literal

from ..toolchain.errors import UsageError
from .operations import Facts, LayerCount, OpCount, Ops, Pairs

Share = Callable[[int], int]
"""What remains of a count in the twin."""


def twin_count(counts: OpCount, steps: Literal["one", "all"] = "one") -> OpCount:
    """The operations of the ANN twin on as many samples."""
    if steps not in ("one", "all"):
        raise UsageError("twin", f"steps '{steps}'", "one or all")
    part = Fraction(counts.samples, counts.steps) if steps == "one" else Fraction(1)

    def share(count: int) -> int:
        return round(count * part)

    passes = "one pass over each sample" if steps == "one" else "one pass in every step"
    note = f"the ANN twin of {counts.network}: neurons are ReLUs, every value is real and none is 0, {passes}"
    return OpCount(
        f"{counts.network}, its ANN twin", counts.road, {n: _layer(e, share) for n, e in counts.layers.items()},
        counts.samples, counts.samples if steps == "one" else counts.steps, counts.uncounted, 0.0, (note,),
    )  # fmt: skip


def _facts(facts: Facts) -> Facts:
    """Real numbers everywhere, and no neuron between a layer and the input."""
    return replace(facts, carries=("graded",) * len(facts.carries), first=True)


def _layer(each: LayerCount, share: Share) -> LayerCount:
    """The twin of one layer."""
    facts, ops = each.facts, each.ops
    read, compared = share(ops.received), share(ops.comparisons)
    if facts.role in ("synapses", "products"):
        dense = share(ops.pairs.dense)
        macs = Pairs(dense, share(ops.pairs.padded), dense, dense)
        return LayerCount(_facts(facts), replace(_rest(ops, share), macs=macs))
    if facts.role == "neurons":
        kind = "ReLU" if ops.comparisons else "Identity"
        relu = replace(_facts(facts), kind=kind, role="elementwise")
        return LayerCount(relu, Ops(received=read, events=read, comparisons=compared))
    adds = share(ops.pairs.dense + ops.adds) if facts.role == "pool" else share(ops.adds)
    return LayerCount(_facts(facts), replace(_rest(ops, share), adds=adds))


def _rest(ops: Ops, share: Share) -> Ops:
    """What is the same in both: biases, one value at a time, functions."""
    read = share(ops.received)
    functions = {name: share(values) for name, values in ops.functions.items()}
    return Ops(
        received=read, events=read, comparisons=share(ops.comparisons), bias_adds=share(ops.bias_adds),
        adds=share(ops.adds), multiplies=share(ops.multiplies), functions=functions,
    )  # fmt: skip
