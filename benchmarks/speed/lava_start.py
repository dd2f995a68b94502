"""From nothing to the answer: a network on file, a fresh Python, and the clock until its answer is back here.

Both sides are measured in the same way. Ours is a Python that loads a `.graph` file and the input, runs, and saves
what the output read; Lava's is a Python of its own environment that builds the same network, runs the same steps, and
saves what the last neurons sent. The clock starts before the network is written, and stops when the answer has been
read.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from ...toolchain.errors import SimulationError
from ...toolchain.graph.nodes.base import Array
from ...toolchain.graph.store import save
from ...toolchain.loihi.to_lava import SENT, to_lava
from ...toolchain.simulate.lava_runner import run_all
from .lava_networks import Case
from .pairs import seconds

ROUNDS = 5
PROGRAM = """
import sys, numpy, spikeport
trace = spikeport.simulate(spikeport.load(sys.argv[1]), numpy.load(sys.argv[2]))
numpy.save(sys.argv[3], trace.outputs[sys.argv[4]])
"""


@dataclass(frozen=True)
class Start:
    """Seconds from nothing to the answer: medians, taken in turn."""

    ours: float
    lavas: float


def from_nothing(case: Case, steps: int, python: Path, *, quick: bool) -> Start:
    """Runs both sides, in turn; a SimulationError unless both give the same answer.

    Args:
        case: the network; its only output sums up what the last neurons sent.
        steps: how many steps it runs.
        python: the Python of Lava's environment.
        quick: once each, in place of as often as gives a median.
    """
    ours, lavas = partial(_ours, case, steps), partial(_lavas, case, steps, python)
    times: list[tuple[float, float]] = []
    for _ in range(1 if quick else ROUNDS):
        answers: list[Array] = []
        times.append((_clocked(ours, answers), _clocked(lavas, answers)))
        if not np.array_equal(answers[0], answers[1]):
            raise SimulationError(f"{case.name}, from nothing", "another answer than Lava's", "the same, bit for bit")
    return Start(*(median(side) for side in zip(*times, strict=True)))


def _clocked(side: Callable[[], Array], answers: list[Array]) -> float:
    return seconds(lambda: answers.append(side()))


def _ours(case: Case, steps: int) -> Array:
    (output,) = case.graph.outputs
    with tempfile.TemporaryDirectory(prefix="spikeport-start-") as name:
        folder = Path(name)
        graph, given, answer = folder / "net.graph", folder / "input.npy", folder / "answer.npy"
        save(case.graph, graph)
        np.save(given, case.spikes(steps, 1))
        subprocess.run([sys.executable, "-c", PROGRAM, graph, given, answer, output], check=True, cwd=folder)
        found: Array = np.load(answer)
        return found


def _lavas(case: Case, steps: int, python: Path) -> Array:
    (given,), (output,) = case.graph.inputs, case.graph.outputs
    item = (case.graph.wires[output][0].source, SENT)
    program, record = to_lava(case.graph, {given: case.spikes(steps, 1)}, [item])
    sent = run_all([program], python)[0].values[record[item]]
    found: Array = sent.sum(0)
    return found
