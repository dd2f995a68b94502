"""The trainings of all variants: one command each, side by side, kept in a folder so that nothing is done twice.

    FOLDER/settings.json        what the folder is of
    FOLDER/data                 the clips
    FOLDER/VARIANT-SEED         a training's folder, as `spikeport train -o` leaves it
    FOLDER/VARIANT-SEED.json    what it came to; there when it is done

The folder belongs to one set of settings: another one, or another version of the code, is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ...toolchain.errors import FileError, SpikeportError
from ...toolchain.writing import write_whole
from .processes import Commands, side_by_side
from .variants import NETWORK, VARIANTS

SETTINGS, DATA, BEST = "settings.json", "data", "best.safetensors"
PARTS = ("train", "validation", "test")
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

    train: int = 400
    validation: int = 400
    test: int = 1200
    epochs: int = 8
    seeds: tuple[int, ...] = (0, 1, 2)


QUICK = Plan(train=48, validation=16, test=16, epochs=1, seeds=(0,))


@dataclass(frozen=True)
class Run:
    """One training.

    Args:
        variant: a name of the table.
        seed: its seed.
        found: what `spikeport train --json` said.
        checkpoint: its best weights, in the folder.
    """

    variant: str
    seed: int
    found: Mapping[str, Any]
    checkpoint: str


def settings_of(plan: Plan) -> str:
    """What tells the trainings of a folder from any other."""
    configs = {name: variant.config for name, variant in VARIANTS.items()}
    return json.dumps({"code": _code(), "plan": asdict(plan), "variants": configs}, sort_keys=True)


def _code() -> str:
    found, root = hashlib.sha256(), Path(__file__).parents[2]
    for file in sorted(file for folder in CODE for file in (root / folder).rglob("*.py")):
        content = file.read_bytes()
        found.update(f"{file.relative_to(root)} {len(content)}\n".encode() + content)
    return found.hexdigest()


def prepare(commands: Commands, plan: Plan) -> None:
    """Makes the clips of a folder where they are not there yet; a folder of anything else is a FileError."""
    folder, settings = commands.folder, settings_of(plan)
    held = folder / SETTINGS
    folder.mkdir(parents=True, exist_ok=True)
    if held.exists() and held.read_bytes() != settings.encode():
        fix = "take another folder, or remove it"
        raise FileError(str(folder), "trainings of other settings or of other code", fix=fix)
    if not held.exists() and any(folder.iterdir()):
        raise FileError(str(folder), f"other files and no {SETTINGS}", "an empty folder, or one of these trainings")
    write_whole(held, settings)
    if not all((folder / DATA / f"{part}.npz").exists() for part in PARTS):
        counts = [f"--{part}={getattr(plan, part)}" for part in PARTS]
        commands.told("data", "synth", "-o", DATA, *counts, alone=True)


def trainings(commands: Commands, plan: Plan, names: Sequence[str], tell: Callable[[str], None]) -> list[Run]:
    """Every variant with every seed, in the order of the names."""
    wanted = [(name, seed) for name in names for seed in plan.seeds]

    def told(number: int, key: tuple[str, int], run: Run) -> None:
        accuracy = run.found["test_accuracy"]
        tell(f"{number} of {len(wanted)}, {key[0]} with seed {key[1]}: {accuracy:.1%}")

    jobs = {each: partial(_trained, commands, plan, *each) for each in wanted}
    return list(side_by_side(jobs, told, commands.stop).values())


def _trained(commands: Commands, plan: Plan, name: str, seed: int) -> Run:
    """One training, or what an earlier one has left."""
    place = f"{name.replace(' ', '-')}-{seed}"
    held = commands.folder / f"{place}.json"
    if not held.exists():
        try:
            found = commands.told(*_command(commands.folder, plan, name, seed, place))
        except SpikeportError as error:
            raise error.inside(f"{name} with seed {seed}") from None
        write_whole(held, json.dumps(found))
    return Run(name, seed, _held(held, plan), f"{place}/{BEST}")


def _command(folder: Path, plan: Plan, name: str, seed: int, place: str) -> Iterator[str]:
    yield from ("train", NETWORK, "--data", DATA, "--seed", str(seed), "--threads", "1", "-o", place)
    for field in VARIANTS[name].config:
        yield from ("--config", field)
    if plan.epochs:
        yield from ("--epochs", str(plan.epochs))
    if (folder / place / "last.safetensors").exists():
        yield "--resume"


def _held(path: Path, plan: Plan) -> Mapping[str, Any]:
    """What a training came to; a file that says something else is refused, never trained over."""
    try:
        found = json.loads(path.read_bytes())
        if len(found["right"]) == plan.test and float(found["test_accuracy"]) + float(found["seconds"]) >= 0:
            return dict(found)
    except (ValueError, TypeError, KeyError):
        pass
    raise FileError(str(path), "not what a training came to", fix="remove it: the training is done again")


def by_variant(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """The runs of each variant, in the order of the table."""
    found = {name: [run for run in runs if run.variant == name] for name in VARIANTS}
    return {name: each for name, each in found.items() if each}
