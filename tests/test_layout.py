"""The plan of the tree, enforced: arrows between folders, the list of packages, what start-up loads, public names."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import spikeport

ROOT = Path(spikeport.__file__).parent
FOLDERS = ("toolchain", "models", "exporters", "benchmarks")
#: From where to where imports may go. What lies at the root sees everything; nothing sees it but `__version__`.
MAY_SEE = {
    "toolchain": {"toolchain"},
    "models": {"models", "toolchain"},
    "exporters": {"exporters", "toolchain"},
    "benchmarks": {"benchmarks", "models", "exporters", "toolchain"},
    "": {"", *FOLDERS},
}
#: What no start-up may load: each costs from a tenth of a second to several.
HEAVY = {
    "torch", "numba", "numpy", "h5py", "onnx", "onnxruntime", "matplotlib", "norse", "snntorch", "spikingjelly", "nir",
    "safetensors", "scipy", "dask", "distributed", "lightning_fabric", "av", "tonic", "tensorboard",
}  # fmt: skip
STANDARD = set(sys.stdlib_module_names)


def source_files() -> list[Path]:
    files = [*ROOT.glob("*.py"), *(f for folder in FOLDERS for f in (ROOT / folder).rglob("*.py"))]
    return sorted(f.relative_to(ROOT) for f in files)


def imports(file: Path) -> list[tuple[int, str]]:
    """Every import of a file, as line and absolute dotted name."""
    found = []
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ["spikeport", *file.parts[:-1]][: len(file.parts) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found += [(node.lineno, f"{module}.{alias.name}") for alias in node.names]
    return found


def folder_of(dotted: str) -> str:
    """The folder that a dotted name of the package lies in, '' for the root."""
    parts = dotted.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in FOLDERS else ""


@pytest.mark.parametrize("file", source_files(), ids=str)
def test_imports_follow_the_arrows(file: Path) -> None:
    own = file.parts[0] if len(file.parts) > 1 else ""
    inside = [(line, name) for line, name in imports(file) if name.split(".")[0] == "spikeport"]
    wrong = [
        f"{file}:{line} imports {name}"
        for line, name in inside
        if folder_of(name) not in MAY_SEE[own] and name != "spikeport.__version__"
    ]
    assert not wrong
    assert not [f"{file}:{line}" for line, name in inside if name.startswith("spikeport.__main__")]


@pytest.mark.parametrize("file", source_files(), ids=str)
def test_imports_inside_the_package_are_relative_and_outside_it_declared(file: Path) -> None:
    outside = {"numpy", "torch", "typer", "rich", "numba", "norse", "nir", "h5py", "onnx", "onnxruntime", "safetensors"}
    outside |= {"matplotlib", "dask", "distributed", "cloudpickle", "lightning_fabric", "av", "tonic", "tensorboard"}
    # The peers that we trace from and race with; imported only behind the door of their dialect or benchmark.
    outside |= {"neurobench", "snntorch", "spikingjelly"}
    # The worker runs in Lava's own environment, and nobody here imports it.
    outside |= {"lava", "scipy"} if file.parent.name == "lava_worker" else set()
    tree = ast.parse((ROOT / file).read_text())
    absolute = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom) and not getattr(n, "level", 0)]
    names = [a.name if isinstance(n, ast.Import) else n.module or "" for n in absolute for a in n.names]
    assert {name.split(".")[0] for name in names} <= STANDARD | outside


def test_the_graph_needs_numpy_alone() -> None:
    for file in source_files():
        if file.parts[:2] == ("toolchain", "graph"):
            tops = {name.split(".")[0] for _, name in imports(file)}
            assert tops <= STANDARD | {"numpy", "spikeport"}, file
            inside = {name for _, name in imports(file) if name.startswith("spikeport.")}
            allowed = ("spikeport.toolchain.graph", "spikeport.toolchain.errors", "spikeport.toolchain.writing")
            assert all(name.startswith(allowed) for name in inside), (file, inside)


def test_every_folder_with_code_is_a_package_in_the_wheel() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = set(settings["tool"]["setuptools"]["packages"])
    assert listed == {".".join(["spikeport", *file.parts[:-1]]) for file in source_files()}
    assert all((ROOT.joinpath(*name.split(".")[1:]) / "__init__.py").is_file() for name in listed)


def test_no_file_is_too_long_and_none_is_called_utils() -> None:
    assert not [f for f in source_files() if len((ROOT / f).read_text().splitlines()) > 400]
    assert not [f for f in source_files() if f.stem in {"utils", "util", "helpers", "misc", "common"}]


def test_no_function_is_longer_than_sixty_lines() -> None:
    every = ((file, node) for file in source_files() for node in ast.walk(ast.parse((ROOT / file).read_text())))
    functions = ((file, node) for file, node in every if isinstance(node, ast.FunctionDef))
    assert not [f"{file}:{f.lineno} {f.name}" for file, f in functions if (f.end_lineno or 0) - f.lineno >= 60]


def loaded_by(*arguments: str) -> set[str]:
    """The top-level modules in memory at the end of a Python process."""
    report = "import atexit, sys; atexit.register(lambda: print('\\n', *sorted(sys.modules), file=sys.stderr));"
    done = subprocess.run(
        [sys.executable, "-c", report + arguments[0], *arguments[1:]],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    return {name.split(".")[0] for name in done.stderr.splitlines()[-1].split()}


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not loaded_by("import spikeport") & (HEAVY | {"typer", "rich"})


@pytest.mark.parametrize(
    "arguments", [("--help",), ("--version",), ("inspect", "--help"), ("models", "--help"), ("lava", "--help")]
)
def test_asking_for_help_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert not loaded_by("from spikeport.__main__ import main; main()", *arguments) & HEAVY


def test_the_public_names_are_listed_and_load() -> None:
    assert sorted(spikeport.__all__) == spikeport.__all__
    assert set(spikeport.__all__) <= set(dir(spikeport))
    for name in spikeport.__all__:
        assert getattr(spikeport, name) is not None
    with pytest.raises(AttributeError, match=r"module 'spikeport' has no attribute 'nothing'"):
        _ = spikeport.nothing


def test_public_names_come_from_where_the_type_checker_is_told() -> None:
    """The table that loads names on first use, and the imports that editors read, say the same."""
    tree = ast.parse((ROOT / "__init__.py").read_text())
    told = {
        alias.asname or alias.name: f".{node.module}" + (f":{alias.name}" if alias.asname else "")
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert told == spikeport._WHERE
    assert {*told, "__version__"} == set(spikeport.__all__)
