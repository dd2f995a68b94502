"""Many processes, real ones: the numbers of one process, whoever dies meanwhile; and messages in place of waiting."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from spikeport.benchmarks.survey import dispatch
from spikeport.benchmarks.survey.job import Job
from spikeport.benchmarks.survey.run import Survey, survey
from spikeport.toolchain.errors import FileError, SimulationError, UsageError
from support.dask_cluster import Cluster, dask_cluster, kill
from support.processes import living, wait_for
from support.surveys import same_survey, small_job

SAMPLES = 400
TESTS = Path(__file__).parents[2]

SURVEY = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from support.surveys import small_job
from spikeport.benchmarks.survey.run import survey

def told(done, of):
    print(done, flush=True)
    time.sleep(0.1 if done else 0)

where = {"workers": int(sys.argv[3])} if sys.argv[3].isdigit() else {"scheduler": sys.argv[3]}
survey(small_job(400), journal=Path(sys.argv[2]), progress=told, **where)
"""


@pytest.fixture(scope="module")
def wanted() -> Survey:
    return survey(small_job(SAMPLES))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with dask_cluster(tmp_path_factory.mktemp("dask"), 2) as found:
        yield found


def started(journal: Path, where: str) -> subprocess.Popen:
    """A survey in a process of its own, once it has counted three chunks."""
    command = [sys.executable, "-c", SURVEY, str(TESTS), str(journal), where]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_for(lambda: process.stdout.readline().strip() in ("48", ""))
    return process


def workers_of(process: int) -> list[int]:
    """The workers that a process has started."""
    every = living("benchmarks.survey.worker")
    stats = {pid: Path(f"/proc/{pid}/stat") for pid in every}
    return [pid for pid, stat in stats.items() if stat.exists() and int(stat.read_text().split()[3]) == process]


def gone(processes: list[int]) -> bool:
    return not set(processes) & set(living("benchmarks.survey.worker"))


def entries(journal: Path) -> list[int]:
    return [int(line.split()[1]) for line in journal.read_bytes().splitlines()[1:]]


def test_whoever_is_killed_nothing_is_lost_and_nothing_counted_twice(
    cluster: Cluster, tmp_path: Path, wanted: Survey
) -> None:
    """The process that asked is killed; then, while another goes on, a worker; then the other, when a third comes."""
    journal = tmp_path / "journal"
    process = started(journal, cluster.address)
    kill(process)
    process.communicate()
    noted = journal.read_bytes().count(b"\n") - 1
    assert 3 <= noted < 25
    shot: list[int] = []

    def told(done: int, of: int) -> None:
        if done >= SAMPLES // 2 and not shot:
            shot.append(done)
            kill(cluster.workers[0])
        elif done >= SAMPLES * 3 // 4 and len(shot) == 1:
            shot.append(done)
            cluster.work()
            kill(cluster.workers[1])

    found = survey(small_job(SAMPLES), scheduler=cluster.address, journal=journal, progress=told)
    assert len(shot) == 2
    assert shot[1] < SAMPLES
    assert [worker.wait() for worker in cluster.workers[:2]] == [-signal.SIGKILL] * 2
    assert found.resumed == 16 * noted
    same_survey(found, wanted)
    assert sorted(entries(journal)) == list(range(25))
    again = survey(small_job(SAMPLES), journal=journal)
    assert again.resumed == SAMPLES
    same_survey(again, wanted)


def test_what_is_wrong_with_a_sample_is_said_as_if_it_were_counted_here(cluster: Cluster, tmp_path: Path) -> None:
    values = np.zeros((4, 40, 64))
    values[1, 35, 3] = 0.5
    np.save(tmp_path / "x.npy", values)
    with pytest.raises(
        SimulationError, match=r"samples 32 to 39, 0_input: 0.5 in step 1, sample 3, at \[3\]; expected"
    ):
        survey(small_job(40, data=tmp_path / "x.npy"), scheduler=cluster.address)
    values[1, 35, 3] = np.nan
    np.save(tmp_path / "x.npy", values)
    with pytest.raises(FileError, match=r"x\.npy: nan in step 1 of sample 35"):
        survey(small_job(40, data=tmp_path / "x.npy"), scheduler=cluster.address)


