"""What fires: the neuron that the spiking networks of the literature have, or rectifiers."""

import pytest
import torch
from spikeport.models.firing import Firing
from spikeport.toolchain.errors import UsageError
from spikingjelly.activation_based import functional, neuron, surrogate


@pytest.mark.parametrize(("tau", "threshold"), [(2.0, 1.0), (4.0, 0.4)])
def test_it_is_spikingjellys_neuron_and_its_gradient(tau, threshold):
    torch.manual_seed(0)
    x = torch.randn(7, 3, 5, requires_grad=True)
    ours, weight = Firing(tau=tau, threshold=threshold).layer()(x), torch.randn(7, 3, 5)
    (found,) = torch.autograd.grad((ours * weight).sum(), x)
    theirs = neuron.LIFNode(tau, v_threshold=threshold, step_mode="m", surrogate_function=surrogate.Sigmoid(4.0))
    functional.reset_net(theirs)
    spikes = theirs(x)
    assert torch.equal(ours, spikes)
    assert 0.05 < float(ours.detach().mean()) < 0.5
    (expected,) = torch.autograd.grad((spikes * weight).sum(), x)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_its_defaults_are_spikingjellys():
    theirs = neuron.LIFNode()
    assert (Firing().tau, Firing().threshold, Firing().slope) == (theirs.tau, theirs.v_threshold, 4.0)


def test_a_layers_own_threshold_and_the_twin():
    assert Firing().layer(0.5).threshold == 0.5
    twin = Firing("relu", threshold=0.5)
    assert not twin.spikes
    assert isinstance(twin.layer(), torch.nn.ReLU)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "glu"}, "the kind 'glu'; expected one of lif, relu"),
        ({"tau": 0.5}, "tau 0.5, threshold 1.0; expected tau ≥ 1"),
        ({"threshold": 0.0}, "expected tau ≥ 1, a threshold above 0"),
        ({"surrogate": "none"}, "surrogate: 'none'"),
    ],
)
def test_messages(given, message):
    with pytest.raises(UsageError, match=message):
        Firing(**given)
