"""PAS-Net's rule: MAC before the first spike, afterwards an AC of 0.1 pJ times the firing rate.

E = E_MAC · Σ M before any neuron + E_AC · Σ fr · M       M with T inside; linear layers and convolutions alone

fr is PAS-Net's rate of the neurons upstream. Counts hold the rate of the layer's own input, which is the same number
where the neurons feed the layer, and a larger one behind a sum of branches. PAS-Net bills nothing for a layer that it
finds no neurons for; such a layer is billed here.
"""

from __future__ import annotations

from ..operations import OpCount
from ..profile import Profile
from .rule import Bill, Rule, join, left_out, line, of


def _bill(counts: OpCount, profile: Profile) -> Bill:
    """Synapses alone."""
    mac, ac = profile.constant("mac"), profile.constant("ac")
    parts = (
        line(name, "synapses", "MAC", each.ops.pairs.padded, mac)
        if each.facts.first
        else line(name, "synapses", "AC at the rate of the input", each.ops.pairs.padded * each.ops.rate, ac)
        for name, each in of(counts, "synapses")
    )
    return Bill(join(*parts), left_out(counts))


RULE = Rule(
    name="pasnet",
    text="As paper, for linear layers and convolutions alone, with 4.6 pJ for a MAC and 0.1 pJ for an AC.",
    formula="E = E_MAC·Σ_first M + E_AC·Σ fr·M, E_AC = 0.1 pJ, with T inside M",
    source="PAS-Net, utils/model_analysis.py (329f009)",
    needs=("mac", "ac"),
    profile="pasnet",
    bill=_bill,
)
