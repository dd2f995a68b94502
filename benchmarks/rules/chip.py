"""What the rules of chips share: spikes at synapses, and why real numbers are none.

events = spikes at weights ≠ 0 + Σ|n| over integers, of layers of synapses and of pools (synapses of weight 1)
"""

from __future__ import annotations

from ..operations import LayerCount, OpCount
from .rule import left_out, of


def events(each: LayerCount) -> int:
    """Synaptic events of a layer; an integer n arrives as |n| spikes."""
    return each.ops.acs.weighted + each.ops.integer_acs.spikes


def refuses(counts: OpCount) -> str:
    """A network without a spike is no network for a chip of spikes."""
    carried = any(each.ops.acs.dense or each.ops.integer_acs.dense for _, each in of(counts, "synapses", "pool"))
    return "" if carried else "no layer reads spikes or integers"


def unbilled(counts: OpCount, *billed: str) -> tuple[str, ...]:
    """What the chip does besides, and layers that it could not run."""
    chip = {"sums over windows (pools)", "additions of a bias", "memory", "comparisons of neurons", "resets", *billed}
    real = [f"{name}: reads real numbers, the chip spikes" for name, each in counts.layers.items() if _real(each)]
    return (*left_out(counts, chip), *real)


def _real(each: LayerCount) -> bool:
    """Whether pairs of real numbers are counted that the chip has no event for."""
    return each.facts.role in ("synapses", "pool") and bool(each.ops.macs.dense or each.ops.adds)
