"""The journal: a run that was stopped goes on; torn and changed lines are counted again; nothing is counted twice."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from spikeport.benchmarks.survey import run
from spikeport.benchmarks.survey.journal import FIRST
from spikeport.benchmarks.survey.run import Survey, survey
from spikeport.toolchain.errors import FileError
from support.processes import wait_for
from support.surveys import same_survey, small_job, small_network


@pytest.fixture(scope="module")
def wanted() -> Survey:
    return survey(small_job())


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    survey(small_job(), journal=tmp_path / "journal")
    return tmp_path / "journal"


def chunks_counted(monkeypatch: pytest.MonkeyPatch) -> list[range]:
    seen: list[range] = []
    real = run.count_chunk
    monkeypatch.setattr(run, "count_chunk", lambda *a, **k: (seen.append(a[2]), real(*a, **k))[1])
    return seen


def test_a_finished_journal_is_all_that_is_needed(whole: Path, wanted: Survey, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, size = chunks_counted(monkeypatch), whole.stat().st_size
    found = survey(small_job(), journal=whole)
    assert (seen, found.resumed, whole.stat().st_size) == ([], 100, size)
    assert found.said == (f"100 samples were counted by an earlier run, as {whole} says",)
    same_survey(found, wanted)


@pytest.mark.parametrize("lost", range(1, 8))
def test_wherever_it_is_torn_it_goes_on(
    whole: Path, wanted: Survey, lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`lost` sevenths of the file are gone, mostly in the middle of a line."""
    text = whole.read_bytes()
    whole.write_bytes(text[: len(text) * (7 - lost) // 7])
    kept = max(0, whole.read_bytes().count(b"\n") - 1)
    seen = chunks_counted(monkeypatch)
    found = survey(small_job(), journal=whole)
    assert len(seen) == 7 - kept
    same_survey(found, wanted)
    same_survey(survey(small_job(), journal=whole), wanted)
    assert len(seen) == 7 - kept


def test_every_place_of_a_line_counts(whole: Path, wanted: Survey, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = whole.read_bytes().split(b"\n")
    for at in (0, 20, 33, 40, len(lines[3]) // 2, len(lines[3]) - 1):
        changed = bytearray(lines[3])
        changed[at] = ord("7") if changed[at] != ord("7") else ord("8")
        whole.write_bytes(b"\n".join([*lines[:3], bytes(changed), *lines[4:]]))
        seen = chunks_counted(monkeypatch)
        found = survey(small_job(), journal=whole)
        assert seen == [range(32, 48)], at
        assert found.said[1] == f"{whole}: 1 line did not fit the check sum and are counted again"
        same_survey(found, wanted)


def test_lines_that_are_there_twice_count_once(whole: Path, wanted: Survey) -> None:
    lines = whole.read_bytes().splitlines(keepends=True)
    whole.write_bytes(b"".join([*lines, *lines[1:3]]))
    same_survey(survey(small_job(), journal=whole), wanted)


def test_lines_of_another_job_do_not_fit(whole: Path, wanted: Survey, tmp_path: Path) -> None:
    survey(small_job(seed=1), journal=tmp_path / "other")
    lines, other = (path.read_bytes().splitlines(keepends=True) for path in (whole, tmp_path / "other"))
    whole.write_bytes(b"".join([lines[0], *other[1:]]))
    found = survey(small_job(), journal=whole)
    assert found.resumed == 0
    same_survey(found, wanted)


@pytest.mark.parametrize(
    ("job", "message"),
    [
        (small_job(seed=1), r"is the journal of another job: its data is burst_orders, .* seed 0 .*; expected burst_o"),
        (small_job(graph=small_network(6)), "is the journal of another job: its network is small .*; expected small"),
    ],
)
def test_the_journal_of_another_job_is_refused_or_started_anew(whole: Path, job: object, message: str) -> None:
    before = whole.read_bytes()
    with pytest.raises(FileError, match=message + r".*\. Choose another name, or start it anew"):
        survey(job, journal=whole)
    assert whole.read_bytes() == before
    assert survey(job, journal=whole, anew=True).resumed == 0
    assert survey(job, journal=whole).resumed == 100


@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize("content", [b"my thesis\n", b"my thesis", b"\0" * 100, b"spikeport-survey x"])
def test_no_other_file_is_touched(tmp_path: Path, content: bytes, anew: bool) -> None:
    path = tmp_path / "thesis.tex"
    path.write_bytes(content)
    if content.startswith(FIRST):
        survey(small_job(1), journal=path, anew=anew)  # a first line that was torn: a journal without an entry
        return
    with pytest.raises(FileError, match=r"thesis\.tex: is no journal of a survey; expected one, or a new name"):
        survey(small_job(1), journal=path, anew=anew)
    assert path.read_bytes() == content


def test_a_journal_of_a_later_version_is_refused(whole: Path) -> None:
    whole.write_bytes(whole.read_bytes().replace(FIRST + b"1", FIRST + b"2", 1))
    with pytest.raises(FileError, match="is the journal of another job"):
        survey(small_job(), journal=whole)


def test_a_place_where_no_file_can_be(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be written"):
        survey(small_job(1), journal=tmp_path)


def test_one_run_at_a_time(tmp_path: Path, wanted: Survey) -> None:
    path = tmp_path / "journal"

    def second(done: int, of: int) -> None:
        with pytest.raises(FileError, match="another run is counting into it right now; expected one run at a time"):
            survey(small_job(), journal=path)

    same_survey(survey(small_job(), journal=path, progress=second), wanted)


SLOW = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from support.surveys import small_job
from spikeport.benchmarks.survey.run import survey
survey(small_job(), journal=Path(sys.argv[1]), progress=lambda done, of: time.sleep(0.2 if done else 0))
"""


def test_a_run_that_was_killed_goes_on_where_it_was(tmp_path: Path, wanted: Survey) -> None:
    path = tmp_path / "journal"
    tests = Path(__file__).parents[2]
    process = subprocess.Popen([sys.executable, "-c", SLOW, path, tests], cwd="/")
    wait_for(lambda: path.exists() and path.read_bytes().count(b"\n") >= 3)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    lines = path.read_bytes().count(b"\n")
    found = survey(small_job(), journal=path)
    assert 32 <= found.resumed < 100
    assert found.resumed == 16 * (lines - 1)
    same_survey(found, wanted)
