"""What the trainings come to: one row for each variant.

accuracy    the share of test clips that are right, mean over seeds ± their standard deviation (n − 1)
points      100 times the mean difference from the whole system, over the same seeds and the same clips, ± its standard
            error (`paired.py`)
spikes      of a neuron in a step, on the test clips, mean over seeds
energy      of a clip, in nJ, under the rules of `spikeport energy`, with the weights of the first seed
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from statistics import mean, stdev
from typing import Any

import numpy as np

from ...models.checkpoints import load_checkpoint
from ...toolchain.tables import counted
from .paired import difference
from .processes import Commands, side_by_side
from .trainings import DATA, Run, by_variant
from .variants import ALONE, TWIN, VARIANTS, WHOLE

RULES = ("paper", "strict")
SURE = 2.0
"""A difference of so many standard errors is told from none."""
Row = dict[str, Any]
Energies = Mapping[str, Mapping[str, float]]


def energies_of(commands: Commands, runs: Sequence[Run], count: int) -> Energies:
    """nJ of a clip by variant and rule, over the first `count` test clips."""
    first = {name: each[0].checkpoint for name, each in by_variant(runs).items()}
    jobs = {name: partial(_energy, commands, checkpoint, count) for name, checkpoint in first.items()}
    return side_by_side(jobs, lambda *_: None, commands.stop)


def _energy(commands: Commands, checkpoint: str, count: int) -> dict[str, float]:
    clips = ("--data", f"{DATA}/test.npz", "--samples", str(count))
    (network,) = commands.told("energy", checkpoint, *clips, "--rule", ",".join(RULES))["networks"]
    return {each["rule"]: each["pj"] / 1000 for each in network["energies"]}


def weights_of(commands: Commands, runs: Sequence[Run]) -> dict[str, int]:
    """How many numbers each variant learns."""
    files = {name: commands.folder / each[0].checkpoint for name, each in by_variant(runs).items()}
    return {name: sum(each.numel() for each in load_checkpoint(file)[0].parameters()) for name, file in files.items()}


def rows_of(runs: Sequence[Run], energies: Energies, weights: Mapping[str, int]) -> list[Row]:
    """One row for each variant, in the order of the table."""
    found = by_variant(runs)
    whole = found.get(WHOLE, [])
    return [
        {
            "variant": name,
            "text": VARIANTS[name].text,
            **_accuracy(each),
            **(_points(each, whole) if name != WHOLE and whole else {}),
            "spikes": _spikes(each),
            "weights": weights[name],
            **{f"{rule}_nj": energies[name][rule] for rule in RULES},
            "seconds": sum(run.found["seconds"] for run in each),
            "checkpoint": each[0].checkpoint,
        }
        for name, each in found.items()
    ]


def _accuracy(runs: Sequence[Run]) -> Row:
    values = [float(run.found["test_accuracy"]) for run in runs]
    spread = stdev(values) if len(values) > 1 else None
    return {
        "seeds": [run.seed for run in runs],
        "accuracies": values,
        "mean_accuracy": mean(values),
        "accuracy_spread": spread,
    }


def _points(runs: Sequence[Run], whole: Sequence[Run]) -> Row:
    """Against the whole system, seed by seed and clip by clip."""
    right = {run.seed: run.found["right"] for run in whole}
    found = difference(np.array([run.found["right"] for run in runs]), np.array([right[run.seed] for run in runs]))
    return {"mean_points": 100 * found.mean, "points_error": None if found.error is None else 100 * found.error}


def _spikes(runs: Sequence[Run]) -> float | None:
    rates = [run.found["spike_rate"] for run in runs if run.found.get("spike_rate") is not None]
    return mean(rates) if rates else None


def verdicts(rows: Sequence[Row]) -> list[str]:
    """What the table says, in sentences; nothing where it has not all of the rows."""
    by_name = {row["variant"]: row for row in rows}
    if not {WHOLE, TWIN, *ALONE} <= set(by_name):
        return []
    whole, twin = by_name[WHOLE], by_name[TWIN]
    better = max((by_name[name] for name in ALONE), key=lambda row: float(row["mean_accuracy"]))
    ratios = ", ".join(f"{twin[f'{rule}_nj'] / whole[f'{rule}_nj']:.2f}× ({rule})" for rule in RULES)
    said = [
        f"fusion {whole['mean_accuracy']:.1%}, {_difference(better, -1)} points above {better['variant']}",
        f"its twin with rectifiers: {twin['mean_accuracy']:.1%}; energy of the twin over the fusion's: {ratios}",
    ]
    plain = by_name.get("without DIB", {}).get("spikes")
    if plain is not None and whole["spikes"] is not None:
        said.append(f"spikes of a neuron in a step: {whole['spikes']:.4f} with the bottleneck, {plain:.4f} without")
    return [*said, *_worth(rows)]


def _difference(row: Row, sign: int = 1) -> str:
    error = row["points_error"]
    return f"{sign * row['mean_points']:.1f}" + ("" if error is None else f" ± {error:.1f}")


def _worth(rows: Sequence[Row]) -> list[str]:
    """Which parts are missed when they are left out, and which are not."""
    parts = {row["variant"]: row for row in rows if row["variant"] not in (WHOLE, TWIN, *ALONE)}
    errors = {name: row["points_error"] for name, row in parts.items() if row["points_error"] is not None}
    missed = [name for name, error in errors.items() if parts[name]["mean_points"] < -SURE * error]
    better = [name for name, error in errors.items() if parts[name]["mean_points"] > SURE * error]
    groups = {
        "worse": missed,
        "better": better,
        "not told apart": [name for name in errors if name not in (*missed, *better)],
    }
    said = "; ".join(f"{what}: {', '.join(names)}" for what, names in groups.items() if names)
    return [f"beside fusion, by more than {SURE:g} standard errors: {said}"] if said else []


def meanings(count: int) -> list[str]:
    """What the numbers are, in the words of the table."""
    return [
        "accuracy: mean over seeds ± their standard deviation (n − 1)",
        "points: from fusion on the same seeds and clips ± the standard error, were seeds and clips drawn anew",
        f"µJ: of a clip, the mean of {counted(count, 'clip')}, with the weights of the first seed",
    ]
