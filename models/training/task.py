"""What is to be trained, from what was asked for; and what of it can be refused before any work is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ...toolchain.errors import UsageError
from ...toolchain.writing import check_place
from .. import zoo
from ..checkpoints import load_checkpoint
from ..data.clips import Clips
from ..data.made import NAMES, class_names_of, shapes_of
from ..recipes import RECIPES, Recipe, recipe_of
from .folder import STATE
from .logs import check_tensorboard
from .options import Chosen
from .surrogates import surrogate_of

FILE = ".safetensors"
WEIGHTS = (".pt", ".pth")


@dataclass(frozen=True)
class Task:
    """What is to be trained.

    Args:
        name: of the network in the zoo.
        config: of the network.
        recipe: how.
        chosen: what was asked for.
    """

    name: str
    config: zoo.Config
    recipe: Recipe
    chosen: Chosen

    @property
    def folder(self) -> Path | None:
        """Where all of it is kept."""
        return None if self.file is not None else self.chosen.output

    @property
    def file(self) -> Path | None:
        """Where the checkpoint alone goes."""
        output = self.chosen.output
        return output if output is not None and output.suffix == FILE else None


def task_of(chosen: Chosen) -> Task:
    """The recipe and the config of a network, or those of a checkpoint, with what is given in place of some of it."""
    fields = zoo.fields_of(chosen.config)
    if chosen.source.endswith(FILE):
        about = load_checkpoint(chosen.source)[1]
        name, config = about.model, zoo.config_of(about.model, {**asdict(about.config), **fields})
    elif Path(chosen.source).suffix in WEIGHTS:
        fix = f"make one of weights alone: spikeport models NAME --weights {chosen.source} -o FILE{FILE}"
        raise UsageError(chosen.source, "weights of no network", f"a {FILE} checkpoint", fix)
    else:
        name, config = chosen.source, zoo.config_of(chosen.source, fields)
    changes: dict[str, Any] = {key: value for key, value in chosen.changes.items() if value is not None}
    if name not in RECIPES and "data" not in changes:
        raise UsageError("training", f"{name} has no recipe, and so no data", fix="say what it learns from: add --data")
    base = recipe_of(name) if name in RECIPES else Recipe(changes["data"])
    return Task(name, config, replace(base, **changes), chosen)


def check_task(task: Task) -> None:
    """Refuses what cannot be, before there are data or a network."""
    chosen, recipe = task.chosen, task.recipe
    if recipe.surrogate:
        surrogate_of(recipe.surrogate)
    if recipe.data in NAMES:
        _check_shapes(task, shapes_of(recipe.data))
        _check_classes(task, len(class_names_of(recipe.data)))
    for option, given in (("--resume", chosen.resume), ("--tensorboard", chosen.tensorboard)):
        if given and task.folder is None:
            raise UsageError(option, "no folder", "a folder to keep it in", "add -o DIR")
    if chosen.tensorboard:
        check_tensorboard()
    if task.file is not None:
        check_place(task.file)
    if task.folder is not None:
        _check_folder(task.folder)


def _check_folder(folder: Path) -> None:
    if folder.is_dir():
        check_place(folder / STATE)
        return
    if folder.suffix or folder.exists():
        raise UsageError("--output", f"'{folder}'", f"a name that ends in {FILE}, or a folder")
    check_place(folder)


def check_fit(task: Task, clips: Clips) -> None:
    """Refuses clips whose streams or classes are not what the network takes."""
    _check_shapes(task, {name: each.shape[2:] for name, each in clips.streams.items()})
    _check_classes(task, len(clips.class_names))


def _check_shapes(task: Task, found: Mapping[str, tuple[int, ...]]) -> None:
    wanted = {name: kind.shape for name, kind in task.config.takes.items()}
    if len(wanted) == len(found) == 1:
        found = dict(zip(wanted, found.values(), strict=True))
    for name, shape in wanted.items():
        if name not in found:
            streams, expected = ", ".join(found), f"{', '.join(wanted)}, what {task.name} takes"
            fix = "join both: spikeport data skeletons … --events DIR" if len(wanted) > 1 else ""
            raise UsageError("--data", f"{task.recipe.data} has {streams}", expected, fix)
        if found[name] != shape:
            samples = f"samples of shape {list(found[name])}" + (f" in {name}" if len(wanted) > 1 else "")
            expected = f"{list(shape)}, the input of {task.name}"
            raise UsageError("--data", f"{task.recipe.data} has {samples}", expected)


def _check_classes(task: Task, classes: int) -> None:
    answers = asdict(task.config).get("classes", classes)
    if answers < classes:
        found = f"{task.recipe.data} has {classes} classes"
        raise UsageError("--data", found, f"{answers}, what {task.name} answers", f"add --config classes={classes}")
