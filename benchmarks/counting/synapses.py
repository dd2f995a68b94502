"""Layers with weights, and pools: what their pairs are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ...toolchain.graph import Node
from ...toolchain.graph import nodes as n
from ..operations import Ops, Pairs
from .fanout import Fanout, fanout, uniform
from .layer import Layer, Place, Seen, by_class
from .temporal import StateWitness, TapWitness


def weighted(place: Place) -> Layer:
    """Affine, Conv, ConvTranspose, Contract: one pair for each value and each output that it reaches."""
    fan = _fan(place)
    carries, bias = place.received[0].carries, getattr(place.node, "bias", None)

    def count(seen: Seen) -> Ops:
        wire = seen.wires[0]
        pairs = _pairs(fan, seen, spikes=0 if carries.graded else wire.charge)
        adds = 0 if bias is None else seen.steps * place.sent.size
        return Ops(**by_class(carries, pairs), received=wire.values, events=wire.events, bias_adds=adds)

    held = sum(array.size for array in place.node.arrays().values())
    biases = 0 if bias is None else bias.size
    facts = place.facts("synapses", weights=held - biases, biases=biases, **_geometry(place))
    return Layer(facts, count, fan)


def pooled(place: Place) -> Layer:
    """SumPool, AveragePool, Sum, Mean: accumulates of spikes and small integers, additions of real numbers."""
    fan = uniform(place.received[0].shape) if isinstance(place.node, n.Sum | n.Mean) else _fan(place)
    carries, divides = place.received[0].carries, isinstance(place.node, n.AveragePool | n.Mean)

    def count(seen: Seen) -> Ops:
        wire = seen.wires[0]
        sums = by_class(carries, _pairs(fan, seen, spikes=wire.charge))
        if carries.graded:
            sums = {"adds": seen.steps * fan.dense}
        divisions = seen.steps * place.sent.size if divides else 0
        return Ops(**sums, received=wire.values, events=wire.events, multiplies=divisions)

    return Layer(place.facts("pool", **_geometry(place)), count, None if carries.graded else fan)


def largest(place: Place) -> Layer:
    """MaxPool: a comparison for each value of each window."""
    dense = _fan(place).dense

    def count(seen: Seen) -> Ops:
        return Ops(received=seen.received, events=seen.events, comparisons=seen.steps * dense)

    return Layer(place.facts("pool", **_geometry(place)), count)


def taps(place: Place) -> Layer:
    """TemporalKernel: a value reaches, through each tap, the outputs of as many steps later, if the run has them."""
    node: n.TemporalKernel = place.node
    carries = place.received[0].carries
    count_taps, out, width = node.weight.shape
    each = out * width * math.prod(place.sent.shape[1:])

    def count(seen: Seen) -> Ops:
        reached = sum(max(0, seen.steps - k) for k in range(count_taps))
        spikes = 0 if carries.graded else seen.more["spikes"]
        effective, alive = seen.more["effective"], seen.more["weighted"]
        pairs = Pairs(each * reached, each * seen.steps * count_taps, effective, alive, spikes)
        adds = 0 if node.bias is None else seen.steps * place.sent.size
        return Ops(**by_class(carries, pairs), received=seen.received, events=seen.events, bias_adds=adds)

    biases = 0 if node.bias is None else node.bias.size
    facts = place.facts(
        "synapses", weights=node.weight.size, biases=biases, kernel=(count_taps,), channels=(width, out)
    )
    return Layer(facts, count, witness=lambda batch, _: TapWitness(node.weight, carries, batch))


def states(place: Place) -> Layer:
    """StateSpace: B and D on what comes in, by what it carries; A and C on the state, which is real.

    Before the first step there is no state that A could be a weight of. A product of complex numbers is one pair.
    """
    node: n.StateSpace = place.node
    carries, size = place.received[0].carries, place.received[0].size
    inward = node.decay.shape[1] + (node.through is not None)

    def count(seen: Seen) -> Ops:
        more, steps = seen.more, seen.steps
        spikes = 0 if carries.graded else seen.wires[0].total * inward
        read = Pairs(size * inward * steps, size * inward * steps, more["read"], more["read_weighted"], spikes)
        turned = size * node.decay.shape[1]
        held = Pairs(turned * (2 * steps - 1), turned * 2 * steps, more["held"], more["held_weighted"])
        both = by_class(carries, read)
        both["macs"] = both.get("macs", Pairs()) + held
        return Ops(**both, received=seen.received, events=seen.events)

    held = sum(array.size for array in node.arrays().values())
    facts = place.facts("synapses", weights=held, channels=(node.decay.shape[0],) * 2)
    shape = place.received[0].shape
    wide = any(array.dtype.kind == "c" for array in node.arrays().values())
    note = "a product of complex numbers is counted as one pair" if wide else ""
    return Layer(facts, count, witness=lambda batch, dtype: StateWitness(node, shape, batch, dtype), note=note)


def _fan(place: Place) -> Fanout:
    fan = fanout(place.node, place.received[0].shape, place.sent.shape)
    if fan is None:
        raise TypeError(f"a {place.node.kind} reaches nothing by weights")
    return fan


def _pairs(fan: Fanout, seen: Seen, spikes: int) -> Pairs:
    wire = seen.wires[0]
    return Pairs(fan.dense * seen.steps, fan.padded * seen.steps, wire.reached, wire.weighted, spikes)


def _geometry(place: Place) -> Mapping[str, Any]:
    """Kernel, stride, groups and channels, as far as there are such."""
    node: Node = place.node
    first, last = (signal.shape for signal in (place.received[0], place.sent))
    match node:
        case n.Conv() | n.ConvTranspose():
            geometry = {"kernel": node.kernel, "stride": node.stride, "groups": node.groups}
            return {**geometry, "channels": (first[0], last[0])}
        case n.SumPool() | n.AveragePool() | n.MaxPool():
            return {"kernel": node.window, "stride": node.stride, "channels": (first[0], last[0])}
        case n.Affine():
            return {"channels": (node.weight.shape[1], node.weight.shape[0])}
        case _:
            return {}
