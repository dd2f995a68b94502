"""Two networks on one input: run both, compare what every pair of nodes sends, and look where they first differ.

A graph computes in float64, a chip graph in integers, a network on Lava as Lava does. Spikes and whole numbers have to
be equal; values have to lie within a tolerance of each other, relative to the largest of their node: 0 between two chip
graphs, 1e-9 between two graphs, 2 % between a graph and a chip graph, whose values are rounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import UsageError
from ..graph.nodes.base import Array
from ..simulate.trace import Trace
from .history import difference
from .pairs import Pair, Pairs, pairs
from .sides import Side, side
from .verdict import NodeVerdict, Verdict

TOLERANCE = {(False, False): 1e-9, (True, True): 0.0}
"""How far values may lie apart, by whether A and B compute in integers."""
RUNTIME = 1e-4
"""The same where one side is ONNX Runtime, in float32."""
ROUNDED = 0.02
"""The same between a graph and a chip graph."""
TORCH = 1e-8
"""The same between a module and a graph: torch rounds some functions in float64 by 2e-9."""


def verify(
    a: Any, b: Any, inputs: Any, *, at_least: float = 1.0, tolerance: float | None = None, history: int = 5
) -> Verdict:
    """Are two networks the same on an input?

    Args:
        a: a torch module, a Graph, a ChipGraph, OnLava(ChipGraph), OnRuntime(Graph), or Recorded(Golden, Graph).
        b: another.
        inputs: an array [T, B, *shape] or a mapping from A's inputs to such, in the units of A.
        at_least: the share of a node's spikes and silences that have to be equal.
        tolerance: how far values may lie apart, relative to the largest of their node.
        history: how many steps of the first neuron that differs to show.

    Returns:
        For every pair of nodes how much is the same, and the first place where they differ. It is true if all are same.
    """
    if not 0 <= at_least <= 1:
        raise UsageError("at_least", f"{at_least}", "a share between 0 and 1")
    if tolerance is not None and not 0 <= tolerance < np.inf:
        raise UsageError("tolerance", f"{tolerance}", "a share of the largest value, at least 0")
    given = _named(inputs)
    left, right = side(a, given), side(b, given)
    found = _recorded(pairs(left.network, right.network), left, right)
    mine, theirs = _fed(left, right, given, found)
    steps, batch = next(iter(mine.values())).shape[:2]
    steps -= max(0, -found.late)
    runs = left.run(mine, [pair.a for pair in found.nodes]), right.run(theirs, [pair.b for pair in found.nodes])
    slack = _slack(left, right) if tolerance is None else tolerance
    judged = []
    for pair in found.nodes:
        sent = _aligned(pair, runs[0][pair.a].values, runs[1][pair.b].values, steps)
        judged.append(_judge(pair, *sent, at_least=at_least, slack=slack))
    if left.module is not None or right.module is not None:
        judged = [*_answers((left, right), (mine, theirs), runs, slack), *judged]
    first = _first(judged)
    shown = None if first is None else difference(first, (left, right), (mine, theirs), history)
    return Verdict(left.called, right.called, steps, batch, tuple(judged), found.alone, shown)


def _slack(left: Side, right: Side) -> float:
    single = "onnxruntime" in (left.backend, right.backend)
    return max(TOLERANCE.get((left.integers, right.integers), ROUNDED), RUNTIME if single else 0.0)


def _recorded(found: Pairs, *sides: Side) -> Pairs:
    """The pairs of which a side that is a record has something."""
    for end, which in zip(sides, ("a", "b"), strict=True):
        if end.record is not None:
            sent = end.record.golden.sent
            here = tuple(pair for pair in found.nodes if getattr(pair, which) in sent)
            missing = [getattr(pair, which) for pair in found.nodes if pair not in here]
            found = replace(found, nodes=here, alone=(*found.alone, *(f"{n} of {end.called}" for n in missing)))
    return found


def _named(inputs: Any) -> dict[str, Array]:
    if isinstance(inputs, Mapping):
        return {str(name): np.asarray(values) for name, values in inputs.items()}
    return {"": np.asarray(inputs)}


def _fed(
    left: Side, right: Side, given: Mapping[str, Array], found: Pairs
) -> tuple[dict[str, Array], dict[str, Array]]:
    """What each side is fed with: its own names and units, and zeros behind, so that late answers come."""
    names = left.network.inputs
    values = {names[0]: given[""]} if "" in given and len(names) == 1 else given
    if set(values) != set(names):
        raise UsageError("inputs", f"arrays for {sorted(values)}", f"arrays for {', '.join(names)}")
    mine = {name: _longer(values[name], max(0, -found.late)) for name in names}
    theirs = {pair.b: _longer(_scaled(values[pair.a], pair, right), max(0, found.late)) for pair in found.inputs}
    return mine, theirs


def _scaled(values: Array, pair: Pair, side: Side) -> Array:
    if pair.scale == 1:
        return values
    scaled = values * pair.scale
    return np.rint(scaled) if side.integers else scaled


def _longer(values: Array, steps: int) -> Array:
    return values if steps == 0 else np.concatenate([values, np.zeros((steps, *values.shape[1:]), values.dtype)])


def _aligned(pair: Pair, a: Array, b: Array, steps: int) -> tuple[Array, Array]:
    """The same steps of both."""
    ahead = max(0, -pair.late)
    late = max(0, pair.late)
    return a[ahead : ahead + steps], b[late : late + steps]


def _judge(pair: Pair, a: Array, b: Array, *, at_least: float, slack: float) -> NodeVerdict:
    a, b = a.astype(np.float64), b.astype(np.float64) / pair.scale
    size = float(np.abs(a[np.isfinite(a)]).max(initial=0.0))
    with np.errstate(invalid="ignore"):  # infinity minus infinity: no number, as NaN is none
        apart = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
    apart[np.isnan(apart)] = np.inf
    wrong = apart > (0.0 if pair.spikes else slack * size)
    differing = int(np.count_nonzero(wrong))
    share = 1 - differing / wrong.size
    first = None
    if differing:
        step, *place = (int(i) for i in np.unravel_index(int(np.argmax(wrong)), wrong.shape))
        first = (step + max(0, -pair.late), *place)
    rates = (float(np.count_nonzero(a)) / a.size, float(np.count_nonzero(b)) / b.size)
    same = differing == 0 or (pair.spikes and share >= at_least)
    return NodeVerdict(
        pair.a,
        pair.b,
        pair.late,
        pair.spikes,
        a.size,
        differing,
        rates,
        float(apart.max(initial=0.0)),
        size,
        same,
        first,
    )


def _first(judged: list[NodeVerdict]) -> NodeVerdict | None:
    """The pair that differs first in time; of several, the one that runs first."""
    wrong = [node for node in judged if node.first is not None and node.a]
    return min(wrong, key=lambda node: (node.first or (0,))[0] + min(0, node.late), default=None)


def _answers(
    sides: tuple[Side, Side], fed: tuple[Mapping[str, Array], ...], runs: tuple[Trace, Trace], slack: float
) -> list[NodeVerdict]:
    """How the answers of a module compare with the outputs of the other side; those of a chip with its graph's own."""
    at = 0 if sides[0].module is not None else 1
    module, other = sides[at], sides[1 - at]
    against = at if other.integers else 1 - at
    twin_of = dict(zip(module.network.outputs, sides[against].network.outputs, strict=True))
    told = module.answers(fed[at])
    others = {} if against == at else other.answers(fed[1 - at])
    found = []
    for name, twin in twin_of.items():
        a, b = told[name], others.get(twin, runs[against].outputs[twin])
        if a.shape != b.shape:
            raise UsageError(name, f"an answer of shape {list(a.shape)}", f"{list(b.shape)}", "compare its graph")
        pair = Pair(f"{name} of the module", twin, spikes=not module.network.signals[name].carries.graded)
        found.append(_judge(pair, a, b, at_least=1.0, slack=TORCH if against == at else max(slack, TORCH)))
    return found
