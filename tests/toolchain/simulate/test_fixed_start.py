"""What a short run of a chip graph loads, by which plan it goes, and samples that run one lane after the other."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import spikeport
from spikeport.benchmarks.speed.lava_networks import dense, pilotnet, recurrent
from spikeport.toolchain.errors import SimulationError
from spikeport.toolchain.graph import Wire, later
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import (
    LIF,
    ChipInput,
    ChipOutput,
    Conv,
    ConvInTime,
    DelayDense,
    Dense,
    LIFReset,
    Port,
    Shaped,
)
from spikeport.toolchain.simulate import fixed, fixed_choice, fixed_lanes, schedule, simulate
from spikeport.toolchain.simulate.fixed_plan import FixedPlan, fixed_plan
from support.chip_steps import Definition
from support.random_chips import random_chip, random_spikes

RUN = """
import sys, numpy, spikeport
x = numpy.ones((int(sys.argv[2]), 1, int(sys.argv[3])), numpy.int8)
trace = spikeport.simulate(spikeport.load(sys.argv[1]), x, record="spikes")
print(*trace.outputs["out"].ravel().tolist())
print(*{"torch", "numba", "scipy", "h5py", "rich"} & set(sys.modules))
"""


class ByDefinition:
    """In place of the ledger: no run ever goes by the kernels."""

    def plan(self, graph: ChipGraph, steps: int | None, batch: int) -> FixedPlan:  # noqa: ARG002
        return fixed_plan(graph, compiled=False)


@pytest.mark.parametrize("make", [dense, recurrent])
@pytest.mark.parametrize(("steps", "loaded"), [(5, set()), (1500, {"numba"})])
def test_a_network_without_convolutions_needs_no_torch_and_a_short_run_no_numba(
    make, steps: int, loaded: set[str], tmp_path: Path
):
    case = make(False)
    spikeport.save(case.graph, tmp_path / "net.graph")
    (size,) = case.graph.signals["in"].shape
    command = [sys.executable, "-c", RUN, tmp_path / "net.graph", str(steps), str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")
    answer, modules = done.stdout.split("\n")[:2]
    assert set(modules.split()) - {"scipy"} == loaded  # numba loads it where it is there
    wanted = simulate(case.graph, np.ones((steps, 1, size), np.int8)).outputs["out"]
    assert answer.split() == [str(value) for value in wanted.ravel()]


@pytest.mark.parametrize("seed", range(200, 240))
def test_both_plans_give_the_same_integers_and_go_on_from_each_other(seed: int, monkeypatch: pytest.MonkeyPatch):
    graph = random_chip(seed)
    inputs = random_spikes(graph, seed, 13, 2)
    early, late = ({name: x[part] for name, x in inputs.items()} for part in (slice(8), slice(8, None)))
    whole, start = (simulate(graph, x, record="all") for x in (inputs, early))
    monkeypatch.setattr(fixed, "LEDGER", ByDefinition())
    for found in (simulate(graph, inputs, record="all"), simulate(graph, inputs, record="all", window=3)):
        assert found.counts == whole.counts
        for name, values in whole.outputs.items():
            np.testing.assert_array_equal(found.outputs[name], values)
            assert found.outputs[name].dtype == values.dtype
    rest = simulate(graph, late, record="all", state=start.state)
    for name in graph.nodes:
        np.testing.assert_array_equal(found[name].sent, whole[name].sent, err_msg=name)
        np.testing.assert_array_equal(rest[name].sent, whole[name].sent[8:], err_msg=name)
        for state, values in whole[name].states.items():
            np.testing.assert_array_equal(found[name].states[state], values, err_msg=f"{name}.{state}")


@pytest.mark.parametrize("wrong", [2.0, -1.0, 0.5, np.nan, np.inf])
def test_both_plans_refuse_the_same_input_in_the_same_words(wrong: float, monkeypatch: pytest.MonkeyPatch):
    case = recurrent(True)
    x = case.spikes(6, 3).astype(np.float32)
    x[4, 2, 7] = wrong
    said = []
    for _ in range(2):
        with pytest.raises(SimulationError, match=rf"in: {wrong} in step 4, sample 2, at \[7\]") as caught:
            simulate(case.graph, x)
        said.append(str(caught.value))
        monkeypatch.setattr(fixed, "LEDGER", ByDefinition())
    assert said[0] == said[1]


def test_the_definition_runs_until_it_has_taken_as_long_as_loading_the_kernels(monkeypatch: pytest.MonkeyPatch):
    graph, ledger = dense(True).graph, fixed_choice.Ledger()
    monkeypatch.delitem(sys.modules, "numba")
    by_kernels, by_definition = fixed_plan(graph), fixed_plan(graph, compiled=False)
    each = fixed_choice.seconds(graph, 4) * 100
    count = int(fixed_choice.LOADING_S / each)
    assert count >= 2
    assert [ledger.plan(graph, 100, 4) is by_definition for _ in range(count + 2)] == [True] * count + [False] * 2
    assert fixed_choice.Ledger().plan(graph, None, 1) is by_kernels  # a stream may be long
    assert fixed_choice.Ledger().plan(pilotnet(True).graph, 1000, 1).within is not by_definition.within
    monkeypatch.setitem(sys.modules, "numba", np)
    assert fixed_choice.Ledger().plan(graph, 1, 1) is by_kernels


def wide() -> ChipGraph:
    """A network with every state that a lane has to cut: clocks, delays, loops, readouts, delayed wires."""
    rng = np.random.default_rng(3)

    def weights(*shape: int) -> np.ndarray:
        return 2 * rng.integers(-40, 50, shape)

    neuron = {"current_decay": 900, "voltage_decay": 200, "threshold": 90}
    nodes = {
        "in": ChipInput((2, 6, 5)),
        "conv": Conv(weight=weights(3, 2, 3, 3)),
        "lif0": LIF(**neuron),
        "flat": Shaped((36,)),
        "late": DelayDense(weight=weights(7, 36), delay=rng.integers(0, 4, (7, 36))),
        "port": Port(),
        "lif1": LIFReset(interval=5, offset=2, **neuron),
        "back": Dense(weight=weights(7, 7)),
        "time": ConvInTime(weight=weights(3, 4, 7)),
        "lif2": LIF(**neuron),
        "sum": ChipOutput("sum", after=3),
        "steps": ChipOutput(),
    }
    wires = {"conv": (later("in"),), "lif0": (Wire("conv"),), "flat": (Wire("lif0"),), "late": (later("flat"),)}
    wires |= {"port": (Wire("late"), Wire("back")), "lif1": (Wire("port"),), "back": (later("lif1"),)}
    wires |= {"time": (later("lif1"),), "lif2": (Wire("time"),), "sum": (Wire("lif2"),), "steps": (Wire("lif1"),)}
    return ChipGraph(nodes, wires)


def test_lanes_give_what_all_samples_at_once_give(monkeypatch: pytest.MonkeyPatch):
    graph = wide()
    x = np.random.default_rng(4).integers(0, 2, (31, 7, 2, 6, 5))
    wanted, whole = Definition(graph, {"in": x}), simulate(graph, x)
    monkeypatch.setattr(schedule, "BUDGET", 32 * schedule.schedule(fixed_plan(graph), 1).live)
    monkeypatch.setattr(schedule, "_SCHEDULES", {})
    plan = fixed_plan(graph)
    fed = fixed.feed(x, plan.inputs, plan.dtype)
    assert fixed_lanes.lanes(plan, fed, {}) == [slice(0, 2), slice(2, 4), slice(4, 6), slice(6, 7)]
    assert fixed_lanes.lanes(plan, fed, {"lif0": frozenset({"sent"})}) == [slice(0, 7)]
    start = simulate(graph, x[:9])
    for found in (simulate(graph, x), simulate(graph, x[9:], state=start.state)):
        np.testing.assert_array_equal(found.outputs["steps"], wanted.sent["lif1"][found.first :])
        np.testing.assert_array_equal(found.outputs["sum"], wanted.sent["lif2"][3:].sum(0))
        assert (found.batch, found.state.batch) == (7, 7)
        assert found.outputs["sum"].any()
        for name, states in whole.state.nodes.items():
            for key, values in states.items():
                np.testing.assert_array_equal(found.state.nodes[name][key], values, err_msg=f"{name}.{key}")
    assert simulate(graph, x).counts == whole.counts
    x[20, 5, 1, 2, 3] = 7
    with pytest.raises(SimulationError, match=r"in: 7 in step 20, sample 5, at \[1,2,3\]"):
        simulate(graph, x)
    two = simulate(graph, x[:5, :2]).state
    for state, found in ((two, 2), (start.state, 7)):
        with pytest.raises(SimulationError, match=f"a run of {found} samples in int32; expected 6 samples"):
            simulate(graph, x[:, :6], state=state)
