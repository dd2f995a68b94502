"""What quantising a network did to it: layer by layer, nothing left out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .limits import LOIHI2


@dataclass(frozen=True)
class SynapseReport:
    """One synapse.

    Args:
        name: its name in the chip graph.
        kind: the process.
        weights: how many weights.
        bits: bits of the widest weight, its sign with it.
        exponent: its exponent.
        sqnr: signal to noise of its weights in dB; infinite where they are exact.
        saturated: how many weights were clipped.
        zeroed: how many weights became 0 that were not.
        delay: steps that it waits besides the one that every synapse takes.
    """

    name: str
    kind: str
    weights: int
    bits: int
    exponent: int
    sqnr: float
    saturated: int
    zeroed: int
    delay: int


@dataclass(frozen=True)
class Match:
    """A layer of the chip against the same layer of the float graph, on the calibration data.

    Args:
        equal: the part of neurons and steps at which both do the same.
        f1: 2·(spikes of both) / (spikes of one + spikes of the other).
        rate: spikes per neuron and step of the float graph.
        chip_rate: those of the chip.
        error: for a voltage, the root mean square of the difference by that of the voltage; none for spikes.
    """

    equal: float
    f1: float
    rate: float
    chip_rate: float
    error: float | None = None


@dataclass(frozen=True)
class LayerReport:
    """One neuron layer with its synapses.

    Args:
        name: the neurons.
        latency: steps by which they are late.
        synapses: what comes into them.
        scale: the smallest and the largest k.
        exact: every weight is on the chip's grid.
        decays: (what, wanted, got) of each decay, as parts of what is kept in a step.
        threshold: (wanted, got) in the graph's units, the pair that differs most; none for neurons that never fire.
        current: the worst case of the current, against 2²³ − 1.
        below: the worst case of the voltage below 0.
        above: the worst case of a voltage that never fires.
        approximations: what is another than in the graph, by name.
        alone: match of this layer alone, on what its sources send in the float graph.
        within: match in the whole network.
        lines: everything else that one has to know.
    """

    name: str
    latency: int
    synapses: tuple[SynapseReport, ...]
    scale: tuple[float, float]
    exact: bool
    decays: tuple[tuple[str, float, float], ...]
    threshold: tuple[float, float] | None
    current: float
    below: float
    above: float
    approximations: tuple[str, ...] = ()
    alone: Match | None = None
    within: Match | None = None
    lines: tuple[str, ...] = ()

    @property
    def sqnr(self) -> float:
        """The worst of its synapses."""
        return min((each.sqnr for each in self.synapses), default=math.inf)

    @property
    def bits(self) -> int:
        """The widest of its synapses."""
        return max((each.bits for each in self.synapses), default=0)


@dataclass(frozen=True)
class QuantiseReport:
    """What quantising did.

    Args:
        name: the network.
        bits: the bits that were asked for.
        target: lava or netx.
        layers: every neuron layer.
        approximations: every approximation that was used: (layer, name).
        lines: what concerns no layer alone.
        steps: steps of the calibration; 0 where there was none.
    """

    name: str
    bits: int
    target: str
    layers: tuple[LayerReport, ...]
    approximations: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()
    steps: int = field(default=0)

    def text(self) -> str:
        """A table with a row for each layer, and a line for everything else."""
        return "\n".join([self.table(), *(f"  {line}" for line in self.all_lines())])

    def table(self) -> str:
        """A row for each layer."""
        head = f"{self.name}: {self.bits}-bit weights for {self.target}"
        calibrated = f", calibrated on {self.steps} steps" if self.steps else ", not calibrated"
        rows = [_HEAD, *(_row(layer) for layer in self.layers)]
        return "\n".join([head + calibrated, *_aligned(rows)])

    def all_lines(self) -> tuple[str, ...]:
        """Everything that is not a number of the table."""
        own = [f"{layer.name}: {line}" for layer in self.layers for line in _lines(layer)]
        return (*own, *self.lines)

    def data(self) -> dict[str, Any]:
        """The same as plain values for JSON; infinite numbers are none."""
        layers = [_plain(layer) for layer in self.layers]
        used = [list(each) for each in self.approximations]
        about = {"name": self.name, "bits": self.bits, "target": self.target, "steps": self.steps}
        return {**about, "layers": layers, "approximations": used, "lines": list(self.all_lines())}


_HEAD = ("layer", "bits", "SQNR", "clip/zero", "late", "alone", "within", "rate", "of 2^23")
"""Of each layer: the widest weight, the noise of its weights, how many were clipped and zeroed, by how many steps it is
late, how much of what it sends is as in the graph (alone, and within the network), its rate, and its largest state."""


def _row(layer: LayerReport) -> tuple[str, ...]:
    clipped, zeroed = (sum(getattr(each, key) for each in layer.synapses) for key in ("saturated", "zeroed"))
    within = layer.within
    rate = f"{within.rate:.3f} → {within.chip_rate:.3f}" if within and within.error is None else "–"
    matches = [_percent(each) for each in (layer.alone, layer.within)]
    sizes = (str(layer.bits), decibels(layer.sqnr), f"{clipped}/{zeroed}", str(layer.latency))
    return (layer.name, *sizes, *matches, rate, _filled(max(layer.current, layer.below, layer.above)))


def _filled(size: float) -> str:
    """The worst case of a state, as part of what 24 bits hold."""
    if size == 0 or math.isinf(size):
        return "–" if size == 0 else "any"
    part = size / LOIHI2.most_state
    return f"{part:.2g}" if part < 10 else f"{part:,.0f}"


def _percent(match: Match | None) -> str:
    if match is None:
        return "–"
    return f"{100 * match.equal:.2f} %" if match.error is None else f"±{100 * match.error:.2f} %"


def decibels(sqnr: float) -> str:
    """A ratio as a cell of the table."""
    return "exact" if sqnr == math.inf else f"{sqnr:.1f} dB"


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  " + "  ".join(cell.ljust(n) for cell, n in zip(row, widths, strict=True)).rstrip() for row in rows]


def _lines(layer: LayerReport) -> list[str]:
    lines = [f"{what} {wanted:.6g} became {got:.6g}" for what, wanted, got in layer.decays if wanted != got]
    if layer.threshold is not None and layer.threshold[0] != layer.threshold[1]:
        lines.append(f"threshold {layer.threshold[0]:.6g} became {layer.threshold[1]:.6g}")
    for each in layer.synapses:
        lines += [f"{each.saturated} of {each.weights} weights of {each.name} were clipped"] if each.saturated else []
        lines += [f"{each.zeroed} of {each.weights} weights of {each.name} became 0"] if each.zeroed else []
    floored = [each.name for each in layer.synapses if each.exponent < 0]
    lines += [f"sums of {_listed(floored)} are rounded down to whole numbers"] if floored else []
    for steps in sorted({each.delay for each in layer.synapses} - {0}):
        waiting = _listed([each.name for each in layer.synapses if each.delay == steps])
        lines.append(f"{waiting} wait{'s' * (',' not in waiting)} {steps} step{'s' * (steps != 1)}, to meet the others")
    for what, worst, then in _worst(layer):
        lines.append(f"{what} could in the worst case reach {worst}, beyond 24 bits: it would {then}")
    return [*lines, *layer.lines]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _worst(layer: LayerReport) -> list[tuple[str, str, str]]:
    found = []
    sides = (("its current", layer.current, "wrap"), ("its voltage below 0", layer.below, "stop there"))
    for what, size, then in (*sides, ("its voltage", layer.above, "stop there")):
        if size > LOIHI2.most_state:
            words = "any size, since it never decays" if math.isinf(size) else f"{size / LOIHI2.most_state:.1f} × 2^23"
            found.append((what, words, then))
    return found


def _plain(value: Any) -> Any:
    """Dataclasses as dictionaries, tuples as lists, infinite numbers as none."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, (LayerReport, SynapseReport, Match)):
        return {key: _plain(getattr(value, key)) for key in type(value).__dataclass_fields__}
    return value
