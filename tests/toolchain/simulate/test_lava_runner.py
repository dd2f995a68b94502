"""Lava programs on Lava itself: every kind of process, what is refused, and that nothing ever stays behind."""

import ast
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from spikeport.toolchain.errors import SimulationError
from spikeport.toolchain.simulate import lava_worker
from spikeport.toolchain.simulate.lava_program import LavaConnection, LavaProcess, LavaProgram
from spikeport.toolchain.simulate.lava_runner import Limits, run_all, run_lava
from support.lava_kinds import KINDS, chain, every_kind, program
from support.processes import living, wait_for

LONG = 200_000
"""Steps that nobody waits for."""


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Files of runs go to a folder of the test's own; after it, no file, no shared memory and no process is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    shared = set(os.listdir("/dev/shm"))
    yield tmp_path
    assert living(str(tmp_path)) == []
    assert list(tmp_path.glob("spikeport-lava-*")) == []
    assert {name for name in os.listdir("/dev/shm") if name.startswith("psm")} <= shared


def test_every_kind_of_process_of_the_worker_is_tried_here() -> None:
    tree = ast.parse((Path(lava_worker.__file__).parent / "kinds.py").read_text())
    table = next(n.value for n in tree.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "KINDS")
    assert isinstance(table, ast.Dict)
    assert {ast.literal_eval(key) for key in table.keys if key} | {"Concat"} == set(KINDS)


def test_every_kind_of_process_runs_and_is_recorded_and_samples_know_nothing_of_each_other(lava: Path) -> None:
    whole = every_kind(steps=22, samples=2)
    told: list[tuple[int, int]] = []
    both = run_lava(whole, lava, report=lambda done, steps: told.append((done, steps))).values
    second = run_lava(whole.part(1, 2), lava).values
    for name in whole.record:
        assert both[name].shape[:2] == (22, 2)
        assert both[name].dtype.kind in "bi"
        assert np.count_nonzero(both[name]), name
        np.testing.assert_array_equal(both[name][:, 1:], second[name], name)
    assert told[-1] == (44, 44)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_several_workers_divide_the_samples(lava: Path) -> None:
    whole = replace(chain(9, 3), inputs={"in": np.random.default_rng(0).integers(0, 2, (9, 3, 3))})
    one, three = run_lava(whole, lava), run_lava(whole, lava, workers=5)
    for name in whole.record:
        np.testing.assert_array_equal(one.values[name], three.values[name])
    assert min(one.seconds.started, one.seconds.built, one.seconds.run) > 0


def test_the_numbers_are_those_of_the_integer_equations(lava: Path) -> None:
    """One step of latency, even weights, du with its offset of one, rounding to zero, a strict threshold."""
    weights = np.array([[3, -3, 0], [2, 0, 0]])
    lif = LavaProcess("lif", "LIF", {"shape": (2,), "du": 2047, "dv": 1024, "vth": 4}, {"u": np.array([2**23, -7])})
    net = program(
        {"in": np.ones((4, 1, 3), int)},
        (LavaProcess("fc", "Dense", {"weights": weights}), lif),
        ("in.s_out > fc.s_in", "fc.a_out > lif.a_in"),
        ("fc.a_out", "lif.a_in", "lif.u", "lif.v", "lif.s_out"),
    )
    got = {name: values[:, 0].tolist() for name, values in run_lava(net, lava).values.items()}
    assert got["fc.a_out"] == [[0, 0], *[[-2, 2]] * 3]  # 3 is stored as 2, −3 as −4
    assert got["lif.a_in"] == got["fc.a_out"]
    assert got["lif.u"] == [[2**22, -3], [2**21 - 128, 127], [2**20 - 192, 191], [2**19 - 224, 223]]
    assert got["lif.v"] == [[0, -3], [0, 125], [0, 0], [0, 223]]
    assert got["lif.s_out"] == [[1, 0], [1, 0], [1, 1], [1, 0]]


