"""Quantise: a graph in floating point becomes a network in the integers of Loihi, and an account of what that did.

    lower    pools, batch normalisation and the like become linear maps          passes
    cut      sources, targets, and the linear paths between them                 lowering/paths.py
    form     every path becomes one synapse                                      lowering/forms.py
    retime   every synapse takes a step: how late each neuron is                 lowering/retiming.py
    scale    one factor for each layer's weights, threshold and bias             lowering/scales.py
    round    integers                                                            lowering/integers.py
    build    processes and wires                                                 lowering/build.py

What cannot be is refused, all of it at once, each with the node and what to do. What can be almost has a name, and is
done where the name is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import Refused, SpikeportError, UsageError
from ..graph import Graph
from ..passes import pipeline
from .chip_graph import ChipGraph
from .limits import LOIHI2
from .lowering.build import built
from .lowering.dialects import APPROXIMATIONS, not_allowed
from .lowering.options import Options
from .lowering.plan import Plan, plan
from .lowering.recursions import without_recursions
from .lowering.timing import timed
from .report import QuantiseReport

TARGETS = ("lava", "netx")
PASSES = ("inline_subgraphs", "drop_dead_nodes", "drop_identities", "lower_pooling", "lower_convtranspose")
"""What a graph is brought to first: names stay, and linear layers stay apart."""


def quantise(
    graph: Graph,
    *,
    calibration: Any = None,
    bits: int = LOIHI2.weight_bits,
    allow: Iterable[str] = (),
    reset_interval: int | None = None,
    target: str = "lava",
) -> tuple[ChipGraph, QuantiseReport]:
    """Quantise a graph for Loihi.

    Args:
        graph: the network, in spikes or small whole numbers at its inputs.
        calibration: inputs [T, B, *shape] as `simulate` takes them: scales are then chosen by what the layers do on
            them, and the report tells how well spikes match.
        bits: bits of a weight, 2 to 8.
        allow: names of approximations that may be used (APPROXIMATIONS).
        reset_interval: steps after which the chip's clock resets all neurons, for samples one after the other.
        target: lava, where every neuron may have its own parameters, or netx, where a layer has one of each.

    Returns:
        The chip graph and the report.
    """
    options = _checked(bits, allow, reset_interval, target)
    lowered = pipeline(*PASSES)(graph).graph
    subtracting = options.target == "lava" and "soft-reset" not in options.allow
    parts = plan(without_recursions(lowered), subtracting=subtracting)
    timing, late = timed(parts)
    refusals = [*parts.refusals, *_not_allowed(parts, options), *(late if "loop-latency" not in options.allow else ())]
    if refusals:
        raise Refused(graph.name, refusals)
    return built(graph, parts, timing, options, calibration)


def _checked(bits: int, allow: Iterable[str], reset_interval: int | None, target: str) -> Options:
    names = (allow,) if isinstance(allow, str) else tuple(allow)
    unknown = [name for name in names if name not in APPROXIMATIONS]
    if unknown:
        raise UsageError("allow", f"'{unknown[0]}'", ", ".join(APPROXIMATIONS))
    if isinstance(bits, bool) or not isinstance(bits, int) or not 2 <= bits <= LOIHI2.weight_bits:
        raise UsageError("bits", f"{bits!r}", f"2 to {LOIHI2.weight_bits}")
    if target not in TARGETS:
        raise UsageError("target", f"'{target}'", " or ".join(TARGETS))
    if reset_interval is not None and (isinstance(reset_interval, bool) or reset_interval < 1):
        raise UsageError("reset_interval", f"{reset_interval!r}", "a number of steps, at least 1")
    return Options(bits, frozenset(names), reset_interval, target)


def _not_allowed(parts: Plan, options: Options) -> list[SpikeportError]:
    return [
        not_allowed(name, each)
        for name, used in parts.approximations.items()
        for each in used
        if each not in options.allow
    ]


__all__ = ["APPROXIMATIONS", "TARGETS", "quantise"]
