"""What stands in a NIR file and beside it, bit for bit, and how both come to be there."""

import hashlib
import json
import subprocess
import sys

import h5py
import nir
import numpy as np
import pytest
from spikeport.exporters.nir import saving
from spikeport.exporters.nir.facts import KEY, facts_beside, facts_of
from spikeport.exporters.nir.objects import graph_object, write_file
from spikeport.exporters.nir.writing import to_tree
from spikeport.exporters.nir_file import to_nir, write
from spikeport.toolchain.errors import FileError, Refused, UsageError
from spikeport.toolchain.graph import Graph, GraphBuilder, chain, digest, later
from spikeport.toolchain.graph.nodes import (
    IF,
    LIF,
    Add,
    Affine,
    AveragePool,
    Conv,
    CubaLIF,
    Flatten,
    Input,
    LeakyIntegrator,
    Output,
    Scale,
    SumPool,
)
from spikeport.toolchain.passes import make
from support.nir_raw import read_here

DT = 1e-3


def small(dtype: str = "float64") -> Graph:
    """An input, a layer, neurons that are reset by subtraction, and a loop with two weights."""
    build = GraphBuilder("small", DT)
    build.notes["made"] = "here"
    build.add("in", Input((2,), "spikes"))
    build.add("fc", Affine(np.array([[1, 2], [3, 4]], dtype), np.array([0.5, 1], dtype)), "in")
    build.add("sum", Add(), "fc", later("back"))
    build.add("lif", LIF(beta=np.array([0.75, 0.5], dtype), rule="euler", reset="subtract", threshold=2.0), "sum")
    build.add("back", Affine(np.array([[0, 1], [1, 0]], dtype)), "lif")
    build.add("out", Output("sum"), "lif")
    return build.build()


def said(group: h5py.Group, path: str = "") -> list[str]:
    """Every dataset of a file on a line."""
    found = []
    for name, item in group.items():
        if isinstance(item, h5py.Group):
            found += said(item, f"{path}/{name}")
            continue
        value = item.asstr()[()] if h5py.check_string_dtype(item.dtype) else item[()]
        shown = " ".join(str(np.asarray(value).tolist()).split())
        kind = "" if item.dtype.kind == "O" else f" {item.dtype}"
        found.append(f"{path}/{name}{kind} {shown}")
    return found


FILE = """\
/node/edges [['in', 'fc'], ['fc', 'lif_loop'], ['lif_loop', 'out']]
/node/metadata/dialect ode
/node/metadata/dt 0.001
/node/metadata/reset subtract (now)
/node/metadata/spikeport …
/node/nodes/fc/bias float64 [0.5, 1.0]
/node/nodes/fc/type Affine
/node/nodes/fc/weight float64 [[1.0, 2.0], [3.0, 4.0]]
/node/nodes/in/shape int64 [2]
/node/nodes/in/type Input
/node/nodes/lif_loop/edges [['input', 'lif'], ['back', 'lif'], ['lif', 'back'], ['lif', 'output']]
/node/nodes/lif_loop/nodes/back/type Linear
/node/nodes/lif_loop/nodes/back/weight float64 [[0.0, 1.0], [1.0, 0.0]]
/node/nodes/lif_loop/nodes/input/shape int64 [2]
/node/nodes/lif_loop/nodes/input/type Input
/node/nodes/lif_loop/nodes/lif/r float64 [4.0, 2.0]
/node/nodes/lif_loop/nodes/lif/tau float64 [0.004, 0.002]
/node/nodes/lif_loop/nodes/lif/type LIF
/node/nodes/lif_loop/nodes/lif/v_leak float64 [0.0, 0.0]
/node/nodes/lif_loop/nodes/lif/v_reset float64 [0.0, 0.0]
/node/nodes/lif_loop/nodes/lif/v_threshold float64 [2.0, 2.0]
/node/nodes/lif_loop/nodes/output/shape int64 [2]
/node/nodes/lif_loop/nodes/output/type Output
/node/nodes/lif_loop/type NIRGraph
/node/nodes/out/shape int64 [2]
/node/nodes/out/type Output
/node/type NIRGraph
/version …"""

