"""Scales of neurons that send changes: Delta, SigmaDelta and Sigma.

    a value y is sent as y·S, rounded down;  σ adds up sums in the scale S·2ˢ;  weights are W·S·2ˢ / S′

S′ is the scale of what sends to it. ReLUs are free of scale, so S·2ˢ is what fills the range of the weights, in which
convolutions have no exponent: σ shifts down by s bits in their place. S then follows from s, and s is what brings S
near to PAYLOAD bits; a netx file has s = 6 for all, so there the scale of the input is what is searched for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...graph.nodes import Delta, Node, Sigma, SigmaDelta
from .convolutions import Convolution
from .forms import Form
from .grid import grid_of
from .plan import Plan, ValueUnit
from .registers import Registers
from .values import USUAL

PAYLOAD = 11
"""Bits of the largest value that is sent: what sums and the bits behind the unit leave of 24."""
SUMS = 2.0**22
"""Sums that come in stay below: half of what the accumulator of a convolution holds."""
UNSEEN = 2.0**16
"""The largest scale of sums that nobody has seen."""
WIDE = 2.0**30
"""What is added up stays below: half of 32 bits."""
NETX_SHIFT = 6
"""s of every neuron in a netx file."""
MOST_SHIFT = 15
"""The largest s, and the largest exponent of a message."""
INPUTS = range(-8, 16)
"""Powers of two that are tried as the scale of a netx file's input."""

CODERS: tuple[type[Node], ...] = (Delta, SigmaDelta, Sigma)


@dataclass(frozen=True)
class Sizes:
    """What was seen of a network of changes; names are missing where nothing was.

    Args:
        values: the largest value that each source sends.
        arriving: the largest sum that comes into a neuron, of one step and of all.
    """

    values: Mapping[str, float]
    arriving: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class _Chosen:
    """Registers of all coders, for one scale of the inputs.

    Args:
        registers: by neuron.
        lost: bits of weights or of messages that each neuron goes without.
    """

    registers: Mapping[str, Registers]
    lost: tuple[float, ...]

    @property
    def cost(self) -> tuple[float, float]:
        """The worst neuron, then all."""
        return max(self.lost, default=0.0), sum(self.lost)


def coded(
    parts: Plan, scales: Mapping[str, float], sizes: Sizes, bits: int, *, netx: bool
) -> tuple[dict[str, float], dict[str, Registers]]:
    """The scales of all sources, and the registers of neurons that send changes."""
    names = [name for name, unit in parts.values.items() if isinstance(parts.graph.nodes.get(name), CODERS)]
    if not names:
        return dict(scales), {}
    tried = INPUTS if netx and any(parts.values[name].direct for name in names) else [None]
    found = [_registers(parts, names, scales, sizes, bits, power, netx=netx) for power in tried]
    best = min(found, key=lambda each: each.cost).registers
    inputs = {unit.direct: best[name].port for name, unit in parts.values.items() if unit.direct}
    return {**scales, **inputs, **{name: each.scale for name, each in best.items()}}, dict(best)


def _registers(
    parts: Plan,
    names: list[str],
    scales: Mapping[str, float],
    sizes: Sizes,
    bits: int,
    power: int | None,
    *,
    netx: bool,
) -> _Chosen:
    """Registers of all coders, sources before readers."""
    known, found, lost = dict(scales), {}, []
    for name in names:
        unit = parts.values[name]
        if unit.direct:
            found[name] = _direct(parts, unit.direct, scales, power, netx=netx)
        elif isinstance(parts.graph.nodes[name], Delta):
            found[name] = Registers(scales[name])
        else:
            summing = isinstance(parts.graph.nodes[name], Sigma)
            found[name], missing = _behind(unit, known, sizes, bits, netx=netx, summing=summing)
            lost.append(missing)
        known[name] = found[name].scale
    return _Chosen(found, tuple(lost))


def _direct(parts: Plan, source: str, scales: Mapping[str, float], power: int | None, *, netx: bool) -> Registers:
    """A Delta that reads an input: in the scale of real numbers; whole ones come as they are, and it shifts them up.

    In a netx file every neuron would shift thresholds and biases up as far, and they would be coarse: so there whole
    numbers get a scale too, where nobody else reads them.
    """
    shift, carries = NETX_SHIFT if netx else 0, parts.graph.signals[source].carries
    readers = [parts.values.get(edge.target) for edge in parts.graph.readers(source)]
    if power is not None and all(unit is not None and unit.direct for unit in readers):
        return Registers(2.0 ** (power if carries.graded else max(power, 0)), shift, direct=True)
    if carries.graded:
        return Registers(scales[source], shift, direct=True)
    most = max(*map(abs, carries.bounds), 1)
    return Registers(1.0, shift, int(np.clip(np.floor(PAYLOAD - np.log2(most)), 0, MOST_SHIFT)), direct=True)


def _behind(
    unit: ValueUnit, known: Mapping[str, float], sizes: Sizes, bits: int, *, netx: bool, summing: bool
) -> tuple[Registers, float]:
    """A neuron behind synapses, and the bits that it goes without."""
    size = sizes.values.get(unit.name, 0.0)
    wanted = 2.0 ** np.floor(PAYLOAD - np.log2(size)) if size > 0 else USUAL
    full = _filled(unit.forms, known, bits)
    convolved = any(isinstance(form.map, Convolution) for form in unit.forms)
    seen = sizes.arriving.get(unit.name, 0.0)
    most = UNSEEN if not seen else (SUMS if convolved else WIDE) / seen
    if not convolved:  # a matrix has an exponent
        raised = 0 if summing else NETX_SHIFT
        full *= 2.0 ** max(np.round(np.log2(wanted * 2**raised / full)), 0)
    port = _even(unit.forms, known, bits, full if full <= most else 2.0 ** np.floor(np.log2(most / full)) * full)
    shift = 0 if summing else NETX_SHIFT if netx else _shift(port / wanted)
    made = Registers(port, shift)
    missing = 0.0 if summing else max(PAYLOAD - np.log2(made.scale * (size or 1.0)), 0.0)
    return made, float(max(np.log2(full / port), missing))


def _shift(ratio: float) -> int:
    return int(np.clip(np.round(np.log2(ratio)), 0, MOST_SHIFT))


def _filled(forms: tuple[Form, ...], known: Mapping[str, float], bits: int) -> float:
    """The largest scale of sums with which no weight is clipped."""
    reaches = [grid_of(form.weight, bits).reach(form.weight) * known.get(form.source, 1.0) for form in forms]
    return min((reach for reach in reaches if np.isfinite(reach)), default=USUAL)


def _even(forms: tuple[Form, ...], known: Mapping[str, float], bits: int, port: float) -> float:
    """The power of two below, where that leaves weights exact which the scale itself does not."""
    below = 2.0 ** np.floor(np.log2(port))
    exact = [_exact(form, below / known.get(form.source, 1.0), bits) for form in forms]
    return float(below if any(exact) else port)


def _exact(form: Form, factor: float, bits: int) -> bool:
    grid, scaled = grid_of(form.weight, bits), form.weight.astype(np.float64) * factor
    over = -np.log2(grid.reach(scaled)) if scaled.any() else 0.0
    if over > 0 and not isinstance(form.map, Convolution):
        scaled /= 2.0 ** np.ceil(over - 1e-9)
    return bool((grid.rounded(scaled.copy()) == scaled).all())
