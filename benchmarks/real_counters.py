"""NeuroBench's and SpikingJelly's own counters, run on a module and an input as their users run them.

Both are peers that we compare with, and never needed otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

PEERS = ("neurobench", "spikingjelly")


def missing() -> tuple[str, ...]:
    """The peers that are not installed."""
    return tuple(name for name in PEERS if find_spec(name) is None)


def neurobench(module: nn.Module, inputs: Tensor, *metrics: str) -> dict[str, Any]:
    """What NeuroBench's benchmark finds for one batch, by the name of the metric; SynapticOperations unless said.

    A metric that fails stands there as 0.0, as in NeuroBench's own results.
    """
    from neurobench.benchmarks import Benchmark
    from neurobench.metrics import workload
    from neurobench.models import TorchModel
    from snntorch import SpikingNeuron
    from torch.utils.data import DataLoader, TensorDataset

    model = TorchModel(module)
    model.add_activation_module(SpikingNeuron)
    data = DataLoader(TensorDataset(inputs, torch.zeros(len(inputs))), batch_size=len(inputs))
    asked = [getattr(workload, name) for name in metrics or ("SynapticOperations",)]
    benchmark = Benchmark(model, data, [], [], [[], asked])
    with torch.random.fork_rng(devices=[]):
        found: dict[str, Any] = benchmark.run(quiet=True)
    model.cleanup_hooks()
    return found


def spikingjelly(module: nn.Module, inputs: Any) -> Mapping[str, int]:
    """What SpikingJelly's simple estimate counts."""
    from spikingjelly.activation_based.op_counter import estimate_simple_energy

    found: Mapping[str, int] = estimate_simple_energy(module, inputs).counts
    return found
