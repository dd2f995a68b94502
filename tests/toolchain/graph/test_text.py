"""The text form: goldens, exact round trips, digests, diffs."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.toolchain.errors import GraphError
from spikeport.toolchain.graph import (
    Graph,
    GraphBuilder,
    SubGraph,
    arrays_of,
    chain,
    diff,
    digest,
    later,
    parse,
    replace_graph,
    to_text,
)
from spikeport.toolchain.graph import nodes as n
from support.random_graphs import random_graph, seeds

GOLDENS = Path(__file__).parent / "goldens"


def event_net() -> Graph:
    rng = np.random.default_rng(1)
    b = GraphBuilder("event_net", 1e-3)
    b.notes["source"] = 'event_net.safetensors, "best"\nof 3'
    b.add("in", n.Input((2, 6, 6), "spikes"))
    b.add("conv1", n.Conv(rng.normal(size=(4, 2, 3, 3)).astype("f4"), None, padding=1), "in")
    b.add("norm1", n.BatchNorm(np.zeros(4), np.ones(4), rng.normal(size=4), epsilon=1e-3), "conv1")
    b.add("sum", n.Add(), "norm1", later("back"))
    b.add("lif1", n.LIF(beta=0.9, reset="subtract", rule="exact"), "sum")
    b.add("back", n.Scale(np.float32(0.5)), "lif1")
    b.add("pool", n.SumPool((2, 2), ceil=True), "lif1")
    b.add("flat", n.Flatten(), "pool")
    b.add("rate", n.Activation("clip", {"low": 0, "high": 3}), "flat")
    b.add("fc", n.Affine(rng.normal(size=(3, 36)), np.array([0.1, -0.0, 1e-30])), "rate")
    b.add("li", n.LeakyIntegrator(beta=np.array([0.9, 0.8, 0.7], "f4"), v_start=0.25), "fc")
    b.add("out", n.Output("last"), "li")
    return b.build()


def nested() -> Graph:
    inner = chain([("x", n.Input((3,))), ("double", n.Scale(2.0)), ("y", n.Output())], name="inner")
    ssm = n.StateSpace(np.array([[0.5 + 0.5j], [0.25 - 1e-9j], [-0.0 + 0j]]), np.ones((3, 1)), np.ones((3, 1)))
    nodes = [("in", n.Input((3,), "int[-2,2]")), ("twice", SubGraph(inner)), ("ssm", ssm), ("out", n.Output())]
    return chain(nodes, name="nested", dt=1e-3)


@pytest.mark.parametrize("graph", [event_net(), nested()], ids=lambda g: g.name)
def test_goldens(graph: Graph) -> None:
    assert to_text(graph) == (GOLDENS / f"{graph.name}.txt").read_text()


@given(seeds())
@settings(deadline=None, max_examples=80)
def test_what_is_printed_is_read_back(seed: int) -> None:
    graph = random_graph(np.random.default_rng(seed), subgraphs=True)
    text, arrays = to_text(graph), arrays_of(graph)
    again = parse(text, arrays)
    assert to_text(again) == text
    assert digest(again) == digest(graph)
    assert same_arrays(graph, again)
    assert again.notes == graph.notes
    assert again.dt == graph.dt


def same_arrays(a: Graph, b: Graph) -> bool:
    for name, node in a.nodes.items():
        one, two = node.arrays(), b.nodes[name].arrays()
        assert one.keys() == two.keys()
        for field, array in one.items():
            assert (array.dtype, array.shape, array.tobytes()) == (
                two[field].dtype,
                two[field].shape,
                two[field].tobytes(),
            )
    return True


floats = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(floats, min_size=1, max_size=8), st.sampled_from(["float32", "float64", "complex64", "complex128"]))
@settings(deadline=None, max_examples=300)
def test_small_arrays_come_back_to_the_last_bit(values: list[float], dtype: str) -> None:
    with np.errstate(over="ignore"):
        array = np.array(values).astype(dtype)
    array[~np.isfinite(array)] = -0.0
    if dtype.startswith("complex"):
        array.imag = array.real[::-1] / 3
    array = array[:, None]
    node = n.StateSpace(array, array, array)
    nodes = [("in", n.Input((len(array),))), ("s", node), ("out", n.Output())]
    (again,) = [x for x in parse(to_text(chain(nodes))).nodes.values() if isinstance(x, n.StateSpace)]
    assert again.decay.dtype == dtype
    assert again.decay.tobytes() == array.tobytes()


@given(floats.filter(lambda x: x > 0), st.text(max_size=30))
@settings(deadline=None, max_examples=150)
def test_numbers_and_notes_of_any_kind_come_back(dt: float, note: str) -> None:
    graph = replace_graph(chain([n.Input((1,)), n.Output()], dt=dt), notes={"k": note})
    text = to_text(graph)
    text.encode()
    assert all(line.isprintable() for line in text.split("\n"))
    again = parse(text, arrays_of(graph))
    assert (again.dt, again.notes["k"]) == (dt, note)


def test_the_digest_knows_values_names_and_order_but_not_notes() -> None:
    graph = event_net()
    assert digest(graph) == digest(event_net()) == digest(graph.with_notes(pass_1="x"))
    changed = {
        "dt": replace_graph(graph, dt=2e-3),
        "name": replace_graph(graph, name="other"),
        "value": replace_graph(graph, nodes={**graph.nodes, "lif1": n.LIF(beta=0.8, reset="subtract", rule="exact")}),
        "order": replace_graph(graph, nodes=dict(reversed(graph.nodes.items()))),
        "wire": replace_graph(graph, wires={**graph.wires, "sum": graph.wires["sum"][::-1]}),
    }
    assert len({digest(graph), *(digest(g) for g in changed.values())}) == len(changed) + 1


def test_the_digest_is_the_same_in_another_process() -> None:
    code = "import sys; sys.path[:0] = sys.argv[1:]; import test_text as t; print(t.digest(t.event_net()))"
    here = Path(__file__)
    done = subprocess.run(
        [sys.executable, "-c", code, str(here.parent), str(here.parents[2])], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == digest(event_net())


def test_a_diff_shows_the_changed_line_alone() -> None:
    graph = event_net()
    other = replace_graph(graph, nodes={**graph.nodes, "pool": n.AveragePool((2, 2), ceil=True)})
    assert diff(graph, graph) == ""
    lines = diff(graph, other).split("\n")
    assert lines[:2] == ["--- a/event_net", "+++ b/event_net"]
    changed = [line for line in lines[2:] if line[0] in "+-"]
    assert changed[:2] == [
        "-  pool = SumPool(lif1; window=[2,2], stride=[2,2], ceil=true) : int[0,4] [4,3,3]",
        "-  flat = Flatten(pool) : int[0,4] [36]",
    ]
    assert len(changed) == 6


def test_equal_arrays_have_one_name_and_are_listed_once() -> None:
    weight = np.arange(16.0).reshape(4, 4)
    layers = [(f"a{i}", n.Affine(weight.copy())) for i in range(3)]
    graph = chain([("in", n.Input((4,))), *layers, ("out", n.Output())])
    assert len(arrays_of(graph)) == 1
    assert len({line.partition("#")[2] for line in to_text(graph).split("\n") if "Affine" in line}) == 1


def test_hashes_that_begin_alike_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = event_net()
    hashes = iter("0" * 16 + str(i) for i in range(9))
    held = {id(x): {f: next(hashes) for f, a in x.arrays().items() if a.size > 8} for x in graph.nodes.values()}
    monkeypatch.setattr("spikeport.toolchain.graph.text.hashes_of", lambda node: held[id(node)])
    with pytest.raises(GraphError, match="two arrays whose hashes begin alike"):
        arrays_of(graph)


def test_large_graphs_print_quickly() -> None:
    weight = np.random.default_rng(0).normal(size=(1000, 1000))
    layers = [(f"a{i}", n.Affine(weight + i)) for i in range(4)]
    layers += [(f"r{i}", n.Activation("relu")) for i in range(2000)]
    graph = chain([("in", n.Input((1000,))), *layers, ("out", n.Output())])
    start = time.perf_counter()
    text = to_text(graph)
    first = time.perf_counter() - start
    start = time.perf_counter()
    again = parse(text, arrays_of(graph))
    assert to_text(again) == text
    assert first < 2
    assert time.perf_counter() - start < 3
