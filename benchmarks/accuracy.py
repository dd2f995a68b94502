"""`spikeport bench accuracy`: what trained networks are worth in the integers of Loihi.

    float            the torch module, on test samples that it has never seen
    8 bits, 4 bits   quantised, calibrated on samples it was trained on, and simulated bit for bit as the chip computes
    clipped at ±4    round(64·w) / 64 clipped at ±4, as published conversions take weights; all else left in float

The integer network answers some steps later than the module, so samples end with as many steps without input.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..models import zoo
from ..models.checkpoints import load_checkpoint
from ..models.data.made import make
from ..models.data.samples import Samples
from ..models.readouts import READOUTS, correct
from ..models.recipes import recipe_of
from ..models.training import evaluate, largest_weight, train
from ..toolchain.console import working
from ..toolchain.errors import UsageError
from ..toolchain.graph import Graph
from ..toolchain.loihi.places import read_places
from ..toolchain.loihi.quantise import quantise
from ..toolchain.loihi.report import QuantiseReport
from ..toolchain.simulate import simulate
from ..toolchain.tracing import trace

BITS = (8, 4)
CALIBRATED, TESTED, AT_A_TIME = 40, 4000, 250
"""Samples: with 4,000 of them, chance moves a difference of two accuracies by about 0.2 points."""
QUICK_CALIBRATED, QUICK_TESTED = 4, 40
SCALE, LARGEST = 64, 4.0
"""What published conversions multiply weights by, and what an 8-bit integer can then hold."""

Row = dict[str, Any]
Counts = tuple[int, int]
"""Samples to test on, and to calibrate with."""


@dataclass(frozen=True)
class Subject:
    """A trained network and the samples it is judged by.

    Args:
        name: its name in the zoo.
        module: the network.
        readout: how its answer is read.
        test: samples that it has never seen.
        calibration: samples that it was trained on.
        seconds: how long it was trained; None for a checkpoint.
    """

    name: str
    module: nn.Module
    readout: str
    test: Samples
    calibration: Samples
    seconds: float | None


def bench(*, quick: bool = False, checkpoints: Sequence[Path] = (), samples: int = TESTED) -> dict[str, Any]:
    """Judges every network.

    Args:
        quick: hardly trained, few samples: shows that everything runs, not how well.
        checkpoints: networks from `spikeport train`, in place of training those of the zoo that spike.
        samples: how many to judge each form by, unless quick.

    Returns:
        {"name", "rows", "notes"}; a row has network, computed_in, accuracy, points (against float), largest (|weight|),
        samples, seconds and, for integers, the report of the quantisation.
    """
    counts = (QUICK_TESTED, QUICK_CALIBRATED) if quick else (samples, CALIBRATED)
    subjects = [_loaded(path, counts) for path in checkpoints]
    subjects = subjects or [_trained(name, counts, quick) for name in zoo.SPIKING]
    rows, notes = [], []
    for subject in subjects:
        with working(f"{subject.name}: judging it"):
            found, reports = _rows(subject)
        rows += found
        notes.append(reports[0].text())
    notes.append(f"{BITS[0]} bits; the reports of all are in --json")
    return {"name": "accuracy", "rows": rows, "notes": notes}


def _trained(name: str, counts: Counts, quick: bool) -> Subject:
    recipe, readout = recipe_of(name), zoo.entry(name).readout
    if quick:
        recipe = replace(recipe, samples=240, validation=40, test=QUICK_TESTED, epochs=1)
    network = zoo.build(name)
    with working(f"training {name}") as tell:
        found = train(network, recipe, readout, told=lambda epoch: tell(f"epoch {epoch.number} of {recipe.epochs}"))
    return Subject(name, network, readout, *_samples(recipe.data, counts, 0), found.seconds)


def _loaded(path: Path, counts: Counts) -> Subject:
    network, about = load_checkpoint(path)
    data = about.training.get("data")
    if not isinstance(data, str):
        fix = f"train one: spikeport train {about.model} -o FILE"
        raise UsageError(str(path), "a network that was never trained", "a checkpoint of spikeport train", fix)
    readout = zoo.entry(about.model).readout
    return Subject(about.model, network, readout, *_samples(data, counts, about.seed), None)


def _samples(data: str, counts: Counts, seed: int) -> tuple[Samples, Samples]:
    """Samples to test on, and to calibrate with."""
    return make(data, "test", counts[0], seed), make(data, "train", counts[1], seed)


def _rows(subject: Subject) -> tuple[list[Row], list[QuantiseReport]]:
    """Every form of one network."""
    start = time.perf_counter()
    accuracy = evaluate(subject.module, subject.test, subject.readout)
    rows, reports = [_row(subject, "float", accuracy, accuracy, time.perf_counter() - start)], []
    graph = _graph(subject)
    for bits in BITS:
        start = time.perf_counter()
        found, report = in_integers(subject, graph, bits)
        reports.append(report)
        row = _row(subject, f"{bits} bits", found, accuracy, time.perf_counter() - start)
        rows.append({**row, "report": report.data()})
    start = time.perf_counter()
    with _clipped(subject.module):
        found = evaluate(subject.module, subject.test, subject.readout)
    rows.append(_row(subject, f"clipped at ±{LARGEST:g}", found, accuracy, time.perf_counter() - start))
    rows[0]["largest"], rows[0]["trained_s"] = largest_weight(subject.module), subject.seconds
    return rows, reports


def _row(subject: Subject, form: str, accuracy: float, before: float, seconds: float) -> Row:
    row: Row = {"network": subject.name, "computed_in": form, "accuracy": accuracy, "points": 100 * (accuracy - before)}
    return {**row, "samples": len(subject.test), "seconds": seconds}


def _graph(subject: Subject) -> Graph:
    example = torch.from_numpy(subject.calibration.inputs[:, :2]).float()
    return trace(subject.module, example, time_axis=0, carries="spikes", name=subject.name)


def in_integers(subject: Subject, graph: Graph, bits: int) -> tuple[float, QuantiseReport]:
    """The accuracy of the quantised network on the chip's arithmetic, and the account of its quantisation."""
    chip, report = quantise(graph, calibration=subject.calibration.inputs.astype(np.float32), bits=bits)
    late = read_places(chip)[graph.outputs[0]].latency
    right, count = 0, len(subject.test)
    for start in range(0, count, AT_A_TIME):
        part = subject.test.inputs[:, start : start + AT_A_TIME]
        rest = np.zeros((late, *part.shape[1:]), part.dtype)
        (steps,) = simulate(chip, np.concatenate([part, rest]), backend="fixed").outputs.values()
        scores = READOUTS[subject.readout](torch.tensor(steps[late:]))
        right += correct(scores, torch.from_numpy(subject.test.labels[start : start + AT_A_TIME]))
    return right / count, report


@contextmanager
def _clipped(network: nn.Module) -> Iterator[None]:
    """The network with its weights as a fixed scale and eight bits leave them, for a while."""
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.load_state_dict({name: clipped(value) for name, value in before.items()})
    try:
        yield
    finally:
        network.load_state_dict(before)


def clipped(weight: Tensor) -> Tensor:
    """round(64·w) / 64, clipped at ±4."""
    return (SCALE * weight).round().div(SCALE).clamp(-LARGEST, LARGEST)
