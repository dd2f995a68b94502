"""The float graph on the calibration data, and each layer of the chip against it.

A layer alone gets what its sources send in the float graph, as late as they send it on the chip, and is compared with
what the float graph's layer sends. Then the whole network runs, and every layer is compared again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...errors import UsageError
from ...graph import Graph
from ...graph.nodes import Integrating, Sigma, SigmaDelta
from ...graph.nodes.base import Array
from ...graph.signal import MOST
from ..chip_graph import ChipGraph
from ..limits import LOIHI2
from ..report import LayerReport, Match, QuantiseReport
from .assemble import Made, Network, lone
from .layer import Layer
from .options import Options
from .plan import ALWAYS, Plan
from .sources import Sources
from .timing import Timing

MOST_KEPT = 1 << 26
"""Values of voltages and currents that are recorded at once to see how large they become."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """A run of the float graph.

    Args:
        inputs: what came in.
        sent: what inputs and neurons sent, [T, B, *shape].
        currents: the largest current of each neuron, in units of its voltage; not of all.
        voltages: the largest voltage, of firing neurons below 0.
        values: the largest value of each source of values.
        arriving: the largest sum into each neuron that sends changes, in one step and in all.
        steps: T.
    """

    inputs: Mapping[str, Array]
    sent: Mapping[str, Array]
    currents: Mapping[str, float]
    voltages: Mapping[str, float]
    values: Mapping[str, float]
    arriving: Mapping[str, float]
    steps: int

    def bounds(self, layer: Layer) -> tuple[float | None, ...]:
        """The largest states that a scale may have to hold, one or two: a voltage below 0 may also stop at its end."""
        current, voltage = self.currents.get(layer.name), self.voltages.get(layer.name)
        if current is None or voltage is None:
            return (None,)
        both, held = max(current, voltage), layer.membrane
        return (both,) if held.threshold is None or held.subtracts or both == current else (both, current)

    def score(self, made: Made, sources: Sources, timing: Timing, options: Options) -> float:
        """How well a layer alone matches; for a voltage, less its error."""
        match = self.alone(made, sources, timing, options)
        return match.f1 + match.equal if match.error is None else -match.error

    def alone(self, made: Made, sources: Sources, timing: Timing, options: Options) -> Match:
        """A layer on what its sources send in the float graph."""
        name = made.layer.name
        chip, fed = lone(sources, timing, options, made)
        late = timing.latency[name]
        inputs = {
            here: self.shifted(source, timing.latency[source], late, sources.scale(source))
            for here, source in fed.items()
        }
        return match(self.sent[name], _ran(chip, inputs, [name])[name][late:], _scale(made))

    def shifted(self, source: str, by: int, late: int, scale: float = 1.0) -> Array:
        """What a source sends, `by` steps later, long enough, and in whole numbers of a scale."""
        sent = self.sent[source]
        whole = sent if scale == 1.0 else np.clip(np.rint(sent * scale), -MOST, MOST)
        before, after = (np.zeros((n, *sent.shape[1:]), whole.dtype) for n in (by, max(late - by, 0)))
        return np.concatenate([before, whole, after])[: len(sent) + late]


def calibrated(parts: Plan, inputs: Any) -> Calibration:
    """Run the float graph."""
    from ...simulate import simulate  # it loads torch

    graph = parts.graph
    given = _given(graph.inputs, inputs)
    units = [name for name in parts.neurons if name in graph.nodes]
    read = [unit for unit in units if isinstance(graph.nodes[unit], Integrating)]
    trace = simulate(graph, given, record=[*graph.inputs, *units])
    sent = {name: trace[name].sent for name in (*graph.inputs, *units)}
    kept = {name: array for name, array in sent.items() if array is not None}
    sizes = {name: float(np.abs(kept[name]).max()) for name in kept if parts.graded(name)}
    if parts.biased:
        kept[ALWAYS] = np.ones((trace.steps, trace.batch, 1), np.uint8)
    currents, voltages = _largest(parts, given, _groups({name: kept[name].size for name in read}))
    return Calibration(given, kept, currents, voltages, sizes, _arriving(graph, given), trace.steps)


def _given(names: tuple[str, ...], inputs: Any) -> dict[str, Array]:
    """Arrays by input."""
    if not isinstance(inputs, Mapping):
        if len(names) != 1:
            raise UsageError("calibration", f"one array for {len(names)} inputs", f"a mapping with {', '.join(names)}")
        inputs = {names[0]: inputs}
    return {str(name): np.asarray(values) for name, values in inputs.items()}


def _largest(parts: Plan, inputs: Mapping[str, Array], groups: list[list[str]]) -> tuple[dict[str, float], ...]:
    """The largest |g·u| of each neuron, and −v of firing neurons or |v| of others; a run for each group."""
    from ...simulate import simulate

    currents, voltages = {}, {}
    for names in groups:
        record = [f"{name}{state}" for name in names for state in ("", ".voltage", ".current")]
        trace = simulate(parts.graph, inputs, record=record)
        for name in names:
            held, u, v = parts.units[name].membrane, trace[name].currents, trace[name].voltages
            currents[name] = float(np.abs(u * held.gain).max(initial=0))
            if held.subtracts and held.threshold is not None:
                v = v - held.threshold + 2 * held.threshold * np.cumsum(trace[name].values, 0)
            either = held.threshold is None or held.subtracts
            voltages[name] = max(float((np.abs(v) if either else -v).max(initial=0)), 0.0)
    return currents, voltages


def _arriving(graph: Graph, inputs: Mapping[str, Array]) -> dict[str, float]:
    """The largest sum into each SigmaDelta and Sigma, in a step and in all so far."""
    from ...simulate import simulate

    ends = {
        name: graph.wires[name][0].source for name, node in graph.nodes.items() if isinstance(node, (SigmaDelta, Sigma))
    }
    count = next(iter(inputs.values())).shape
    sizes = {end: graph.signals[end].size * count[0] * count[1] for end in dict.fromkeys(ends.values())}
    found: dict[str, float] = {}
    for names in _groups(sizes):
        trace = simulate(graph, inputs, record=names)
        for name in names:
            sums = trace[name].values
            found[name] = float(max(np.abs(sums).max(initial=0), np.abs(np.cumsum(sums, 0)).max(initial=0)))
    return {name: found[end] for name, end in ends.items() if end in found}


def _groups(sizes: Mapping[str, int]) -> list[list[str]]:
    """Names in groups that fit into memory together; none alone is too large to be left out."""
    groups: list[list[str]] = []
    room = 0
    for name, size in sizes.items():
        if 2 * size > MOST_KEPT:
            continue
        if room < 2 * size:
            groups, room = [*groups, []], MOST_KEPT
        groups[-1].append(name)
        room -= 2 * size
    return groups


def _ran(chip: ChipGraph, inputs: Mapping[str, Array], names: list[str]) -> dict[str, Array]:
    from ...simulate import simulate

    trace = simulate(chip, inputs, record=names)
    return {name: np.asarray(trace[name].sent) for name in names}


def _scale(made: Made) -> float | None:
    return None if made.layer.membrane.emit == "spikes" else made.held.scale


def match(wanted: Array, got: Array, scale: float | None) -> Match:
    """What the float graph sends against what the chip sends; with a scale they are voltages."""
    if scale is not None:
        error = got / scale - wanted
        size = float(np.sqrt((wanted.astype(np.float64) ** 2).mean())) or 1.0
        close = float((np.abs(error) <= 0.01 * size).mean())
        return Match(close, 0.0, 0.0, 0.0, float(np.sqrt((error**2).mean())) / size)
    ours, theirs = wanted != 0, got != 0
    both, total = int((ours & theirs).sum()), int(ours.sum()) + int(theirs.sum())
    f1 = 2 * both / total if total else 1.0
    return Match(float((ours == theirs).mean()), f1, float(ours.mean()), float(theirs.mean()))


def compared(report: QuantiseReport, chip: ChipGraph, network: Network, seen: Calibration) -> QuantiseReport:
    """The report with what the calibration shows, layer by layer and in the whole."""
    late, sources = network.timing.latency, network.sources
    names = list(network.parts.neurons)
    last = max((late[name] for name in names), default=0)
    inputs = {name: seen.shifted(name, 0, last, sources.scale(name)) for name in network.parts.graph.inputs}
    ran = _ran(chip, inputs, names) if names else {}
    layers = []
    for layer in report.layers:
        name = layer.name
        if name not in seen.sent:  # a readout that is no node of the graph
            layers.append(layer)
            continue
        got = ran[name][late[name] : late[name] + seen.steps]
        if name in network.values:
            scale = network.values[name].scale if network.parts.graded(name) else None
            layers.append(replace(layer, within=match(seen.sent[name], got, scale)))
            continue
        each = network.made[name]
        alone = seen.alone(each, sources, network.timing, network.options)
        within = match(seen.sent[name], got, _scale(each))
        layers.append(replace(layer, alone=alone, within=within, lines=(*layer.lines, *_seen_lines(layer, each, seen))))
    return replace(report, layers=tuple(layers), steps=seen.steps)


def _seen_lines(layer: LayerReport, made: Made, seen: Calibration) -> list[str]:
    """What was seen of states whose worst case is beyond 24 bits."""
    unit = made.held.scale / LOIHI2.most_state
    lines = []
    for what, worst, largest in (
        ("current", layer.current, seen.currents.get(layer.name)),
        (
            "voltage" + (" below 0" if layer.threshold else ""),
            max(layer.below, layer.above),
            seen.voltages.get(layer.name),
        ),
    ):
        if largest is not None and worst > LOIHI2.most_state:
            lines.append(f"the largest {what} on the calibration data is {largest * unit:.3f} × 2^23")
    return lines
