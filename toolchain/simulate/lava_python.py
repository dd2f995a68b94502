"""Finds a Python 3.10 that really runs: the only one that Lava's last release works with, besides older ones.

A name on the PATH proves nothing: pyenv, for one, puts a `python3.10` there that only says that it is not installed. So
every candidate is started, and has to say its version and that it can make virtual environments.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError

VERSION = (3, 10)
VARIABLE = "SPIKEPORT_LAVA_PYTHON"
TRIAL = "import ensurepip, sys, venv; print('python', *sys.version_info[:3], sys.executable, sep='|')"
TRIAL_S = 30.0
HELP = (
    "install one (for example `uv python install 3.10`, `pyenv install 3.10` or your system's package python3.10-venv) "
    f"and try again, or name one with --python or {VARIABLE}"
)


@dataclass(frozen=True)
class Tried:
    """A candidate and what came of it.

    Args:
        origin: where its name comes from.
        name: what was started.
        found: the path of its executable where it is right; else None.
        why: why it is not right.
    """

    origin: str
    name: str
    found: Path | None
    why: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.origin}) {self.why}".rstrip()


def find_python(given: str | None = None) -> Path:
    """The first Python 3.10 that runs: the one that was named, or else from uv, pyenv and the PATH, in this order.

    Args:
        given: the one to take, and no other; by default the one in the variable SPIKEPORT_LAVA_PYTHON, where it is set.

    Raises:
        UsageError: when there is none; it says what was tried.
    """
    named = given or os.environ.get(VARIABLE)
    if named:
        chosen = attempt("--python" if given else VARIABLE, named)
        if chosen.found is None:
            raise UsageError(chosen.origin, f"'{named}' {chosen.why}", "a Python 3.10 with venv", HELP)
        return chosen.found
    tried = []
    for origin, name in _candidates():
        tried.append(attempt(origin, name))
        if (found := tried[-1].found) is not None:
            return found
    found_text = "; ".join(map(str, tried)) or "nothing called python3.10, no uv and no pyenv"
    raise UsageError("Lava", f"found no Python 3.10 that runs: {found_text}", "", HELP)


def attempt(origin: str, name: str) -> Tried:
    """Starts a candidate."""
    try:
        done = subprocess.run(
            [name, "-c", TRIAL], capture_output=True, text=True, timeout=TRIAL_S, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        told = f"does not answer within {TRIAL_S:g} s" if isinstance(error, subprocess.TimeoutExpired) else "cannot run"
        return Tried(origin, name, None, f"{told}: {error.strerror}" if isinstance(error, OSError) else told)
    answer = re.search(r"^python\|(\d+)\|(\d+)\|(\d+)\|(.+)$", done.stdout, re.MULTILINE)
    if answer is None:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        return Tried(
            origin, name, None, f"does not run: {said[-1 if 'Error' in said[-1] else 0] if said else 'no word'}"
        )
    if (int(answer[1]), int(answer[2])) != VERSION:
        return Tried(origin, name, None, f"is Python {answer[1]}.{answer[2]}.{answer[3]}")
    return Tried(origin, name, Path(answer[4]))


def _candidates() -> Iterator[tuple[str, str]]:
    """Where a Python 3.10 may be, the likeliest first."""
    if uv := shutil.which("uv"):
        done = subprocess.run([uv, "python", "find", "3.10"], capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.strip():
            yield "uv", done.stdout.strip()
    roots = [Path(os.environ["PYENV_ROOT"])] if os.environ.get("PYENV_ROOT") else []
    for root in dict.fromkeys([*roots, Path.home() / ".pyenv"]):
        for folder in sorted((root / "versions").glob("3.10*"), key=_by_number, reverse=True):
            yield "pyenv", str(folder / "bin" / "python")
    if named := shutil.which("python3.10"):
        yield "PATH", named


def _by_number(folder: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", folder.name)]
