"""Commands of ours in processes of their own, side by side; when one fails, those that run still go on to their end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, TypeVar

from ...toolchain.errors import SpikeportError
from ...toolchain.kernels.threads import thread_count

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}


class Commands:
    """Runs commands in a folder, so that what they are told does not depend on where it lies.

    Args:
        folder: where.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def told(self, *arguments: str, alone: bool = False) -> dict[str, Any]:
        """What a command prints as JSON; `alone` lets it have all cores."""
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "spikeport", *arguments, "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env={**os.environ, **({} if alone else ONE_THREAD)},
            start_new_session=True,  # Ctrl-C reaches them by `stop` alone, and so once
        )
        self._running.add(process)
        if self._stopped:
            process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate()
        except BaseException:
            process.send_signal(signal.SIGINT)
            process.communicate()
            raise
        finally:
            self._running.discard(process)
        if process.returncode:
            last = (err.strip().splitlines() or ["nothing said"])[-1]
            raise SpikeportError(f"spikeport {' '.join(arguments)}", f"ended with {process.returncode}: {last}")
        found: dict[str, Any] = json.loads(out)
        return found

    def stop(self) -> None:
        """Stops what runs, as Ctrl-C does: each keeps what it has."""
        self._stopped = True
        for process in tuple(self._running):
            process.send_signal(signal.SIGINT)


def side_by_side(
    jobs: Mapping[Key, Callable[[], Found]], told: Callable[[int, Key, Found], None], stop: Callable[[], None]
) -> dict[Key, Found]:
    """What every job gives, in their order; as many at a time as there are cores.

    When one fails, no other begins, those that run go on to their end, and the failure is raised.

    Args:
        jobs: by name.
        told: called here when a job is done: how many are, its name, what it gave.
        stop: called when Ctrl-C is pressed, or this process is to end, to end those that run.
    """
    with ThreadPoolExecutor(thread_count()) as pool:
        waiting = {pool.submit(job): key for key, job in jobs.items()}
        try:
            for number, done in enumerate(as_completed(waiting), 1):
                told(number, waiting[done], done.result())
        except BaseException as error:
            pool.shutdown(wait=False, cancel_futures=True)
            if not isinstance(error, Exception):
                stop()
            raise
    return {key: done.result() for done, key in waiting.items()}
