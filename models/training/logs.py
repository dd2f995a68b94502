"""The log of a training for TensorBoard, where that is installed."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from ...toolchain.errors import FileError, UsageError
from .results import Epoch

LOG = "tensorboard"


def check_tensorboard() -> None:
    """Refuses to log for what is not there."""
    if find_spec("tensorboard") is None:
        fix = "install it: pip install 'spikeport[tensorboard]'"
        raise UsageError("--tensorboard", "no package tensorboard", "it installed", fix)


def tensorboard(folder: Path) -> Callable[[Epoch], None]:
    """Gives what logs an epoch to a new file; TensorBoard forgets what others hold of its first epoch and later ones.

    Written by this thread: torch's writer has one of its own, and waits for it for ever when the disk is full.
    """
    from tensorboard.compat.proto.event_pb2 import Event, SessionLog
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    started = time.time_ns()
    path = folder / LOG / f"events.out.tfevents.{started // 10**9:010d}.{started % 10**9:09d}"

    def write(**what: object) -> None:
        try:
            path.parent.mkdir(exist_ok=True)
            with path.open("ab") as file:
                RecordWriter(file).write(Event(wall_time=time.time(), **what).SerializeToString())
        except OSError as error:
            raise FileError(str(path), f"cannot be written: {error.strerror or error}") from error

    def log(epoch: Epoch) -> None:
        if not begun:
            begun.append(epoch.number)
            write(step=epoch.number, session_log=SessionLog(status=SessionLog.START))
        values = [Summary.Value(tag=name, simple_value=value) for name, value in numbers(epoch).items()]
        write(step=epoch.number, summary=Summary(value=values))

    begun: list[int] = []
    write(file_version="brain.Event:2")
    return log


def numbers(epoch: Epoch) -> dict[str, float]:
    """What is logged of an epoch."""
    spikes = {} if epoch.spikes is None else {"spike rate": epoch.spikes}
    parts = {f"loss/{name}": value for name, value in epoch.parts.items()}
    accuracies = {"accuracy/train": epoch.learned, "accuracy/validation": epoch.accuracy}
    losses = {"loss/all": epoch.loss, **parts, "loss/validation": epoch.validation_loss}
    return {**losses, **accuracies, "rate": epoch.rate, "seconds": epoch.seconds, **spikes}
