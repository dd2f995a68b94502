"""Lava's own environment: made once, under the user's cache folder, and then only used.

Lava is a frozen target: lava-nc 0.10.0 and lava-dl 0.6.0 are its last releases, and need Python 3.10. Each of the two
environments is built beside its place and renamed into it, so that a folder of that name is always a whole one; a lock
that the system frees when its holder dies keeps two processes from building at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import FileError, SimulationError
from ..guarded import guarded, has_ended, last_lines, undisturbed
from .lava_python import find_python

HOME = "SPIKEPORT_LAVA_HOME"
MARK = "spikeport.json"
CONSTRAINTS = (
    "asteval==0.9.33",
    "cloudpickle==3.1.2",
    "h5py==3.16.0",
    "joblib==1.6.0",
    "lava-dl==0.6.0",
    "lava-nc==0.10.0",
    "matplotlib==3.10.9",
    "networkx==2.8.7",
    "numpy==1.26.4",
    "opencv-python-headless==4.11.0.86",
    "pillow==10.4.0",
    "pytest==7.4.4",
    "scikit-learn==1.7.2",
    "scipy==1.15.3",
    "sympy==1.14.0",
    "threadpoolctl==3.8.0",
    "torch==2.3.1",
    "torchvision==0.18.1",
)
VERSIONS = (
    "import json, sys; from importlib.metadata import version; print(json.dumps({n: version(n) for n in sys.argv[1:]}))"
)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Recipe:
    """What an environment is made of.

    Args:
        name: of its folder.
        packages: what is asked for.
        trial: a module that can be imported once it is whole.
        gigabytes: what it needs on the disk while it is made.
        takes: how long that takes, in words.
    """

    name: str
    packages: tuple[str, ...]
    trial: str
    gigabytes: float
    takes: str


LAVA = Recipe("lava-nc-0.10.0", ("lava-nc", "h5py"), "lava.proc.lif.models", 0.6, "about 15 seconds, 0.3 GB")
LAVA_DL = Recipe(
    "lava-dl-0.6.0", ("lava-nc", "h5py", "lava-dl"), "lava.lib.dl.netx.hdf5", 9.0, "2 minutes or more, 5.6 GB"
)
RECIPES = (LAVA, LAVA_DL)


@dataclass(frozen=True)
class Environment:
    """An environment as it is found.

    Args:
        recipe: what it should be.
        folder: where it is, or would be.
        versions: of its packages; empty when it cannot be used.
        size: its bytes.
        why: why it cannot be used; empty when it can.
    """

    recipe: Recipe
    folder: Path
    versions: Mapping[str, str]
    size: int
    why: str = ""

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"


def lava_home() -> Path:
    """The folder that holds the environments."""
    if named := os.environ.get(HOME):
        return Path(named).absolute()
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(cache) if Path(cache).is_absolute() else Path.home() / ".cache") / "spikeport"


def look(recipe: Recipe) -> Environment:
    """What there is of an environment; starts its Python to see whether it runs."""
    folder = lava_home() / recipe.name
    if not folder.is_dir():
        return Environment(recipe, folder, {}, 0, "not installed")
    try:
        size = int(json.loads((folder / MARK).read_text())["size"])
        command = [str(folder / "bin" / "python"), "-I", "-c", VERSIONS, *recipe.packages]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Environment(recipe, folder, {}, 0, f"broken: {error}")
    if done.returncode != 0:
        return Environment(recipe, folder, {}, size, f"broken: {(done.stderr.strip().splitlines() or ['no word'])[-1]}")
    return Environment(recipe, folder, json.loads(done.stdout), size)


def lava_python() -> Path:
    """The interpreter of Lava's environment, the small one where there is a choice.

    Raises:
        SimulationError: when there is none that runs.
    """
    tried: list[Environment] = []
    for recipe in RECIPES:
        tried.append(look(recipe))
        if not tried[-1].why:
            return tried[-1].python
    raise SimulationError(
        "Lava", f"its environment in {tried[0].folder} is {tried[0].why}", fix="run `spikeport lava install`"
    )


def install(recipe: Recipe, python: str | None = None, say: Say = lambda _: None) -> Environment:
    """Makes an environment, unless it is there and runs.

    Args:
        recipe: which.
        python: the Python 3.10 to make it with; by default one is looked for.
        say: is told what is going on.

    Raises:
        UsageError: when there is no Python 3.10.
        FileError: when there is no space, or the folder cannot be written.
        SimulationError: when it cannot be installed.
    """
    home = lava_home()
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _locked(home / f"{recipe.name}.lock", say):
            found = look(recipe)
            if not found.why:
                say(f"{recipe.name} is there")
                return found
            _clear(home, recipe)
            _make(recipe, find_python(python), found.folder, say)
            return look(recipe)
    except OSError as error:
        raise FileError(
            str(home), f"cannot be used: {error.strerror or error}", fix=f"name another with {HOME}"
        ) from error


def _clear(home: Path, recipe: Recipe) -> None:
    """Takes away what an interrupted installation left, and an environment that does not run any more."""
    if (place := home / recipe.name).exists():
        place.replace(home / f"{recipe.name}.{os.getpid()}.part")
    for folder in home.glob(f"{recipe.name}.*.part"):
        shutil.rmtree(folder, ignore_errors=True)  # a pip whose parent was killed may still write there; the next time


def _make(recipe: Recipe, python: Path, place: Path, say: Say) -> None:
    """Builds it beside its place, tries it, and moves it there."""
    free = shutil.disk_usage(place.parent).free / 1e9
    if free < recipe.gigabytes:
        found = f"has {free:.1f} GB free"
        raise FileError(str(place.parent), found, f"{recipe.gigabytes:g} GB", f"make room, or name another with {HOME}")
    part = Path(tempfile.mkdtemp(prefix=f"{recipe.name}.", suffix=".part", dir=place.parent))
    try:
        say(f"making {recipe.name} with {python}: {recipe.takes}")
        constraints = part / "constraints.txt"
        constraints.write_text("\n".join(CONSTRAINTS) + "\n")
        own = part / "bin" / "python"
        _run([python, "-I", "-m", "venv", part], part)
        _run(
            [own, "-I", "-m", "pip", "install", "--disable-pip-version-check", "-c", constraints, *recipe.packages],
            part,
        )
        say("trying it")
        _run([own, "-I", "-c", f"import {recipe.trial}, h5py"], part)
        (part / MARK).write_text(json.dumps({"size": _size(part)}))
        part.replace(place)
    finally:
        with undisturbed():
            shutil.rmtree(part, ignore_errors=True)


def _run(command: list[str | Path], folder: Path) -> None:
    """Runs a step of the installation; what it printed is shown when it fails."""
    log = folder / "log.txt"
    with guarded(command, log) as process:
        while not has_ended(process):
            time.sleep(0.05)
    if process.returncode != 0:
        told = last_lines(log, 4) or "no word"
        what = " ".join(str(part) for part in command[2:5])
        raise SimulationError(
            "Lava",
            f"`python {what} …` failed ({process.returncode}): {told}",
            fix="look whether the network and pip's settings allow it, and try again",
        )


def _size(folder: Path) -> int:
    """Bytes of the files in it."""
    return sum(file.lstat().st_size for file in folder.rglob("*") if not file.is_dir())


@contextlib.contextmanager
def _locked(path: Path, say: Say) -> Iterator[None]:
    """Holds a lock; while another process has it, waits."""
    with path.open("w") as file:
        waiting = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not waiting:
                    say("waiting for another installation to end")
                waiting = True
                time.sleep(0.1)
        yield
