"""Lemaire et al. 2022: operations, memory by its size, and addressing.

θ_i input spikes (an integer n is |n| of them), θ_o output spikes, T steps
fan = N_out of a matrix, C_out/g·Πk of a convolution
operations of spikes:  ACC = θ_i·N_out | θ_i·C_out/g·Π⌈k/s⌉;  ACC = N_out·T for a bias, θ_o for a reset;
                       MAC = N_out·T for each decay of a neuron
memory of spikes:      input θ_i and output θ_o in queues of 1000; parameters θ_i·fan + N_out·T;
                       potentials 2·(θ_i·fan + N_out·T)
addressing of spikes:  ACC = θ_i·fan;  a convolution 2·θ_i MAC more
other inputs:          MAC = all pairs; a matrix reads its input once, a convolution once for every MAC, parameters
                       once for every MAC; addressing ACC = N_in·T + N_out·T (a convolution C_out·Πk·T more)
E = ACC·E_add + MAC·E_mac + Σ accesses·E(size of the memory), E linear between the sizes of the profile

Equation 2 of the paper multiplies by N_in once more; its equations 8, 10, 15 and 17 do not, nor do we. The published
price of an access is for 64 bits and is billed for a word of 32: `word_share` = 0.5 bills half of it. Outputs are
written to memory by neurons, and by layers of a network without neurons. A transposed convolution reaches all of its
window whatever its stride.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from math import ceil, prod

from ..energy import Line
from ..operations import LayerCount, OpCount, Ops, Road
from ..profile import Profile
from .neuron_costs import unknown, updates
from .rule import Bill, Rule, join, left_out, line, of


def fans(each: LayerCount) -> tuple[float, float]:
    """What one input spike does: accumulations, and accesses to parameters."""
    facts, pairs = each.facts, each.ops.pairs
    if not facts.kernel or not facts.channels[1]:
        mean = pairs.padded / each.ops.received if each.ops.received else 0.0
        fan = facts.channels[1] or mean
        return fan, fan
    channels = facts.channels[1] / facts.groups
    stride = facts.stride if len(facts.stride) == len(facts.kernel) else (1,) * len(facts.kernel)
    windows = prod(ceil(k / s) for k, s in zip(facts.kernel, stride, strict=True))
    whole = channels * prod(facts.kernel)
    return (whole if facts.kind == "ConvTranspose" else channels * windows), whole


def _words(entries: float, profile: Profile) -> float:
    """Bytes of so many words."""
    return entries * profile.parameter("word_bytes")


def _queue(profile: Profile) -> float:
    """Bytes of the queue of spikes between two layers."""
    return _words(profile.parameter("fifo_entries"), profile)


def _access(name: str, what: str, count: float, size: float, profile: Profile) -> Iterator[Line]:
    """So many accesses to a memory of that size."""
    return line(name, "memory", what, count, profile.sram(size))


def arrived(ops: Ops) -> float:
    """θ_i: the values that are not 0, each as many spikes as the pairs say that it is on the mean."""
    pairs = ops.acs + ops.integer_acs
    return ops.events * pairs.spikes / pairs.effective if ops.integer_acs.effective else ops.events


def _spikes(name: str, each: LayerCount, profile: Profile) -> Iterator[Line]:
    """A layer that spikes reach."""
    ops, facts, add = each.ops, each.facts, profile.constant("add")
    accumulate, fan = fans(each)
    spikes, access = arrived(ops), partial(_access, name, profile=profile)
    yield from line(name, "synapses", "ACC", spikes * accumulate, add)
    yield from access("input read", spikes, _queue(profile))
    yield from access("parameter read", spikes * fan + ops.bias_adds, _words(facts.weights + facts.biases, profile))
    yield from access("potential read", spikes * fan, _words(facts.n_out, profile))
    yield from access("potential write", spikes * fan, _words(facts.n_out, profile))
    yield from line(name, "addressing", "ACC", spikes * fan, add)
    yield from line(name, "addressing", "MAC", 2 * spikes if facts.kernel else 0, profile.constant("mac"))


def _values(name: str, each: LayerCount, profile: Profile, *, writes: bool) -> Iterator[Line]:
    """A layer that real numbers reach: a formal network's."""
    ops, facts = each.ops, each.facts
    macs, access = ops.pairs.padded, partial(_access, name, profile=profile)
    runs = ops.received / facts.n_in if facts.n_in else 0.0
    outputs = runs * facts.n_out
    yield from line(name, "synapses", "MAC", macs, profile.constant("mac"))
    yield from access("input read", macs if facts.kernel else ops.received, _words(facts.n_in, profile))
    yield from access("parameter read", macs + ops.bias_adds, _words(facts.weights + facts.biases, profile))
    yield from access("output write", outputs if writes else 0, _words(facts.n_out, profile))
    windows = runs * facts.channels[1] * prod(facts.kernel) if facts.kernel else 0
    yield from line(name, "addressing", "ACC", ops.received + outputs + windows, profile.constant("add"))


