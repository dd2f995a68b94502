"""The command `spikeport` as a process of its own: its streams, signals and limits."""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command_line import user_folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return user_folder(tmp_path, monkeypatch)


MEMORY = 8 << 30
"""What a process of these tests may take: a missing check must fail here, not fill the machine."""


@contextlib.contextmanager
def command(*arguments: str) -> Iterator[subprocess.Popen]:
    """A real process, bounded in memory, that does not outlive the test."""
    process = subprocess.Popen(
        [Path(sys.executable).with_name("spikeport"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def test_a_real_process_prints_json_alone_and_talks_on_stderr(here: Path) -> None:
    with command("inspect", "networks:steps", "--shape", "6", "--json") as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert json.loads(out)["name"] == "steps"
    assert "this module is chatty" in err


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_command_that_is_stopped_leaves_nothing_behind(here: Path, sent: signal.Signals, code: int) -> None:
    with command("run", "small.graph", "--steps", "1000000000", "-o", "endless.npz") as process:
        assert process.stderr is not None
        assert "running small …\n" in iter(process.stderr.readline, "")
        process.send_signal(sent)
        out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert out == ""
    assert "Traceback" not in err
    assert sorted(os.listdir()) == ["chip.graph", "events.npy", "networks.py", "small.graph"]


def test_what_cannot_fit_is_refused_before_it_runs(here: Path) -> None:
    call = ("run", "small.graph", "--steps", "100000000", "--batch", "1000", "--record", "all", "-o", "x.npz")
    with command(*call) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert err.startswith("error: memory: needs about "), err
    assert "recorded); expected at most" in err
    assert not Path("x.npz").exists()