def test_values_of_a_file_are_sent_to_workers_that_do_not_have_it(cluster: Cluster, tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((9, 50, 64)) < 0.2
    np.savez(tmp_path / "x.npz", inputs=values, labels=np.arange(50) % 3)
    job = small_job(50, data=tmp_path / "x.npz")
    same_survey(survey(job, scheduler=cluster.address), survey(job))


NO_PACKAGE = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "spikeport":
            raise ModuleNotFoundError("No module named 'spikeport'", name="spikeport")

sys.meta_path.insert(0, Missing())
"""
OTHER_CODE = """
import importlib.metadata as metadata
real = metadata.version
metadata.version = lambda name: '1.0' if name == 'numba' else real(name)
"""


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            NO_PACKAGE,
            r"worker tcp://127.0.0.1:\d+ cannot load it \(.*No module named 'spikeport'.*\); expected spikeport",
        ),
        (OTHER_CODE, r"worker tcp://\S+ has spikeport .*, numba 1\.0; expected .* Install the same version everywhere"),
    ],
)
def test_a_worker_with_other_code_is_named(cluster: Cluster, tmp_path: Path, code: str, message: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(code)
    odd = cluster.work(tmp_path)
    try:
        from distributed import Client

        with Client(cluster.address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=30)
        with pytest.raises(UsageError, match=message):
            survey(small_job(SAMPLES), scheduler=cluster.address)
    finally:
        kill(odd)
        odd.wait()


@pytest.mark.parametrize(
    "address", ["nonsense", "", "http://127.0.0.1:80", "tcp://127.0.0.1:0", "tcp://127.0.0.1:99999"]
)
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(UsageError, match=r"--scheduler: .*; expected tcp://HOST:PORT of a running `dask scheduler`"):
        survey(small_job(1), scheduler=address)


def test_where_nobody_answers_is_said_in_seconds() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        start = time.monotonic()
        with pytest.raises(UsageError, match="no scheduler answers within 5 s"):
            survey(small_job(1), scheduler=f"tcp://127.0.0.1:{silent.getsockname()[1]}")
        assert time.monotonic() - start < 10


def test_workers_on_this_machine_and_ctrl_c(tmp_path: Path, wanted: Survey) -> None:
    """Stopped half-way by Ctrl-C in a terminal: no process is left, no traceback, and what was counted is kept."""
    journal = tmp_path / "journal"
    process = started(journal, "1")
    workers = workers_of(process.pid)
    assert workers
    os.killpg(process.pid, signal.SIGINT)
    errors = process.communicate(timeout=30)[1]
    assert process.returncode == -signal.SIGINT
    assert errors.strip().endswith("KeyboardInterrupt")
    assert errors.count("Traceback") == 1
    wait_for(lambda: gone(workers), 5)
    found = survey(small_job(SAMPLES), journal=journal)
    assert 48 <= found.resumed < SAMPLES
    same_survey(found, wanted)


def test_workers_on_this_machine_end_when_the_survey_is_killed_or_done(tmp_path: Path, wanted: Survey) -> None:
    process = started(tmp_path / "journal", "1")
    workers = workers_of(process.pid)
    assert workers
    kill(process)
    process.communicate()
    wait_for(lambda: gone(workers), 5)
    same_survey(survey(small_job(SAMPLES), workers=2, journal=tmp_path / "journal"), wanted)
    assert not workers_of(os.getpid())


class Deadly(torch.nn.Module):
    """Kills the process that runs it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        os._exit(3)


def test_when_all_workers_die_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "WORKERS_S", 1.0)
    with pytest.raises(UsageError, match=r"--workers 1: all workers are gone\. See that there is memory for them"):
        survey(Job(Deadly(), small_job(2).data), workers=1)


def test_what_cannot_be_sent_is_said() -> None:
    module = Deadly()
    module.lock = threading.Lock()
    with pytest.raises(UsageError, match=r"Deadly: cannot be sent to other processes: cannot pickle '_thread\.lock'"):
        survey(Job(module, small_job(2).data), workers=1)
