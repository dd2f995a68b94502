"""Backend onnxruntime: the trace that the reference gives, with all that can be asked of a run."""

import numpy as np
import pytest
from spikeport.toolchain.errors import SimulationError, UsageError
from spikeport.toolchain.graph import Graph, chain
from spikeport.toolchain.graph.nodes import LIF, Affine, Input, Output
from spikeport.toolchain.graph.store import save
from spikeport.toolchain.simulate import Trace, simulate
from spikeport.toolchain.simulate.onnx_session import LARGE
from spikeport.toolchain.simulate.onnxruntime import _SESSIONS, forget
from support.command_line import data, small
from support.random_graphs import random_graph, random_inputs

SEEDS = range(400, 416)


def both(graph: Graph, x: object, **options: object) -> tuple[Trace, Trace]:
    return simulate(graph, x, **options), simulate(graph, x, backend="onnxruntime", **options)


def same(a: Trace, b: Trace, most: float = 1e-5) -> None:
    assert (a.steps, a.batch, a.dtype, a.dt, a.first, a.name) == (b.steps, b.batch, b.dtype, b.dt, b.first, b.name)
    assert list(a.nodes) == list(b.nodes)
    assert dict(a.counts) == dict(b.counts)
    for name, value in a.outputs.items():
        close(b.outputs[name], value, most)
    for name, node in a.nodes.items():
        for what in ("sent", "voltage", "current"):
            x, y = getattr(node, what), getattr(b[name], what)
            assert (x is None) == (y is None)
            if x is not None:
                assert x.dtype == y.dtype
                close(y, x, 0 if x.dtype == np.uint8 else most)


def close(found: np.ndarray, expected: np.ndarray, most: float) -> None:
    assert found.shape == expected.shape
    off = np.abs(found.astype(np.float64) - expected) / np.maximum(1, np.abs(expected))
    assert off.size == 0 or off.max() <= most


def drawn(seed: int, dtype: str = "float64", steps: int = 7) -> tuple[Graph, dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, nodes=8, subgraphs=seed % 4 == 0)
    return graph, random_inputs(graph, rng, steps, 2, dtype)


def test_it_gives_the_trace_of_the_reference():
    for seed in SEEDS:
        graph, x = drawn(seed)
        same(*both(graph, x, record="all"))


def test_what_is_recorded_is_what_was_asked_for():
    graph, x = drawn(401)
    for record in ("outputs", "spikes", [graph.inputs[0]]):
        same(*both(graph, x, record=record))
    with pytest.raises(UsageError, match="'nothing'"):
        simulate(graph, x, backend="onnxruntime", record=["nothing"])


def test_windows_streams_and_states_change_nothing():
    for seed in SEEDS[:5]:
        graph, x = drawn(seed)
        whole = simulate(graph, x, backend="onnxruntime", record="all")
        pieces = simulate(graph, x, backend="onnxruntime", record="all", window=3)
        same(whole, pieces, 1e-12)
        stream = ({name: rows[t : t + 2] for name, rows in x.items()} for t in range(0, 7, 2))
        same(whole, simulate(graph, stream, backend="onnxruntime", record="all"), 1e-12)
        first, rest = ({name: rows[part] for name, rows in x.items()} for part in (slice(4), slice(4, None)))
        start = simulate(graph, first, backend="onnxruntime").state
        end = simulate(graph, rest, backend="onnxruntime", state=start)
        for name, node in ((name, graph.nodes[name]) for name in graph.outputs):
            expected = whole.outputs[name][4:] if node.readout == "steps" else whole.outputs[name]
            close(end.outputs[name], expected, 1e-12)


def test_either_backend_goes_on_from_the_other():
    """A state is the same thing to both: delays, complex recursions and delayed wires among it."""
    for seed in SEEDS[8:13]:
        graph, x = drawn(seed)
        first, rest = ({name: rows[part] for name, rows in x.items()} for part in (slice(3), slice(3, None)))
        states = both(graph, first)
        for start, backend in zip(states, ("onnxruntime", "reference"), strict=True):
            end = simulate(graph, rest, backend=backend, state=start.state)
            whole = simulate(graph, x)
            for name in graph.outputs:
                expected = whole.outputs[name][3:] if graph.nodes[name].readout == "steps" else whole.outputs[name]
                close(end.outputs[name], expected, 1e-5)


def test_the_dtype_is_that_of_the_inputs_or_what_was_asked_for():
    graph, x = drawn(402, "float32")
    assert simulate(graph, x, backend="onnxruntime").dtype == np.float32
    assert simulate(graph, x, backend="onnxruntime", dtype="float64").dtype == np.float64
    same(*both(graph, x, dtype="float64", record="all"))


def test_a_second_run_makes_no_second_model(monkeypatch: pytest.MonkeyPatch):
    graph, x = drawn(403)
    first = simulate(graph, x, backend="onnxruntime", record="all")
    from spikeport.toolchain.simulate import onnxruntime

    monkeypatch.setattr(onnxruntime, "build_run", None)
    same(first, simulate(graph, x, backend="onnxruntime", record="all"), 0)


def test_refusals():
    graph, x = drawn(404)
    name = graph.inputs[0]
    x[name] = np.full_like(x[name], np.nan)
    with pytest.raises(SimulationError, match=name):
        simulate(graph, x, backend="onnxruntime")
    other = simulate(*drawn(405)).state
    with pytest.raises(SimulationError, match="state: "):
        simulate(graph, drawn(404)[1], backend="onnxruntime", state=other)


def test_the_command_runs_on_it(tmp_path):
    save(small(), tmp_path / "net.graph")
    found = [data("run", str(tmp_path / "net.graph"), "--backend", name) for name in ("reference", "onnxruntime")]
    assert [each.pop("backend") for each in found] == ["reference", "onnxruntime"]
    assert [each.pop("seconds") > 0 for each in found] == [True, True]
    assert [each["outputs"]["out"].pop("mean") for each in found] == [pytest.approx(5.5747, abs=1e-3)] * 2
    assert found[0] == found[1]


@pytest.mark.parametrize(("shape", "dtype"), [((520,), "float32"), ((2, 520), "float32"), ((520,), "float64")])
def test_large_weights_are_read_where_they_lie(shape: tuple[int, ...], dtype: str):
    """In a product, turned before the first run, and cast before it."""
    rng = np.random.default_rng(0)
    weights = [(rng.standard_normal((520, 520)) / 8).astype("float32") for _ in range(2)]
    layers = [
        (f"{kind}{i}", Affine(w) if kind == "fc" else LIF(beta=0.9))
        for i, w in enumerate(weights)
        for kind in ("fc", "lif")
    ]
    graph = chain([("in", Input(shape, "graded")), *layers, ("out", Output())])
    x = rng.random((6, 2, *shape)).astype(dtype)
    same(*both(graph, x, record="all", dtype=dtype), most=1e-4)
    same(*both(graph, x, record="spikes", dtype=dtype, window=2))
    held = [value for made in _SESSIONS[graph].values() for value in made._held]
    own = {node.weight.ctypes.data for node in graph.nodes.values() if isinstance(node, Affine)}
    assert {value.data_ptr() for value in held} == own
    assert all(weight.nbytes > LARGE for weight in weights)
    forget(graph)
    assert graph not in _SESSIONS
