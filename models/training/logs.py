"""The log of a training for TensorBoard, where that is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from ...toolchain.errors import UsageError
from .results import Epoch

LOG = "tensorboard"


def check_tensorboard() -> None:
    """Refuses to log for what is not there."""
    if find_spec("tensorboard") is None:
        fix = "install it: pip install 'spikeport[tensorboard]'"
        raise UsageError("--tensorboard", "no package tensorboard", "it installed", fix)


@contextmanager
def tensorboard(folder: Path | None) -> Iterator[Callable[[Epoch], None]]:
    """Gives what logs an epoch; of epochs that are logged again, the last ones count."""
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str((folder or Path()) / LOG))

    def log(epoch: Epoch) -> None:
        for name, value in numbers(epoch).items():
            writer.add_scalar(name, value, epoch.number)
        writer.flush()

    try:
        yield log
    finally:
        writer.close()


def numbers(epoch: Epoch) -> dict[str, float]:
    """What is logged of an epoch."""
    spikes = {} if epoch.spikes is None else {"spike rate": epoch.spikes}
    parts = {f"loss/{name}": value for name, value in epoch.parts.items()}
    accuracies = {"accuracy/train": epoch.learned, "accuracy/validation": epoch.accuracy}
    losses = {"loss/all": epoch.loss, **parts, "loss/validation": epoch.validation_loss}
    return {**losses, **accuracies, "rate": epoch.rate, "seconds": epoch.seconds, **spikes}
