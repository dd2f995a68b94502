"""What inputs promise to carry, each for itself."""

import pytest
import torch
from spikeport.toolchain.errors import UsageError
from spikeport.toolchain.tracing import trace
from torch import nn


def test_each_of_several_inputs_has_its_own_promise():
    class Sum(nn.Module):
        def forward(self, a, b):
            return a + b

    spikes = torch.tensor([[0.0, 1.0], [1.0, 1.0]])
    graph = trace(Sum(), {"a": torch.randn(2, 2), "b": spikes}, time_axis=None, carries={"b": "spikes"})
    assert graph.signals["a"].carries.graded
    assert graph.signals["b"].carries.binary
    with pytest.raises(UsageError, match="carries: an input 'c'; expected one of a, b"):
        trace(Sum(), {"a": spikes, "b": spikes}, time_axis=None, carries={"c": "spikes"})
