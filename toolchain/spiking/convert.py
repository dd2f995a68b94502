"""The one way to turn a trained network of ReLUs into a network of spikes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import UsageError
from ..graph import Graph, replace_graph
from . import balancing, thresholds
from .relus import relus_of
from .report import SpikingReport
from .samples import samples_of
from .sigma_delta import coders_of

Neurons = Literal["sigma-delta", "if"]
BUDGETS: Mapping[str, float] = {"sigma-delta": 0.05, "if": 0.05}
"""Each kind of neurons, and the largest output error where nothing else is asked for."""
INPUTS = ("current", "spikes")
NOTE = "spiking"


@dataclass(frozen=True, eq=False)
class Spiking:
    """What came of a conversion.

    Args:
        graph: the network of spikes.
        report: what was chosen, and what it does on the calibration data.
    """

    graph: Graph
    report: SpikingReport


def spiking(
    graph: Graph,
    calibration: Any,
    *,
    neurons: str = "sigma-delta",
    budget: float | None = None,
    steps: int | None = None,
    labels: Any = None,
    inputs: str = "current",
) -> Spiking:
    """Turn a trained network of ReLUs into a sigma-delta network, or into integrate-and-fire neurons that send rates.

    Args:
        graph: the network: linear layers, pools and sums, with ReLUs between.
        calibration: samples [T, B, *shape] as `simulate` takes them: a film for sigma-delta, whose neurons send what
            changes; still samples, T = 1, for rates.
        neurons: sigma-delta or if.
        budget: the largest output error, by the root mean square of the network's own outputs: in any step of a
            sigma-delta network, in the last of rates.
        steps: for rates, how many steps a sample is shown; as many as the budget takes by default.
        labels: the class of each sample; then accuracy is measured too.
        inputs: for rates, whether inputs are currents, or spikes themselves.

    Returns:
        The network and the report.

    Raises:
        Refused: when the network has what cannot be turned into spikes, with every reason.
    """
    allowed = _checked(neurons, budget, steps, inputs)
    relus = relus_of(graph, rates=neurons == "if")
    samples = samples_of(relus, calibration, labels)
    if neurons == "if":
        made, report = balancing.converted(relus, samples, allowed, steps, encoded=inputs == "spikes")
    else:
        made, report = thresholds.converted(coders_of(relus), samples, allowed)
    said = (
        f"{neurons}, output error {report.error:.3g} of {allowed:g}, {report.steps} steps of {report.samples} samples"
    )
    notes = {name: text for name, text in made.notes.items() if name != "proof"}  # that was of the ReLUs
    notes[NOTE] = said
    return Spiking(replace_graph(made, name=f"{graph.name}-{neurons}", notes=notes), report)


def _checked(neurons: str, budget: float | None, steps: int | None, inputs: str) -> float:
    """The budget, once the arguments go together."""
    if neurons not in BUDGETS:
        raise UsageError("neurons", f"'{neurons}'", " or ".join(BUDGETS))
    if inputs not in INPUTS:
        raise UsageError("inputs", f"'{inputs}'", " or ".join(INPUTS))
    allowed = BUDGETS[neurons] if budget is None else budget
    if isinstance(allowed, bool) or not 0 < allowed < 1:
        raise UsageError("budget", f"{allowed!r}", "an error between 0 and 1, as part of the network's own output")
    if steps is not None and (isinstance(steps, bool) or not 1 <= steps <= balancing.MOST * 8):
        raise UsageError("steps", f"{steps!r}", f"1 to {balancing.MOST * 8}")
    for name, given in (("steps", steps is not None), ("inputs", inputs != "current")):
        if given and neurons == "sigma-delta":
            raise UsageError(name, "for sigma-delta neurons", "it beside neurons='if'", "leave it out")
    return allowed
