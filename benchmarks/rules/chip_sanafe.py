"""Loihi 1 as SANA-FE simulates it.

E = E_conv·events of convolutions + E_dense·the others + E_access·updates + E_update·active updates
  + sent·(E_spike_out + destinations·(E_axon_out + hops_ew·E_ew + hops_ns·E_ns))

SANA-FE simulates a placed network event by event; this is its price list on our counts. `destinations` is the mean
number of cores that a spike goes to (1 without a placement).
"""

from __future__ import annotations

from collections.abc import Iterator

from ..energy import Line
from ..operations import LayerCount, OpCount
from ..profile import Profile
from .chip import events, refuses, unbilled
from .chip_loihi1 import hops
from .rule import Bill, Rule, join, line, of


def _synapses(name: str, each: LayerCount, profile: Profile) -> Iterator[Line]:
    """One price for windows and one for matrices."""
    kind = "synapse_conv" if each.facts.kernel else "synapse_dense"
    return line(name, "synapses", "synaptic event", events(each), profile.constant(kind))


def _neurons(name: str, each: LayerCount, profile: Profile) -> Iterator[Line]:
    """Access, update, fire, send."""
    ops = each.ops
    messages = ops.sent_events * profile.parameter("destinations")
    yield from line(name, "neurons", "neuron access", sum(ops.updates.values()), profile.constant("neuron_access"))
    yield from line(name, "neurons", "neuron update", ops.active, profile.constant("neuron_update"))
    yield from line(name, "neurons", "firing", ops.sent_events, profile.constant("spike_out"))
    yield from line(name, "hops", "message out", messages, profile.constant("axon_out"))
    yield from hops(name, messages, profile)


def _bill(counts: OpCount, profile: Profile) -> Bill:
    """Synapses, neurons, messages."""
    parts = [_synapses(name, each, profile) for name, each in of(counts, "synapses", "pool")]
    parts += [_neurons(name, each, profile) for name, each in of(counts, "neurons")]
    placed = profile.parameter("hops_ew") or profile.parameter("hops_ns")
    routes = () if placed else ("hops between tiles: no placement on the chip is known",)
    return Bill(join(*parts), (*unbilled(counts, "neuron updates"), *routes))


RULE = Rule(
    name="chip:loihi1-sanafe",
    text="Loihi 1 with the prices of the simulator SANA-FE: synapses by kind, neurons looked at and updated, firing "
    "and messages.",
    formula="E = (24.0 conv, 35.5 other)·events + 51.2·updates + 21.6·active "
    "+ sent·(69.3 + destinations·(111 + hops)) pJ",
    source="SANA-FE, arch/loihi.yaml (8951ab0)",
    needs=(
        "synapse_conv",
        "synapse_dense",
        "neuron_access",
        "neuron_update",
        "spike_out",
        "axon_out",
        "hop_ew",
        "hop_ns",
    ),
    profile="loihi1-sanafe",
    bill=_bill,
    refuses=refuses,
)
