"""Random networks of layers and functions compute the same as their graphs, in each of the forms that people write."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.random_modules import RandomModule
from support.traced import traced_as
from torch import nn


class OverTime(nn.Module):
    """A network for one step, run over time.

    Args:
        inner: the network.
        form: how.
    """

    def __init__(self, inner, form):
        super().__init__()
        self.inner, self.form = inner, form

    def forward(self, x):
        if self.form == "folded":
            y = self.inner(x.flatten(0, 1))
            return y.view(*x.shape[:2], *y.shape[1:])
        if self.form == "loop":
            return torch.stack([self.inner(x[t]) for t in range(x.shape[0])])
        total = 0
        for x_t in x:
            total = total + self.inner(x_t)
        return total / x.shape[0]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    seed=st.integers(0, 2**20),
    shape=st.sampled_from([(6,), (3, 4), (2, 6, 5), (4, 3, 3)]),
    length=st.integers(1, 8),
    form=st.sampled_from(["step", "folded", "loop", "summed"]),
)
@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
def test_a_random_network_is_its_graph(seed, shape, length, form):
    module = RandomModule(seed, shape, length)
    if form == "step":
        traced_as(module, torch.rand(2, *shape), time_axis=None)
    else:
        traced_as(OverTime(module, form), torch.rand(4, 2, *shape), time_axis=0)
