"""The rule of most papers: MAC for what reads the input of the network, AC times rate for all the rest.

E = E_MAC · Σ M over the first layers + E_AC · Σ r · M over the others

M counts output values times entries of the kernel, padding included, over the whole run: the steps are inside it,
and nothing here is multiplied by T. r is the share of the layer's input values that were not 0. A layer is a first
layer where the input of the network reaches it on any way without a neuron, around a block or through a sum, too. A
network without neurons is an ANN: every layer is a first layer, and E = E_MAC · Σ M.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..energy import Line
from ..operations import LayerCount, OpCount
from ..profile import Profile
from .rule import Bill, Rule, left_out, line, of


def _layer(name: str, each: LayerCount, profile: Profile) -> Iterator[Line]:
    """MAC or AC."""
    pairs = each.ops.pairs.padded
    if each.facts.first:
        return line(name, "synapses", "MAC", pairs, profile.constant("mac"))
    return line(name, "synapses", "AC at the rate of the input", pairs * each.ops.rate, profile.constant("ac"))


def _bill(counts: OpCount, profile: Profile) -> Bill:
    """First layers and the others."""
    layers = of(counts, "synapses", "products")
    lines = tuple(each_line for name, each in layers for each_line in _layer(name, each, profile))
    return Bill(lines, left_out(counts, {"products of two signals"}))


RULE = Rule(
    name="paper",
    text="The layers that read the input of the network are billed as dense MACs, every other layer as ACs at the "
    "rate of its input, whatever that input carries.",
    formula="E = E_MAC·Σ_first M + E_AC·Σ_rest r·M, with T inside M",
    source="the usual convention, for example arXiv 2403.18228 (FWformer): E = E_MAC·FL¹ + E_AC·Σ SOP",
    needs=("mac", "ac"),
    profile="45nm-fp32",
    bill=_bill,
)
