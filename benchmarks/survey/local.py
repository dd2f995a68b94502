"""A cluster on this machine: a scheduler in this process, and workers beside it that never outlive it.

All of them listen on the loop-back device alone, on ports that the system chooses, and none has a dashboard.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from ...toolchain.guarded import folder_for, guarded

LOCAL = "127.0.0.1"
CLOSE_S = 5.0
"""So long a scheduler may take to end."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
"""Workers share the cores: libraries that would each take all of them are told so."""
START = "from spikeport.benchmarks.survey.worker import main; main()"


@contextlib.contextmanager
def on_this_machine(workers: int) -> Iterator[str]:
    """Gives the address of a scheduler with so many workers; when the block ends, however it ends, all are gone."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(folder_for("cluster"))
        address = stack.enter_context(_scheduler(folder))
        # A terminal sends Ctrl-C to all processes of its group: workers have a session of their own and do not hear it.
        for number in range(workers):
            command: list[str | Path] = [sys.executable, "-P", "-c", START, address, folder]
            paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
            environment = {**ONE_THREAD, "PYTHONPATH": paths}
            stack.enter_context(guarded(command, folder / f"{number}.log", environment=environment))
        yield address


@contextlib.contextmanager
def _scheduler(folder: Path) -> Iterator[str]:
    import dask
    from distributed import LocalCluster

    with dask.config.set({"temporary-directory": str(folder)}):
        cluster = LocalCluster(
            n_workers=0, host=LOCAL, scheduler_port=0, dashboard_address=f"{LOCAL}:0", silence_logs=logging.CRITICAL + 1
        )
    try:
        yield str(cluster.scheduler_address)
    finally:
        with held_back(), contextlib.suppress(TimeoutError):
            cluster.close(timeout=CLOSE_S)


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Holds Ctrl-C back until the block has ended; with threads too, where the system may tell it to any of them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append((number, frame))

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came and callable(before):
            before(*came[0])
