"""Programs of others, run in a session of their own that never outlives the block they were started in."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

PATIENCE_S = 5.0
"""How long killed processes may take to disappear."""


@contextlib.contextmanager
def guarded(
    command: Sequence[str | Path], log: Path, *, cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Starts a program and gives it; when the block ends, however it ends, the program and all its children are gone.

    Its standard input is a pipe that closes with this process, so that it can notice even that we were killed. What it
    prints goes to the file `log`.

    Args:
        command: the program and its arguments.
        log: the file for its standard output and its errors.
        cwd: the folder to start it in.
        environment: variables to set beside our own.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with undisturbed():
            _end(process)


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether the program has ended. It is left unburied, so that its number still stands for its own session."""
    if process.returncode is not None:
        return True
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kills the whole session, and waits until nothing of it is left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    process.wait()
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and session(process.pid):
        time.sleep(0.01)


def session(leader: int) -> list[int]:
    """The living processes of a session, by the number of its first; empty where the system does not tell."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # pid (name, which may hold anything) state parent group session …
            state, _, _, owner = entry.read_text(errors="replace").rpartition(")")[2].split()[:4]
            if int(owner) == leader and state not in "ZX":
                found.append(int(entry.parent.name))
    return found


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Holds Ctrl-C and a polite kill back until the block has ended."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def folder_for(what: str) -> Iterator[Path]:
    """A folder that is gone when the block ends, even if Ctrl-C is pressed again while it is taken away."""
    folder = Path(tempfile.mkdtemp(prefix=f"spikeport-{what}-"))
    try:
        yield folder
    finally:
        with undisturbed():
            shutil.rmtree(folder, ignore_errors=True)


def last_lines(log: Path, count: int = 6) -> str:
    """The last lines that are not empty, on one line."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return " / ".join(lines[-count:])
