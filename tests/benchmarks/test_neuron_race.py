"""The race of the neurons: it runs, its rows are complete, everybody computed the same. Nothing here asserts a time."""

import json

import numpy as np
import pytest
import torch
from spikeport.benchmarks.speed import neurons, pairs
from spikeport.benchmarks.speed.cases import CASES, QUICK, input_of, our_runs, their_runs
from spikeport.benchmarks.speed.contests import contests
from spikeport.benchmarks.speed.memory import peak
from spikeport.toolchain.errors import SimulationError

CONTESTS = {contest.peer: contest for contest in contests()}
FIELDS = {
    "case", "peer", "form", "ours_form", "ours_s", "peer_s", "ratio", "pairs", "limit_s", "of_limit", "ours_mb",
    "peer_mb", "rate", "different",
}  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """Small tensors on a machine that is busy with other tests: more threads would only wait for each other."""
    before = torch.get_num_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_quick_race_has_complete_rows():
    found = neurons.bench(quick=True)
    assert json.loads(json.dumps(found)) == found
    raced = {(case.name, peer) for case in CASES for peer in CONTESTS if case.subject == "neuron"}
    raced |= {(case.name, peer) for case in CASES for peer, it in CONTESTS.items() if it.networks}
    assert {(row["case"], row["peer"]) for row in found["rows"]} == raced
    for row in found["rows"]:
        assert set(row) == FIELDS
        assert min(row["ours_s"], row["peer_s"], row["ratio"], row["limit_s"], row["ours_mb"], row["peer_mb"]) > 0
        assert row["different"] <= neurons.MOST_DIFFERENT[row["case"].split(",")[0]]


@pytest.mark.parametrize("peer", CONTESTS)
@pytest.mark.parametrize("subject", ["neuron", "network"])
def test_every_form_of_a_peer_computes_what_ours_does(peer, subject):
    contest = CONTESTS[peer]
    case = next(case for case in CASES if case.subject == subject)
    x, (ours, *windowed) = input_of(case, contest, QUICK), our_runs(case, contest).values()
    with torch.no_grad():
        mine = ours(x)
        for run in windowed:
            assert (run(x) != mine).float().mean() <= neurons.MOST_DIFFERENT[subject]
        for form, run in their_runs(case, contest).items():
            assert (run(x) != mine).float().mean() <= neurons.MOST_DIFFERENT[subject], form
    assert subject == "network" or 0.05 < mine.mean() < 0.5


@pytest.mark.parametrize("peer", CONTESTS)
def test_every_peer_has_our_gradient(peer):
    contest = CONTESTS[peer]
    x = input_of(CASES[0], contest, QUICK)
    weight = torch.randn(x.shape, generator=torch.Generator().manual_seed(3))
    grads = []
    for run in (*our_runs(CASES[0], contest).values(), *their_runs(CASES[0], contest).values()):
        given = x.clone().requires_grad_()
        (run(given) * weight).sum().backward()
        grads.append(given.grad)
    for grad in grads[1:]:
        torch.testing.assert_close(grads[0], grad, rtol=1e-3, atol=1e-4)


def test_a_race_between_different_equations_is_refused():
    x = torch.randn(4, 2, 100)
    with pytest.raises(SimulationError, match=r"50.00% of the outputs are not the peer's"):
        neurons._compared(CASES[0], lambda _: torch.zeros(4, 2), lambda _: torch.tensor([[0, 1.0]] * 4), x)


def test_pairs_turn_their_order_and_medians_are_taken(monkeypatch):
    order, clock = [], iter([0, 1, 10, 12, 20, 26, 30, 31, 40, 41, 50, 58])
    monkeypatch.setattr(pairs.time, "perf_counter", lambda: next(clock))
    found = pairs.measure(lambda: order.append("ours"), lambda: order.append("peer"), 3)
    assert "".join(name[0] for name in order[2:]) == "oppoop"
    assert (found.ours_s, found.peer_s, found.ratio, found.pairs) == (1, 6, 6, 3)


def test_fastest_way_wins(monkeypatch):
    cost = iter([0, 5, 5, 7, 7, 12, 12, 14])
    monkeypatch.setattr(pairs.time, "perf_counter", lambda: next(cost))
    assert pairs.fastest({"slow": int, "fast": int}, rounds=2) == "fast"


def test_peak_counts_what_a_run_holds():
    block = 40_000_000
    assert peak(lambda: np.ones(block, np.uint8)) == pytest.approx(block, rel=0.1)
    assert peak(lambda: [np.ones(block, np.uint8).sum() for _ in range(3)]) == pytest.approx(block, rel=0.1)