def _synapses(name: str, each: LayerCount, profile: Profile, *, writes: bool) -> Iterator[Line]:
    """By what the layer reads, and its bias."""
    spiking = (each.ops.acs + each.ops.integer_acs).dense and not each.ops.macs.dense
    yield from _spikes(name, each, profile) if spiking else _values(name, each, profile, writes=writes)
    yield from line(name, "bias", "ACC", each.ops.bias_adds, profile.constant("add"))


def _neurons(name: str, each: LayerCount, road: Road, profile: Profile) -> Iterator[Line]:
    """Decays, resets, potentials, spikes sent."""
    ops, size = each.ops, _words(each.facts.n_out, profile)
    total = sum(ops.updates.values())
    decays = sum(count * cost.multiplies for count, cost in updates(ops, road))
    yield from line(name, "neurons", "MAC of a decay", decays, profile.constant("mac"))
    yield from line(name, "reset", "ACC", ops.resets, profile.constant("add"))
    yield from _access(name, "potential read", total, size, profile)
    yield from _access(name, "potential write", total, size, profile)
    yield from _access(name, "output write", ops.sent_events, _queue(profile), profile)


def _too_large(counts: OpCount, profile: Profile) -> tuple[str, ...]:
    """Layers whose memory is larger than the largest that the profile has a price for."""
    sizes = {
        name: _words(max(each.facts.weights + each.facts.biases, each.facts.n_in, each.facts.n_out), profile)
        for name, each in of(counts, "synapses", "neurons")
    }
    text = f"a memory larger than {profile.largest:g} bytes is billed as one of that size"
    return tuple(f"{name}: {text}" for name, size in sizes.items() if size > profile.largest)


def _bill(counts: OpCount, profile: Profile) -> Bill:
    """Synapses and neurons."""
    writes = not any(each.facts.role == "neurons" for each in counts.layers.values())
    parts = [_synapses(name, each, profile, writes=writes) for name, each in of(counts, "synapses")]
    parts += [_neurons(name, each, counts.road, profile) for name, each in of(counts, "neurons")]
    billed = {"neuron updates", "resets", "additions of a bias", "memory"}
    return Bill(join(*parts), (*left_out(counts, billed), *unknown(counts), *_too_large(counts, profile)))


RULE = Rule(
    name="lemaire",
    text="Operations, reads and writes of inputs, parameters, potentials and outputs in memories priced by their "
    "size, and the addresses of events.",
    formula="E = ACC·E_add + MAC·E_mac + Σ accesses·E_sram(size)",
    source="E. Lemaire et al., An analytical estimation of spiking neural networks energy efficiency, ICONIP 2022 "
    "(arXiv 2210.13107), read through the code of SpikingJelly 2.0",
    needs=("mac", "add", "sram"),
    profile="45nm-int32",
    bill=_bill,
)
