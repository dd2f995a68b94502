"""Thresholds of a sigma-delta network: the largest with which its output stays within a budget.

    e_l(θ) ≈ k_l·θ                      what layer l alone adds to the output's error: measured at θ = p_l
    θ_l = f · E·√share_l / k_l          share_l = messages of l / all messages: who sends much is given much
    θ_l ≤ 2·p_l  where that is beyond p_l and what was measured there is still within l's share;  else θ_l ≤ p_l
    f the largest with  max_t e[t] ≤ E  measured with all thresholds in place, by bisection

Errors of layers add up like noise, so shares of E² do. Without any threshold a message is sent for every change. What
sends but a few values, as 0 and 1, loses nothing at p_l and all of it at once further up: hence the bound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import UsageError
from ..graph import Graph
from ..simulate import simulate
from .report import Point, Sender, SpikingReport
from .samples import Samples, every_step, joined
from .sigma_delta import WORD, Coders, senders

PROBE = 0.25
"""p_l, at which a layer's sensitivity is measured, by the root mean square of its values."""
LEAST, MOST, FINE = 2.0**-5, 2.0**3, 9
"""f lies between; so often the interval is halved, in octaves."""


@dataclass(frozen=True, eq=False)
class Ran:
    """One run of a sigma-delta network on the samples.

    Args:
        errors: e[t].
        answers: what it answered.
        messages: by neuron.
    """

    errors: np.ndarray
    answers: np.ndarray
    messages: Mapping[str, int]

    @property
    def worst(self) -> float:
        """max_t e[t]."""
        return float(self.errors.max())


def run(graph: Graph, samples: Samples) -> Ran:
    """Run a network on the samples, and count its messages."""
    names = senders(graph)
    trace = simulate(every_step(graph), samples.inputs, record=names)
    answers = joined(trace.outputs)
    return Ran(samples.errors(answers), answers, {name: int(np.count_nonzero(trace[name].values)) for name in names})


def chosen(coders: Coders, samples: Samples, budget: float) -> tuple[dict[str, float], dict[str, float]]:
    """θ of every coder that may have one, and the share of E² that each was given."""
    exact = run(coders.with_thresholds({}), samples)
    if exact.worst > budget:
        found = f"{budget:g}, and rounding alone makes {exact.worst:.2g}"
        raise UsageError("budget", found, "a larger one", "1e-3 is small for a network in float32")
    free = [name for name in coders.names if name not in coders.exact]
    count = {name: _messages(exact, name) for name in free}
    total = sum(count.values()) or 1
    shares = {name: count[name] / total for name in free}
    parts = {name: budget * float(np.sqrt(count[name] / total)) for name in free}
    bounds = {name: _bound(coders, samples, name, parts[name]) for name in free}
    factor = _largest(coders, samples, bounds, budget)
    return {name: bound.at(factor) for name, bound in bounds.items()}, shares


@dataclass(frozen=True)
class Bound:
    """How θ of a coder follows from f.

    Args:
        base: θ with f = 1, E·√share / k.
        most: what it never exceeds.
    """

    base: float
    most: float

    def at(self, factor: float) -> float:
        """θ."""
        return min(factor * self.base, self.most) if factor > 0 else 0.0


def _messages(ran: Ran, name: str) -> int:
    """The messages of a coder, whatever neurons it is made of."""
    return sum(count for each, count in ran.messages.items() if each == name or each.rpartition(".")[0] == name)


def _bound(coders: Coders, samples: Samples, name: str, part: float) -> Bound:
    """θ of a coder, whose part of the error is given."""
    values = samples.activations[name]
    active = values[values != 0]
    probe = PROBE * float(np.sqrt((active.astype(np.float64) ** 2).mean())) if active.size else 0.0
    if probe == 0:
        return Bound(0.0, 0.0)
    alone = run(coders.with_thresholds({name: probe}), samples).worst
    base = part * probe / alone if alone > 0 else math.inf
    if base <= probe:
        return Bound(base, math.inf)
    further = run(coders.with_thresholds({name: 2 * probe}), samples).worst <= part
    return Bound(base, 2 * probe if further else probe)


def _largest(coders: Coders, samples: Samples, bounds: Mapping[str, Bound], budget: float) -> float:
    """The largest f of those that were tried with which the budget is kept; 0 where none does."""
    low, high, best = np.log2(LEAST), np.log2(MOST), 0.0
    for _ in range(FINE):
        middle = (low + high) / 2
        tried = {name: bound.at(2.0**middle) for name, bound in bounds.items()}
        kept = run(coders.with_thresholds(tried), samples).worst <= budget
        low, high = (middle, high) if kept else (low, middle)
        best = max(best, 2.0**middle) if kept else best
    return best


def converted(coders: Coders, samples: Samples, budget: float) -> tuple[Graph, SpikingReport]:
    """The sigma-delta network with the thresholds that the budget leaves, and what it does on the samples."""
    thresholds, shares = chosen(coders, samples, budget)
    graph = coders.with_thresholds(thresholds)
    ran = run(graph, samples)
    scores, before = samples.accuracies(ran.answers), samples.accuracies()
    curve = tuple(
        Point(t + 1, float(error), *(None if each is None else float(each[t]) for each in (scores, before)))
        for t, error in enumerate(ran.errors)
    )
    rows = tuple(_sender(coders, samples, name, graph, ran, shares) for name in senders(graph))
    name = coders.relus.graph.name
    return graph, SpikingReport(name, WORD, budget, samples.count, rows, curve, _lines(coders))


def _sender(coders: Coders, samples: Samples, name: str, graph: Graph, ran: Ran, shares: Mapping[str, float]) -> Sender:
    own = name if name in coders.names else name.rpartition(".")[0]
    theta = float(graph.nodes[name].arrays()["threshold"].max())
    values = int(np.count_nonzero(samples.activations[own]))
    return Sender(name, theta, graph.signals[name].size, ran.messages[name], values, shares.get(own))


def _lines(coders: Coders) -> tuple[str, ...]:
    whole = [f"{name} sends whole numbers: every change is sent" for name in coders.exact]
    return (*whole, "values: those other than 0 that the ReLU network has there, all of them in every step")
