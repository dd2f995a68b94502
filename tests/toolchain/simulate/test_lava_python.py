"""Which Python 3.10 is taken, and what is said where there is none. The interpreters are small programs."""

import stat
from pathlib import Path

import pytest
from spikeport.toolchain.errors import UsageError
from spikeport.toolchain.simulate.lava_python import attempt, find_python

SHIM = "echo \"pyenv: $0: command not found\" >&2; echo 'The command exists in 3.10.13' >&2; exit 127"
NO_VENV = "echo 'Traceback …' >&2; echo \"ModuleNotFoundError: No module named 'ensurepip'\" >&2; exit 1"


def program(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def interpreter(path: Path, version: str = "3|10|13", greeting: str = "") -> Path:
    return program(path, f"{greeting}echo 'python|{version}|{path}'")


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which there is nothing."""
    for name in ("SPIKEPORT_LAVA_PYTHON", "PYENV_ROOT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin/nowhere")
    (tmp_path / "bin").mkdir()
    for tool in ("echo", "sh", "cat"):
        (tmp_path / "bin" / tool).symlink_to(Path("/bin") / tool)
    return tmp_path


def test_nothing_there(machine: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find_python()
    assert str(caught.value) == (
        "Lava: found no Python 3.10 that runs: nothing called python3.10, no uv and no pyenv. Install one (for example "
        "`uv python install 3.10`, `pyenv install 3.10` or your system's package python3.10-venv) and try again, or "
        "name one with --python or SPIKEPORT_LAVA_PYTHON"
    )


def test_a_shim_that_only_says_that_it_is_not_installed_is_passed_over(machine: Path) -> None:
    shim = program(machine / "bin" / "python3.10", SHIM)
    with pytest.raises(UsageError, match=rf"{shim} \(PATH\) does not run: pyenv: {shim}: command not found\. Install"):
        find_python()
    real = interpreter(machine / "home/.pyenv/versions/3.10.13/bin/python")
    assert find_python() == real


def test_the_newest_of_pyenv_comes_before_the_path_and_uv_before_both(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path = interpreter(machine / "bin" / "python3.10")
    assert find_python() == on_path
    interpreter(machine / "home/.pyenv/versions/3.10.9/bin/python")
    newest = interpreter(machine / "home/.pyenv/versions/3.10.13/bin/python")
    assert find_python() == newest
    elsewhere = interpreter(machine / "elsewhere/versions/3.10.1/bin/python")
    monkeypatch.setenv("PYENV_ROOT", str(machine / "elsewhere"))
    assert find_python() == elsewhere
    from_uv = interpreter(machine / "uv" / "python3.10")
    program(machine / "bin" / "uv", f'[ "$*" = "python find 3.10" ] && echo {from_uv}')
    assert find_python() == from_uv
    program(machine / "bin" / "uv", "echo 'error: No interpreter found' >&2; exit 2")
    assert find_python() == elsewhere


def test_every_candidate_that_is_not_right_is_named_with_its_reason(machine: Path) -> None:
    program(machine / "home/.pyenv/versions/3.10.2/bin/python", NO_VENV)
    interpreter(machine / "home/.pyenv/versions/3.10-dev/bin/python", "3|11|0")
    (machine / "home/.pyenv/versions/3.10.1").mkdir()
    with pytest.raises(UsageError) as caught:
        find_python()
    found = caught.value.found
    assert "3.10.2/bin/python (pyenv) does not run: ModuleNotFoundError: No module named 'ensurepip'" in found
    assert "3.10-dev/bin/python (pyenv) is Python 3.11.0" in found
    assert "3.10.1/bin/python (pyenv) cannot run: No such file or directory" in found


def test_the_one_that_was_named_is_taken_and_no_other(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter(machine / "bin" / "python3.10")
    named = interpreter(machine / "mine" / "py", greeting="echo welcome; ")
    assert find_python(str(named)) == named
    with pytest.raises(
        UsageError, match=r"^--python: 'nowhere/py' cannot run: No such file or directory; expected a Py"
    ):
        find_python("nowhere/py")
    monkeypatch.setenv("SPIKEPORT_LAVA_PYTHON", str(named))
    assert find_python() == named
    interpreter(named, "3|12|1")
    with pytest.raises(
        UsageError, match=r"^SPIKEPORT_LAVA_PYTHON: '.*mine/py' is Python 3\.12\.1; expected a Python 3\.10"
    ):
        find_python()


def test_one_that_never_answers(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikeport.toolchain.simulate.lava_python.TRIAL_S", 0.2)
    slow = program(machine / "slow", "while :; do :; done")
    assert str(attempt("PATH", str(slow))) == f"{slow} (PATH) does not answer within 0.2 s"
