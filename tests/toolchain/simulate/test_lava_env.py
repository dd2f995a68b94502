"""Lava's environment is made once, whole or not at all, whatever happens. Python and pip are a small script."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from spikeport.toolchain.errors import FileError, SimulationError
from spikeport.toolchain.simulate.lava_env import LAVA, LAVA_DL, install, lava_home, lava_python, look
from support.processes import living, wait_for

PYTHON = """#!/bin/sh
echo "$*" >> {root}/calls
for last; do :; done
case "$*" in
    *ensurepip*) echo "python|3|10|13|{root}/python" ;;
    *"-m venv "*) mkdir -p "$last/bin"; cp {root}/python "$last/bin/python" ;;
    *"-m pip install "*) . {root}/pip ;;
    *metadata*) . {root}/metadata ;;
esac
"""
VERSIONS = """echo '{"lava-nc": "0.10.0", "h5py": "3.16.0"}'"""
HANG = "echo collecting; sleep 600"


class Machine:
    """A folder with a Python 3.10 of our own making."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.python = root / "python"
        self.python.write_text(PYTHON.format(root=root))
        self.python.chmod(0o755)
        self.behave()

    def behave(self, pip: str = "echo installed", metadata: str = VERSIONS) -> None:
        (self.root / "pip").write_text(pip)
        (self.root / "metadata").write_text(metadata)

    def called(self, what: str) -> int:
        calls = self.root / "calls"
        return sum(what in line for line in calls.read_text().splitlines()) if calls.exists() else 0

    def left(self) -> list[str]:
        return sorted(path.name for path in lava_home().iterdir() if path.suffix != ".lock")

    def elsewhere(self) -> subprocess.Popen[str]:
        """Another process that installs."""
        text = (
            f"from spikeport.toolchain.simulate.lava_env import *; print(install(LAVA, {str(self.python)!r}).versions)"
        )
        return subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("SPIKEPORT_LAVA_HOME", str(tmp_path / "home"))
    return Machine(tmp_path)


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SPIKEPORT_LAVA_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert lava_home() == tmp_path / ".cache" / "spikeport"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative, which the standard says to ignore")
    assert lava_home() == tmp_path / ".cache" / "spikeport"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert lava_home() == tmp_path / "cache" / "spikeport"
    monkeypatch.setenv("SPIKEPORT_LAVA_HOME", str(tmp_path / "mine"))
    assert lava_home() == tmp_path / "mine"


def test_it_is_made_once_and_then_only_used(machine: Machine) -> None:
    said: list[str] = []
    with pytest.raises(SimulationError) as caught:
        lava_python()
    assert str(caught.value) == (
        f"Lava: its environment in {lava_home()}/lava-nc-0.10.0 is not installed. Run `spikeport lava install`"
    )
    made = install(LAVA, str(machine.python), said.append)
    assert (made.why, dict(made.versions)) == ("", {"lava-nc": "0.10.0", "h5py": "3.16.0"})
    assert made.size == sum(
        f.stat().st_size for f in made.folder.rglob("*") if f.is_file() and f.name != "spikeport.json"
    )
    assert said == [f"making lava-nc-0.10.0 with {machine.root}/python: about 15 seconds, 0.3 GB", "trying it"]
    assert install(LAVA, str(machine.python), said.append) == made
    assert said[-1] == "lava-nc-0.10.0 is there"
    assert machine.called("pip install") == 1
    assert lava_python() == made.python == made.folder / "bin" / "python"
    assert machine.left() == ["lava-nc-0.10.0"]


def test_versions_are_pinned_and_a_user_s_python_settings_left_out(machine: Machine) -> None:
    machine.behave(pip=f"cp $(echo \"$*\" | sed 's/.*-c \\([^ ]*\\) .*/\\1/') {machine.root}/pinned")
    install(LAVA, str(machine.python))
    pinned = (machine.root / "pinned").read_text().splitlines()
    assert {"lava-nc==0.10.0", "numpy==1.26.4", "lava-dl==0.6.0", "torch==2.3.1"} <= set(pinned)
    assert machine.called("-I -m pip install") == machine.called("-I -m venv") == 1


