"""Our count, NeuroBench's and SpikingJelly's: ours by brute force, and every difference with its reason."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
import torch
from spikeport.benchmarks.counting.of_graph import count_graph
from spikeport.benchmarks.operations import total
from spikeport.benchmarks.peers import Compared, bench, compare, compared, section
from spikeport.benchmarks.peers_cases import CASES, NETWORKS, NEUROBENCH, SPIKINGJELLY, VIDEO, Case
from spikeport.benchmarks.real_counters import missing
from spikeport.toolchain.errors import UsageError
from spikeport.toolchain.tracing import trace
from torch import nn

pytestmark = [
    pytest.mark.skipif(bool(missing()), reason="make setup installs both counters"),
    # norse scripts functions while it is imported, and torch says that this is old
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),
]

BY_NAME = {case.name: case for case in CASES}


@pytest.fixture(scope="module")
def found() -> dict[str, Compared]:
    return {each.case.name: each for each in compared(CASES)}


def test_every_difference_is_explained_to_the_last_operation(found):
    assert {name: each.unexplained() for name, each in found.items() if each.unexplained()} == {}


def test_they_agree_where_conventions_do(found):
    equal = [name for name, each in found.items() if not each.reasons]
    assert len(equal) >= 6
    for name in equal:
        ours, theirs = found[name].ours, found[name].theirs
        for peer in (NEUROBENCH, SPIKINGJELLY):
            assert (theirs[peer, "ACs"], theirs[peer, "MACs"]) == (ours["ACs"], ours["MACs"]), name


def reached(x: np.ndarray, w: np.ndarray, stride: int, padding: int) -> int:
    """Pairs of a convolution whose input is not 0: every output looks at every entry of its window."""
    pairs = 0
    height, width = ((size + 2 * padding - 3) // stride + 1 for size in x.shape[2:])
    for b, _, i, j in product(range(len(x)), range(len(w)), range(height), range(width)):
        for c, u, v in product(*map(range, w.shape[1:])):
            row, column = i * stride + u - padding, j * stride + v - padding
            if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
                pairs += x[b, c, row, column] != 0
    return pairs


def connected(x: np.ndarray, w: np.ndarray) -> int:
    """Pairs of a linear layer whose input is not 0."""
    return sum(x[b, i] != 0 for b in range(len(x)) for _ in range(len(w)) for i in range(x.shape[1]))


def coincidences(left: np.ndarray, right: np.ndarray) -> int:
    """Pairs of [B, N, K] and [B, K, M] neither of which is 0."""
    sizes = (*left.shape, right.shape[2])
    return sum(left[b, n, k] != 0 and right[b, k, m] != 0 for b, n, k, m in product(*map(range, sizes)))


def of_layer(module: nn.Module, x: torch.Tensor) -> int:
    layer, values = module[-1], x.numpy()
    weight = layer.weight.detach().numpy()
    return reached(values, weight, layer.stride[0], layer.padding[0]) if values.ndim == 4 else connected(values, weight)


def of_recurrence(module: nn.Module, x: torch.Tensor) -> int:
    """Steps one after the other: what spiked before meets the recurrent weights."""
    with torch.no_grad():
        sent = module(x)
    before = torch.cat([torch.zeros_like(sent[:1]), sent[:-1]])
    inward, around = module.cell.input_weights.detach().numpy(), module.cell.recurrent_weights.detach().numpy()
    return sum(
        connected(now.numpy(), inward) + connected(was.numpy(), around) for now, was in zip(x, before, strict=True)
    )


def of_attention(module: nn.Module, given: tuple[torch.Tensor, ...]) -> int:
    query, key, value = (each.numpy() for each in given)
    weights = torch.softmax(given[0] @ given[1].transpose(1, 2), -1).numpy()
    return coincidences(query, key.transpose(0, 2, 1)) + coincidences(weights, value)


def of_pool(module: nn.Module, x: torch.Tensor) -> tuple[int, int]:
    with torch.no_grad():
        averages = module[0](x)
    return int(np.count_nonzero(x.numpy())), reached(averages.numpy(), module[1].weight.detach().numpy(), 1, 1)


Brute = Callable[[nn.Module, torch.Tensor], object]
KINDS: dict[str, tuple[str, Brute]] = {
    "a linear layer on spikes": ("ACs", of_layer),
    "a convolution with stride 2 and padding 1 on spikes": ("ACs", of_layer),
    "a linear layer on real numbers, none 0": ("MACs", of_layer),
    "the same convolution on real numbers, none 0": ("MACs", of_layer),
    "spikes of a half: 0 and 0.5": ("MACs", of_layer),
    "real numbers that are all 1": ("MACs", of_layer),
    "real numbers that are all 0": ("MACs", of_layer),
    "small integers: a sum of two spike trains": ("integer ACs", of_layer),
    "ternary: -1, 0 and 1": ("integer ACs", of_layer),
    "weights of which half are 0": ("ACs", of_layer),
    "weights that are all 1, on real numbers": ("MACs", of_layer),
    "an einsum of two spike trains": (
        "ACs", lambda _, given: coincidences(given[0].numpy(), given[1].transpose(1, 2).numpy())
    ),
    "attention of spikes to spikes": ("ACs", of_attention),
    "a linear layer behind an FFT": (
        "MACs", lambda module, x: connected(torch.fft.rfft(x).real.numpy(), module.out.weight.detach().numpy())
    ),
    "a recurrent layer of Norse, 6 steps": ("ACs", of_recurrence),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_ours_is_what_brute_force_finds(found, name):
    kind, brute = KINDS[name]
    expected = {"ACs": 0, "integer ACs": 0, "MACs": 0} | {kind: brute(*BY_NAME[name].made())}
    assert found[name].ours == expected


def test_a_pool_and_what_is_behind_it_by_brute_force(found):
    name = "an average pool of spikes, then a convolution"
    pooled, behind = of_pool(*BY_NAME[name].made())
    assert found[name].ours == {"ACs": pooled, "integer ACs": 0, "MACs": behind}


def test_pairs_whose_weight_is_zero_are_kept_apart(found):
    """What NeuroBench leaves out is our `weighted`, pair by pair."""
    name = "weights of which half are 0"
    module, x = BY_NAME[name].made()
    both = np.count_nonzero(x.numpy()[:, None] * module[0].weight.detach().numpy()[None])
    assert found[name].counts.total.acs.weighted == both == found[name].theirs[NEUROBENCH, "ACs"]


@pytest.mark.parametrize("name", [CASES[0].name, CASES[1].name, CASES[-1].name])
def test_the_graph_road_finds_the_same(found, name):
    module, x = BY_NAME[name].made()
    graph = trace(module, x, carries="spikes")
    given = x if x.ndim == 5 else x[None]
    assert total(count_graph(graph, given.numpy())).total.acs == found[name].counts.total.acs


def test_a_wrong_reason_is_noticed(monkeypatch):
    """The sum is really held against the peer's number."""
    case = CASES[0]
    wrong = Case(case.name, "graded", case.make, case.why)
    assert compare(wrong).unexplained() == {
        (NEUROBENCH, "ACs"): 65, (NEUROBENCH, "MACs"): -65, (SPIKINGJELLY, "ACs"): 65, (SPIKINGJELLY, "MACs"): -65,
    }  # fmt: skip


def test_a_missing_peer_is_named(monkeypatch):
    monkeypatch.setattr("spikeport.benchmarks.real_counters.PEERS", ("neurobench", "no_such_counter"))
    with pytest.raises(UsageError, match="no no_such_counter"):
        section()


def test_the_race_has_a_row_for_each_case_and_peer():
    rows = bench(quick=True)["rows"]
    assert len(rows) == 2 * (len(CASES) - NETWORKS)
    padded = next(row for row in rows if row["case"].startswith("the same convolution") and row["peer"] == SPIKINGJELLY)
    assert padded["peer_macs"] > padded["our_macs"]
    assert padded["why"] == "multiplies the padding too"


def test_the_section_names_what_ours_are(monkeypatch):
    monkeypatch.setattr("spikeport.benchmarks.peers.CASES", CASES[:1])
    assert section().startswith("Ours are effective pairs.")
    assert VIDEO.carries == "graded"
