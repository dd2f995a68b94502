"""A real Dask cluster on this machine: a scheduler and workers, each a process of its own, started as a user would."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from spikeport.toolchain.guarded import guarded

from .processes import wait_for

STARTED = {"scheduler": "distributed.cli.dask_scheduler", "worker": "distributed.cli.dask_worker"}


@dataclass
class Cluster:
    """What runs, and where it listens."""

    folder: Path
    stack: contextlib.ExitStack
    workers: list[subprocess.Popen] = field(default_factory=list)

    def start(self, what: str, *options: str, path: Path | None = None) -> subprocess.Popen:
        number = len(self.workers)
        shared = ["--scheduler-file", str(self.folder / "scheduler.json"), "--no-dashboard", "--host", "127.0.0.1"]
        command = [sys.executable, "-m", STARTED[what], *shared, *options]
        environment = {} if path is None else {"PYTHONPATH": str(path)}
        log = self.folder / f"{what}{number}.log"
        return self.stack.enter_context(guarded(command, log, cwd=self.folder, environment=environment))

    def work(self, path: Path | None = None) -> subprocess.Popen:
        """One more worker."""
        folder = self.folder / f"files{len(self.workers)}"
        options = ("--nthreads", "1", "--no-nanny", "--local-directory", str(folder), "--memory-limit", "0")
        self.workers.append(self.start("worker", *options, path=path))
        return self.workers[-1]

    @property
    def address(self) -> str:
        return json.loads((self.folder / "scheduler.json").read_text())["address"]


@contextlib.contextmanager
def dask_cluster(folder: Path, workers: int) -> Iterator[Cluster]:
    with contextlib.ExitStack() as stack:
        cluster = Cluster(folder, stack)
        cluster.start("scheduler", "--port", "0")
        for _ in range(workers):
            cluster.work()
        wait_for(lambda: (folder / "scheduler.json").exists())
        yield cluster


def kill(process: subprocess.Popen) -> None:
    os.kill(process.pid, signal.SIGKILL)