BESIDE = {
    "version": 1,
    "dialect": "ode",
    "dt": 0.001,
    "name": "small",
    "notes": {"made": "here"},
    "inputs": {"in": "spikes"},
    "outputs": {"out": "sum"},
    "names": {"lif_loop.lif": "lif", "lif_loop.back": "back"},
    "delayed": [["lif_loop.back", "lif_loop.lif"]],
    "sums": {"lif_loop.lif": "sum"},
    "neurons": {"lif_loop.lif": {"rule": "euler", "reset": "subtract", "when": "now", "at_least": False}},
}


def test_what_a_file_holds(tmp_path):
    remarks = write(small(), tmp_path / "small.nir")
    with h5py.File(tmp_path / "small.nir") as file:
        lines = [line if "spikeport" not in line else "/node/metadata/spikeport …" for line in said(file)]
    lines = [line if not line.startswith("/version") else "/version …" for line in lines]
    assert "\n".join(sorted(lines)) == FILE
    assert remarks == (
        "a step is 0.001 s, which only the metadata say: readers have to be told",
        "lif: are reset by subtraction, which only the metadata say",
    )


def test_what_stands_beside_a_file(tmp_path):
    path = tmp_path / "small.nir"
    write(small(), path)
    data = json.loads((tmp_path / "small.nir.json").read_text())
    assert data.pop("sha256") == hashlib.sha256(path.read_bytes()).hexdigest()
    assert data == BESIDE
    with h5py.File(path) as file:
        inside = file["node/metadata/spikeport"].asstr()[()]
    assert json.loads(inside) == BESIDE
    assert facts_of(inside, "here") == facts_beside(path)[0] == to_tree(small()).facts


def test_the_same_network_is_the_same_bytes(tmp_path):
    for name in ("a.nir", "b.nir"):
        write(small(), tmp_path / name)
    assert (tmp_path / "a.nir").read_bytes() == (tmp_path / "b.nir").read_bytes()


def test_the_file_is_what_the_nir_package_writes(tmp_path):
    shapes = chain(
        [
            Input((2, 6, 5)),
            Conv(np.ones((3, 2, 3, 3)), stride=(1, 2), padding=1),
            SumPool((2, 1)),
            CubaLIF(alpha=0.5, beta=0.25),
            AveragePool((1, 3)),
            Flatten(1),
            Scale(np.float32(0.5)),
            Conv(np.ones((2, 3, 2)), dilation=2),
            LeakyIntegrator(beta=0.9),
            Output(),
        ]
    )
    for index, graph in enumerate((small("float32"), shapes)):
        tree = to_tree(graph).tree
        write_file(tree, tmp_path / f"ours{index}.nir")
        nir.write(tmp_path / f"theirs{index}.nir", graph_object(tree), compression=None)
        with h5py.File(tmp_path / f"ours{index}.nir") as ours, h5py.File(tmp_path / f"theirs{index}.nir") as theirs:
            assert sorted(said(ours)) == sorted(said(theirs))
            # In the order of the tree, which the package does not keep, and which nirtorch needs.
            assert list(ours["node/nodes"]) == list(tree.nodes)
        # With the package's own default compression every array needs an axis.
        nir.write(tmp_path / "packed.nir", graph_object(tree))
        assert read_here(tmp_path / "packed.nir").graph.order == read_here(tmp_path / f"ours{index}.nir").graph.order


def test_objects_share_the_weights():
    graph = small()
    found = to_nir(graph)
    assert isinstance(found, nir.NIRGraph)
    assert found.nodes["fc"].weight is graph.nodes["fc"].weight
    assert facts_of(found.metadata[KEY], "here").name == "small"


