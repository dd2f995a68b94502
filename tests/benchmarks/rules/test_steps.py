"""T is in every number once: a network that runs in a loop, with time folded into the batch, or as a graph costs the
same, and the published rule rate · T · FLOPs with FLOPs of one step."""

import pytest
import torch
from spikeport.benchmarks.counting.of_graph import count_graph
from spikeport.benchmarks.counting.of_module import count_module
from spikeport.benchmarks.operations import OpCount, total
from spikeport.benchmarks.rules import RULES, bill
from spikeport.benchmarks.twin import twin_count
from spikeport.toolchain.tracing import trace
from spikingjelly.activation_based import layer, neuron
from torch import nn

STEPS = 5


class Network(nn.Module):
    """A convolution, neurons, a matrix, neurons: all steps in one call of each, or a loop over single steps."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.mode = mode
        self.layers = nn.Sequential(
            layer.Conv2d(2, 4, 3, padding=1, bias=False, step_mode=mode),
            neuron.IFNode(v_threshold=0.3, step_mode=mode),
            layer.Flatten(step_mode=mode), layer.Linear(4 * 25, 6, bias=False, step_mode=mode),
            neuron.IFNode(v_threshold=0.2, step_mode=mode),
        )  # fmt: skip

    def forward(self, x):
        return self.layers(x) if self.mode == "m" else torch.stack([self.layers(now) for now in x])


def counts() -> dict[str, OpCount]:
    torch.manual_seed(0)
    x = (torch.rand(STEPS, 1, 2, 5, 5) < 0.3).float()
    graph = trace(Network("m"), x, time_axis=0, carries="spikes", check=False)
    modules = {
        name: count_module(Network(mode), x, carries="spikes", steps=STEPS)
        for name, mode in (("loop", "s"), ("fold", "m"))
    }
    return {**modules, "graph": total(count_graph(graph, x.numpy()))}


COUNTS = counts()


@pytest.mark.parametrize("rule", RULES)
def test_a_loop_a_fold_and_a_graph_cost_the_same(rule: str) -> None:
    loop, fold, graph = (bill(COUNTS[way], rule).pj for way in ("loop", "fold", "graph"))
    assert loop > 0
    assert [fold, graph] == pytest.approx([loop, loop], rel=1e-12)


def test_paper_is_rate_times_steps_times_the_flops_of_one_step() -> None:
    conv, fc = 4 * 25 * 2 * 9, 100 * 6
    for each in COUNTS.values():
        rate = next(one.ops.rate for one in each.layers.values() if one.facts.kind == "Affine")
        assert 0 < rate < 1
        assert bill(each, "paper").pj == pytest.approx(4.6 * STEPS * conv + 0.9 * rate * STEPS * fc)


def test_the_twin_has_t_in_it_once_or_not_at_all() -> None:
    for each in COUNTS.values():
        once, every = (bill(twin_count(each, steps), "paper").pj for steps in ("one", "all"))
        assert once == pytest.approx(4.6 * (4 * 25 * 2 * 9 + 100 * 6))
        assert every == pytest.approx(STEPS * once)
