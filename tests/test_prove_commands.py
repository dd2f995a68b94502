"""`spikeport verify` and `spikeport convert` for chips as a user meets them: verdicts, proofs, files, exit codes."""

import json
from pathlib import Path

import numpy as np
import pytest
import spikeport
from spikeport.__main__ import app
from spikeport.exporters import proving
from spikeport.exporters.proving import NotProved, of_file, of_lava
from spikeport.toolchain.graph import Graph, Wire, chain
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.loihi.quantise import quantise
from spikeport.toolchain.verifying import OnLava
from typer.testing import CliRunner, Result


def call(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), catch_exceptions=False)


def on_grid(reset: str = "value") -> Graph:
    """A network whose weights a chip holds as they are."""
    rng = np.random.default_rng(1)
    first, last = (rng.integers(-40, 60, shape) / 64 for shape in ((4, 2, 3, 3), (3, 64)))
    layers = [
        ("in", n.Input((2, 8, 8), "spikes")),
        ("conv", n.Conv(first, stride=2, padding=1)),
        ("lif", n.LIF(beta=0.5, threshold=1.0, reset=reset)),
        ("flat", n.Flatten()),
        ("fc", n.Affine(last)),
        ("lif2", n.LIF(beta=0.75, threshold=0.5)),
        ("out", n.Output("sum")),
    ]
    return chain(layers, name="grid")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    spikeport.save(on_grid(), "grid.graph")
    spikeport.save(on_grid("subtract"), "soft.graph")
    return tmp_path


def test_a_network_on_the_chips_grid_is_the_same_there(here: Path) -> None:
    found = call("verify", "grid.graph")
    assert found.exit_code == 0, found.output
    assert "the same: grid in float64 and grid" in " ".join(found.stdout.split())
    assert max(map(len, found.stdout.splitlines())) <= 80


def test_a_difference_ends_with_one_and_names_step_and_neuron(here: Path) -> None:
    found = call("verify", "soft.graph", "grid.graph", "--json")
    assert found.exit_code == 1
    data = json.loads(found.stdout)
    assert not data["same"]
    first = data["first_difference"]
    assert first["nodes"] == ["lif", "lif"]
    assert len(first["index"]) == 3
    shown = call("verify", "soft.graph", "grid.graph").stdout
    assert f"sample {first['sample']}, step {first['step']}" in shown
    assert "NOT THE SAME" in shown


def test_a_soft_reset_has_to_be_allowed(here: Path) -> None:
    found = call("verify", "soft.graph")
    assert found.exit_code == 2
    assert "--allow soft-reset" in found.stderr
    allowed = call("verify", "soft.graph", "--allow", "soft-reset", "--at-least", "0.5")
    assert allowed.exit_code == 0, allowed.output


def test_convert_proves_each_file_of_a_chip(here: Path, lava: Path) -> None:
    found = call("convert", "grid.graph", "--to", "chip,netx", "-o", "out", "--json")
    assert found.exit_code == 0, found.output
    data = json.loads(found.stdout)
    assert [file["format"] for file in data["files"]] == ["chip", "netx"]
    for name in ("chip", "netx"):
        proofs = {proof["what"]: proof for proof in data["proofs"][name]}
        assert list(proofs) == ["source → graph", "graph → chip graph", "chip graph → file", "file → Lava"]
        assert proofs["graph → chip graph"]["exact"]
        assert proofs["chip graph → file"]["exact"]
        assert proofs["file → Lava"]["exact"]
        assert any(node["rate_a"] > 0 for node in proofs["file → Lava"]["verdict"]["nodes"])
    files = sorted(path.name for path in Path("out").iterdir())
    assert files == ["grid.chip.graph", "grid.net"]


def test_what_a_loader_has_to_be_told_is_said(here: Path) -> None:
    graph = on_grid()
    biased = {**graph.nodes, "fc": n.Affine(graph.nodes["fc"].weight, np.full(3, 0.25))}
    spikeport.save(Graph(biased, graph.wires, name="grid"), "biased.graph")
    words = ("convert", "biased.graph", "--to", "netx", "-o", "out", "--no-lava", "--reset-interval", "64")
    found = call(*words)
    assert found.exit_code == 0, found.output
    assert "reset_interval=64" in found.stdout
    data = json.loads(call(*words, "--json").stdout)
    assert any("reset_interval=64" in line for line in data["remarks"])
    short = json.loads(call(*words[:-1], "10", "--json").stdout)
    assert [p["verdict"]["steps"] for p in (data["proofs"]["netx"][1], short["proofs"]["netx"][1])] == [32, 10]