THIRDS = {
    "beta": lambda dtype: LIF(beta=np.array([1 / 3, 0.9], dtype), rule="euler"),
    "alpha": lambda dtype: CubaLIF(alpha=np.array([0.7, 0.3], dtype), beta=np.array([0.9, 0.35], dtype), rule="exact"),
    "gain": lambda dtype: IF(gain=np.array([0.1, 0.7], dtype), threshold=np.array([0.3, 0.9], dtype)),
    "number": lambda dtype: LIF(beta=0.9, gain=0.1, threshold=0.7, reset="value", v_reset=-0.1),  # noqa: ARG005
    "bias": lambda dtype: LIF(beta=np.array([0.999, 0.9], dtype), bias=np.array([0.1, 1e-5], dtype)),
    "v_start": lambda dtype: LIF(beta=0.5, v_start=np.array([0.1, 0.0], dtype)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("about", THIRDS)
def test_parameters_come_back_bit_for_bit(tmp_path, about, dtype):
    weight = np.ones((2, 2), dtype)
    graph = chain(
        [("in", Input((2,))), ("fc", Affine(weight)), ("n", THIRDS[about](dtype)), ("out", Output())], dt=0.0025
    )
    write(graph, tmp_path / "net.nir")
    canonicalise = make("canonicalise")
    back = read_here(tmp_path / "net.nir").graph
    assert digest(canonicalise(back).graph) == digest(canonicalise(graph).graph)
    values = nir.read(tmp_path / "net.nir").nodes["n"]
    assert values.r.dtype == values.v_threshold.dtype == np.dtype(dtype)


def test_a_first_potential_stands_in_the_metadata_and_a_remark():
    graph = chain([Input((2,)), ("n", LIF(beta=0.5, v_start=0.25)), Output()])
    written = to_tree(graph)
    assert written.tree.nodes["n"].metadata["v_start"].tolist() == [0.25]
    assert "n: starts at v_start, which stands in the metadata; other readers start at 0" in written.remarks


def test_names_are_such_that_every_framework_takes_them():
    build = GraphBuilder("net")
    build.add("in", Input((2,)))
    for name in ("a.b", "a-b", "a_b"):
        build.add(name, Scale(2.0), "in")
        build.add(f"out_{name}", Output(), name)
    written = to_tree(build.build())
    assert [name for name in written.tree.nodes if name.startswith("a")] == ["a_b", "a_b_2", "a_b_3"]
    assert written.facts.names == {
        "a_b": "a.b",
        "out_a_b": "out_a.b",
        "a_b_2": "a-b",
        "out_a_b_2": "out_a-b",
        "a_b_3": "a_b",
        "out_a_b_3": "out_a_b",
    }


def test_a_refused_network_leaves_no_file(tmp_path):
    with pytest.raises(Refused):
        write(chain([Input((2,)), LIF(beta=0.5, emit="voltage"), Output()]), tmp_path / "net.nir")
    assert list(tmp_path.iterdir()) == []


def test_files_are_there_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "net.nir"
    write(small(), path)
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    monkeypatch.setattr(saving, "digest_of", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write(small("float32"), path)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileError, match=r"nowhere does not exist\. Make it first, or choose another"):
        write(small(), tmp_path / "nowhere" / "net.nir")


def test_an_unknown_dialect_is_named(tmp_path):
    with pytest.raises(UsageError, match="--dialect: 'klingon'; expected ode or snntorch"):
        write(small(), tmp_path / "net.nir", dialect="klingon")


MEMORY = """
import resource, sys
import h5py, nir, numpy as np
from spikeport.exporters.nir_file import write
from spikeport.toolchain.graph import chain
from spikeport.toolchain.graph.nodes import IF, Affine, Input, Output
n = 2000
weights = [np.zeros((n, n), np.float32) for _ in range(4)]
for index, weight in enumerate(weights):
    weight[:] = index + 1
    weight.flags.writeable = False
graph = chain([Input((n,)), *(each for weight in weights for each in (Affine(weight), IF())), Output()])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
write(graph, sys.argv[1])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / (4 * weights[0].nbytes))
"""


def test_no_weight_is_copied_on_the_way(tmp_path):
    found = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path / "big.nir")], capture_output=True, text=True, check=True
    )
    assert float(found.stdout) < 0.7, "more than half of the weights on top of them"
