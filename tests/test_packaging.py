"""What is installed: one top-level name, every package, the marker for types, the licence, and no tests."""

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import spikeport
from spikeport.benchmarks.profile import PROFILES
from spikeport.models.trained import trained_names

ROOT = Path(spikeport.__file__).parent
LEFT_OUT = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "demo")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel built from it, as an index would get them."""
    work = tmp_path_factory.mktemp("build")
    shutil.copytree(ROOT, work / "tree", ignore=LEFT_OUT)
    call = [sys.executable, "-m", "build", "--no-isolation", "--outdir", work / "dist", work / "tree"]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return work / "dist"


def files_of(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_the_package_and_nothing_else(built: Path) -> None:
    names = files_of(next(built.glob("*.whl")))
    assert {name.split("/")[0] for name in names} == {"spikeport", f"spikeport-{spikeport.__version__}.dist-info"}
    assert not [name for name in names if name.startswith("spikeport/tests") or "egg-info" in name]


def test_the_wheel_holds_every_source_file_and_the_marker_for_types(built: Path) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = [Path(*package.split(".")[1:]) for package in settings["packages"]]
    expected = {f"spikeport/{f.relative_to(ROOT)}" for folder in folders for f in (ROOT / folder).glob("*.py")}
    held = {name for name in files_of(next(built.glob("*.whl"))) if name.startswith("spikeport/")}
    data = {name for name in held if not name.endswith(".py")}
    assert {name for name in held if name.endswith(".py")} == expected
    assert "spikeport/py.typed" in data
    assert {f"spikeport/benchmarks/profiles/{name}.toml" for name in PROFILES} <= data
    assert {"spikeport/benchmarks/report/page.css", "spikeport/benchmarks/report/page.js"} <= data
    trained = {name for name in data if name.startswith("spikeport/models/trained/")}
    assert trained == {f"spikeport/models/trained/{name}.safetensors" for name in trained_names()} != set()


def test_the_wheel_holds_the_licence_and_the_command(built: Path) -> None:
    wheel = next(built.glob("*.whl"))
    info = f"spikeport-{spikeport.__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        assert "Apache License" in archive.read(f"{info}/licenses/LICENSE").decode()
        assert "spikeport = spikeport.__main__:main" in archive.read(f"{info}/entry_points.txt").decode()
        assert archive.read(f"{info}/top_level.txt").decode().split() == ["spikeport"]


def test_the_sdist_builds_by_itself(built: Path) -> None:
    """`build` made the wheel from the sdist; what people look for is in it too."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "__init__.py", "py.typed", "toolchain/graph/graph.py"} <= names


def test_the_installed_package_runs(built: Path, tmp_path: Path) -> None:
    wheel = next(built.glob("*.whl"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", tmp_path, wheel]
    subprocess.run(pip, check=True, capture_output=True)
    assert {p.name for p in tmp_path.iterdir() if "dist-info" not in p.name} <= {"spikeport", "bin"}
    code = "import spikeport, runpy, sys; print(spikeport.__file__); sys.argv[1:] = ['--version']; "
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            code + "runpy.run_module('spikeport', run_name='__main__', alter_sys=True)",
        ],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    assert done.stdout.splitlines() == [str(tmp_path / "spikeport/__init__.py"), f"spikeport {spikeport.__version__}"]