def test_the_files_that_convert_wrote_are_the_network(here: Path) -> None:
    assert call("convert", "grid.graph", "--to", "chip,netx", "-o", "out", "--no-lava").exit_code == 0
    assert call("verify", "grid.graph", "out/grid.chip.graph").exit_code == 0
    assert call("verify", "out/grid.chip.graph", "out/grid.net").exit_code == 0
    assert call("verify", "grid.graph", "out/grid.net").exit_code == 0


def test_a_chip_graph_is_compared_with_lava(here: Path, lava: Path) -> None:
    spikeport.save(quantise(on_grid())[0], "chip.graph")
    found = call("verify", "chip.graph", "--steps", "6")
    assert found.exit_code == 0, found.output
    assert "on Lava" in found.stdout


def test_what_a_person_sees_of_a_conversion_fits_and_says_it_all(here: Path) -> None:
    found = call("convert", "soft.graph", "--to", "netx", "-o", "out", "--allow", "soft-reset", "--no-lava")
    assert found.exit_code == 0, found.output
    text = " ".join(found.stdout.split())
    assert "soft-reset" in text
    assert "lossy spikes and silences equal" in text
    assert "out/grid.net" in text


def test_a_file_that_is_another_network_is_not_left_behind(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def another(chip: object, again: object, path: Path, inputs: dict[str, np.ndarray]) -> object:
        return of_file(chip, chip_of_other(), path, inputs)

    monkeypatch.setattr("spikeport.exporters.converting.of_file", another)
    found = call("convert", "grid.graph", "--to", "chip", "-o", "out", "--no-lava")
    assert found.exit_code == 1
    assert "is another network than the one it was written from" in found.stdout
    assert list(Path("out").iterdir()) == []


def chip_of_other() -> object:
    graph = on_grid()
    loud = {**graph.nodes, "conv": n.Conv(-graph.nodes["conv"].weight, stride=2, padding=1)}
    return quantise(Graph(loud, graph.wires, name="grid"))[0]


def test_not_proved_is_raised_with_the_first_difference() -> None:
    x = (np.random.default_rng(0).random((8, 1, 2, 8, 8)) < 0.4).astype(int)
    with pytest.raises(NotProved, match="first difference: 'lif'"):
        of_file(quantise(on_grid())[0], chip_of_other(), Path("x.net"), {"in": x})


def test_a_network_that_runs_otherwise_on_lava_is_not_proved(lava: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x = (np.random.default_rng(0).random((20, 2, 2, 8, 8)) < 0.4).astype(int)
    found = of_lava(quantise(on_grid())[0], Path("x.net"), {"in": x})
    assert found.exact
    assert (found.verdict.steps, found.verdict.batch) == (proving.LAVA_STEPS, 1)
    monkeypatch.setattr(proving, "OnLava", lambda _: OnLava(chip_of_other()))
    with pytest.raises(NotProved, match="runs otherwise on Lava"):
        of_lava(quantise(on_grid())[0], Path("x.net"), {"in": x})


def test_without_lava_the_proof_says_so(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(here / "empty"))
    found = call("convert", "grid.graph", "--to", "chip", "-o", "out", "--json")
    assert found.exit_code == 0, found.output
    last = json.loads(found.stdout)["proofs"]["chip"][-1]
    assert last["exact"] is None
    assert "spikeport lava install" in last["said"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("verify", "nothing", "grid.graph"), "nothing: is no SOURCE"),
        (("verify", "torch:grid.graph", "grid.graph"), "grid.graph: holds no torch module"),
        (("verify", "grid.graph", "--at-least", "2"), "at_least: 2.0; expected a share between 0 and 1"),
        (("verify", "grid.graph", "--allow", "magic"), "allow: 'magic'; expected"),
        (("verify", "grid.graph", "--input", "x.npy", "--steps", "3"), "--steps: says nothing beside --input"),
        (("run", "grid.graph", "--input", "x.npy", "--seed", "0"), "--seed: says nothing beside --input"),
        (
            ("convert", "grid.graph", "--calibration", "x.npy", "--made", "poisson:1"),
            "says nothing beside --calibration",
        ),
        (("convert", "grid.graph", "--to", "chip", "--bits", "9"), "bits: 9; expected 2 to 8"),
        (("convert", "grid.graph", "--to", "chip", "--calibration", "no.npy"), "no.npy: there is no such file"),
        (("convert", "grid.graph", "--to", "chip", "-o", "grid.graph"), "grid.graph: cannot be a folder"),
    ],
)
def test_bad_input_ends_with_two_and_one_message(here: Path, words: tuple[str, ...], said: str) -> None:
    found = call(*words)
    assert found.exit_code == 2, found.output
    assert said in " ".join(found.stderr.split())
    assert not list(here.glob("*.chip.graph"))


