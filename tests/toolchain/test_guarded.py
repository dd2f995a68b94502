"""A program of others never outlives the block it was started in."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from spikeport.toolchain.guarded import guarded, has_ended, last_lines, session
from support.processes import living, wait_for

FAMILY = "import os, time; os.fork(); os.fork(); print('up', flush=True); time.sleep(600)  # {}"


def start(tmp_path: Path) -> tuple[list[str], str, Path]:
    text = FAMILY.format(tmp_path)
    return [sys.executable, "-c", text], str(tmp_path), tmp_path / "log"


@pytest.mark.parametrize("error", [None, ValueError("mine"), KeyboardInterrupt("mine")], ids=str)
def test_the_whole_family_is_gone_after_the_block(tmp_path: Path, error: BaseException | None) -> None:
    command, mark, log = start(tmp_path)
    with contextlib.nullcontext() if error is None else pytest.raises(type(error), match="mine"):  # noqa: SIM117
        with guarded(command, log) as process:
            wait_for(lambda: log.read_text().count("up") == 4)
            assert len(session(process.pid)) == 4
            if error is not None:
                raise error
    assert living(mark) == []


def test_a_program_that_has_ended_keeps_its_number_until_its_children_are_gone(tmp_path: Path) -> None:
    text = f"import os, time, sys\nif os.fork(): sys.exit(3)\ntime.sleep(600) # {tmp_path}"
    with guarded([sys.executable, "-c", text], tmp_path / "log") as process:
        wait_for(lambda: has_ended(process))
        assert process.returncode is None
        wait_for(lambda: living(str(tmp_path)))
    assert process.returncode == 3
    assert has_ended(process)
    assert living(str(tmp_path)) == []


def test_it_can_notice_that_we_were_killed(tmp_path: Path) -> None:
    """Its standard input ends with us, even where nothing of ours can run any more."""
    inner = f"import sys; sys.stdin.read()  # inner {tmp_path}"
    outer = (
        "import sys; from pathlib import Path; from spikeport.toolchain.guarded import guarded\n"
        f"with guarded([sys.executable, '-c', {inner!r}], Path({str(tmp_path / 'log')!r})): sys.stdin.read()"
    )
    us = subprocess.Popen([sys.executable, "-c", outer], stdin=subprocess.PIPE)
    wait_for(lambda: [pid for pid in living(f"inner {tmp_path}") if pid != us.pid])
    os.kill(us.pid, signal.SIGKILL)
    us.communicate()
    wait_for(lambda: not living(f"inner {tmp_path}"), 10)


def test_the_last_lines_of_what_it_said(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"one\n\n two\xff \nthree\n")
    assert last_lines(log, 2) == "two\ufffd / three"
