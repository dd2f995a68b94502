"""TrueNorth: one price for a synaptic event with everything inside.

E = E_event·events       26 pJ: the power of the chip over its events at one operating point (20 Hz, 128 synapses)

Another rate or density has another price, which is not known here: leakage and neurons are inside the 26 pJ.
"""

from __future__ import annotations

from ..operations import OpCount
from ..profile import Profile
from .chip import events, refuses, unbilled
from .rule import Bill, Rule, join, line, of

POINT = "operating point: the price of an event is that of 20 Hz and 128 synapses for each neuron"


def _bill(counts: OpCount, profile: Profile) -> Bill:
    """Events alone."""
    price = profile.constant("synaptic_event")
    parts = (line(n, "synapses", "synaptic event", events(e), price) for n, e in of(counts, "synapses", "pool"))
    return Bill(join(*parts), (*unbilled(counts, "neuron updates"), POINT))


RULE = Rule(
    name="chip:truenorth",
    text="TrueNorth: every spike at a synapse at a price that has neurons, memory, routing and leakage inside.",
    formula="E = 26·events pJ",
    source="P. Merolla et al., Science 345(6197), 2014",
    needs=("synaptic_event",),
    profile="truenorth",
    bill=_bill,
    refuses=refuses,
)
