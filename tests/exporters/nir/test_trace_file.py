"""Golden traces: what is written is NIR's Data IR, what is read is what was written, and what is wrong is said."""

from collections.abc import Callable
from pathlib import Path

import h5py
import nir
import numpy as np
import pytest
from spikeport.exporters.nir.trace_file import read_trace, write_trace
from spikeport.toolchain.errors import FileError, UsageError
from spikeport.toolchain.graph import Graph, chain
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.verifying import Golden, Recorded, recorded, verify

RNG = np.random.default_rng(0)
SPIKES = (RNG.random((12, 3, 2, 4, 5)) < 0.4).astype(float)


def network() -> Graph:
    rng = np.random.default_rng(1)
    layers = [
        ("in", n.Input((2, 4, 5), "spikes")),
        ("conv", n.Conv(rng.normal(size=(3, 2, 3, 3)), padding=1)),
        ("lif", n.LIF(beta=0.9, threshold=1.0)),
        ("flat", n.Flatten()),
        ("fc", n.Affine(rng.normal(size=(4, 60)))),
        ("li", n.LeakyIntegrator(beta=0.8)),
        ("out", n.Output("last")),
    ]
    return chain(layers, name="net", dt=2e-3)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    graph = network()
    write_trace(recorded(graph, {"in": SPIKES}), tmp_path / "net.trace.nir")
    return tmp_path / "net.trace.nir"


def test_nir_itself_reads_what_is_written(written: Path) -> None:
    held = nir.read_data(written)
    assert set(held.nodes) == {"in", "lif", "li", "out"}
    spikes = held.nodes["lif"].observables["spikes"]
    assert (spikes.data.dtype, spikes.data.shape, spikes.dt) == (bool, (3, 12, 60), 2e-3)
    assert held.nodes["li"].observables["values"].data.shape == (3, 12, 4)


def test_what_is_read_is_what_ran(written: Path) -> None:
    graph = network()
    golden, ran = read_trace(written, graph), recorded(graph, {"in": SPIKES})
    for mine, its in ((golden.inputs, ran.inputs), (golden.sent, ran.sent)):
        assert set(mine) == set(its)
        assert all(np.array_equal(mine[name], its[name]) for name in its)
    verdict = verify(Recorded(golden, graph), graph, golden.inputs)
    assert verdict
    assert verdict.exact


def test_a_spike_that_is_missing_is_found(written: Path) -> None:
    graph = network()
    golden = read_trace(written, graph)
    sent = {name: values.copy() for name, values in golden.sent.items()}
    step, sample, *place = np.argwhere(sent["lif"])[40]
    sent["lif"][(step, sample, *place)] = False
    verdict = verify(Recorded(Golden("t", golden.dt, golden.inputs, sent), graph), graph, golden.inputs)
    assert not verdict
    first = verdict.first_difference
    assert (first.pair, first.step, first.sample, first.index) == (("lif", "lif"), step, sample, tuple(place))
    assert first.values == (0, 1)
    assert all(moment.voltage[0] is None and moment.voltage[1] is not None for moment in first.moments)


def test_events_of_others_are_put_into_steps(tmp_path: Path) -> None:
    graph = chain([("in", n.Input((2,), "spikes")), ("lif", n.IF(threshold=0.5)), ("out", n.Output())], dt=0.1)
    times = np.array([[0.0, 0.3, 0.7000000001, np.inf]])  # 0.3 / 0.1 is a little below 3
    events = nir.EventData(np.array([[0, 1, 0, -1]]), times, 2, 0.8)
    gridded = nir.TimeGriddedData(events.to_time_gridded(0.1).data, 0.1)
    nir.write_data(tmp_path / "a.nir", nir.NIRGraphData({"in": nir.NIRNodeData({"spikes": events})}))
    golden = read_trace(tmp_path / "a.nir", graph)
    assert np.argwhere(golden.inputs["in"][:, 0]).tolist() == [[0, 0], [3, 1], [7, 0]]
    assert gridded.n_time_steps in (7, 8)
    valued = nir.ValuedEventData(np.array([[0, 1]]), np.array([[0.1, 0.1]]), 2, 0.2, np.array([[0.5, -2.0]]))
    nir.write_data(tmp_path / "b.nir", nir.NIRGraphData({"in": nir.NIRNodeData({"values": valued})}))
    assert read_trace(tmp_path / "b.nir", graph).inputs["in"][:, 0].tolist() == [[0, 0], [0.5, -2.0]]


