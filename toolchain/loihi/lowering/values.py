"""Neurons that do not integrate and fire: in which scale, and their synapses in integers.

A value y is sent as the whole number nearest to y·S, S a power of two. A synapse from a source with scale S′ has

    w·2ᵉ ≈ W·S / S′

with the e that fills the range of its weights, rounded down where e < 0. A recursion keeps 16 bits of each weight in
two synapses, since what it rounds comes back in every step. A product of S₁·x₁ and S₂·x₂ is shifted down by whole bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ...errors import SpikeportError
from ...graph.nodes import Conv
from ...graph.nodes.base import Array
from .bounds import FINE_STATE
from .convolutions import Convolution
from .forms import MOST_MATRIX, Form, Move, settled
from .grid import grid_of
from .integers import Rounding, narrow, sqnr_of
from .plan import Plan, ValueUnit
from .registers import Registers

USUAL = 2.0**8
"""The scale of values whose size nobody has seen."""
PAYLOAD = 14
"""Bits that the largest value takes where sizes are known: room for sums and products above it."""
FINER = ".finer"
"""Ends the name of a synapse that keeps the lower bits of another."""
MOST_SHIFT = 31
"""The most bits that a product is shifted down by."""
LEAST, MOST = -16, 16
"""Exponents of a synapse."""
WEIGHT_BITS, NETX_BITS = 8, 6
"""The bits of the largest weight that values leave, where weights have no exponent."""


@dataclass(frozen=True, eq=False)
class Held:
    """One neuron that sends values, in integers.

    Args:
        unit: the neuron.
        ports: for each port, its synapses, and their rounding.
        registers: the scales that its process is made for.
        scale: S of what it sends; 1 for spikes.
    """

    unit: ValueUnit
    ports: tuple[tuple[tuple[Form, Rounding], ...], ...]
    registers: Registers
    scale: float

    @property
    def synapses(self) -> tuple[tuple[Form, Rounding], ...]:
        """The synapses of all ports."""
        return tuple(pair for port in self.ports for pair in port)


@dataclass(frozen=True)
class Weights:
    """How weights are rounded.

    Args:
        bits: bits of a weight.
        images: whether convolutions stay such, in the scale that they have.
        least: the least exponent of a matrix.
    """

    bits: int
    images: bool
    least: int


def scales_of(parts: Plan, largest: Mapping[str, float], *, netx: bool) -> dict[str, float]:
    """The scale of each source of values, from the largest value that was seen."""
    found = {}
    for name in (*parts.graph.inputs, *parts.values):
        if parts.graded(name):
            seen = largest.get(name, 0.0)
            wanted = 2.0 ** np.floor(PAYLOAD - np.log2(seen)) if seen > 0 else USUAL
            found[name] = min(wanted, _most_without_exponents(parts, name, netx=netx))
    found |= {name: _beside_values(parts, name) for name in parts.graph.inputs if netx and _meets_values(parts, name)}
    return _settled(parts, {name: float(np.clip(scale, 2.0**-8, 2.0**20)) for name, scale in found.items()})


def _meets_values(parts: Plan, name: str) -> bool:
    """Whether whole numbers come in where real ones do."""
    readers = (unit for unit in parts.units.values() if any(form.source == name for form in unit.forms))
    return not parts.graded(name) and any(parts.graded(form.source) for unit in readers for form in unit.forms)


def _beside_values(parts: Plan, name: str) -> float:
    """The scale of whole numbers that meet real ones: else their weights, in full bits, would leave too small a k."""
    return max(1.0, _most_without_exponents(parts, name, netx=True) * 2.0 ** (NETX_BITS - WEIGHT_BITS))


def _most_without_exponents(parts: Plan, source: str, *, netx: bool) -> float:
    """The largest scale with which weights that have no exponent still use all their bits.

    Weights are W·k / S, and k is bounded by the threshold; so S is at most max|W|·k / 2⁸. Convolutions have none,
    and nothing in a netx file has one below 0; there values have two bits more, and weights two bits less.
    """
    bounds = [np.inf]
    least = NETX_BITS if netx else WEIGHT_BITS
    for unit in parts.units.values():
        theta = 1.0 if unit.membrane.threshold is None else max(float(unit.membrane.threshold.max()), 1e-9)
        for form in unit.forms:
            large = isinstance(form.map, Convolution) and not fits_matrix(form.map)
            if form.source == source and (netx or large):
                largest = float(np.abs(form.weight).max(initial=0.0)) * float(np.abs(unit.membrane.gain).max())
                bounds.append(2.0 ** np.floor(np.log2(max(largest, 1e-30) * FINE_STATE / theta / 2.0**least)))
    return min(bounds)


def fits_matrix(conv: Convolution) -> bool:
    """Whether a convolution could be a matrix, which has an exponent."""
    return int(np.prod(conv.received)) * int(np.prod(conv.sent)) <= MOST_MATRIX


def _settled(parts: Plan, scales: dict[str, float]) -> dict[str, float]:
    """The same where products send in the scale that they can: some read products, so until nothing changes."""
    products = {name: unit for name, unit in parts.values.items() if unit.device.product}
    for _ in products:
        before = dict(scales)
        for name, unit in products.items():
            sides = [_side(forms, scales) for forms in unit.ports]
            scales[name] = sides[0] * sides[1] / 2.0 ** _shift(sides, scales[name])
        if scales == before:
            break
    return scales


def _shift(sides: list[float], wanted: float) -> int:
    """The bits that bring S₁·S₂ to a scale, or nearest to it."""
    return int(np.clip(np.log2(sides[0] * sides[1] / wanted), 0, MOST_SHIFT))


def held(
    unit: ValueUnit, scales: Mapping[str, float], bits: int, coded: Registers | None, *, netx: bool
) -> Held | SpikeportError:
    """A neuron in integers; `coded` are the registers of one that sends changes."""
    port = unit.device.port
    wanted = coded.port if coded is not None else scales[unit.name] if port is None else port
    sides = [_side(forms, scales) for forms in unit.ports] if unit.device.product else [wanted] * len(unit.ports)
    how = Weights(bits, images=coded is not None, least=0 if netx else LEAST)
    ports = [_port(unit, forms, scales, side, how) for forms, side in zip(unit.ports, sides, strict=True)]
    for each in ports:
        if isinstance(each, SpikeportError):
            return each
    kept = tuple(each for each in ports if not isinstance(each, SpikeportError))
    if coded is not None:
        return Held(unit, kept, coded, coded.scale)
    if not unit.device.product:
        return Held(unit, kept, Registers(wanted), wanted if port is None else 1.0)
    shift = _shift(sides, wanted)
    if sides[0] * sides[1] / 2.0**shift != wanted:
        return SpikeportError(
            unit.name, "a product that comes back to itself ever smaller", "one whose size stays", "scale it up"
        )
    return Held(unit, kept, Registers(sides[0], shift), wanted)


def _side(forms: tuple[Form, ...], scales: Mapping[str, float]) -> float:
    """The scale at a port of a product: that of what comes in, spikes with room for weights."""
    return max(scales.get(form.source, 2.0**7) for form in forms)


def _port(
    unit: ValueUnit, forms: tuple[Form, ...], scales: Mapping[str, float], wanted: float, how: Weights
) -> tuple[tuple[Form, Rounding], ...] | SpikeportError:
    pairs: list[tuple[Form, Rounding]] = []
    for form in forms:
        factor = wanted / scales.get(form.source, 1.0)
        made = form if how.images else as_matrix(form)
        weights = made.weight.astype(np.float64) * factor
        if isinstance(made.map, Convolution):
            grid = grid_of(made.weight, how.bits)
            if grid.reach(made.weight) < factor * (1 - 1e-12):
                return _too_large(unit, form)
            pairs.append((made, _rounded(weights, 0, how.bits)))
            continue
        refined = form.source == unit.name or form.name.endswith(".bias")
        pairs += _matrices(made, weights, how, refined=refined)
    return tuple(pairs)


def _matrices(form: Form, weights: Array, how: Weights, *, refined: bool) -> list[tuple[Form, Rounding]]:
    """A matrix; with `refined` and where something is left of it, another with its lower bits."""
    bits = how.bits
    exponent = max(_exponent(weights, bits), how.least)
    first = _rounded(weights, exponent, bits)
    rest = weights - first.weight * 2.0**exponent
    if not refined or not rest.any() or exponent - 8 < LEAST:
        return [(form, first)]
    finer = _rounded(rest, max(_exponent(rest, bits), exponent - 8), bits)
    left = rest - finer.weight * 2.0**finer.exponent
    both = sqnr_of(weights, left)
    pair = ((form, first), (replace(form, name=f"{form.name}{FINER}"), finer))
    return [(each, replace(rounding, sqnr=both)) for each, rounding in pair]


def _too_large(unit: ValueUnit, form: Form) -> SpikeportError:
    found = f"the convolution {form.name} of values, whose sums the chip cannot shift down"
    fix = "make it smaller, so that it fits a matrix, or send spikes between convolutions"
    return SpikeportError(unit.name, found, f"one that is a matrix of at most {MOST_MATRIX} weights", fix)


def as_matrix(form: Form) -> Form:
    """A convolution as a matrix, which has an exponent; itself where that would be too large."""
    conv = form.map
    if not isinstance(conv, Convolution):
        return form
    if not fits_matrix(conv):
        return form
    inward, outward = int(np.prod(conv.received)), int(np.prod(conv.sent))
    node = Conv(conv.weight, None, conv.stride, conv.padding, conv.dilation, conv.groups)
    columns = node.step({}, np.eye(inward).reshape(inward, *conv.received))[0]
    matrix = np.ascontiguousarray(columns.reshape(inward, outward).T)
    return replace(
        form,
        before=(*form.before, Move((inward,))),
        map=matrix,
        after=settled((outward,), (Move(conv.sent), *form.after)),
    )


def _exponent(weights: Array, bits: int) -> int:
    """The least exponent with which no weight is clipped."""
    reach = grid_of(weights, bits).reach(weights)
    return 0 if not np.isfinite(reach) else int(np.clip(np.ceil(-np.log2(reach) - 1e-9), LEAST, MOST))


def _rounded(weights: Array, exponent: int, bits: int) -> Rounding:
    grid = grid_of(weights, bits)
    wanted = weights / 2.0**exponent
    kept = grid.rounded(wanted.copy())
    if kept.max(initial=0) <= 0:
        kept = np.maximum(kept, grid.step - 256)
    clipped = int(((wanted > grid.high + grid.step / 2) | (wanted < grid.low - grid.step / 2)).sum())
    zeroed = int(((kept == 0) & (weights != 0)).sum())
    sqnr = sqnr_of(wanted, kept - wanted)
    used = (int(np.abs(kept).max(initial=0)) // grid.step).bit_length() + int(grid.low < 0 < grid.high)
    return Rounding(narrow(kept), exponent, sqnr, clipped, zeroed, used)
