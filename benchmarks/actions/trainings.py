"""The trainings of all variants: one command each, side by side, kept in a folder so that nothing is done twice.

    FOLDER/data                 the clips
    FOLDER/VARIANT-SEED         a training's folder, as `spikeport train -o` leaves it
    FOLDER/VARIANT-SEED.json    what it came to; there when it is done

The folder belongs to one set of settings: another one, or another version of the code, is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...toolchain.errors import FileError, SpikeportError, UsageError
from ...toolchain.writing import write_whole
from .variants import NETWORK, VARIANTS

SETTINGS, BEST = "settings.json", "best.safetensors"
CODE = ("models", "toolchain/kernels")
"""What trained weights depend on, beside the settings."""


@dataclass(frozen=True)
class Plan:
    """How much is made and trained.

    Args:
        train: clips to learn from.
        validation: clips to choose by.
        test: clips to report on.
        epochs: how often each is seen; 0 as the recipe says.
        seeds: of the trainings; the clips are the same.
    """

    train: int = 1200
    validation: int = 200
    test: int = 400
    epochs: int = 0
    seeds: tuple[int, ...] = (0, 1, 2)


QUICK = Plan(train=48, validation=16, test=16, epochs=1, seeds=(0,))


@dataclass(frozen=True)
class Run:
    """One training.

    Args:
        variant: a name of the table.
        seed: its seed.
        found: what `spikeport train --json` said.
        checkpoint: its best weights.
    """

    variant: str
    seed: int
    found: Mapping[str, Any]
    checkpoint: Path


def prepared(folder: Path, plan: Plan) -> Path:
    """The clips of a folder, made where they are not there yet; a folder of other settings is a FileError."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = json.dumps({"plan": asdict(plan), "code": _code()}, sort_keys=True)
    held = folder / SETTINGS
    if held.exists() and held.read_text() != settings:
        raise FileError(
            str(folder), "trainings of other settings or of other code", fix="take another folder, or remove it"
        )
    data = folder / "data"
    if not held.exists():
        told("data", "synth", "-o", str(data), *_counts(plan))
        write_whole(held, settings.encode())
    return data


def _counts(plan: Plan) -> list[str]:
    return [f"--{part}={getattr(plan, part)}" for part in ("train", "validation", "test")]


def _code() -> str:
    """What tells the code of the networks from any other."""
    found, root = hashlib.sha256(), Path(__file__).parents[2]
    for file in sorted(file for folder in CODE for file in (root / folder).rglob("*.py")):
        found.update(file.read_bytes())
    return found.hexdigest()


def trainings(folder: Path, data: Path, plan: Plan, names: Sequence[str], tell: Callable[[str], None]) -> list[Run]:
    """Every variant with every seed, in the order of the names; as many at a time as there are cores."""
    wanted = [(name, seed) for name in names for seed in plan.seeds]
    unknown = [name for name in names if name not in VARIANTS]
    if unknown:
        raise UsageError("bench actions", f"'{unknown[0]}'", f"one of {', '.join(VARIANTS)}")
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        waiting = {pool.submit(_trained, folder, data, plan, *each): each for each in wanted}
        try:
            for number, done in enumerate(as_completed(waiting), 1):
                name, seed = waiting[done]
                accuracy = done.result().found["test_accuracy"]
                tell(f"{number} of {len(wanted)} trainings, {name} with seed {seed}: {accuracy:.1%}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [done.result() for done in waiting]


def _trained(folder: Path, data: Path, plan: Plan, name: str, seed: int) -> Run:
    """One training, or what an earlier one has left."""
    place = folder / f"{name.replace(' ', '-')}-{seed}"
    held = place.with_suffix(".json")
    if not held.exists():
        arguments = ["train", NETWORK, "--data", str(data), "--seed", str(seed), "--threads", "1", "-o", str(place)]
        arguments += [part for field in VARIANTS[name].config for part in ("--config", field)]
        arguments += ["--epochs", str(plan.epochs)] if plan.epochs else []
        arguments += ["--resume"] if (place / "last.safetensors").exists() else []
        write_whole(held, told(*arguments).encode())
    return Run(name, seed, json.loads(held.read_text()), place / BEST)


def told(*arguments: str) -> str:
    """What a command of ours prints as JSON, run in a process of its own with one thread."""
    quiet = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"} if arguments[0] == "train" else {}
    command = [sys.executable, "-m", "spikeport", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **quiet})
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise SpikeportError(f"spikeport {' '.join(arguments)}", f"ended with {done.returncode}: {last}")
    return done.stdout


def by_variant(runs: Sequence[Run]) -> Iterator[tuple[str, list[Run]]]:
    """The runs of each variant, in the order of the table."""
    for name in VARIANTS:
        found = [run for run in runs if run.variant == name]
        if found:
            yield name, found
