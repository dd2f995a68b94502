"""What `train` does: one training of a network of the zoo, its folder, and its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from torch import Tensor, nn

from ...toolchain.console import Result
from ...toolchain.writing import sweep
from .. import zoo
from ..checkpoints import load_weights, save_values
from .augmenting import check_changes
from .facts import about_now, about_of
from .folder import BEST, METRICS, STATE, Folder
from .logs import tensorboard
from .options import Chosen
from .pictures import PICTURES, draw
from .processes import launched
from .progress import progress
from .results import Epoch, Trained
from .splits import Splits, fewer, splits_of
from .task import FILE, Task, check_fit, check_task, task_of
from .training import train
from .views import result


def trained(chosen: Chosen) -> Result:
    """Trains a network by its recipe, with what is given in place of some of it."""
    task = task_of(chosen)
    check_task(task)
    network, splits = _network(task), _splits(task)
    check_fit(task, splits.train)
    check_changes(task.recipe.augment, list(splits.train.streams))
    train_count, validation, test = (len(each) for each in (splits.train, splits.validation, splits.test))
    # data from files are as many as they are
    task = replace(task, recipe=replace(task.recipe, samples=train_count, validation=validation, test=test))
    found = _learned(task, network, splits)
    about, first = about_of(task, found), launched().rank == 0
    if first and chosen.output is not None:
        save_values(task.file or chosen.output / BEST, network.state_dict(), about)
    if first and task.folder is not None:
        draw(task.folder, found, splits.test.class_names)
    return result(about, task, found, splits.test.class_names, told=first)


def _network(task: Task) -> nn.Module:
    """The network with the weights that it starts with."""
    network = zoo.build(task.name, task.config, task.chosen.seed)
    if task.chosen.source.endswith(FILE):
        load_weights(network, task.chosen.source)
    return network


def _splits(task: Task) -> Splits:
    found, samples = splits_of(task.recipe, task.chosen.seed), task.chosen.changes.get("samples")
    return fewer(found, samples, task.chosen.seed) if isinstance(samples, int) else found


def _learned(task: Task, network: nn.Module, splits: Splits) -> Trained:
    folder, readout = _folder(task), zoo.entry(task.name).readout
    logging = task.chosen.tensorboard and launched().rank == 0
    log = tensorboard(task.folder) if task.folder is not None and logging else None
    with progress(task.name, task.recipe) as shown:

        def told(epoch: Epoch) -> None:
            shown.told(epoch)
            if log is not None:
                log(epoch)

        seed = task.chosen.seed
        return train(
            network, task.recipe, readout, seed, splits=splits, told=told, stepped=shown.stepped, folder=folder
        )


def _folder(task: Task) -> Folder | None:
    if task.folder is None:
        return None
    task.folder.mkdir(exist_ok=True)
    if task.chosen.resume and launched().rank == 0:
        for name in (STATE, METRICS, BEST, *PICTURES):
            sweep(task.folder / name)
    about = {"model": task.name, "config": asdict(task.config), "start": task.chosen.source}
    save = partial(_save_best, task, task.folder / BEST)
    return Folder(task.folder, task.chosen.resume, task.chosen.every, about, save)


def _save_best(task: Task, path: Path, best: Mapping[str, Tensor], history: Sequence[Epoch], data: str) -> None:
    save_values(path, best, about_now(task, history, data))
