"""SpiNNaker 1 and 2: spikes at synapses, and every neuron in every step.

E = E_event·events + E_neuron·updates
"""

from __future__ import annotations

from ..operations import OpCount
from ..profile import Profile
from .chip import events, refuses, unbilled
from .rule import Bill, Rule, join, line, of


def _bill(counts: OpCount, profile: Profile) -> Bill:
    """Events and updates."""
    event, update = profile.constant("synaptic_event"), profile.constant("neuron_update")
    parts = [line(n, "synapses", "synaptic event", events(e), event) for n, e in of(counts, "synapses", "pool")]
    parts += [
        line(name, "neurons", "neuron update", sum(each.ops.updates.values()), update)
        for name, each in of(counts, "neurons")
    ]
    return Bill(join(*parts), unbilled(counts, "neuron updates"))


def _rule(number: int, formula: str) -> Rule:
    """The same rule with other prices."""
    return Rule(
        name=f"chip:spinnaker{number}",
        text=f"SpiNNaker {number}: every spike at a synapse and every neuron in every step.",
        formula=formula,
        source="S. Höppner et al., IEEE Transactions on Circuits and Systems I 66(8), 2019, through KerasSpiking 0.3",
        needs=("synaptic_event", "neuron_update"),
        profile=f"spinnaker{number}",
        bill=_bill,
        refuses=refuses,
    )


FIRST = _rule(1, "E = 13.3·events + 26·updates nJ")
SECOND = _rule(2, "E = 0.45·events + 2.19·updates nJ")
