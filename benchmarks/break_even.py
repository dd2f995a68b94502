"""Break-even: below which rate a layer of spikes beats the same layer of a quantised ANN of equal bits.

T steps of spikes say as much as one value of b = ⌈log2(T + 1)⌉ bits. With M pairs in one pass, T·M in the run:

E_ANN = M·E_MAC(b_w, b)      E_SNN(r) = r·T·M·E_AC(b_w)      r* = E_ANN / E_SNN(1) = E_MAC(b_w, b) / (T·E_AC(b_w))

What an operation on b_w and b bits costs is a model of ours, from the constants for operands of w bits:

E_MAC(b_w, b) = E_mul·b_w·b/w² + E_add·b_w/w      E_AC(b_w) = E_add·b_w/w

a multiplier is as large as the product of its widths, an adder as large as the weight. With the neurons that follow
(those before the next layer of synapses), which the ANN has as one comparison for each of its outputs:

r* = (M·E_MAC + N·E_add − T·N·E_neuron) / (T·M·E_AC)          0 where no rate is low enough

Memory is left out of both. It weighs more on the network that runs T times: where weights are read anew for every
spike r* is lower (Yan et al., arXiv 2409.08290, find 6 % and less for T from 5 to 10).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, log2

from .operations import LayerCount, OpCount, Ops, Road
from .profile import Profile, load_profile
from .rules.neuron_costs import updates


@dataclass(frozen=True)
class BreakEven:
    """One layer that reads spikes or integers, beside the same layer of a quantised ANN.

    Args:
        layer: its name.
        measured: spikes (|n| for an integer n) for each pair and step.
        below: r*: it wins below this rate.
        below_with_neurons: the same with the neurons that follow.
        bits: of the ANN's values.
        steps: T.
        wins: whether measured < below.
        wins_with_neurons: whether measured < below_with_neurons.
    """

    layer: str
    measured: float
    below: float
    below_with_neurons: float
    bits: int
    steps: float
    wins: bool
    wins_with_neurons: bool


def equal_bits(steps: float) -> int:
    """⌈log2(T + 1)⌉."""
    return ceil(log2(steps + 1))


def mac_energy(profile: Profile, bits: float) -> float:
    """E_MAC(b_w, b) in picojoules."""
    width, weight = profile.parameter("operand_bits"), profile.parameter("weight_bits")
    return profile.constant("multiply").pj * weight * bits / width**2 + ac_energy(profile)


def ac_energy(profile: Profile) -> float:
    """E_AC(b_w) in picojoules."""
    return profile.constant("add").pj * profile.parameter("weight_bits") / profile.parameter("operand_bits")


def neuron_energy(ops: Ops, road: Road, profile: Profile) -> float:
    """Leak, sum and comparison of all updates, in picojoules."""
    multiply, add = profile.constant("multiply").pj, profile.constant("add").pj
    work = sum(count * (cost.multiplies * multiply + cost.adds * add) for count, cost in updates(ops, road))
    return work + ops.comparisons * add


def _followed(counts: OpCount) -> Iterator[tuple[str, LayerCount, Ops]]:
    """Layers of synapses and products, each with the neurons between it and the next."""
    name, layer, neurons = "", None, Ops()
    for each_name, each in counts.layers.items():
        if each.facts.role in ("synapses", "products"):
            if layer:
                yield name, layer, neurons
            name, layer, neurons = each_name, each, Ops()
        elif each.facts.role == "neurons":
            neurons += each.ops
    if layer:
        yield name, layer, neurons


def _row(name: str, ops: Ops, neurons: Ops, counts: OpCount, profile: Profile) -> BreakEven:
    """r* of one layer."""
    steps = counts.steps_of_sample
    bits, pairs = equal_bits(steps), ops.acs + ops.integer_acs
    spikes, ann = pairs.dense * ac_energy(profile), pairs.dense / steps * mac_energy(profile, bits)
    free = spikes == 0
    below = float("inf") if free else ann / spikes
    relu = neurons.comparisons / steps * profile.constant("add").pj
    whole = ann + relu - neuron_energy(neurons, counts.road, profile)
    with_neurons = float("inf") if free else max(0.0, whole / spikes)
    measured = pairs.spikes / pairs.dense
    return BreakEven(
        name, measured, below, with_neurons, bits, steps, measured < below, measured < with_neurons
    )  # fmt: skip


def break_even(counts: OpCount, profile: str | Profile = "45nm-int8") -> tuple[BreakEven, ...]:
    """Every layer that reads spikes or integers, in order; layers that read real numbers too are left out."""
    prices = profile if isinstance(profile, Profile) else load_profile(profile)
    return tuple(
        _row(name, each.ops, neurons, counts, prices)
        for name, each, neurons in _followed(counts)
        if (each.ops.acs.dense or each.ops.integer_acs.dense) and not each.ops.macs.dense
    )
