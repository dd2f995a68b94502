"""What networks are counted with: processes, a journal for each, and who is told how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .survey.job import Job
from .survey.run import Survey, survey


@dataclass(frozen=True)
class Means:
    """What networks are counted with.

    Args:
        workers: processes on this machine.
        scheduler: of a Dask cluster.
        journals: a folder for what was counted, a file for each network; none: nothing is kept.
        restart: forget what an earlier run has counted.
        tell: is told how far it is.
    """

    workers: int = 0
    scheduler: str | None = None
    journals: Path | None = None
    restart: bool = False
    tell: Callable[[str], None] | None = None

    def count(self, job: Job, name: str = "") -> Survey:
        """The counts of every sample; the journal has this name, or one by the job."""
        name = name or f"counts-{job.about['identity'][:12]}.journal"
        journal = None if self.journals is None else self.journals / name
        tell = None if self.tell is None else _seldom(self.tell)
        return survey(
            job, workers=self.workers, scheduler=self.scheduler, progress=tell, journal=journal, anew=self.restart
        )


def _seldom(tell: Callable[[str], None]) -> Callable[[int, int], None]:
    """Says how far it is, at every tenth part."""
    said = -1

    def progress(done: int, of: int) -> None:
        nonlocal said
        if of and done * 10 // of > said:
            said = done * 10 // of
            tell(f"{done:,} of {of:,} samples")

    return progress