def test_ports_are_reshaped_flattened_transposed_added_and_put_side_by_side(lava: Path) -> None:
    x, y = np.random.default_rng(1).integers(-9, 9, (2, 20, 2, 3, 4))
    vec = {"vth": 0}
    net = LavaProgram(
        20,
        2,
        {"x": x, "y": y},
        (
            LavaProcess("flat", "GradedVec", {"shape": (12,), **vec}),
            LavaProcess("turned", "GradedVec", {"shape": (4, 3), **vec}),
            LavaProcess("sum", "GradedVec", {"shape": (2, 6), **vec}),
            LavaProcess("side", "Concat", {"shapes": ((3, 4), (3, 4)), "axis": 0}),
            LavaProcess("joined", "GradedVec", {"shape": (6, 4), **vec}),
        ),
        (
            LavaConnection("x.s_out", "flat.a_in", (("flatten",),)),
            LavaConnection("x.s_out", "turned.a_in", (("transpose", (1, 0)),)),
            LavaConnection("x.s_out", "sum.a_in", (("transpose", (1, 0)), ("reshape", (2, 6)))),
            LavaConnection("y.s_out", "sum.a_in", (("reshape", (2, 6)),)),
            LavaConnection("x.s_out", "side.in0"),
            LavaConnection("y.s_out", "side.in1"),
            LavaConnection("side.s_out", "joined.a_in"),
        ),
        ("flat.s_out", "turned.s_out", "sum.s_out", "joined.s_out"),
    )
    got = run_lava(net, lava).values
    np.testing.assert_array_equal(got["flat.s_out"], x.reshape(20, 2, 12))
    np.testing.assert_array_equal(got["turned.s_out"], x.swapaxes(2, 3))
    np.testing.assert_array_equal(got["sum.s_out"], x.swapaxes(2, 3).reshape(20, 2, 2, 6) + y.reshape(20, 2, 2, 6))
    np.testing.assert_array_equal(got["joined.s_out"], np.concatenate([x, y], 2))


def test_a_loop_with_a_synapse_in_it_runs(lava: Path) -> None:
    net = program(
        {"in": np.zeros((6, 1, 1), int)},
        (
            LavaProcess("lif", "LIF", {"shape": (1,), "du": 4095, "dv": 4096, "vth": 1}, {"v": 0, "u": 0}),
            LavaProcess("back", "Dense", {"weights": np.array([[-4]])}),
            LavaProcess("start", "LIF", {"shape": (1,), "vth": 0, "bias_mant": 64}),
        ),
        ("in.s_out > lif.a_in", "start.s_out > back.s_in", "lif.s_out > back.s_in", "back.a_out > lif.a_in"),
        ("lif.u", "back.a_out"),
    )
    got = run_lava(net, lava).values
    assert got["back.a_out"].ravel().tolist() == [0, -4, -4, -4, -4, -4]
    np.testing.assert_array_equal(got["lif.u"], got["back.a_out"] * 64)


def dense(**parameters: object) -> LavaProcess:
    return LavaProcess("fc", "Dense", {"weights": np.full((2, 3), 10), **parameters})


def changed(*processes: LavaProcess, wires: tuple[str, ...] = (), record: tuple[str, ...] = ()) -> LavaProgram:
    """The chain with other processes, wires or recordings."""
    net = chain(5)
    kept = {process.name: process for process in (*net.processes, *processes)}
    added = tuple(LavaConnection(*wire.split(" > ")) for wire in wires)
    return replace(net, processes=(*kept.values(),), connections=net.connections + added, record=record or net.record)


def lif(**parameters: object) -> LavaProcess:
    return LavaProcess("lif", "LIF", {"shape": (2,), **parameters})


