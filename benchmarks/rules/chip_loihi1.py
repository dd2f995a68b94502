"""Loihi 1 by the table of Davies 2018.

E = E_syn·events + Σ (E_active·active updates + E_idle·idle updates) + sent·(E_spike + hops_ew·E_ew + hops_ns·E_ns)

A neuron is active in a step in which its input is not 0; the paper does not define the word. Hops between tiles need
a placement on the chip: without one hops_ew = hops_ns = 0, the least there can be.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..energy import Line
from ..operations import LayerCount, OpCount
from ..profile import Profile
from .chip import events, refuses, unbilled
from .rule import Bill, Rule, join, line, of


def hops(name: str, sent: float, profile: Profile) -> Iterator[Line]:
    """Spikes between tiles."""
    for axis, what in (("hop_ew", "hop east or west"), ("hop_ns", "hop north or south")):
        yield from line(name, "hops", what, sent * profile.parameter(f"hops_{axis[4:]}"), profile.constant(axis))


def _neurons(name: str, each: LayerCount, profile: Profile) -> Iterator[Line]:
    """Updates and what they send."""
    ops = each.ops
    idle = sum(ops.updates.values()) - ops.active
    yield from line(name, "neurons", "active neuron update", ops.active, profile.constant("neuron_active"))
    yield from line(name, "neurons", "idle neuron update", idle, profile.constant("neuron_idle"))
    yield from line(name, "hops", "spike within its tile", ops.sent_events, profile.constant("spike"))
    yield from hops(name, ops.sent_events, profile)


def _bill(counts: OpCount, profile: Profile) -> Bill:
    """Synapses, neurons, spikes."""
    synaptic = profile.constant("synaptic_event")
    parts = [line(n, "synapses", "synaptic event", events(e), synaptic) for n, e in of(counts, "synapses", "pool")]
    parts += [_neurons(name, each, profile) for name, each in of(counts, "neurons")]
    placed = profile.parameter("hops_ew") or profile.parameter("hops_ns")
    routes = () if placed else ("hops between tiles: no placement on the chip is known",)
    return Bill(join(*parts), (*unbilled(counts, "neuron updates"), *routes))


RULE = Rule(
    name="chip:loihi1",
    text="Loihi 1: every spike at a synapse, every neuron in every step, active or idle, and every spike sent.",
    formula="E = 23.6·events + 81·active + 52·idle + sent·(1.7 + 3.0·hops_ew + 4.0·hops_ns) pJ",
    source="M. Davies et al., Loihi, IEEE Micro 38(1), 2018, table 2 (simulated before silicon)",
    needs=("synaptic_event", "neuron_active", "neuron_idle", "spike", "hop_ew", "hop_ns"),
    profile="loihi1",
    bill=_bill,
    refuses=refuses,
)
