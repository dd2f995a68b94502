"""Events: the exact fan-out to weights that are not 0, and everything that neurons do whether or not they fire.

E = E_AC·(spikes at weights ≠ 0) + E_AC·Σ|n| + E_MAC·(real numbers at weights ≠ 0)
  + Σ updates·(E_mul·multiplies + E_add·adds of the kind) + E_add·(bias adds + comparisons + resets)
  + E_add·adds + E_mul·multiplies

Σ|n| of integer inputs is over all weights. A reset to a value is a write and is billed as the subtraction that the
other kind of reset is.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..energy import Line
from ..operations import LayerCount, OpCount, Road
from ..profile import Profile
from .neuron_costs import unknown, updates
from .rule import WORK, Bill, Rule, join, left_out, line
from .strict import elementwise


def _pairs(name: str, each: LayerCount, profile: Profile) -> Iterator[Line]:
    """Synapses and products."""
    ops, add = each.ops, profile.constant("add")
    yield from line(name, "synapses", "AC at a weight ≠ 0", ops.acs.weighted, profile.constant("ac"))
    yield from line(name, "synapses", "AC, |n| for an integer n", ops.integer_acs.spikes, profile.constant("ac"))
    yield from line(name, "synapses", "MAC at a weight ≠ 0", ops.macs.weighted, profile.constant("mac"))
    yield from line(name, "bias", "addition of a bias", ops.bias_adds, add)


def _neurons(name: str, each: LayerCount, road: Road, profile: Profile) -> Iterator[Line]:
    """Leak, integrate, compare, reset; comparisons of pools and ReLUs too."""
    ops, add = each.ops, profile.constant("add")
    multiplies = sum(count * cost.multiplies for count, cost in updates(ops, road))
    adds = sum(count * cost.adds for count, cost in updates(ops, road))
    yield from line(name, "neurons", "multiplication in a neuron", multiplies, profile.constant("multiply"))
    yield from line(name, "neurons", "addition in a neuron", adds, add)
    kind = "neurons" if each.facts.role == "neurons" else "elementwise"
    yield from line(name, kind, "comparison", ops.comparisons, add)
    yield from line(name, "reset", "reset", ops.resets, add)
    yield from elementwise(name, ops, profile)


def _bill(counts: OpCount, profile: Profile) -> Bill:
    """Every layer alike."""
    parts = (
        (*_pairs(name, each, profile), *_neurons(name, each, counts.road, profile))
        for name, each in counts.layers.items()
    )
    return Bill(join(*parts), (*left_out(counts, set(WORK) - {"memory"}), *unknown(counts)))


RULE = Rule(
    name="events",
    text="Each spike costs an AC at each weight that it reaches and that is not 0 (an integer n |n| ACs at every "
    "weight), and every neuron costs its leak, sum and comparison in every step, its bias and its resets.",
    formula="E = E_AC·(spikes at w ≠ 0 + Σ|n|) + E_MAC·(real numbers at w ≠ 0) + E_add·(bias + comparisons + resets) "
    "+ Σ updates·(E_mul·multiplies + E_add·adds) + E_add·adds + E_mul·multiplies, one value at a time",
    source="Spikeport; the fan-out is that of sinabs and SpikingJelly, the operations of neurons are in docs/energy.md",
    needs=("mac", "ac", "multiply", "add"),
    profile="45nm-fp32",
    bill=_bill,
)