REFUSED = {
    "unknown kind": (
        changed(LavaProcess("lif", "Izhikevich", {})),
        "Lava, lif: is no Izhikevich that Lava can make: 'there are Dense, DelayDense, Sparse,",
    ),
    "missing parameter": (
        changed(LavaProcess("lif", "LIF", {})),
        "Lava, lif: is no LIF that Lava can make: LIF.__init__() missing 1 required keyword-only argument: 'shape'",
    ),
    "unknown sign": (changed(dense(sign_mode="PLUS")), "Lava, fc: has sign_mode 'PLUS'; Lava knows NULL, MIXED,"),
    "too large for its type": (
        changed(lif(bias_mant=np.array([3, 40000]))),
        "Lava, lif: has 40000 in bias_mant, which Lava's int16 cannot hold",
    ),
    "groups of a depthwise convolution": (
        changed(
            LavaProcess(
                "conv", "Conv", {"weight": np.ones((200, 1, 1, 1), int), "input_shape": (1, 1, 200), "groups": 200}
            )
        ),
        "Lava, conv: has 200 in groups, which Lava's int8 cannot hold",
    ),
    "unknown variable": (
        changed(LavaProcess("lif", "LIF", {"shape": (2,)}, {"w": 3})),
        "Lava, lif.w: names nothing that is there: bias_exp, bias_mant, du, dv, u, v, vth",
    ),
    "unknown process": (
        changed(wires=("fc.a_out > out.a_in",)),
        "Lava, out.a_in: names no process; there are in, fc, lif",
    ),
    "unknown port": (
        changed(wires=("fc.a_out > lif.x",)),
        "Lava, lif.x: names nothing that is there: a_in",
    ),
    "unknown recording": (changed(record=("lif.w",)), "Lava, lif.w: names nothing that is there: bias_exp,"),
    "shapes": (
        changed(wires=("in.s_out > lif.a_in",)),
        "Lava, in.s_out -> lif.a_in: cannot be connected: Shapes (3,) and (2,) are incompatible.",
    ),
    "twice": (
        changed(wires=("fc.a_out > lif.a_in",)),
        "Lava, fc.a_out -> lif.a_in: are connected twice, which Lava cannot tell apart",
    ),
    "waiting for each other": (
        changed(LavaProcess("two", "LIF", {"shape": (2,)}), wires=("lif.s_out > two.a_in", "two.s_out > lif.a_in")),
        "Lava: lif, two would wait for each other for ever: no synapse in the loop",
    ),
    "in the first step": (
        changed(LavaProcess("fc", "DelayDense", {"weights": np.ones((2, 3), int), "delays": 64})),
        "Lava, fc: ValueError: DelayDense Process 'delays' expects values between 0 and 63 for Loihi",
    ),
    "in a later step": (
        replace(
            changed(LavaProcess("root", "InvSqrt", {"shape": (1,)}), wires=("low.s_out > root.a_in",)),
            inputs={"in": np.ones((5, 1, 3), int), "low": np.array([4, 9, 1, -1, 2]).reshape(5, 1, 1)},
        ),
        "Lava, root: ValueError: cannot convert float NaN to integer",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_run_is_refused_by_name(lava: Path, name: str) -> None:
    net, message = REFUSED[name]
    with pytest.raises(SimulationError) as caught:
        run_lava(net, lava, limits=Limits(stall=60))
    assert str(caught.value).startswith(message)


def test_where_in_lava_it_failed_goes_with_the_error(lava: Path) -> None:
    net, _ = REFUSED["in a later step"]
    with pytest.raises(SimulationError) as caught:
        run_lava(net, lava)
    assert "graded/models.py" in caught.value.__notes__[0]


def test_inputs_that_are_not_integers_of_that_many_steps_are_refused() -> None:
    with pytest.raises(
        SimulationError, match=r"input in: holds float64 of shape \(5, 1, 3\); expected integers \(5, 1, \*"
    ):
        replace(chain(5), inputs={"in": np.ones((5, 1, 3))})
    with pytest.raises(SimulationError, match=r"input in: holds int64 of shape \(5, 1\)"):
        replace(chain(5), inputs={"in": np.ones((5, 1), int)})
    with pytest.raises(
        SimulationError, match="Lava: has 0 steps, 1 samples and 2 processes; expected at least one of each"
    ):
        replace(chain(5), steps=0)


def test_an_input_beyond_32_bits_is_refused(lava: Path) -> None:
    with pytest.raises(SimulationError, match="Lava, in: has 2147483648 in values, which Lava's int32 cannot hold"):
        run_lava(replace(chain(1), inputs={"in": np.array([[[1, 2**31, 3]]])}), lava)


def test_the_name_of_the_program_is_said(lava: Path) -> None:
    nets = [chain(3, name="good"), replace(changed(wires=("fc.a_out > lif.a_in",)), name="bad")]
    with pytest.raises(SimulationError, match=r"^bad, fc\.a_out -> lif\.a_in: are connected twice"):
        run_all(nets, lava)


class Running:
    """A long run in a thread of its own, as seen from outside."""

    def __init__(self, clean: Path, lava: Path, **limits: float) -> None:
        self.clean = clean
        self.error: SimulationError | None = None
        self.thread = threading.Thread(target=self._run, args=(lava, Limits(**limits)))
        self.thread.start()
        wait_for(lambda: any(int.from_bytes(p.read_bytes(), "little") > 5 for p in clean.glob("*/0/progress")))

    def _run(self, lava: Path, limits: Limits) -> None:
        with contextlib.suppress(SimulationError):
            try:
                run_lava(chain(LONG), lava, limits=limits)
            except SimulationError as error:
                self.error = error
                raise

    def family(self) -> list[int]:
        """The worker, the process of its job, and those of Lava, in this order."""
        return living(str(self.clean))

    def message(self) -> str:
        self.thread.join(60)
        assert not self.thread.is_alive()
        return str(self.error)


VICTIMS: dict[str, tuple[Callable[[list[int]], int], str]] = {
    "worker": (lambda family: family[0], "Lava: its worker ended by itself (killed by signal 9) after "),
    "job": (lambda family: family[1], "Lava: its process ended by signal 9, SIGKILL"),
    "a process of Lava's": (
        lambda family: family[-2],
        "Lava: one of Lava's processes ended by itself (signal 9, SIGKILL)",
    ),
}


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_process_that_is_killed_in_the_middle_is_one_clear_error(clean: Path, lava: Path, victim: str) -> None:
    run = Running(clean, lava, stall=60)
    choose, message = VICTIMS[victim]
    os.kill(choose(run.family()), signal.SIGKILL)
    assert run.message().startswith(message)


def test_a_worker_that_hangs_is_stopped(clean: Path, lava: Path) -> None:
    run = Running(clean, lava, stall=8.0)
    os.kill(run.family()[-2], signal.SIGSTOP)
    assert run.message().startswith("Lava: made no step for 8 s, stopped after ")
    assert f" of {LONG} steps" in run.message()


def test_a_run_that_takes_too_long_is_stopped(clean: Path, lava: Path) -> None:
    run = Running(clean, lava, total=2.5)
    assert run.message().startswith("Lava: did not finish in 2.5 s, stopped after ")
    assert run.message().endswith(f"of {LONG} steps. Allow more time, or take fewer steps")


OURSELVES = """
import sys; from pathlib import Path; sys.path.insert(0, {tests!r})
from spikeport.toolchain.console import explained
from spikeport.toolchain.simulate.lava_runner import run_lava
from support.lava_kinds import chain
with explained(debug=False):
    run_lava(chain({steps}), Path({lava!r}))
"""


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL], ids=lambda end: end.name)
def test_when_we_are_stopped_ourselves_nothing_goes_on(clean: Path, lava: Path, end: signal.Signals) -> None:
    tests = str(Path(__file__).parents[2])
    code = OURSELVES.format(tests=tests, steps=LONG, lava=str(lava))
    us = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    wait_for(lambda: any(int.from_bytes(p.read_bytes(), "little") > 5 for p in clean.glob("*/0/progress")))
    os.kill(us.pid, end)
    _, err = us.communicate(timeout=30)
    if end == signal.SIGINT:
        assert err.splitlines()[0] == "stopped"
    else:  # nobody was left to clean the folder; the worker notices that its input has ended
        wait_for(lambda: not living(str(clean)), 10)
        for folder in clean.glob("spikeport-lava-*"):
            subprocess.run(["rm", "-r", str(folder)], check=True)


def test_what_the_worker_said_is_shown(clean: Path) -> None:
    broken = clean / "python"
    broken.write_text("#!/bin/sh\necho 'ImportError: no module named lava' >&2; exit 4\n")
    broken.chmod(0o755)
    with pytest.raises(SimulationError) as caught:
        run_lava(chain(7), broken)
    assert str(caught.value) == (
        "Lava: its worker ended by itself (exit code 4) after 0 of 7 steps; the last it said: "
        "ImportError: no module named lava"
    )
