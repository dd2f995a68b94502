"""Runs Lava programs from outside: starts workers, watches over them, and brings home what they recorded.

Whatever happens (an error, a limit, Ctrl-C, a worker that is killed), no process and no file of a run stays behind.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import SimulationError
from ..guarded import folder_for, guarded, has_ended, last_lines
from .lava_program import Array, LavaProgram

WORKER = Path(__file__).parent / "lava_worker" / "__main__.py"
POLL_S = 0.02
STALL_S = 300.0
"""A worker that makes no step for so long counts as hanging."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Lava's processes are many, and each would start threads of its own that have nothing to do."""
Report = Callable[[int, int], None]


@dataclass(frozen=True)
class LavaSeconds:
    """Where the time of a run went.

    Args:
        started: until the worker had imported Lava, once for all its programs.
        built: until its processes stood ready.
        run: the steps alone.
    """

    started: float
    built: float
    run: float


@dataclass(frozen=True, eq=False)
class LavaRun:
    """What a program recorded.

    Args:
        values: [T, B, *shape] by NAME.MEMBER.
        seconds: where the time went; of the slowest part, if the samples were divided among workers.
    """

    values: Mapping[str, Array]
    seconds: LavaSeconds


@dataclass(frozen=True)
class Limits:
    """How long a run may take.

    Args:
        total: seconds for all of it; None for no limit.
        stall: seconds in which at least one step must be made.
    """

    total: float | None = None
    stall: float = STALL_S


@dataclass(frozen=True, eq=False)
class _Job:
    """A program in its folder."""

    program: LavaProgram
    folder: Path

    @property
    def steps(self) -> int:
        return self.program.steps * self.program.samples

    def done(self) -> int:
        """How many of its steps are done."""
        return int.from_bytes((self.folder / "progress").read_bytes(), "little")

    def status(self) -> dict[str, Any] | None:
        """How it went, once it is over."""
        with contextlib.suppress(FileNotFoundError):
            return dict(json.loads((self.folder / "status.json").read_text()))
        return None


def run_lava(
    program: LavaProgram,
    python: Path,
    *,
    workers: int = 1,
    limits: Limits | None = None,
    report: Report | None = None,
) -> LavaRun:
    """Runs one program; several workers divide its samples among them.

    Args:
        program: what to run.
        python: the Python of Lava's environment.
        workers: how many processes of Python import Lava, each beside those that Lava itself starts.
        limits: how long it may take.
        report: is told the steps done and the steps in all, whenever that has changed.

    Raises:
        SimulationError: when the program cannot run, or its worker ends, hangs or takes too long.
    """
    count = min(max(workers, 1), program.samples)
    cuts = [program.samples * index // count for index in range(count + 1)]
    parts = [program.part(first, end) for first, end in itertools.pairwise(cuts)]
    return _joined(run_all(parts, python, workers=count, limits=limits, report=report))


def run_all(
    programs: Sequence[LavaProgram],
    python: Path,
    *,
    workers: int = 1,
    limits: Limits | None = None,
    report: Report | None = None,
) -> list[LavaRun]:
    """Runs many programs, as `run_lava` runs one; a worker imports Lava once for all that it runs."""
    begun = time.monotonic()
    with folder_for("lava") as folder:
        jobs = [_Job(program, folder / str(index)) for index, program in enumerate(programs)]
        for job in jobs:
            job.folder.mkdir()
            job.program.write(job.folder)
        with contextlib.ExitStack() as stack:
            groups = [group for first in range(workers) if (group := jobs[first::workers])]
            crews = [_Crew(group, stack, python, folder / f"log{index}") for index, group in enumerate(groups)]
            _wait(crews, jobs, limits or Limits(), report or (lambda _done, _steps: None))
        return [_brought_home(job, begun) for job in jobs]


class _Crew:
    """A worker and its jobs."""

    def __init__(self, jobs: list[_Job], stack: contextlib.ExitStack, python: Path, log: Path) -> None:
        self.jobs = jobs
        self.log = log
        command: list[str | Path] = [python, "-I", WORKER, *(job.folder for job in jobs)]
        self.process = stack.enter_context(guarded(command, log, cwd=log.parent, environment=ONE_THREAD))

    def busy(self) -> bool:
        """Whether there is still something to wait for; raises when something went wrong."""
        ended = has_ended(self.process)
        while self.jobs and (status := self.jobs[0].status()):
            if status["state"] != "done":
                raise self._failed(self.jobs[0].program.name, status)
            self.jobs = self.jobs[1:]
        if ended and self.jobs:
            self.process.wait()
            raise self.gone(f"its worker ended by itself ({_ending(self.process.returncode)})")
        return bool(self.jobs)

    def gone(self, found: str, fix: str = "") -> SimulationError:
        """The error for a worker that will not finish, with the last it said."""
        job = self.jobs[0]
        said = last_lines(self.log)
        told = f"{found} after {job.done()} of {job.steps} steps" + (f"; the last it said: {said}" if said else "")
        return SimulationError(job.program.name, told, fix=fix)

    def _failed(self, name: str, status: dict[str, Any]) -> SimulationError:
        where = f"{name}, {status['where']}" if status["where"] else name
        error = SimulationError(where, status["found"])
        if status.get("trace"):
            error.add_note(f"in the worker:\n{status['trace']}")  # --debug shows it
        return error


def _wait(crews: Sequence[_Crew], jobs: Sequence[_Job], limits: Limits, report: Report) -> None:
    """Until every job is done; raises when one fails or a limit is reached."""
    begun = moved = time.monotonic()
    before, steps = 0, sum(job.steps for job in jobs)
    while busy := [crew for crew in crews if crew.busy()]:
        done, now = sum(job.done() for job in jobs), time.monotonic()
        if done != before:
            before, moved = done, now
            report(done, steps)
        if limits.total is not None and now - begun > limits.total:
            raise busy[0].gone(f"did not finish in {limits.total:g} s, stopped", "allow more time, or take fewer steps")
        if now - moved > limits.stall:
            raise busy[0].gone(f"made no step for {limits.stall:g} s, stopped")
        time.sleep(POLL_S)
    report(steps, steps)


def _ending(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


def _brought_home(job: _Job, begun: float) -> LavaRun:
    moments = (job.status() or {})["moments"]
    start, building = moments["imported"] - begun, moments["built"] - moments["begun"]
    seconds = LavaSeconds(start, building, moments["done"] - moments["built"])
    paths = {name: job.folder / f"{index}.npy" for index, name in enumerate(job.program.record)}
    return LavaRun({name: np.load(path, allow_pickle=False) for name, path in paths.items()}, seconds)


def _joined(runs: Sequence[LavaRun]) -> LavaRun:
    """The parts of one program's samples, put together."""
    if len(runs) == 1:
        return runs[0]
    values = {name: np.concatenate([run.values[name] for run in runs], axis=1) for name in runs[0].values}
    return replace(max(runs, key=lambda run: run.seconds.run), values=values)
