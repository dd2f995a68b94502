"""Which scale a layer takes, and which threshold where it resets another way than the graph.

A neuron that resets to 0 where the graph subtracts loses what was above the threshold, and spikes too rarely. A lower
threshold makes up for some of that; which one is found by trying.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .assemble import Made
from .bounds import Rules
from .calibrate import Calibration
from .integers import integers
from .layer import Layer
from .options import Options
from .scales import Scale, candidates
from .sources import Sources
from .timing import Timing

RETUNED = ("soft-reset", "guarded-reset", "delayed-reset", "current-bias", "v-start", "v-reset")
"""Approximations that another threshold can make up for."""
FACTORS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 1.05)
"""Thresholds that are tried, as parts of the graph's."""
BETTER = 1e-3
"""By how much a later candidate has to match better than an earlier one."""


def rounded(layer: Layer, rules: Rules) -> Made:
    """The layer with the scale that rounds best."""
    return _with(layer, candidates(layer, rules)[0], rules)


def chosen(layer: Layer, sources: Sources, timing: Timing, options: Options, seen: Calibration) -> Made:
    """The layer with the scale, and the threshold where that is to be retuned, with which it matches best."""
    found = list(_tried(layer, options, seen))
    scores = [seen.score(made, sources, timing, options) if len(found) > 1 else 0.0 for made in found]
    best = 0
    for index, score in enumerate(scores):
        best = index if score > scores[best] + BETTER else best
    return found[best]


def _tried(layer: Layer, options: Options, seen: Calibration) -> Iterator[Made]:
    """Every scale and threshold to try, the first choice first, none twice."""
    factors = _factors(layer)
    taken = set()
    for bound in seen.bounds(layer):
        rules = replace(options.rules, seen=bound)
        for factor in factors:
            tuned = _tuned(layer, factor)
            for scale in candidates(tuned, rules)[: 1 if len(factors) > 1 else None]:
                key = (factor, scale.k.tobytes(), scale.exponents)
                if key not in taken:
                    taken.add(key)
                    yield replace(_with(tuned, scale, rules), retuned=factor)


def _factors(layer: Layer) -> tuple[float, ...]:
    held = layer.membrane
    return FACTORS if held.threshold is not None and set(held.approximations) & set(RETUNED) else (1.0,)


def _tuned(layer: Layer, factor: float) -> Layer:
    held = layer.membrane
    if held.threshold is None or factor == 1:
        return layer
    return replace(layer, membrane=replace(held, threshold=held.threshold * factor))


def _with(layer: Layer, scale: Scale, rules: Rules) -> Made:
    return Made(layer.lean(), integers(layer, scale, rules), rules)