def branched() -> Graph:
    """Two ways from the input to the last neurons, one longer than the other."""
    rng = np.random.default_rng(2)
    weights = [rng.integers(-30, 60, shape) / 64 for shape in ((6, 5), (4, 6), (4, 5))]
    made = {
        "in": n.Input((5,), "spikes"),
        "fc1": n.Affine(weights[0]),
        "lif1": n.LIF(beta=0.5, threshold=0.75),
        "fc2": n.Affine(weights[1]),
        "short": n.Affine(weights[2]),
        "add": n.Add(),
        "lif2": n.LIF(beta=0.5, threshold=0.5),
        "out": n.Output(),
    }
    sources = {"fc1": ("in",), "lif1": ("fc1",), "fc2": ("lif1",), "short": ("in",), "add": ("fc2", "short")}
    sources |= {"in": (), "lif2": ("add",), "out": ("lif2",)}
    return Graph(made, {name: tuple(map(Wire, sources[name])) for name in made}, name="branched")


def test_a_network_with_branches_becomes_several_netx_files(here: Path) -> None:
    spikeport.save(branched(), "branched.graph")
    refused = call("convert", "branched.graph", "--to", "netx", "-o", "out", "--no-lava")
    assert refused.exit_code == 2
    assert "lif2" in refused.stderr
    assert list(Path("out").iterdir()) == []
    for _ in range(2):
        found = call("convert", "branched.graph", "--to", "netx-parts", "-o", "out", "--no-lava", "--json")
        assert found.exit_code == 0, found.output
    assert [path.name for path in Path("out").iterdir()] == ["branched.parts"]
    names = sorted(path.name for path in Path("out/branched.parts").iterdir())
    assert names[-1] == "branched.parts.json"
    assert len(names) > 2
    data = json.loads(found.stdout)
    assert all(proof["exact"] for proof in data["proofs"]["netx-parts"] if proof["what"] != "source → graph")
    assert call("verify", "branched.graph", "out/branched.parts/branched.parts.json").exit_code == 0


def test_a_folder_with_something_else_in_it_is_not_replaced(here: Path) -> None:
    spikeport.save(branched(), "branched.graph")
    Path("out/branched.parts").mkdir(parents=True)
    Path("out/branched.parts/thesis.txt").write_text("years of work")
    found = call("convert", "branched.graph", "--to", "netx-parts", "-o", "out", "--no-lava")
    assert found.exit_code == 2
    assert "holds 'thesis.txt'" in " ".join(found.stderr.split())
    assert Path("out/branched.parts/thesis.txt").read_text() == "years of work"
    assert len(list(Path("out").iterdir())) == 1


def test_a_recurrent_layer_fits_a_netx_file_however_unlike_its_matrices_are(here: Path) -> None:
    rng = np.random.default_rng(4)
    made = {
        "in": n.Input((6,), "spikes"),
        "fc": n.Affine(rng.normal(0, 20, (8, 6))),
        "back": n.Affine(np.abs(rng.normal(0, 0.5, (8, 8)))),
        "add": n.Add(),
        "lif": n.CubaLIF(alpha=0.5, beta=0.75, threshold=1.0),
        "out": n.Output(),
    }
    wires = {"in": (), "fc": (Wire("in"),), "back": (Wire("lif", delayed=True),), "add": (Wire("fc"), Wire("back"))}
    graph = Graph(made, {**wires, "lif": (Wire("add"),), "out": (Wire("lif"),)}, name="again")
    free, held = (quantise(graph, target=target)[0] for target in ("lava", "netx"))
    assert max(node.exponent for node in free.nodes.values() if node.kind == "Dense") > 0
    assert {node.exponent for node in held.nodes.values() if node.kind == "Dense"} == {0}
    spikeport.save(graph, "again.graph")
    found = call("convert", "again.graph", "--to", "netx", "-o", "out", "--no-lava")
    assert found.exit_code == 0, found.output
    assert Path("out/again.net").is_file()
