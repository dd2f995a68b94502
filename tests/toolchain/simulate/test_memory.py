"""Memory: one window and what is recorded, however long a run is; and what cannot fit is refused before it starts."""

import subprocess
import sys

import numpy as np
import pytest
from spikeport.toolchain.errors import SimulationError
from spikeport.toolchain.graph import Graph, chain, nodes
from spikeport.toolchain.simulate import memory, simulate

PROGRAM = """
import resource, sys
import numpy as np
from spikeport.toolchain.graph import chain, nodes
from spikeport.toolchain.simulate import simulate

weight = np.ones((8, 2, 3, 3), np.float32) / 9
graph = chain([nodes.Input((2, 64, 64), "spikes"), nodes.Conv(weight, padding=1), nodes.LIF(beta=0.9),
               nodes.Flatten(), nodes.Affine(np.ones((10, 8 * 64 * 64), np.float32)), nodes.Output("mean")])
rng = np.random.default_rng(0)
window = (rng.random((10, 2, 2, 64, 64)) < 0.2).astype(np.float32)
def most():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
simulate(graph, iter([window] * 10))
before = most()
trace = simulate(graph, iter([window] * int(sys.argv[1])))
print(most() - before, trace.steps, window.nbytes, trace.counts["2_lif"].values * 4)
"""


def test_a_long_run_takes_no_more_memory_than_a_short_one() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "200"], capture_output=True, text=True, check=True, cwd="/", timeout=300
    )
    grown, steps, window, sent = map(int, done.stdout.split())
    assert steps == 2000
    assert sent > 500e6
    assert grown < 40e6, f"{grown / 1e6:.0f} MB more for a run whose inputs are {200 * window / 1e6:.0f} MB"


def network() -> Graph:
    rng = np.random.default_rng(0)
    fields = [("in", nodes.Input((2, 32, 32))), ("conv", nodes.Conv(rng.normal(size=(16, 2, 3, 3)), padding=1))]
    return chain([*fields, ("fire", nodes.LIF(beta=0.9)), ("out", nodes.Output("mean"))])


def refusal(free: int, monkeypatch: pytest.MonkeyPatch, **options: object) -> str:
    monkeypatch.setattr(memory, "SMALL", 0)
    monkeypatch.setattr(memory, "available", lambda: free)
    with pytest.raises(SimulationError) as caught:
        simulate(network(), np.zeros((50, 4, 2, 32, 32), np.float32), **options)
    return str(caught.value)


def test_too_much_to_record_is_refused_with_what_takes_most(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(20 << 20, monkeypatch, record=["in", "conv", "fire", "fire.voltage"], window=1)
    assert message.startswith("memory: needs about 31.7 MB (31.1 MB of it recorded); expected at most 18.9 MB. ")
    assert message.endswith("Record less (the most is conv with 13.1 MB), or run fewer steps at once")


def test_a_window_too_large_is_refused_with_what_to_make_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(1 << 20, monkeypatch, window=50)
    assert "0 bytes of it recorded" in message
    assert message.endswith("Run a smaller batch, or a shorter window")
    assert refusal(100 << 10, monkeypatch, window=1).endswith("Run a smaller batch")


def test_what_fits_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "SMALL", 0)
    monkeypatch.setattr(memory, "available", lambda: 1 << 30)
    assert simulate(network(), np.zeros((50, 4, 2, 32, 32), np.float32), record="all").steps == 50


def test_no_limit_known_means_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "SMALL", 0)
    monkeypatch.setattr(memory, "available", lambda: None)
    assert simulate(network(), np.zeros((2, 1, 2, 32, 32), np.float32)).steps == 2


def test_what_is_available_is_a_number_of_bytes_on_linux() -> None:
    found = memory.available()
    assert found is None or found > 1 << 20


def test_a_group_of_processes_may_have_its_own_limit(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    limit, used = tmp_path / "limit", tmp_path / "used"
    used.write_text("1000\n")
    monkeypatch.setattr(memory, "LIMITS", ((str(limit), str(used)),))
    without = memory.available()
    limit.write_text("max\n")
    assert (memory.available() is None) == (without is None)
    limit.write_text("5000\n")
    assert memory.available() == 4000


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (31_400_000, "31.4 MB"), (10**15, "1000.0 TB")],
)
def test_amounts(count: int, text: str) -> None:
    assert memory.amount(count) == text


def test_importing_the_simulator_loads_neither_torch_nor_numba() -> None:
    program = "import sys, spikeport.toolchain.simulate; print(*(m for m in ('torch', 'numba') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout.strip() == ""


def test_a_stream_that_fills_memory_is_stopped_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    free = iter([500_000_000, 500_000_000, 130_000_000])
    monkeypatch.setattr("spikeport.toolchain.simulate.memory.available", lambda: next(free))
    window = np.zeros((50, 4, 2, 32, 32), np.float32)
    message = r"memory: \d+\.\d MB recorded after \d+ steps of a stream, 130.0 MB left. Record less \(the most is conv"
    with pytest.raises(SimulationError, match=message):
        simulate(network(), (window for _ in range(100)), record=["conv", "fire"])