def test_a_failed_installation_shows_the_end_of_what_pip_said_and_leaves_nothing(machine: Machine) -> None:
    machine.behave(
        pip="for i in 1 2 3 4 5 6; do echo line $i; done; echo 'ERROR: No matching distribution' >&2; exit 1"
    )
    with pytest.raises(SimulationError) as caught:
        install(LAVA, str(machine.python))
    assert str(caught.value) == (
        "Lava: `python -m pip install …` failed (1): line 4 / line 5 / line 6 / ERROR: No matching distribution. "
        "Look whether the network and pip's settings allow it, and try again"
    )
    assert machine.left() == []


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda end: end.name)
def test_an_interrupted_installation_leaves_no_process_and_the_next_one_starts_clean(
    machine: Machine, end: signal.Signals
) -> None:
    machine.behave(pip=HANG)
    other = machine.elsewhere()
    wait_for(lambda: machine.called("pip install"))
    assert len(machine.left()) == 1
    os.kill(other.pid, end)
    other.communicate(timeout=60)
    if end == signal.SIGINT:
        assert machine.left() == []
        assert living(str(machine.root)) == []
    for pid in living(str(machine.root)):  # pip goes on where we could not stop it any more
        os.kill(pid, signal.SIGKILL)
    machine.behave()
    assert not install(LAVA, str(machine.python)).why
    assert machine.left() == ["lava-nc-0.10.0"]


def test_two_processes_at_once_make_it_once(machine: Machine) -> None:
    machine.behave(pip=f"while [ ! -e {machine.root}/go ]; do sleep 0.05; done")
    other = machine.elsewhere()
    wait_for(lambda: machine.called("pip install"))
    said: list[str] = []
    mine = threading.Thread(target=install, args=(LAVA, str(machine.python), said.append))
    mine.start()
    wait_for(lambda: said)
    assert said == ["waiting for another installation to end"]
    (machine.root / "go").touch()
    mine.join()
    out, err = other.communicate()
    assert (out.strip(), err) == ("{'lava-nc': '0.10.0', 'h5py': '3.16.0'}", "")
    assert said[-1] == "lava-nc-0.10.0 is there"
    assert machine.called("pip install") == 1


BREAKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "its Python was taken away": (lambda place: (place / "bin/python").unlink(), "broken: [Errno 2] No such file"),
    "not made by us": (lambda place: (place / "spikeport.json").unlink(), "broken: [Errno 2] No such file"),
    "another's mark": (lambda place: (place / "spikeport.json").write_text("[]"), "broken: list indices must"),
    "no packages": (
        lambda place: (place.parents[1] / "metadata").write_text("echo 'PackageNotFoundError: lava-nc' >&2; exit 1"),
        "broken: PackageNotFoundError: lava-nc",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_one_that_does_not_run_any_more_is_seen_and_made_anew(machine: Machine, name: str) -> None:
    place = install(LAVA, str(machine.python)).folder
    damage, why = BREAKS[name]
    damage(place)
    assert look(LAVA).why.startswith(why)
    with pytest.raises(SimulationError, match="is broken: "):
        lava_python()
    assert machine.called("pip install") == 1
    (machine.root / "pip").write_text(f"cp {machine.root}/good {machine.root}/metadata")
    (machine.root / "good").write_text(VERSIONS)
    assert not install(LAVA, str(machine.python)).why
    assert machine.called("pip install") == 2
    assert machine.left() == ["lava-nc-0.10.0"]


def test_the_big_one_serves_where_the_small_one_is_not(machine: Machine) -> None:
    big = install(LAVA_DL, str(machine.python))
    assert lava_python() == big.python
    small = install(LAVA, str(machine.python))
    assert lava_python() == small.python


def test_a_full_disk_is_seen_before_anything_is_loaded(machine: Machine) -> None:
    with pytest.raises(FileError) as caught:
        install(replace(LAVA, gigabytes=1e9), str(machine.python))
    assert str(caught.value).startswith(f"{lava_home()}: has ")
    assert "GB free; expected 1e+09 GB. Make room, or name another with SPIKEPORT_LAVA_HOME" in str(caught.value)
    assert machine.called("pip install") == 0


def test_a_home_that_cannot_be(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKEPORT_LAVA_HOME", str(machine.python))
    with pytest.raises(FileError, match=r"python: cannot be used: File exists\. Name another with SPIKEPORT_LAVA_HOME"):
        install(LAVA, str(machine.python))


def test_what_there_is_is_told_as_json_by_the_command(machine: Machine) -> None:
    install(LAVA, str(machine.python))
    call = [sys.executable, "-m", "spikeport", "lava"]
    told = subprocess.run([*call, "info", "--json"], capture_output=True, text=True, check=True, cwd="/").stdout
    small, big = json.loads(told)["environments"]
    assert (small["name"], small["ready"], small["versions"]["lava-nc"]) == ("lava-nc-0.10.0", True, "0.10.0")
    assert (big["name"], big["ready"], big["missing"]) == ("lava-dl-0.6.0", False, "not installed")
    done = subprocess.run(
        [*call, "install", "--python", str(machine.python)], capture_output=True, text=True, check=True
    )
    assert done.stderr == "lava-nc-0.10.0 is there\n"
    assert "ready" in done.stdout
    bad = subprocess.run([*call, "install", "--with-lava-dl", "--python", "/bin/true"], capture_output=True, text=True)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.splitlines()[1].startswith(
        "error: --python: '/bin/true' does not run: no word; expected a Python"
    )
