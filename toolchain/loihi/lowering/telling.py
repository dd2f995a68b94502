"""The report of rounded layers."""

from __future__ import annotations

import numpy as np

from ...graph.nodes.base import Array
from ...graph.signal import MOST
from ..limits import LOIHI2
from ..report import LayerReport, QuantiseReport, SynapseReport
from .assemble import Made, Network
from .biases import fractional
from .dialects import APPROXIMATIONS
from .forms import Form
from .integers import Rounding
from .plan import Unit
from .range import reach
from .timing import Timing
from .values import FINER, Held


def reported(network: Network, soon: tuple[str, ...]) -> QuantiseReport:
    """The report without what a calibration tells; `soon` are the neurons that spike before their first step."""
    parts, timing, options = network.parts, network.timing, network.options
    layers = [_layer_report(unit, timing, network.made[name]) for name, unit in parts.units.items()]
    layers += [_value_report(held, timing) for held in network.values.values()]
    layers.sort(key=lambda layer: layer.latency)
    used = [(name, each) for name, names in parts.approximations.items() for each in names]
    used += [(name, "loop-latency") for name in timing.stretched] + [(name, "bias-start") for name in soon]
    early = tuple(f"{name}: uses bias-start: it {APPROXIMATIONS['bias-start']}" for name in soon)
    scales = {name: network.sources.scale(name) for name in parts.graph.inputs}
    inputs = tuple(_input_line(network, name) for name, scale in scales.items() if parts.graded(name) or scale != 1)
    lines = (*timing.loops, *early, *inputs)
    return QuantiseReport(parts.graph.name, options.bits, options.target, tuple(layers), tuple(used), lines)


def _input_line(network: Network, name: str) -> str:
    scale = network.sources.scale(name)
    return f"{name}: hand in round(x · {scale:g}): real numbers up to ±{MOST / scale:g}"


def _value_report(held: Held, timing: Timing) -> LayerReport:
    """A neuron that sends values."""
    name, waits, wait = held.unit.name, iter(timing.slack[held.unit.name]), 0
    synapses = []
    for form, each in held.synapses:
        wait = wait if form.name.endswith(FINER) else next(waits)
        synapses.append(_synapse_report(form, each, wait))
    unit = held.unit.device
    lines = [f"uses {each}: it {APPROXIMATIONS[each]}" for each in unit.approximations]
    if unit.port is None:
        lines.append(f"a value of 1 is {held.scale:g}; a payload holds up to ±{LOIHI2.most_state / held.scale:g}")
    else:
        lines.append(f"what comes in is scaled by {held.registers.port:g}")
    if held.registers.shift and not held.registers.direct and not unit.product and held.synapses:
        lines.append(f"what it sends is rounded down to multiples of {1 / held.scale:.3g}")
    exact = all(each.sqnr == np.inf for _, each in held.synapses)
    scale = (held.registers.port, held.registers.port)
    late, told = timing.latency[name], unit.told(held.registers)
    used = unit.approximations
    return LayerReport(name, late, tuple(synapses), scale, exact, told, None, 0.0, 0.0, 0.0, used, lines=tuple(lines))


def _synapse_report(form: Form, each: Rounding, wait: int) -> SynapseReport:
    kind = kind_of(form)
    sizes = (each.weight.size, each.bits, each.exponent)
    return SynapseReport(form.name, kind, *sizes, each.sqnr, each.clipped, each.zeroed, wait)


def _layer_report(unit: Unit, timing: Timing, made: Made) -> LayerReport:
    held, worst = made.held, reach(made.layer, made.held)
    synapses = tuple(
        _synapse_report(form, each, wait)
        for form, each, wait in zip(made.layer.forms, held.synapses, timing.slack[unit.name], strict=True)
    )
    ks = (float(held.k.min()), float(held.k.max()))
    return LayerReport(
        unit.name,
        timing.latency[unit.name],
        synapses,
        ks,
        held.exact,
        _decays(made),
        _threshold(made),
        worst.current,
        worst.below,
        worst.above,
        unit.membrane.approximations,
        lines=tuple(_lines(made)),
    )


def kind_of(form: Form) -> str:
    """conv or dense, as the table says it."""
    return "dense" if isinstance(form.map, np.ndarray) else "conv"


def _decays(made: Made) -> tuple[tuple[str, float, float], ...]:
    held, layer = made.held, made.layer.membrane
    pairs = (("α", layer.alpha, held.current_decay), ("β", layer.beta, held.voltage_decay))
    return tuple((letter, *_worst_pair(wanted, 1 - got / LOIHI2.decay_unity)) for letter, wanted, got in pairs)


def _worst_pair(wanted: Array, got: Array) -> tuple[float, float]:
    both = np.broadcast_arrays(wanted, got)
    at = int(np.argmax(np.abs(both[0] - both[1])))
    return float(both[0].flat[at]), float(both[1].flat[at])


def _threshold(made: Made) -> tuple[float, float] | None:
    theta = made.layer.membrane.threshold
    if theta is None:
        return None
    if made.layer.membrane.subtracts:
        return _worst_pair(2 * theta, 2 * made.held.threshold / made.held.k)
    if not made.layer.membrane.remembers and not fractional(made.held.bias, made.held.bias_exponent):
        return _worst_pair(theta, theta)
    return _worst_pair(theta, made.held.threshold / made.held.k)


def _lines(made: Made) -> list[str]:
    held, membrane = made.held, made.layer.membrane
    lines = []
    if membrane.subtracts:
        most = LOIHI2.most_state / float(2 * held.threshold.flat[0] << LOIHI2.align_bits)
        lines.append(f"it subtracts exactly, as a threshold that rises: for up to {most:.0f} spikes of each neuron")
    elif membrane.at_least and (membrane.remembers or fractional(held.bias, held.bias_exponent)):
        lines.append("its compare with ≥ became >: they differ where the voltage equals the threshold")
    wanted = membrane.bias * held.k
    error = np.abs(held.bias * 2.0**held.bias_exponent / (1 << LOIHI2.align_bits) - wanted)
    if bool((error > 1e-6 * np.maximum(np.abs(wanted), 1)).any()):
        worst = _worst_pair(membrane.bias, held.bias * 2.0**held.bias_exponent / (1 << LOIHI2.align_bits) / held.k)
        lines.append(f"bias {worst[0]:.6g} became {worst[1]:.6g}")
    if membrane.threshold is None:
        most = LOIHI2.most_state / (1 << LOIHI2.align_bits) / float(held.k.flat[0])
        lines.append(f"a voltage of 1 is {held.scale:.6g} in the state, which holds up to ±{most:.6g}")
    lines += [f"uses {name}: it {APPROXIMATIONS[name]}" for name in membrane.approximations]
    if made.retuned != 1:
        lines.append(f"its threshold was retuned to {made.retuned:g} of the graph's, where spikes match best")
    return lines
