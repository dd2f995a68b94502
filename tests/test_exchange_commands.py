"""`convert`, `verify`, `run` and `inspect` with NIR and ONNX files, as a user meets them."""

import json
from pathlib import Path

import nir
import numpy as np
import onnx
import pytest
import spikeport
from spikeport.exporters import proving
from spikeport.toolchain.graph import chain, digest
from spikeport.toolchain.graph import nodes as n
from support.command_line import data, run, user_folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return user_folder(tmp_path, monkeypatch)


def test_a_nir_file_its_facts_and_its_trace(here: Path) -> None:
    found = data("convert", "small.graph", "--to", "nir", "-o", "out", "--with-trace")
    assert sorted(path.name for path in (here / "out").iterdir()) == ["small.nir", "small.nir.json", "small.trace.nir"]
    assert [Path(path).name for path in found["beside"]] == ["small.nir.json", "small.trace.nir"]
    assert [proof["exact"] for proof in found["proofs"]["nir"][1:]] == [True, True]
    assert nir.read(here / "out" / "small.nir").nodes
    again = data("verify", "out/small.nir", "--trace", "out/small.trace.nir")
    assert again["exact"]
    assert [node["a"] for node in again["nodes"]] == ["lif", "out"]


@pytest.mark.parametrize("where", ["onnx:", "chip:"])
def test_a_trace_is_repeated_by_every_backend(here: Path, where: str) -> None:
    assert run("convert", "small.graph", "--to", "nir", "-o", ".", "--with-trace")[0] == 0
    near = ["--at-least", "0.95", "--tolerance", "0.1"]
    code, out, err = run("verify", f"{where}small.nir", "--trace", "small.trace.nir", *near)
    assert code == 0, out + err
    assert "small.trace.nir" in out


def test_a_network_that_is_another_does_not_repeat_the_trace(here: Path) -> None:
    run("convert", "small.graph", "--to", "nir", "-o", ".", "--with-trace")
    graph = spikeport.load("small.graph")
    other = type(graph)({**graph.nodes, "lif": n.LIF(beta=0.8, threshold=1.0)}, graph.wires, graph.dt, "small")
    spikeport.save(other, "other.nir")
    code, out, _ = run("verify", "other.nir", "--trace", "small.trace.nir")
    assert code == 1
    assert "first difference: 'lif'" in out


def test_an_onnx_file_is_the_graph_again_and_runs(here: Path) -> None:
    found = data("convert", "small.graph", "--to", "onnx", "-o", ".", "--passes", "none")
    assert found["proofs"]["onnx"][1]["exact"] is True
    onnx.checker.check_model(onnx.load("small.onnx"), full_check=True)
    assert digest(spikeport.load("small.onnx")) == digest(spikeport.load("small.graph"))
    ran = data("run", "small.onnx", "--backend", "onnxruntime", "--steps", "12", "--seed", "3")
    same = data("run", "small.graph", "--steps", "12", "--seed", "3")
    assert ran["backend"] == "onnxruntime"
    for key in ("min", "mean", "max"):
        assert ran["outputs"]["out"][key] == pytest.approx(same["outputs"]["out"][key], rel=1e-5)


def test_a_whole_run_as_a_model(here: Path) -> None:
    assert run("convert", "small.graph", "--to", "onnx", "--unroll", "scan", "-o", ".")[0] == 0
    (entry,) = [each for each in onnx.load("small.onnx").graph.input if each.name == "in"]
    assert len(entry.type.tensor_type.shape.dim) == 5


def test_what_tracing_refuses_goes_through_torch(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "odd.py").write_text(
        "import torch\nfrom torch import nn\n"
        "class Odd(nn.Module):\n"
        "    def forward(self, x):\n        return torch.linalg.vector_norm(x, dim=-1).atan()\n"
        "def net():\n    return Odd(), torch.rand(3, 4)\n"
    )
    code, out, err = run("convert", "odd:net", "--to", "onnx", "-o", ".")
    assert code == 0, err
    assert "written by torch's exporter" in " ".join(out.split())
    onnx.checker.check_model(onnx.load("net.onnx"))
    code, _, err = run("convert", "odd:net", "--to", "nir", "-o", ".")
    assert code == 2
    assert "refused" in err


