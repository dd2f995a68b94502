"""Figures: named, with mode, persons and what was not seen; and the network stays as it was."""

import subprocess
import sys

import pytest
import torch
from spikeport.benchmarks.conventions import CONVENTIONS, figures
from spikeport.toolchain.errors import UsageError
from support.counted_networks import Attention, Residual, leaky, spikes
from torch import nn


def test_every_convention_says_what_it_is():
    module, x = nn.Sequential(nn.Conv2d(2, 4, 3), Residual()), torch.randn(2, 2, 8, 8)
    found = figures(module, x, persons=2)
    assert [each.convention for each in found] == list(CONVENTIONS)
    assert all(each.persons == 2 and each.steps_inside and each.counts_what and each.source for each in found)
    assert all(type(value) is int for each in found for value in each.values.values())
    modes = {each.convention: each.mode for each in found}
    assert modes["fvcore-train"] == modes["pyskl"] == "train"
    assert {mode for name, mode in modes.items() if name not in ("fvcore-train", "pyskl")} == {"eval"}


def test_pyskl_prints_binary_gigas_of_the_mode_the_network_is_in():
    module, x = nn.Sequential(nn.Linear(1024, 1024, bias=False)).eval(), torch.zeros(1024, 1024)
    (found,) = figures(module, x, ["pyskl"])
    assert (found.mode, found.values["flops"], found.printed) == ("eval", 1024**3, "FLOPs: 1.0000 G")


def test_mmcv_prints_decimal_gigas_of_one_sample():
    module, x = nn.Sequential(nn.Linear(1000, 1000, bias=False)), torch.zeros(20, 1000)
    (found,) = figures(module, x, ["mmcv"])
    assert (found.samples, found.values["flops"], found.per_sample["flops"]) == (20, 20_000_000, 1_000_000)
    assert found.printed == "0.0 GFLOPs"


def test_batch_norm_is_what_train_mode_changes():
    module, x = nn.Sequential(nn.BatchNorm2d(3)), torch.randn(2, 3, 4, 4)
    evaluated, trained = figures(module, x, ["fvcore-eval", "fvcore-train"])
    assert (evaluated.values["flops"], trained.values["flops"]) == (2 * x.numel(), 5 * x.numel())


def test_the_network_stays_as_it_was():
    """State, statistics, mode, gradients, hooks and random numbers."""
    module = nn.Sequential(nn.Conv1d(3, 4, 3), nn.BatchNorm1d(4), nn.Dropout(), nn.Flatten(), nn.Linear(24, 2), leaky())
    x = torch.randn(2, 3, 8)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    state = torch.get_rng_state()
    figures(module, x)
    assert module.training
    assert torch.equal(state, torch.get_rng_state())
    after = module.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not [m for m in module.modules() if m._forward_hooks or m._forward_pre_hooks]
    assert all(parameter.grad is None for parameter in module.parameters())


def test_what_a_convention_does_not_see_is_listed_by_layer():
    module = nn.Sequential(nn.Linear(6, 8), Attention())
    found = {each.convention: each.misses for each in figures(module, torch.randn(2, 5, 6))}
    (attention,) = found["mmcv"]
    assert attention.startswith("1: ")
    assert {"bmm ×2", "_softmax"} <= set(attention.removeprefix("1: ").split(", "))
    assert all("bmm" not in line for line in found["torch"] + found["fvcore-eval"] + found["spikingjelly"])
    assert any(line.startswith("1.norm: native_layer_norm") for line in found["torch"])
    assert any("softmax" in line for line in found["fvcore-eval"])


def test_a_network_that_is_seen_whole_has_nothing_missed():
    module, x = nn.Sequential(nn.Linear(6, 8, bias=False)), spikes(2, 6)
    assert all(each.misses == () for each in figures(module, x))


def test_inputs_come_as_a_tensor_as_arguments_or_by_name():
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Linear(3, 2)

        def forward(self, left, right):
            return self.one(left) + self.one(right)

    left, right = torch.rand(4, 3), torch.rand(4, 3)
    by_place, by_name = figures(Both(), (left, right)), figures(Both(), {"left": left, "right": right})
    assert [each.values for each in by_place] == [each.values for each in by_name]
    assert by_place[0].samples == by_name[0].samples == 4


def test_an_unknown_convention_is_refused():
    with pytest.raises(UsageError, match="flops"):
        figures(nn.Linear(2, 2), torch.zeros(1, 2), ["flops"])


def test_a_network_that_cannot_be_copied_is_refused_in_words():
    module = nn.Sequential(nn.Linear(2, 2))
    module.kept = module[0](torch.zeros(1, 2))
    with pytest.raises(UsageError, match="Set its state back"):
        figures(module, torch.zeros(1, 2), ["mmcv"])


class Wrapped(nn.Module):
    """Answers with something that is no tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Linear(2, 3, bias=False)

    def forward(self, x):
        return {1, self.one(x).shape}


def test_a_network_that_cannot_be_traced_has_no_figure_by_fvcore_and_all_others():
    found = {each.convention: each for each in figures(Wrapped(), torch.rand(1, 2) + 1)}
    for name in ("fvcore-eval", "fvcore-train", "pyskl"):
        assert (found[name].values, found[name].printed) == ({}, "")
        assert found[name].misses[0].startswith("Wrapped: all of it, torch.jit cannot trace it")
    assert found["torch"].values == {"flops": 12}


def test_an_input_that_does_not_fit_is_the_networks_own_error():
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        figures(nn.Sequential(nn.Linear(2, 3)), torch.rand(1, 4), ["fvcore-eval"])


def test_the_table_loads_without_torch():
    code = "import sys, spikeport.benchmarks.conventions; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd="/").returncode == 0
