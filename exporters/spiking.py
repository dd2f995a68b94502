"""What `convert --neurons` does between the passes and the files: a network of ReLUs becomes one of spikes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.text import Text

from ..toolchain.console import say, working
from ..toolchain.errors import FileError, UsageError
from ..toolchain.graph import Graph
from ..toolchain.graph.network import Network
from ..toolchain.graph.nodes import Array
from ..toolchain.inputs import LABELS, arrays_in, from_file
from ..toolchain.spiking import SpikingReport, spiking
from ..toolchain.trial import Trial

TYPED = {"neurons": "--neurons", "budget": "--budget", "steps": "--spiking-steps"}
"""What the command line calls the arguments of `spiking`."""


@dataclass(frozen=True)
class Neurons:
    """What a network is turned into.

    Args:
        kind: sigma-delta or if.
        budget: the largest output error; none for the usual one.
        steps: for if, how many steps a sample is shown; none for as many as the budget takes.
    """

    kind: str
    budget: float | None = None
    steps: int | None = None


@dataclass(frozen=True, eq=False)
class Shown(Trial):
    """The input that a network of spikes is shown: the calibration itself, or each still sample again and again.

    Args:
        arrays: [T, B, *shape] by input.
    """

    arrays: Mapping[str, Array] = field(default_factory=dict)

    def values(self, network: Network) -> dict[str, Array]:  # noqa: ARG002 - the argument of every trial
        """The arrays."""
        return dict(self.arrays)


@dataclass(frozen=True, eq=False)
class Spiked:
    """A network of spikes and how it came to be.

    Args:
        graph: the network.
        report: what was chosen, and what it does.
        trial: what its chip graph is calibrated and proved on.
    """

    graph: Graph
    report: SpikingReport
    trial: Shown

    @property
    def view(self) -> Text:
        """The report for people."""
        return Text(self.report.text(), no_wrap=True, overflow="ignore")

    def data(self) -> dict[str, Any]:
        """The report for programs."""
        return self.report.data()


def spiked(network: Network, neurons: Neurons, calibration: Path | None) -> Spiked:
    """Turn a traced network of ReLUs into one of spikes.

    Args:
        network: the network.
        neurons: into what.
        calibration: a file with inputs, and with labels where accuracy is asked for.
    """
    if not isinstance(network, Graph):
        raise UsageError("--neurons", f"for {network.name}, which is in integers already", "a network of ReLUs")
    if calibration is None:
        fix = "hand in samples that it was trained on: --calibration FILE.npz"
        raise UsageError("--neurons", "without samples to choose thresholds by", "--calibration", fix)
    inputs, labels = samples(network, calibration)
    with working(f"turning {network.name} into {neurons.kind} neurons"):
        try:
            found = spiking(
                network, inputs, neurons=neurons.kind, budget=neurons.budget, steps=neurons.steps, labels=labels
            )
        except UsageError as error:
            raise UsageError(TYPED.get(error.where, error.where), error.found, error.expected, error.fix) from None
    again = found.report.steps if neurons.kind == "if" else 1
    shown = {name: np.repeat(values, again, 0) for name, values in inputs.items()}
    return Spiked(found.graph, found.report, Shown(calibration, arrays=shown))


def samples(network: Graph, path: Path) -> tuple[dict[str, Array], Array | None]:
    """Inputs [T, B, *shape] by name, and the labels that lie beside them."""
    found = from_file(network, path)
    for line in found.said:
        say(f"{path}: {line}")
    if not isinstance(found.values, dict):
        raise FileError(str(path), "holds events", "values [T, B, *shape], as the ReLUs take them")
    labels = arrays_in(path).get(LABELS) if LABELS not in network.inputs else None
    return found.values, labels
