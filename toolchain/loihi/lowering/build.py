"""From a plan with its latencies to a chip graph and its report, layer by layer.

Without a calibration each layer takes the scale that rounds best. With one it takes, of the few best, the one with
which it spikes most like the float graph on the float graph's own spikes, so that layers do not blur each other; and
no scale lets a current or voltage that was seen leave its register.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import Refused, SpikeportError
from ...graph import Graph
from ..chip_graph import ChipGraph
from ..report import QuantiseReport
from .assemble import Made, Network, assembled, clocked
from .calibrate import Calibration, calibrated, compared
from .choose import chosen, rounded
from .coded import Sizes, coded
from .convolutions import Convolution
from .dialects import not_allowed
from .layer import Layer, layer
from .options import Options
from .plan import Plan
from .registers import Registers
from .sources import Sources
from .telling import reported
from .timing import Timing
from .values import Held, as_matrix, held, scales_of
from .warmup import early

NO_NETX = "convert --to chip, or quantise with target='lava'"
"""What to do about what a netx file cannot hold."""


def built(
    graph: Graph, parts: Plan, timing: Timing, options: Options, calibration: Any
) -> tuple[ChipGraph, QuantiseReport]:
    """The chip graph and the report."""
    seen = None if calibration is None else calibrated(parts, calibration)
    sizes = Sizes(seen.values, seen.arriving) if seen else Sizes({}, {})
    netx = options.target == "netx"
    scales, registers = coded(parts, scales_of(parts, sizes.values, netx=netx), sizes, options.bits, netx=netx)
    sources = Sources(parts, scales)
    values, wrong = _values(sources, options, registers)
    layers, uneven = _layers(sources, options)
    if wrong or uneven:
        raise Refused(graph.name, [*wrong, *uneven])
    made = {name: _made(each, sources, timing, options, seen) for name, each in layers.items()}
    lost = [*_lost(made, values), *_never_reset(made, options)]
    if lost:
        raise Refused(graph.name, lost)
    network = Network(sources, timing, options, made, values)
    chip = assembled(network)
    soon = early(chip, parts, timing) if clocked(options, made) else []
    if soon and "bias-start" not in options.allow:
        raise Refused(graph.name, [not_allowed(name, "bias-start") for name in soon])
    report = reported(network, tuple(soon))
    return chip, report if seen is None else compared(report, chip, network, seen)


def _never_reset(made: Mapping[str, Made], options: Options) -> list[SpikeportError]:
    """Neurons that subtract, where the clock resets neurons."""
    fix = "leave the resets and biases of the others away, or allow it with --allow soft-reset,v-start"
    found = "it subtracts its threshold, which the chip does with a neuron that no clock resets"
    subtract = [name for name, each in made.items() if each.layer.membrane.subtracts]
    return [SpikeportError(name, found, "no resets by the clock", fix) for name in subtract if clocked(options, made)]


def _lost(made: Mapping[str, Made], values: Mapping[str, Held]) -> list[SpikeportError]:
    """Neurons of whose weights nothing would be left."""
    weighed = {name: [rounding for _, rounding in each.synapses] for name, each in values.items()}
    weighed |= {name: list(each.held.synapses) for name, each in made.items()}
    fix = "hand in smaller values, or let a layer between bring them into another scale"
    return [
        SpikeportError(name, f"all of its {count} weights would become 0", "weights that remain", fix)
        for name, roundings in weighed.items()
        if (count := sum(each.zeroed for each in roundings)) and not any(each.weight.any() for each in roundings)
    ]


def _made(each: Layer, sources: Sources, timing: Timing, options: Options, seen: Calibration | None) -> Made:
    if seen is None or each.name not in seen.sent:
        return rounded(each.lean(), options.rules)
    return chosen(each.lean(), sources, timing, options, seen)


def _values(
    sources: Sources, options: Options, registers: Mapping[str, Registers]
) -> tuple[dict[str, Held], list[SpikeportError]]:
    """The neurons that send values, in integers."""
    found: dict[str, Held] = {}
    wrong: list[SpikeportError] = []
    units = sources.parts.values
    for name, unit in units.items():
        if options.target == "netx" and not unit.device.netx:
            kind = type(unit.device.make(Registers(1.0))).__name__
            wrong.append(SpikeportError(name, f"a {kind} in a netx file", "CUBA, SDNN or RF", NO_NETX))
            continue
        made = held(unit, sources.scales, options.bits, registers.get(name), netx=options.target == "netx")
        if isinstance(made, SpikeportError):
            wrong.append(made)
        else:
            found[name] = made
    return found, wrong


def _layers(sources: Sources, options: Options) -> tuple[dict[str, Layer], list[SpikeportError]]:
    found: dict[str, Layer] = {}
    wrong: list[SpikeportError] = []
    for name, unit in sources.parts.units.items():
        netx = options.target == "netx"
        alike = len({isinstance(form.map, Convolution) for form in unit.forms}) == 1
        forms = tuple(
            as_matrix(form) if (not alike if netx else sources.parts.graded(form.source)) else form
            for form in unit.forms
        )
        most = tuple(sources.bounds(form.source) for form in forms)
        scales = tuple(sources.scale(form.source) for form in forms)
        one = netx or unit.membrane.subtracts
        made = layer(name, unit.shape, unit.membrane, forms, most, scales, one=one)
        if isinstance(made, SpikeportError):
            wrong.append(made)
        else:
            found[name] = made
            wrong += _one_decay(made) if netx else []
    return found, wrong


def _one_decay(made: Layer) -> list[SpikeportError]:
    """A netx file holds one decay for a layer."""
    names = (("α", made.membrane.alpha), ("β", made.membrane.beta))
    return [
        SpikeportError(made.name, f"{letter} differs from neuron to neuron", "one for a layer in a netx file", NO_NETX)
        for letter, values in names
        if values.size > 1 and bool((values != values.flat[0]).any())
    ]
