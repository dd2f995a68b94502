"""What the trainings come to: one row for each variant, means over seeds.

accuracy    mean over seeds of the share of test clips that are right; spread: their standard deviation (n − 1)
points      100 times the mean difference from the whole system, seed by seed; its spread likewise
spikes      of a neuron in a step, on the test clips
energy      of a clip, in nJ, under the rules of `spikeport energy`, with the weights of the first seed
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from ...models.checkpoints import load_checkpoint
from ...toolchain.console import working
from .trainings import Run, by_variant, told
from .variants import ALONE, TWIN, VARIANTS, WHOLE

RULES = ("paper", "strict")
Row = dict[str, Any]


def rows_of(runs: Sequence[Run], data: Path, counted: int) -> list[Row]:
    """One row for each variant, in the order of the table."""
    found = dict(by_variant(runs))
    whole = {run.seed: _accuracy(run) for run in found.get(WHOLE, ())}
    return [_row(name, each, whole, data, counted) for name, each in found.items()]


def _row(name: str, runs: Sequence[Run], whole: Mapping[int, float], data: Path, counted: int) -> Row:
    accuracies = [_accuracy(run) for run in runs]
    points = [100 * (_accuracy(run) - whole[run.seed]) for run in runs if run.seed in whole]
    rates = [run.found["spike_rate"] for run in runs if run.found.get("spike_rate") is not None]
    with working(f"{name}: energy"):
        energy = _energy(runs[0], data, counted)
    return {
        "variant": name,
        "text": VARIANTS[name].text,
        "accuracy": mean(accuracies),
        "spread": _spread(accuracies),
        "points": mean(points) if points and name != WHOLE else None,
        "points_spread": _spread(points) if points and name != WHOLE else None,
        "spikes": mean(rates) if rates else None,
        "weights": _weights(runs[0].checkpoint),
        **{f"{rule}_nj": energy.get(rule) for rule in RULES},
        "seconds": sum(run.found["seconds"] for run in runs),
        "seeds": [run.seed for run in runs],
        "accuracies": accuracies,
        "checkpoint": str(runs[0].checkpoint),
    }


def _weights(checkpoint: Path) -> int:
    """How many numbers are learned."""
    return sum(weight.numel() for weight in load_checkpoint(checkpoint)[0].parameters())


def _accuracy(run: Run) -> float:
    return float(run.found["test_accuracy"])


def _spread(values: Sequence[float]) -> float | None:
    return stdev(values) if len(values) > 1 else None


def _energy(run: Run, data: Path, counted: int) -> dict[str, float]:
    """Energy of a clip under each rule."""
    clips = ("--data", str(data / "test.npz"), "--samples", str(counted))
    report = json.loads(told("energy", str(run.checkpoint), *clips, "--rule", ",".join(RULES)))
    (network,) = report["networks"]
    return {each["rule"]: each["pj"] / 1000 for each in network["energies"]}


def verdicts(rows: Sequence[Row]) -> list[str]:
    """What the table says, in sentences; nothing where it has not all of the rows."""
    by_name = {row["variant"]: row for row in rows}
    if not {WHOLE, TWIN, *ALONE} <= set(by_name):
        return []
    whole, better = by_name[WHOLE], max((by_name[name] for name in ALONE), key=lambda row: float(row["accuracy"]))
    twin = by_name[TWIN]
    said = [
        f"fusion {whole['accuracy']:.1%}, {-better['points']:.1f} points above {better['variant']}",
        f"its twin with rectifiers: {twin['accuracy']:.1%}; energy of the twin over the fusion's: "
        + ", ".join(f"{twin[f'{rule}_nj'] / whole[f'{rule}_nj']:.2f}× ({rule})" for rule in RULES),
    ]
    if "without DIB" in by_name and whole["spikes"]:
        plain = by_name["without DIB"]["spikes"]
        said.append(f"spikes of a neuron in a step: {whole['spikes']:.4f} with the bottleneck, {plain:.4f} without")
    return said
