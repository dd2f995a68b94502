"""Backend lava: the same trace as the fixed-point simulation gives, and a run that ends cleanly however it ends."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from spikeport.toolchain.errors import SimulationError, UsageError
from spikeport.toolchain.graph import Wire, later
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import (
    LIF,
    ChipInput,
    ChipOutput,
    Conv,
    InvSqrt,
    Joined,
    Port,
    Shaped,
)
from spikeport.toolchain.simulate import Trace, lava_runner, simulate
from spikeport.toolchain.simulate import lava as backend
from spikeport.toolchain.simulate.lava_program import LavaProgram
from spikeport.toolchain.simulate.lava_runner import Limits
from support.processes import living, wait_for
from support.random_chips import random_chip, random_spikes
from support.small_chip import ones, small

LONG = 200_000
"""Steps that nobody waits for."""


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Files of runs go to a folder of the test's own; after it, no file and no process is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    yield tmp_path
    assert living(str(tmp_path)) == []
    assert list(tmp_path.glob("spikeport-lava-*")) == []


def assert_equal(ours: Trace, theirs: Trace) -> None:
    """All that a trace holds but the state to go on from."""
    assert (ours.steps, ours.batch, ours.dtype, ours.dt, ours.name) == (
        theirs.steps,
        theirs.batch,
        theirs.dtype,
        theirs.dt,
        theirs.name,
    )
    assert dict(ours.counts) == dict(theirs.counts)
    ours_all, theirs_all = ours._arrays(), theirs._arrays()
    assert set(ours_all) == set(theirs_all)
    for name, array in ours_all.items():
        assert array.dtype == theirs_all[name].dtype, name
        np.testing.assert_array_equal(array, theirs_all[name], err_msg=name)


@pytest.mark.parametrize("seed", range(1000, 1005))
def test_a_run_on_lava_is_the_run_of_the_fixed_point_simulation(lava: Path, seed: int) -> None:
    graph = random_chip(seed)
    inputs = random_spikes(graph, seed, 9, 2)
    assert_equal(
        simulate(graph, inputs, backend="lava", record="all"), simulate(graph, inputs, backend="fixed", record="all")
    )


@pytest.mark.parametrize("record", ["outputs", "spikes", ["conv", "lif.v", "lif.current", "both"]])
def test_images_sums_and_joins_come_home_as_the_graph_has_them(lava: Path, record: str | list[str]) -> None:
    rng = np.random.default_rng(5)
    image = {"stride": (2, 1), "padding": (1, 0)}
    nodes = {
        "in": ChipInput((2, 5, 3)),
        "conv": Conv(weight=rng.integers(-9, 90, (3, 2, 3, 2)), **image),
        "two": Conv(weight=rng.integers(-9, 90, (3, 2, 3, 2)), **image),
        "sum": Port(),
        "lif": LIF(current_decay=2000, voltage_decay=200, threshold=60),
        "turned": Shaped((6, 3), (1, 2, 0)),
        "both": Joined(1),
        "image": ChipOutput("mean", 2),
        "flat": ChipOutput("sum", 3),
        "raw": ChipOutput(),
    }
    wires = {
        **{name: (later("in"),) for name in ("conv", "two")},
        "sum": (Wire("conv"), Wire("two")),
        "lif": (Wire("sum"),),
        "turned": (Wire("lif"),),
        "both": (Wire("turned"), Wire("turned")),
        "image": (Wire("sum"),),
        "flat": (Wire("both"),),
        "raw": (Wire("in"),),
    }
    graph = ChipGraph(nodes, wires)
    inputs = rng.integers(0, 2, (8, 2, 2, 5, 3))
    theirs = simulate(graph, inputs, backend="lava", record=record)
    assert_equal(theirs, simulate(graph, inputs, backend="fixed", record=record))
    assert theirs.outputs["flat"].shape == (2, 6, 6)
    assert np.any(theirs.outputs["flat"])


def test_a_network_of_joins_alone_needs_no_lava(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPIKEPORT_LAVA_HOME", str(tmp_path / "nowhere"))
    graph = ChipGraph({"in": ChipInput((3,)), "out": ChipOutput("sum")}, {"out": (Wire("in"),)})
    assert simulate(graph, ones(4), backend="lava").outputs["out"].tolist() == [[4, 4, 4]]


def test_lava_is_asked_for_what_is_recorded_and_for_nothing_else(lava: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def run(program: LavaProgram, *args: object, **kwargs: object) -> lava_runner.LavaRun:
        asked.append(program.record)
        return lava_runner.run_lava(program, *args, **kwargs)

    monkeypatch.setattr(backend, "run_lava", run)
    for record in ("outputs", "spikes", ["fc", "lif.u"]):
        simulate(small(), ones(3), backend="lava", record=record)
    assert asked == [("lif.s_out",), ("lif.s_out",), ("fc.a_out", "lif.s_out", "lif.u")]


def test_without_lava_s_environment_one_is_told_what_to_type(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPIKEPORT_LAVA_HOME", str(tmp_path / "home"))
    with pytest.raises(SimulationError) as caught:
        simulate(small(), ones(3), backend="lava")
    assert str(caught.value) == (
        f"Lava: its environment in {tmp_path}/home/lava-nc-0.10.0 is not installed. Run `spikeport lava install`"
    )


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (ones(4) * 2, r"in: 2 in step 0, sample 0, at \[0\]; expected spikes"),
        (ones(4) * 0.5, r"in: 0\.5 in step 0, sample 0, at \[0\]; expected spikes"),
        (ones(4)[:, 0], r"in: an input of shape \[4,3\]; expected \[T,B,3\]"),
    ],
)
def test_inputs_that_break_the_promise_are_refused_before_lava_starts(inputs: np.ndarray, message: str) -> None:
    with pytest.raises(SimulationError, match=message):
        simulate(small(), inputs, backend="lava")


def test_a_run_too_short_for_its_answer_is_refused_before_lava_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SPIKEPORT_LAVA_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(SimulationError, match=r"^out: 3 steps, and its answer comes 3 late; expected at least 4"):
        simulate(small(out=ChipOutput("last", 3)), ones(3), backend="lava")


def test_what_lava_does_not_have_is_refused() -> None:
    with pytest.raises(UsageError, match="window"):
        simulate(small(), ones(3), backend="lava", window=2)
    with pytest.raises(UsageError, match=r"lif\.x"):
        simulate(small(), ones(3), backend="lava", record=["lif.x"])


def test_a_stream_of_windows_is_run_as_a_whole(lava: Path) -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(0, 2, (9, 2, 3))
    whole = simulate(small(), x, backend="lava", record="all")
    assert_equal(simulate(small(), iter([x[:4], x[4:]]), backend="lava", record="all"), whole)


def test_progress_is_told_over_all_steps_of_all_samples(lava: Path) -> None:
    told: list[tuple[int, int]] = []
    backend.simulate(small(), ones(30, 3), report=lambda done, steps: told.append((done, steps)))
    assert told[-1] == (90, 90)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_a_process_that_fails_in_lava_is_called_by_its_name_in_the_graph(lava: Path) -> None:
    nodes = {"in": ChipInput((1,), "int[-9,9]"), "norm.root": InvSqrt(), "out": ChipOutput()}
    graph = ChipGraph(nodes, {"norm.root": (Wire("in"),), "out": (Wire("norm.root"),)}, name="net")
    with pytest.raises(SimulationError, match=r"^net, norm\.root: ValueError: cannot convert float NaN to integer"):
        simulate(graph, np.full((2, 1, 1), -4), backend="lava")


def begun(clean: Path) -> bool:
    """Whether a run in this folder has made some steps."""
    return any(int.from_bytes(path.read_bytes(), "little") > 5 for path in clean.glob("*/0/progress"))


class Running:
    """A long run in a thread of its own."""

    def __init__(self, clean: Path, **limits: float) -> None:
        self.error: SimulationError | None = None
        self.thread = threading.Thread(target=self._run, args=(Limits(**limits),))
        self.thread.start()
        wait_for(lambda: begun(clean) or not self.thread.is_alive())

    def _run(self, limits: Limits) -> None:
        with contextlib.suppress(SimulationError):
            try:
                backend.simulate(small(), ones(LONG), limits=limits)
            except SimulationError as error:
                self.error = error
                raise

    def message(self) -> str:
        self.thread.join(60)
        assert not self.thread.is_alive()
        return str(self.error)


def test_a_run_that_takes_too_long_is_stopped(clean: Path, lava: Path) -> None:
    message = Running(clean, total=3.0).message()
    assert message.startswith("net: did not finish in 3 s, stopped after ")
    assert message.endswith(f"of {LONG} steps. Allow more time, or take fewer steps")


@pytest.mark.parametrize("victim", [0, 1, -2], ids=["worker", "job", "a process of Lava's"])
def test_a_process_that_is_killed_is_one_clear_error(clean: Path, lava: Path, victim: int) -> None:
    run = Running(clean, stall=60)
    os.kill(living(str(clean))[victim], signal.SIGKILL)
    assert run.message().startswith("net: ")
    assert "signal 9" in run.message()


def test_a_worker_that_hangs_is_stopped(clean: Path, lava: Path) -> None:
    run = Running(clean, stall=6.0)
    os.kill(living(str(clean))[-2], signal.SIGSTOP)
    assert run.message().startswith("net: made no step for 6 s, stopped after ")


OURSELVES = """
import sys; sys.path.insert(0, {tests!r})
from spikeport.toolchain.console import explained
from spikeport.toolchain.simulate import simulate
from support.small_chip import ones, small
with explained(debug=False):
    simulate(small(), ones({steps}), backend="lava")
"""


def test_ctrl_c_stops_it_and_leaves_nothing(clean: Path, lava: Path) -> None:
    code = OURSELVES.format(tests=str(Path(__file__).parents[2]), steps=LONG)
    us = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    wait_for(lambda: begun(clean) or us.poll() is not None)
    us.send_signal(signal.SIGINT)
    _, err = us.communicate(timeout=30)
    assert err.splitlines()[0] == "stopped"
