"""Our recurrent neurons against Norse's lif_step in float64: outputs and every gradient to 1e-12."""

import pytest
import torch
from norse.torch.functional.lif import LIFParameters, LIFState, lif_step
from spikeport.models.fields import NeuronState
from spikeport.models.recurrent import RecurrentCubaLIF
from spikeport.toolchain.errors import UsageError

DT = 0.001


def leaves():
    torch.manual_seed(4)
    made = {
        "x": torch.randn(11, 3, 5),
        "z": (torch.rand(3, 7) > 0.5).float(),
        "v": torch.randn(3, 7) * 0.2,
        "u": torch.randn(3, 7),
        "win": torch.randn(7, 5),
        "wrec": torch.randn(7, 7) * 0.5,
        "tau_syn": torch.tensor(200.0),
        "tau_mem": torch.full((7,), 120.0),
        "v_leak": torch.tensor(0.05),
        "v_th": torch.tensor(0.3),
        "v_reset": torch.tensor(-0.1),
    }
    return {name: value.double().requires_grad_() for name, value in made.items()}


def test_recurrent_cuba_lif_is_norses_lif_step():
    at = leaves()
    alpha = 1 - DT * at["tau_syn"]
    p = LIFParameters(at["tau_syn"], at["tau_mem"], at["v_leak"], at["v_th"], at["v_reset"], "super")
    state, rows = LIFState(at["z"], at["v"], alpha * at["u"]), []
    for x in at["x"]:
        z, state = lif_step(x, state, at["win"], at["wrec"], p, DT)
        rows.append(z)
    layer = RecurrentCubaLIF(
        5, 7, alpha, 1 - DT * at["tau_mem"], DT * at["tau_mem"], DT * at["tau_mem"] * at["v_leak"],
        threshold=at["v_th"], v_reset=at["v_reset"],
    )  # fmt: skip
    del layer.input_weight, layer.recurrent_weight
    layer.input_weight, layer.recurrent_weight = at["win"], at["wrec"]
    out, after = layer.run(at["x"], NeuronState(at["u"], at["v"], at["z"]))
    expected = torch.stack(rows)
    assert 0.1 < expected.mean() < 0.9
    torch.testing.assert_close(out, expected)
    torch.testing.assert_close(after.v, state.v, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(alpha * after.u, state.i, rtol=1e-12, atol=1e-12)
    weight = torch.randn(11, 3, 7, dtype=torch.float64)
    ours = torch.autograd.grad((out * weight).sum() + after.v.sum(), list(at.values()), retain_graph=True)
    norse = torch.autograd.grad((expected * weight).sum() + state.v.sum(), list(at.values()))
    for name, found, want in zip(at, ours, norse, strict=True):
        torch.testing.assert_close(found, want, rtol=1e-12, atol=1e-12, msg=lambda text, name=name: f"{name}: {text}")


def test_windows_chain_and_calls_do_not():
    layer = RecurrentCubaLIF.from_tau(5, 7, 0.005, 0.01, threshold=0.1)
    x = torch.randn(9, 2, 5)
    whole, _ = layer.run(x)
    first, state = layer.run(x[:4])
    assert torch.equal(torch.cat([first, layer.run(x[4:], state)[0]]), whole)
    assert torch.equal(layer(x), layer(x))
    assert layer(x[:0]).shape == (0, 2, 7)


def test_message():
    with pytest.raises(UsageError, match=r"RecurrentCubaLIF: an input of shape \(9, 2, 4\); expected \[T, B, 5\]"):
        RecurrentCubaLIF(5, 7)(torch.zeros(9, 2, 4))
