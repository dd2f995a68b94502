"""What the frameworks themselves get wrong, pinned: when one of these fails, a framework was mended.

Each example is the smallest; `docs/dialects.md` lists the first lines of their docstrings.
"""

from __future__ import annotations

import copy

import norse.torch as norse
import numpy as np
import pytest
import snntorch
import torch
from snntorch import surrogate
from spikeport.toolchain.errors import SpikeportError
from spikeport.toolchain.tracing import trace
from spikingjelly.activation_based import neuron

X = torch.tensor([[1.6, 0.4, 2.5]])


def test_norse_adjoint():
    """Norse 1.1: `LIFCell(LIFParameters(method="adjoint"))` fails: it asks for a surrogate of that name."""
    for make in (norse.LIFCell, norse.LIF):
        with pytest.raises(ValueError, match="threshold function adjoint"):
            make(norse.LIFParameters(method="adjoint"))(X[None])
    with pytest.raises(SpikeportError, match="the module fails on the example"):
        trace(norse.LIFCell(norse.LIFParameters(method="adjoint")), X)


def test_norse_leak_of_each_neuron():
    """Norse 1.1: `LIF` and `LIFRecurrentCell` take one v_leak for all neurons; `LIFCell` takes one for each."""
    p = norse.LIFParameters(v_leak=torch.tensor([0.1, 0.2, 0.3]))
    assert norse.LIFCell(p)(X)[0].shape == X.shape
    with pytest.raises(TypeError, match="fill_value"):
        norse.LIF(p)(X[None])


def test_norse_sequence_step():
    """Norse 1.1: `lif_step_integral` returns the last spikes, not those of every step as it says."""
    weights = torch.eye(3)
    start = norse.LIFState(z=torch.zeros(1, 3), v=torch.zeros(1, 3), i=torch.zeros(1, 3))
    answer, _ = norse.functional.lif.lif_step_integral(X.expand(4, 1, 3), start, weights, weights)
    assert answer.shape == (1, 3)


def test_snntorch_recurrent_reset_delay():
    """snnTorch 1.0: `RSynaptic(reset_delay=False)` fails, or with spikes handed in resets a variable it throws away."""
    given = {"linear_features": 3, "reset_delay": False}
    with pytest.raises(TypeError, match="NoneType"):
        snntorch.RSynaptic(0.9, 0.8, init_hidden=True, **given)(X)
    handed = snntorch.RSynaptic(0.9, 0.8, **given)
    with pytest.raises(RuntimeError, match="must match"):
        handed(X, *handed.init_rsynaptic())
    zeros = torch.zeros_like(X)
    spikes, _, mem = handed(X, zeros, zeros, zeros)
    assert spikes.any()
    assert (mem > handed.threshold).equal(spikes.bool()), "a reset at once would have taken θ away"


def test_snntorch_late_mechanism():
    """snnTorch 1.0: `reset_mechanism`, set or loaded after the module was made, leaves the reset as it was."""
    changed, subtracts = snntorch.Leaky(0.9), snntorch.Leaky(0.9)
    changed.reset_mechanism = "zero"
    for x in (X, X):
        assert torch.equal(changed(x)[1], subtracts(x)[1])
    node = trace(changed, X).nodes["leaky"]
    assert (node.reset, node.when) == ("subtract", "next")


def test_snntorch_reset_delay_counts_twice():
    """snnTorch 1.0: with `reset_delay=False` a potential still above θ after its reset misses its next spike."""
    neuron_ = snntorch.Leaky(1.0, reset_delay=False)
    _, first = neuron_(torch.tensor([[3.5]]))
    spikes, second = neuron_(torch.tensor([[0.0]]), first)
    assert (float(first), float(spikes), float(second)) == (2.5, 1.0, 1.5)
    spikes, third = neuron_(torch.tensor([[0.0]]), second)
    assert (float(spikes), float(third)) == (0.0, 1.5), "1.5 is above θ = 1, and there is no spike"


def test_snntorch_lapicque_parameters():
    """snnTorch 1.0: `Lapicque(beta, R, C)` has no R; with learn_beta it fails, or cannot be copied or trained."""
    with pytest.raises(AttributeError, match="'R'"):
        snntorch.Lapicque(beta=0.9, R=1.0, C=5.0)(X)
    with pytest.raises(KeyError, match="beta"):
        snntorch.Lapicque(beta=0.9, C=2.0, learn_beta=True)
    with pytest.raises(RuntimeError, match="deepcopy"):
        copy.deepcopy(snntorch.Lapicque(beta=0.9, learn_beta=True))


def test_snntorch_even_kernel():
    """snnTorch 1.0: a recurrent convolution with an even kernel grows its signal and fails."""
    with pytest.raises(RuntimeError, match="must match"):
        snntorch.RLeaky(0.9, conv2d_channels=1, kernel_size=2)(torch.rand(1, 1, 4, 4))


def test_snntorch_leaky_spike_operator():
    """snnTorch 1.0: `surrogate.LSO()` fails; it applies the operator of `surrogate.SSO` without its arguments."""
    with pytest.raises(TypeError, match="variance"):
        surrogate.LSO()(X)


def test_snntorch_float32():
    """snnTorch 1.0: surrogates answer in float32 whatever they are asked in."""
    assert snntorch.Leaky(0.9).double()(X.double())[0].dtype is torch.float32


def test_spikingjelly_reset_value():
    """SpikingJelly 2.0: `set_reset_value` waits for a `reset`; a module that never ran starts from the old value."""
    started = neuron.IFNode()
    started.set_reset_value("v", 0.9)
    assert not started(X[:, 1:2]).any()
    started.reset()
    assert started(X[:, 1:2]).all()


def test_spikingjelly_tensor_threshold():
    """SpikingJelly 2.0: a tensor as v_threshold works in float64 and fails in float32."""
    module = neuron.IFNode(step_mode="m")
    module.v_threshold = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)
    np.testing.assert_array_equal(module(X[None].double()), [[[1, 0, 1]]])
    module.reset()
    with pytest.raises(RuntimeError, match="threshold"):
        module(X[None])


def test_snntorch_graded_spikes():
    """snnTorch 1.0: `GradedSpikes(size, factor)` scales samples, not neurons: its weights stand along the batch."""
    layer = snntorch.GradedSpikes(3, 2.0)
    with pytest.raises(RuntimeError, match="must match"):
        layer(torch.ones(2, 3))
    assert layer(torch.ones(1, 3)).shape == (3, 3)
