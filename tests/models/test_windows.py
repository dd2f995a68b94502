"""Windows of any length give the same spikes and gradients as one call, and leave no memory behind."""

import pytest
import torch
from spikeport.models import zoo
from spikeport.models.neurons import LI, LIF, CubaLIF
from spikeport.models.windows import carrying, run_in_windows
from spikeport.toolchain.errors import UsageError


def networks():
    torch.manual_seed(2)
    shared = LIF(0.8, threshold=0.3)
    delayed = LIF(0.9, reset="subtract", when="next", v_init=0.2)
    wide = (torch.nn.Linear(6, 9, dtype=torch.float64), CubaLIF(0.5, 0.8), torch.nn.Linear(9, 4, dtype=torch.float64))
    return {
        "shared": torch.nn.Sequential(shared, torch.nn.Linear(6, 6, dtype=torch.float64), shared),
        "delayed": torch.nn.Sequential(delayed, *wide, LI(0.9, alpha=0.3)),
    }


@pytest.mark.parametrize("name", ["shared", "delayed"])
@pytest.mark.parametrize("window", [1, 3, 10, 99])
def test_windows_are_the_whole(name, window):
    network = networks()[name]
    x = torch.randn(10, 3, 6, dtype=torch.float64, requires_grad=True)
    whole = network(x)
    pieces = run_in_windows(network, x, window)
    assert torch.equal(pieces, whole)
    weight = torch.randn_like(whole)
    (expected,) = torch.autograd.grad((whole * weight).sum(), x)
    (found,) = torch.autograd.grad((pieces * weight).sum(), x)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    assert torch.equal(network(x), whole)


@pytest.mark.parametrize("name", zoo.WHOLE)
def test_the_zoo_runs_in_windows(name):
    network = zoo.build(name)
    x = (torch.rand(9, 2, *zoo.config_of(name).takes["input"].shape) < 0.2).float()
    with torch.no_grad():
        torch.testing.assert_close(run_in_windows(network, x, 4), network(x))


def test_an_error_leaves_no_memory_behind():
    network = networks()["shared"]
    with pytest.raises(RuntimeError), carrying(network):
        network(torch.zeros(4, 3, 5, dtype=torch.float64))
    assert all(layer.memory is None for layer in network.modules() if isinstance(layer, LIF))


def test_message():
    with pytest.raises(UsageError, match="windows of 0 steps, 4 steps; expected at least one of each"):
        run_in_windows(networks()["shared"], torch.zeros(4, 3, 6), 0)
