"""λ of every layer of a rate-coded network, and how many steps it takes.

    λ_l = the p-th percentile of what the layer's ReLUs send on the calibration data

With p = 100 no value is cut off, and small values wait long for their spikes; with less, the few largest values are cut
off and all others are there sooner. Every p of PERCENTILES is tried. Without a number of steps the one is taken that is
within the budget first and stays so; with one, that which is nearest in the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import SpikeportError, UsageError
from ..graph import Graph
from ..graph.nodes.base import Array
from ..simulate import simulate
from .rate import WORD, refuse_negative, spiking_of, with_rates
from .relus import Relus
from .report import Point, Sender, SpikingReport
from .samples import Samples, every_step, joined

PERCENTILES = (100.0, 99.99, 99.9, 99.5, 99.0, 98.0)
FIRST, MOST = 32, 512
"""Steps that are tried without a number of steps: FIRST, then twice as many, up to MOST."""
AT_ONCE = 16
"""Steps that are simulated at a time."""


@dataclass(frozen=True, eq=False)
class Tried:
    """One percentile.

    Args:
        percentile: p.
        graph: the network with it.
        answers: the mean of its answers up to each step, [T, B, values].
        errors: e[t] of these.
        messages: spikes by neuron, over all steps.
    """

    percentile: float
    graph: Graph
    answers: Array
    errors: Array
    messages: Mapping[str, int]

    def reached(self, budget: float) -> int | None:
        """The step from which on the error stays within the budget."""
        late = np.flatnonzero(self.errors > budget)
        first = int(late[-1]) + 2 if late.size else 1
        return first if first <= len(self.errors) else None


def converted(
    relus: Relus, samples: Samples, budget: float, steps: int | None, *, encoded: bool
) -> tuple[Graph, SpikingReport]:
    """The rate-coded network, and what it does on the samples.

    Args:
        relus: the network.
        samples: still samples, of one step.
        budget: the largest error.
        steps: how many steps; as many as the budget takes by default.
        encoded: whether inputs come in as spikes too.
    """
    if samples.steps != 1:
        found = f"samples of {samples.steps} steps"
        fix = "hand in the step that is to be shown, as x[-1:]"
        raise UsageError(
            "calibration", found, "still samples, of one step, which a network of rates is shown again and again", fix
        )
    if encoded:
        refuse_negative({name: float(values.min()) for name, values in samples.inputs.items()})
    best, count = _chosen(relus, samples, budget, steps, encoded)
    again = tried(relus, samples, best.percentile, count, encoded=encoded)
    return again.graph, _report(relus, samples, budget, again)


def _chosen(relus: Relus, samples: Samples, budget: float, steps: int | None, encoded: bool) -> tuple[Tried, int]:
    """The percentile, and the steps."""
    count = steps or FIRST
    while True:
        found = [tried(relus, samples, p, count, encoded=encoded) for p in PERCENTILES]
        if steps is not None:
            return min(found, key=lambda each: float(each.errors[-1])), steps
        there = [(first, each) for each in found if (first := each.reached(budget)) is not None]
        if there:
            soonest, best = min(there, key=lambda pair: pair[0])
            return best, soonest
        if count >= MOST:
            least = min(float(each.errors[-1]) for each in found)
            fix = "take a larger budget, or say how many steps it may have"
            raise SpikeportError(
                "budget", f"{budget:g}, and after {count} steps the error is {least:.3g}", "a larger one", fix
            )
        count *= 2


def tried(relus: Relus, samples: Samples, percentile: float, steps: int, *, encoded: bool = False) -> Tried:
    """The network of one percentile on the samples."""
    levels = {name: level_of(samples.activations[name], percentile) for name in relus.heights}
    inputs = {name: float(samples.inputs[name].max()) for name in relus.graph.inputs} if encoded else {}
    graph = with_rates(relus, levels, inputs)
    names = spiking_of(graph)
    trace = simulate(every_step(graph), _again(samples, steps), record="outputs")
    currents = joined(trace.outputs).astype(np.float64)
    means = np.cumsum(currents, 0) / np.arange(1, steps + 1)[:, None, None]
    return Tried(percentile, graph, means, samples.errors(means), {name: trace.counts[name].nonzero for name in names})


def level_of(values: Array, percentile: float) -> float:
    """λ: a percentile of values, of those above 0 where that many are 0."""
    found = float(np.percentile(values, percentile))
    active = values[values > 0]
    return found if found > 0 or not active.size else float(np.percentile(active, percentile))


def _again(samples: Samples, steps: int) -> Iterator[dict[str, Array]]:
    """The same step again and again, in pieces."""
    for start in range(0, steps, AT_ONCE):
        count = min(AT_ONCE, steps - start)
        yield {name: np.repeat(values, count, 0) for name, values in samples.inputs.items()}


def _report(relus: Relus, samples: Samples, budget: float, ran: Tried) -> SpikingReport:
    scores, before = samples.accuracies(ran.answers), samples.accuracies()
    curve = tuple(
        Point(
            t + 1,
            float(error),
            None if scores is None else float(scores[t]),
            None if before is None else float(before[0]),
        )
        for t, error in enumerate(ran.errors)
    )
    rows = tuple(_sender(samples, name, ran) for name in spiking_of(ran.graph))
    return SpikingReport(relus.graph.name, WORD, budget, samples.count, rows, curve, _lines(ran))


def _sender(samples: Samples, name: str, ran: Tried) -> Sender:
    own = name if name in samples.activations else name.rpartition(".")[0]
    level = float(ran.graph.nodes[name].arrays()["threshold"].max())
    values = int(np.count_nonzero(samples.activations[own]))
    return Sender(name, level, ran.graph.signals[name].size, ran.messages[name], values)


def _lines(ran: Tried) -> tuple[str, ...]:
    count = len(ran.errors)
    return (
        f"a threshold is the {ran.percentile:g}th percentile of what its ReLU sent on the samples",
        f"inputs are shown for {count} steps; the answer is the mean of the last layer's current",
        "neurons start at half their threshold: rates are values rounded to the nearest, not down",
        f"values: those other than 0 that the ReLU network has there once; messages: all spikes of the {count} steps",
    )
