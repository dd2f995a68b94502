"""A survey: every sample of a data set counted, here or by many processes, and what comes of it.

    samples ─► chunks ─► counted in any order, each noted in the journal ─► put in order ─► one table

What a chunk holds does not depend on who counts it, so the table is the same whoever does.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...toolchain.errors import FileError, UsageError
from ...toolchain.graph.nodes.base import Array
from ..operations import OpCount
from .chunk import Chunk
from .job import Job
from .journal import Journal, opened
from .table import Table, joined
from .work import count_chunk, errand

Progress = Callable[[int, int], None]
"""Called with the samples that are counted, and how many there are."""
SHOWN = 3
"""So many remarks on single samples are shown."""


@dataclass(frozen=True, eq=False)
class Survey:
    """The counts of a data set.

    Args:
        table: the counts of every sample.
        labels: the class of every sample; None without classes.
        class_names: what the classes are called.
        data: what was counted on, in words.
        data_identity: SHA-256 of that.
        resumed: how many samples an earlier run had counted.
        said: what the reader has to know of the data, in sentences.
        seconds: how long this run took.
    """

    table: Table
    labels: Array | None
    class_names: tuple[str, ...]
    data: str
    data_identity: str
    resumed: int
    said: tuple[str, ...]
    seconds: float

    def __len__(self) -> int:
        return len(self.table)

    @property
    def total(self) -> OpCount:
        """The counts of all samples together."""
        return self.table.total

    def sample(self, number: int) -> OpCount:
        """The counts of one sample."""
        return self.table.sample(number)


def survey(
    job: Job,
    *,
    workers: int = 0,
    scheduler: str | None = None,
    progress: Progress | None = None,
    journal: Path | None = None,
    anew: bool = False,
) -> Survey:
    """Counts every sample of a data set.

    Args:
        job: what is counted on what.
        workers: so many processes on this machine; 0: this one.
        scheduler: the address of a Dask scheduler whose workers do it.
        progress: is told how far it is.
        journal: a file that keeps what is counted, so that a run that was stopped goes on where it was.
        anew: forget what is in the journal.
    """
    if workers < 0 or (workers and scheduler is not None):
        found = f"{workers} workers" + (f" and the scheduler {scheduler}" if scheduler is not None else "")
        raise UsageError("--workers", found, "workers on this machine, or a scheduler that has some")
    start = time.perf_counter()
    with contextlib.ExitStack() as stack:
        log = None if journal is None else stack.enter_context(opened(journal, job.about, anew=anew))
        done = dict(_held(job, log))
        resumed = sum(map(len, done.values()))
        said = _of_journal(log, resumed)
        tell, count = progress or _silent, resumed
        tell(count, len(job.data))
        todo = [number for number in range(job.chunks) if number not in done]
        for number, chunk in _counted(job, todo, workers, scheduler):
            _check(job, number, chunk, "counts")
            done[number] = chunk
            if log is not None:
                log.add(number, chunk)
            count += len(chunk)
            tell(count, len(job.data))
        job.data.check_unchanged()
    return _survey(job, [done[number] for number in range(job.chunks)], resumed, said, time.perf_counter() - start)


def _silent(done: int, of: int) -> None:
    """Says nothing."""


def _counted(job: Job, todo: list[int], workers: int, scheduler: str | None) -> Iterator[tuple[int, Chunk]]:
    """Every chunk with its number, in any order."""
    if not todo:
        return
    if workers or scheduler is not None:
        from .cluster import counted_by_cluster

        yield from counted_by_cluster(job, todo, workers, scheduler)
        return
    for number in todo:
        given = errand(job, number)
        samples, infer = job.samples(number), job.infer_from_values
        yield number, count_chunk(job.network, given, samples, job.data.carries, infer_from_values=infer)


def _held(job: Job, log: Journal | None) -> Mapping[int, Chunk]:
    """What the journal holds; its lines are whole, so what does not fit was not written by this job."""
    if log is None:
        return {}
    for number, chunk in log.held.items():
        if number >= job.chunks:
            raise FileError(
                str(log.path), f"chunk {number}", f"chunks 0 to {job.chunks - 1}", "start it anew: --restart"
            )
        _check(job, number, chunk, str(log.path))
    return log.held


def _check(job: Job, number: int, chunk: Chunk, where: str) -> None:
    expected = len(job.samples(number))
    if len(chunk) != expected:
        raise FileError(where, f"{len(chunk)} samples in chunk {number}", f"{expected}", "start it anew: --restart")


def _of_journal(log: Journal | None, resumed: int) -> tuple[str, ...]:
    said = []
    if log is not None and resumed:
        said.append(f"{resumed:,} samples were counted by an earlier run, as {log.path} says")
    if log is not None and log.lost:
        lines = "1 line" if log.lost == 1 else f"{log.lost:,} lines"
        said.append(f"{log.path}: {lines} did not fit the check sum and are counted again")
    return tuple(said)


def _survey(job: Job, chunks: list[Chunk], resumed: int, said: tuple[str, ...], seconds: float) -> Survey:
    """All chunks, put in order."""
    labels = [chunk.labels for chunk in chunks]
    known = [each for each in labels if each is not None]
    remarks = [text for chunk in chunks for text in chunk.said]
    data, names = job.data, job.data.class_names
    classes = np.concatenate(known) if len(known) == len(chunks) else None
    if classes is not None and not (classes < len(names)).all():
        raise FileError(job.data.about, f"a sample of class {int(classes.max())}", f"{len(names)} classes")
    said = (*said, *remarks[:SHOWN], *([f"… and {len(remarks) - SHOWN:,} more of the kind"] * (len(remarks) > SHOWN)))
    table = joined([chunk.table for chunk in chunks])
    return Survey(table, classes, names, data.about, data.identity, resumed, said, seconds)
