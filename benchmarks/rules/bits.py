"""Bit budget: an operation costs as its operands are wide.

E = E_bit · Σ ops · b_w · b_s,   E_bit = E_MAC / operand_bits²

ops are the pairs whose input is not 0 over the whole run (T and the rate are inside them), b_w the bits of a weight
(1 in a pool) and b_s the bits of what the input carries: 1 for a spike, ⌈log2(high − low + 1)⌉ for an integer,
`activation_bits` for a real number. Where two signals meet, the bits of both. The count of a line is ops·b_w·b_s: the
bit budget itself, and the sum of those counts is what Shen et al. compare networks by. That they multiply the bits of
weights, activations and time is in their abstract; the symbols, and a price for a bit, are ours.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ..operations import LayerCount, OpCount
from ..profile import Constant, Profile
from .rule import Bill, Rule, join, left_out, line, of


def bits_of(carries: str, activation_bits: float) -> float:
    """Bits of one value on an edge that carries this."""
    if carries == "spikes":
        return 1
    bounds = re.fullmatch(r"int\[(-?\d+),(-?\d+)]", carries)
    if not bounds:
        return activation_bits
    low, high = int(bounds[1]), int(bounds[2])
    return max(1, (high - low).bit_length())


def widths(each: LayerCount, profile: Profile) -> tuple[float, float]:
    """b_w and b_s of a layer."""
    real = profile.parameter("activation_bits")
    found = [bits_of(carries, real) for carries in each.facts.carries] or [real]
    if each.facts.role == "products":
        return (found[0], found[1]) if len(found) > 1 else (found[0], found[0])
    return (1 if each.facts.role == "pool" else profile.parameter("weight_bits")), max(found)


def bit_price(profile: Profile) -> Constant:
    """E_bit: a MAC spread evenly over the products of its bits."""
    mac, width = profile.constant("mac"), profile.parameter("operand_bits")
    note = f"derived here: mac / {width:g}², a multiplier being as large as the product of its widths"
    return replace(mac, name="mac_bit", pj=mac.pj / width**2, note=note)


def _bill(counts: OpCount, profile: Profile) -> Bill:
    """Every pair with an input that is not 0."""
    price = bit_price(profile)
    parts = []
    for name, each in of(counts, "synapses", "products", "pool"):
        weight, spike = widths(each, profile)
        parts.append(line(name, "synapses", "bit product", each.ops.pairs.effective * weight * spike, price))
    return Bill(join(*parts), left_out(counts, {"products of two signals", "sums over windows (pools)"}))


RULE = Rule(
    name="bits",
    text="Every operation on an input that is not 0 is weighted with the bits of its weight and of its input; what a "
    "bit product costs is a MAC divided by the product of its widths.",
    formula="E = E_bit·Σ ops·b_w·b_s, E_bit = E_MAC/operand_bits²",
    source="after G. Shen et al., Are conventional SNNs really efficient? A perspective from network quantization, "
    "CVPR 2024 (arXiv 2311.10802), of which the abstract was read; symbols and price are Spikeport's",
    needs=("mac",),
    profile="45nm-int8",
    bill=_bill,
)