def _delete(name: str):
    def change(file: h5py.File) -> None:
        del file[name]

    return change


def _attribute(name: str, key: str, value: object):
    def change(file: h5py.File) -> None:
        file[name].attrs[key] = value

    return change


def _data(name: str, values: np.ndarray):
    def change(file: h5py.File) -> None:
        del file[name]
        file[name] = values

    return change


LIF = "nodes/lif/observables/spikes"
WRONG = {
    "no trace": (_attribute("/", "__type__", "Graph"), "of type 'Graph'"),
    "no input": (_delete("nodes/in"), "no record of the input in"),
    "another node": (lambda file: file.move("nodes/lif", "nodes/fil"), "fil: no node of net"),
    "no observables": (_delete(LIF), "nothing; expected spikes or values"),
    "no data": (_delete(f"{LIF}/data"), "is not there; expected numbers of 3 axes"),
    "no step": (_attribute(LIF, "dt", -1.0), "no positive number"),
    "other steps": (_attribute(LIF, "dt", 1e-3), "records of different length"),
    "other size": (_data(f"{LIF}/data", np.zeros((3, 12, 61))), "shape [3, 12, 61]; expected [samples, steps, 60]"),
    "shorter": (_data(f"{LIF}/data", np.zeros((3, 11, 60))), "records of different length"),
    "NaN": (_data(f"{LIF}/data", np.full((3, 12, 60), np.nan)), "NaN or infinite values"),
    "text": (_data(f"{LIF}/data", np.array([[[b"x"]]])), "expected numbers of 3 axes"),
    "a type there is not": (_attribute(LIF, "__type__", "Film"), "of type 'Film'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_with_the_file_first(written: Path, case: str) -> None:
    change, expected = WRONG[case]
    with h5py.File(written, "r+") as file:
        change(file)
    with pytest.raises(FileError) as caught:
        read_trace(written, network())
    assert str(caught.value).startswith(str(written))
    assert expected in str(caught.value)


def test_a_record_of_another_network_is_refused() -> None:
    graph = network()
    ran = recorded(graph, {"in": SPIKES})
    other = chain([("in", n.Input((2, 4, 5), "spikes")), ("out", n.Output())], dt=1e-3)
    with pytest.raises(UsageError, match=r"a record of 'lif', which network has not"):
        Recorded(ran, other)
    with pytest.raises(UsageError, match=r"steps of 0.002 s; expected 0.001 s"):
        Recorded(Golden("t", 2e-3, ran.inputs, {}), other)


def changed(path: Path, change: Callable[[h5py.File], object]) -> Path:
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def test_a_record_of_inputs_alone_proves_nothing(written: Path) -> None:
    changed(written, lambda file: [file["nodes"].pop(name) for name in ("lif", "li", "out")])
    with pytest.raises(UsageError, match="no record of what is sent"):
        Recorded(read_trace(written, network()), network())


def test_steps_without_end_are_refused(written: Path) -> None:
    changed(written, lambda file: file["nodes/lif/observables/spikes"].attrs.__setitem__("dt", np.inf))
    with pytest.raises(FileError, match="spikes@dt: no positive number"):
        read_trace(written, network())


def of_events(path: Path, times: np.ndarray, end: float) -> Path:
    """A record with one neuron's spikes as events."""
    spikes = nir.EventData(np.zeros((1, times.size), int), times[None], 3, end)
    sent = np.zeros((1, 12, 3))
    nodes = {
        "in": nir.NIRNodeData({"values": nir.TimeGriddedData(sent, 1e-3)}),
        "lif": nir.NIRNodeData({"spikes": spikes}),
    }
    nir.write_data(path, nir.NIRGraphData(nodes))
    return path


SMALL = chain([("in", n.Input((3,))), ("lif", n.LIF(beta=0.9)), ("out", n.Output())], name="small", dt=1e-3)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_an_event_at_the_start_of_a_step_lies_in_it(tmp_path: Path, kind: type) -> None:
    times = (np.arange(12) * 1e-3).astype(kind)
    golden = read_trace(of_events(tmp_path / "e.trace.nir", times, 0.012), SMALL)
    assert golden.sent["lif"][:, 0, 0].tolist() == [1.0] * 12


def test_events_without_an_end_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="t_max: no positive number"):
        read_trace(of_events(tmp_path / "e.trace.nir", np.array([1e-3]), np.inf), SMALL)
