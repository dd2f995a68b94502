"""`spikeport bench ann`: a network of ReLUs, trained here, as a sigma-delta network and as one of rates.

    film    frames that fill, step by step: every step is an answer of its own, and the last is judged
    still   the last step alone; the network of rates is shown it again and again

Each is judged in floating point and in Loihi's integers, on test samples that neither training nor conversion has seen,
and the first sample of each chip graph runs on Lava too, where it has to be the same bit for bit.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from ...models import zoo
from ...models.data.made import make
from ...models.data.samples import Samples
from ...models.data.shape_frames import ShapeFramesConfig
from ...models.recipes import recipe_of
from ...models.training import train
from ...toolchain.console import working
from ...toolchain.errors import SimulationError
from ...toolchain.graph import Graph
from ...toolchain.graph.nodes import Array
from ...toolchain.loihi.chip_graph import ChipGraph
from ...toolchain.loihi.places import read_places
from ...toolchain.loihi.quantise import quantise
from ...toolchain.simulate import simulate
from ...toolchain.simulate.lava_env import LAVA, look
from ...toolchain.spiking import Spiking, spiking
from ...toolchain.tracing import trace
from ...toolchain.verifying import OnLava, verify

NAME = "ann_convnet"
CALIBRATED, TESTED, AT_A_TIME = 100, 1000, 250
QUICK_CALIBRATED, QUICK_TESTED = 10, 20
LAVA_STEPS = 16
SENDERS = ("Activation", "IF", "ATRLIF", "Delta", "SigmaDelta")
"""Kinds of ReLUs and neurons that send messages, of a graph and of a chip graph."""
FILM = ShapeFramesConfig(filling=True)

Row = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """The trained network and its samples, as films.

    Args:
        graph: the network, traced.
        calibration: samples that it was trained on.
        test: samples that it has never seen.
        lava: why nothing runs on Lava; empty where it does.
    """

    graph: Graph
    calibration: Samples
    test: Samples
    lava: str


@dataclass(frozen=True)
class Judged:
    """What a network answers to the test samples.

    Args:
        answers: [B, classes].
        messages: values other than 0 that inputs and neurons sent for a sample.
        steps: steps that a sample took.
    """

    answers: Array
    messages: float
    steps: int


def bench(*, quick: bool = False) -> dict[str, Any]:
    """Trains the network, converts it both ways, and judges all of it.

    Args:
        quick: hardly trained, few samples, without Lava: shows that everything runs, not how well.

    Returns:
        {"name", "rows", "notes"}; a row has network, computed_in, accuracy, points (against the ReLUs), error (of the
        answers), messages (of a sample), taken (steps of a sample), lava, samples, seconds and, where there is one,
        the report.
    """
    subject = _subject(quick)
    allowed = 0.3 if quick else None
    rows: list[Row] = []
    notes = []
    for neurons in ("sigma-delta", "if"):
        with working(f"{NAME} as {neurons} neurons"):
            made, found = _converted(subject, neurons, allowed)
        rows += found
        notes.append(made.report.text())
    rest = "error: root mean square of what the answers are off by, as part of the ReLUs' answers"
    return {"name": "ann", "rows": rows, "notes": [*notes, f"{rest}; messages: of a sample, inputs with them"]}


def _subject(quick: bool) -> Subject:
    recipe, network = recipe_of(NAME), zoo.build(NAME)
    if quick:
        recipe = replace(recipe, samples=800, validation=40, test=QUICK_TESTED, epochs=2)
    with working(f"training {NAME}") as tell:
        train(network, recipe, "last", told=lambda epoch: tell(f"epoch {epoch.number} of {recipe.epochs}"))
    counts = (QUICK_TESTED, QUICK_CALIBRATED) if quick else (TESTED, CALIBRATED)
    calibration = make(recipe.data, "train", counts[1], config=FILM)
    test = make(recipe.data, "test", counts[0], config=FILM)
    example = torch.from_numpy(test.inputs[-1:, :2]).float()
    graph = trace(network, example, time_axis=0, carries="spikes", name=NAME)
    return Subject(graph, calibration, test, "quick" if quick else look(LAVA).why)


def _converted(subject: Subject, neurons: str, budget: float | None) -> tuple[Spiking, list[Row]]:
    """The ReLUs on what these neurons are shown, and the neurons in floating point and in integers."""
    start = time.perf_counter()
    film = neurons == "sigma-delta"
    known, seen = (part.inputs if film else part.inputs[-1:] for part in (subject.calibration, subject.test))
    made = spiking(subject.graph, known, neurons=neurons, budget=budget, labels=subject.calibration.labels)
    steps = 1 if film else made.report.steps
    relus = _judged(subject.graph, seen, 1, film=True)
    rows = [_row(subject, "ReLUs, film" if film else "ReLUs, still", "float", relus, relus, start)]
    start = time.perf_counter()
    rows.append(_row(subject, neurons, "float", _judged(made.graph, seen, steps, film=film), relus, start))
    for target in ("lava", "netx") if film else ("lava",):
        start = time.perf_counter()
        chip, report = quantise(
            made.graph, calibration=np.repeat(known, steps, 0), allow=["bias-start"] if film else (), target=target
        )
        judged = _judged(chip, seen, steps, film=film)
        row = _row(subject, neurons, f"8 bits for {target}", judged, relus, start)
        rows.append({**row, "lava": _on_lava(subject, chip, seen, steps), "report": report.data()})
    return made, [{**row, "converted": made.report.data()} if index == 1 else row for index, row in enumerate(rows)]


def _row(subject: Subject, network: str, form: str, judged: Judged, relus: Judged, start: float) -> Row:
    right, before = (float((each.answers.argmax(1) == subject.test.labels).mean()) for each in (judged, relus))
    size = float(np.sqrt((relus.answers**2).mean()))
    error = float(np.sqrt(((judged.answers - relus.answers) ** 2).mean())) / size
    sizes = {"error": error, "messages": judged.messages, "taken": judged.steps, "samples": len(subject.test)}
    row: Row = {"network": network, "computed_in": form, "accuracy": right, "points": 100 * (right - before)}
    return {**row, **sizes, "seconds": time.perf_counter() - start}


def _judged(network: Graph | ChipGraph, seen: Array, steps: int, *, film: bool) -> Judged:
    """Every test sample, some at a time."""
    answers, messages = [], 0
    for start in range(0, seen.shape[1], AT_A_TIME):
        inputs, senders = _fed(network, np.repeat(seen[:, start : start + AT_A_TIME], steps, 0)), _senders(network)
        run = simulate(network, inputs, record=[*senders, *network.outputs])
        messages += sum(int(np.count_nonzero(run[name].values)) for name in senders)
        given = run[network.outputs[0]].values[_late(network) :]
        answers.append((given[-1] if film else given.mean(0)) / _scale(network))
    return Judged(np.concatenate(answers), messages / seen.shape[1], len(seen) * steps)


def _senders(network: Graph | ChipGraph) -> list[str]:
    """What sends messages to layers: inputs, but for those whose changes are sent; ReLUs; neurons."""
    coded = {
        wire.source for name, node in network.nodes.items() if node.kind == "Delta" for wire in network.wires[name]
    }
    inputs = [name for name in network.inputs if name not in coded]
    return inputs + [name for name, node in network.nodes.items() if node.kind in SENDERS]


def _fed(network: Graph | ChipGraph, inputs: Array) -> Array:
    """A chip's input: in its units, and on for as many steps as it is late."""
    if not isinstance(network, ChipGraph):
        return inputs.astype(np.float32)
    place = next(iter(read_places(network).values()))
    longer = np.concatenate([inputs, np.repeat(inputs[-1:], _late(network), 0)])
    return np.rint(longer * place.scale)


def _late(network: Graph | ChipGraph) -> int:
    return read_places(network)[network.outputs[0]].latency if isinstance(network, ChipGraph) else 0


def _scale(network: Graph | ChipGraph) -> float:
    return read_places(network)[network.outputs[0]].scale if isinstance(network, ChipGraph) else 1.0


def _on_lava(subject: Subject, chip: ChipGraph, seen: Array, steps: int) -> str:
    """The first steps of the first sample on Lava, which have to be the same; in a word."""
    if subject.lava:
        return "not run"
    inputs: Mapping[str, Array] = {chip.inputs[0]: _fed(chip, np.repeat(seen[:, :1], steps, 0))[:LAVA_STEPS]}
    verdict = verify(chip, OnLava(chip), inputs)
    if not verdict.exact:
        raise SimulationError(chip.name, "other messages than Lava's", "the same, bit for bit")
    return "same"