WRONG = {
    "convert small.graph --to netx --dialect norse": "--dialect: says nothing of netx",
    "convert small.graph --to nir --unroll scan": "--unroll: says nothing of nir",
    "convert small.graph --to onnx --with-trace": "--with-trace: beside onnx; expected --to nir",
    "convert small.graph --to nir --dialect mine": "--dialect: 'mine'; expected ode or snntorch",
    "convert small.graph --to onnx --unroll loop": "loop",
    "inspect small.graph --dialect norse": "--dialect: beside small.graph, which is no NIR file",
    "inspect small.graph --dt 0.1": "--dt: beside small.graph, which is no NIR file",
    "inspect there.is.none.nir": "there.is.none.nir: does not exist",
    "inspect there.is.none.onnx": "there.is.none.onnx: does not exist",
    "verify torch:small.graph --trace x.trace.nir": "--trace: beside torch:small.graph",
    "verify chip.graph --trace x.trace.nir": "--trace: beside chip.graph, in integers",
    "verify small.graph --trace x.trace.nir": "x.trace.nir: does not exist",
    "verify small.graph --trace x.trace.nir --seed 3": "--seed: says nothing beside --trace",
    "verify onnx:chip.graph small.graph": "onnx:: chip, in integers",
    "run chip.graph --backend onnxruntime": "'onnxruntime' for a chip graph",
}


@pytest.mark.parametrize("line", WRONG)
def test_what_does_not_go_together_is_said(here: Path, line: str) -> None:
    before = sorted(here.iterdir())
    code, out, err = run(*line.split())
    assert code == 2
    assert not out
    assert WRONG[line] in err
    assert sorted(here.iterdir()) == before


def test_a_file_that_is_not_proved_leaves_nothing_behind(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "out").mkdir()
    (here / "out" / "small.nir").write_bytes(b"an older file")
    wrong = chain([("in", n.Input((2, 6, 6), "spikes")), ("flat", n.Flatten()), ("out", n.Output("sum"))])

    class Read:
        graph = wrong

    monkeypatch.setattr("spikeport.exporters.nir_file.read", lambda *_: Read())
    code, out, err = run("convert", "small.graph", "--to", "nir", "-o", "out")
    assert code in (1, 2)
    assert [path.name for path in (here / "out").iterdir()] == ["small.nir"]
    assert (here / "out" / "small.nir").read_bytes() == b"an older file"
    assert out + err


def test_a_foreign_nir_file_says_how_it_was_taken(here: Path) -> None:
    lif = {
        name: np.full(3, value) for name, value in {"tau": 0.01, "r": 1.0, "v_leak": 0.0, "v_threshold": 0.1}.items()
    }
    nodes = {
        "in": nir.Input({"input": np.array([3])}),
        "lif": nir.LIF(**lif, v_reset=np.zeros(3)),
        "out": nir.Output({"output": np.array([3])}),
    }
    nir.write(here / "theirs.nir", nir.NIRGraph(nodes, [("in", "lif"), ("lif", "out")]))
    code, _, err = run("inspect", "theirs.nir", "--dialect", "ode")
    assert code == 2
    assert "--dt" in err
    code, _, err = run("inspect", "theirs.nir", "--dt", "1e-3", "--dialect", "ode")
    assert code == 0, err
    graph = spikeport.load("theirs.nir", dt=1e-3, dialect="ode", reset="subtract")
    assert graph.nodes["lif"].reset == "subtract"
    assert float(graph.nodes["lif"].beta) == pytest.approx(0.9)


def test_the_proofs_say_what_nir_itself_says(here: Path) -> None:
    graph = chain(
        [("in", n.Input((4, 6, 7), "spikes")), ("conv", n.Conv(np.ones((4, 1, 3, 1)), groups=4)),
         ("lif", n.LIF(beta=0.5)), ("out", n.Output())], name="grouped",
    )  # fmt: skip
    spikeport.save(graph, "grouped.graph")
    found = data("convert", "grouped.graph", "--to", "nir", "-o", ".")
    assert "type_check=False" in json.dumps(found["proofs"]["nir"])
    assert proving.NotProved is not None
