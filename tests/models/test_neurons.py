"""Our fused neurons against Norse's own functional steps in float64: outputs and every gradient to 1e-12."""

import itertools

import pytest
import torch
from norse.torch.functional.iaf import IAFFeedForwardState, IAFParameters, iaf_feed_forward_step
from norse.torch.functional.leaky_integrator import LIParameters, LIState, li_feed_forward_step
from norse.torch.functional.lif import LIFFeedForwardState, LIFParameters, lif_feed_forward_step
from norse.torch.functional.lif_box import LIFBoxFeedForwardState, LIFBoxParameters, lif_box_feed_forward_step
from norse.torch.functional.reset import reset_subtract, reset_value
from norse.torch.functional.threshold import threshold
from spikeport.models.eager import run_eagerly
from spikeport.models.fields import Fields, NeuronState
from spikeport.models.multistep import run_steps
from spikeport.models.neurons import IF, LI, LIF, CubaLIF
from spikeport.models.surrogates import DERIVATIVES, IN_NORSE, spike
from spikeport.toolchain.errors import UsageError
from spikeport.toolchain.kernels.gradients import Surrogate
from spikeport.toolchain.kernels.lif import MODES
from spikeport.toolchain.kernels.surrogates import SURROGATES

DT = 0.001
T, B, N = 13, 3, 17
TOLERANCE = {"rtol": 1e-12, "atol": 1e-12}


def leaf(value):
    return torch.as_tensor(value, dtype=torch.float64).clone().requires_grad_()


def drawn(seed, *shape, scale=1.0, shift=0.0):
    generator = torch.Generator().manual_seed(seed)
    return leaf(torch.randn(shape, dtype=torch.float64, generator=generator) * scale + shift)


def looped(step, x, state, parameters):
    rows = []
    for t in range(len(x)):
        out, state = step(x[t], state, parameters, DT)
        rows.append(out)
    return torch.stack(rows), state


def gradients(out, after, leaves):
    """Gradients of one fixed random functional of everything that came out."""
    weights = [drawn(90 + i, *tensor.shape).detach() for i, tensor in enumerate([out, *after])]
    loss = sum((weight * tensor).sum() for weight, tensor in zip(weights, [out, *after], strict=True))
    return torch.autograd.grad(loss, leaves, retain_graph=True)


def assert_same(ours, norse):
    """(outputs, states after, leaves) of both: the same values, the same gradients of every leaf, and real spikes."""
    for found, expected in zip((ours[0], *ours[1]), (norse[0], *norse[1]), strict=True):
        torch.testing.assert_close(found, expected, **TOLERANCE)
    for found, expected in zip(gradients(*ours), gradients(*norse), strict=True):
        torch.testing.assert_close(found, expected, **TOLERANCE)


def sized(vector, value):
    return leaf(torch.full((N,), value) + torch.linspace(0, 0.05, N)) if vector else leaf(value)


NORSE_SURROGATES = sorted(IN_NORSE - {"heaviside"})


@pytest.mark.parametrize("name", NORSE_SURROGATES)
@pytest.mark.parametrize("reset", ["value", "subtract"])
@pytest.mark.parametrize("vector", [False, True])
def test_lif_is_norses_box_step(name, reset, vector):
    tau_inv, v_leak, v_th, v_reset = (sized(vector, value) for value in (120.0, 0.05, 0.4, -0.1))
    x, v0 = drawn(1, T, B, N, scale=4, shift=2), drawn(2, B, N, scale=0.2)
    leaves = [x, v0, tau_inv, v_leak, v_th, v_reset] if reset == "value" else [x, v0, tau_inv, v_leak, v_th]
    method = reset_value if reset == "value" else reset_subtract
    p = LIFBoxParameters(tau_inv, v_leak, v_th, v_reset, name, 0.7, method)
    expected, after = looped(lif_box_feed_forward_step, x, LIFBoxFeedForwardState(v0), p)
    layer = LIF(
        1 - DT * tau_inv, DT * tau_inv, DT * tau_inv * v_leak,
        threshold=v_th, v_reset=v_reset, reset=reset, surrogate=Surrogate(name, 0.7),
    )  # fmt: skip
    found, state = layer.run(x, NeuronState(torch.zeros_like(v0), v0, torch.zeros_like(v0)))
    assert 0.05 < found.mean() < 0.95
    assert_same((found, [state.v], leaves), (expected, [after.v], leaves))


@pytest.mark.parametrize("name", NORSE_SURROGATES)
@pytest.mark.parametrize("vector", [False, True])
def test_cuba_lif_is_norses_lif_step(name, vector):
    tau_syn, tau_mem, v_leak = (sized(vector, value) for value in (200.0, 120.0, 0.05))
    v_th, v_reset = sized(vector, 0.4), sized(vector, -0.1)
    x, v0, u0 = drawn(1, T, B, N, scale=3, shift=1), drawn(2, B, N, scale=0.2), drawn(3, B, N)
    leaves = [x, v0, u0, tau_syn, tau_mem, v_leak, v_th, v_reset]
    alpha = 1 - DT * tau_syn
    p = LIFParameters(tau_syn, tau_mem, v_leak, v_th, v_reset, name, 0.7)
    expected, after = looped(lif_feed_forward_step, x, LIFFeedForwardState(v0, alpha * u0), p)
    layer = CubaLIF(
        alpha, 1 - DT * tau_mem, DT * tau_mem, DT * tau_mem * v_leak,
        threshold=v_th, v_reset=v_reset, surrogate=Surrogate(name, 0.7),
    )  # fmt: skip
    found, state = layer.run(x, NeuronState(u0, v0, torch.zeros_like(v0)))
    assert 0.05 < found.mean() < 0.95
    assert_same((found, [state.v, alpha * state.u], leaves), (expected, [after.v, after.i], leaves))


def test_if_is_norses_iaf_step():
    v_th, v_reset = leaf(0.9), leaf(-0.1)
    x, v0 = drawn(1, T, B, N, shift=0.4), drawn(2, B, N, scale=0.2)
    leaves = [x, v0, v_th, v_reset]
    expected, after = looped(iaf_feed_forward_step, x, IAFFeedForwardState(v0), IAFParameters(v_th, v_reset))
    layer = IF(threshold=v_th, v_reset=v_reset)
    found, state = layer.run(x, NeuronState(torch.zeros_like(v0), v0, torch.zeros_like(v0)))
    assert_same((found, [state.v], leaves), (expected, [after.v], leaves))


@pytest.mark.parametrize("vector", [False, True])
def test_li_is_norses_li_step(vector):
    tau_syn, tau_mem, v_leak = (sized(vector, value) for value in (200.0, 120.0, 0.05))
    x, v0, u0 = drawn(1, T, B, N, shift=1), drawn(2, B, N), drawn(3, B, N)
    leaves = [x, v0, u0, tau_syn, tau_mem, v_leak]
    alpha = 1 - DT * tau_syn
    p = LIParameters(tau_syn, tau_mem, v_leak)
    expected, after = looped(li_feed_forward_step, x, LIState(v0, alpha * u0), p)
    layer = LI(1 - DT * tau_mem, DT * tau_mem, DT * tau_mem * v_leak, alpha)
    found, state = layer.run(x, NeuronState(u0, v0, torch.zeros_like(v0)))
    assert_same((found, [state.v, alpha * state.u], leaves), (expected, [after.v, after.i], leaves))


def drawn_fields(mode, alpha, vector, name, detach, inclusive):
    values = [0.8 if alpha else None, 0.85, 0.9, 0.03, 0.6, -0.1]
    tensors = [None if value is None else sized(vector, value) for value in values]
    fields = Fields(*tensors, *mode, inclusive, Surrogate(name, 0.7, detach))
    return fields, [tensor for tensor in tensors if tensor is not None]


@pytest.mark.parametrize("mode", list(MODES))
@pytest.mark.parametrize("detach", [False, True])
def test_fused_is_the_eager_loop_in_every_mode(mode, detach):
    for alpha, vector, name, inclusive in itertools.product(
        [False, True], [False, True], ["super", "sigmoid"], [False, True]
    ):
        fields, leaves = drawn_fields(mode, alpha, vector, name, detach, inclusive)
        if mode[0] != "value":
            leaves = leaves[:-1]
        x = drawn(1, T, B, N, shift=0.4)
        state = NeuronState(drawn(3, B, N), drawn(2, B, N, scale=0.2), (drawn(4, B, N).detach() > 0).double())
        state.s.requires_grad_()
        delayed = mode[0] != "none" and mode[1] == "next" and not detach
        leaves = [x, state.v, *leaves, *([state.u] if alpha else []), *([state.s] if delayed else [])]
        found, expected = run_steps(x, fields, state), run_eagerly(x, fields, state)
        assert found[0].grad_fn.name().startswith("_Fused")
        assert 0.05 < found[0].mean() < 0.95
        assert_same((found[0], found[1], leaves), (expected[0], expected[1], leaves))


@pytest.mark.parametrize("name", list(SURROGATES))
def test_every_surrogate_has_one_derivative_everywhere(name):
    assert set(DERIVATIVES) == set(SURROGATES)
    x = drawn(1, 200, scale=2)
    weight = drawn(2, 200).detach()
    fields = Fields(beta=0.0, threshold=0.3, surrogate=Surrogate(name, 1.7))
    state = NeuronState(*(torch.zeros(1, 200, dtype=torch.float64) for _ in range(3)))
    (fused,) = torch.autograd.grad((run_steps(x[None, None], fields, state)[0] * weight).sum(), x)
    torch.testing.assert_close(fused, weight * DERIVATIVES[name](x.detach() - 0.3, 1.7), **TOLERANCE)
    if name in IN_NORSE - {"heaviside"}:
        (norse,) = torch.autograd.grad((threshold(x - 0.3, name, 1.7) * weight).sum(), x)
        torch.testing.assert_close(fused, norse, **TOLERANCE)


def test_surrogates_of_the_other_frameworks_are_theirs():
    import snntorch.surrogate as snn
    from spikingjelly.activation_based import surrogate as sj

    x = drawn(1, 200, scale=2)
    theirs = {"atan": (snn.atan(1.7), sj.ATan(1.7)), "sigmoid": (snn.sigmoid(1.7), sj.Sigmoid(1.7))}
    theirs["fast_sigmoid"] = (snn.fast_sigmoid(1.7),)
    for name, functions in theirs.items():
        (ours,) = torch.autograd.grad(spike(x, Surrogate(name, 1.7), False).sum(), x)
        for function in functions:
            (expected,) = torch.autograd.grad(function(x).sum(), x)
            # snnTorch's spikes are float32, and so its sigmoid's gradient is rounded once
            torch.testing.assert_close(ours, expected, rtol=1e-12, atol=2e-8 if name == "sigmoid" else 1e-12)


def test_float32_gradients_are_close_and_float32_spikes_are_the_same():
    x64 = drawn(1, T, B, N, shift=0.4)
    x32 = x64.detach().float().requires_grad_()
    fields = Fields(0.8, 0.85, 0.9, 0.03, 0.6, -0.1)
    state = NeuronState(*(torch.zeros(B, N) for _ in range(3)))
    fused, eager = run_steps(x32, fields, state)[0], run_eagerly(x32, fields, state)[0]
    assert torch.equal(fused, eager)
    (found,), (expected,) = torch.autograd.grad(fused.sum(), x32), torch.autograd.grad(eager.sum(), x32)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_second_derivatives_come_from_the_eager_loop():
    fields = Fields(beta=leaf(0.8), threshold=0.5)
    state = NeuronState(*(torch.zeros(B, N, dtype=torch.float64) for _ in range(3)))
    x = drawn(1, T, B, N, shift=0.4)

    def curvature(run):
        spikes, _ = run(x, fields, state)
        first = torch.autograd.grad((spikes * drawn(5, T, B, N).detach()).sum(), [x, fields.beta], create_graph=True)
        return torch.autograd.grad(first[0].pow(2).sum() + first[1], [x, fields.beta])

    for found, expected in zip(curvature(run_steps), curvature(run_eagerly), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


def test_function_transforms_take_the_eager_loop():
    layer = LIF(0.8, threshold=0.5)
    x = drawn(1, T, B, N, shift=0.4).detach()
    direct = x.clone().requires_grad_()
    layer(direct).sum().backward()
    torch.testing.assert_close(torch.func.grad(lambda y: layer(y).sum())(x), direct.grad, **TOLERANCE)
    stacked = torch.stack([x, 2 * x])
    torch.testing.assert_close(torch.vmap(layer)(stacked), torch.stack([layer(x), layer(2 * x)]))


def test_half_precision_runs_eagerly():
    x = drawn(1, T, B, N, shift=0.4).detach().bfloat16()
    out = LIF(0.5, threshold=0.5)(x)
    assert out.dtype == torch.bfloat16
    assert 0 < out.mean() < 1


@pytest.mark.parametrize(
    "layer",
    [IF(), LIF(0.8), CubaLIF(0.5, 0.8), LI(0.8, alpha=0.5), LIF(0.9, reset="subtract", when="next")],
    ids=lambda layer: f"{type(layer).__name__}-{layer.when}",
)
def test_windows_chain_and_calls_do_not(layer):
    x = drawn(1, T, B, N, shift=0.4).detach()
    whole, last = layer.run(x)
    first, state = layer.run(x[:5])
    second, end = layer.run(x[5:], state)
    assert torch.equal(torch.cat([first, second]), whole)
    for found, expected in zip(end, last, strict=True):
        assert torch.equal(found, expected)
    assert torch.equal(layer(x), whole)
    assert torch.equal(layer(x), whole)


def test_gradient_flows_through_window_borders():
    x = drawn(1, T, B, N, shift=0.4)
    layer = CubaLIF(0.5, 0.8)
    (whole,) = torch.autograd.grad(layer(x).sum(), x)
    first, state = layer.run(x[:5])
    second, _ = layer.run(x[5:], state)
    (pieces,) = torch.autograd.grad(first.sum() + second.sum(), x)
    torch.testing.assert_close(pieces, whole, **TOLERANCE)


def test_transposed_inputs_and_expanded_gradients():
    x = drawn(1, N, B, T, shift=0.4)
    layer = LIF(0.8)
    turned = layer(x.permute(2, 1, 0))
    assert torch.equal(turned, layer(x.permute(2, 1, 0).contiguous()))
    turned.sum().backward()
    assert x.grad.shape == x.shape
    assert x.grad.abs().sum() > 0


def test_channels_last_stays_channels_last():
    x = torch.randn(3 * 2, 5, 4, 4).to(memory_format=torch.channels_last).unflatten(0, (3, 2)).requires_grad_()
    for layer in (LIF(0.8), CubaLIF(0.5, 0.8), LIF(torch.full((5, 1, 1), 0.8))):
        out, state = layer.run(x)
        plain = x.detach().contiguous().requires_grad_()
        expected, after = layer.run(plain)
        assert torch.equal(out, expected)
        assert torch.equal(state.v, after.v)
        (grad,) = torch.autograd.grad(out.sum(), x)
        assert torch.equal(grad, torch.autograd.grad(expected.sum(), plain)[0])
    assert LIF(0.8)(x).stride() == x.stride()


def test_learned_fields_and_state_dict():
    layer = CubaLIF(0.5, torch.full((4, 1, 1), 0.9), learn=("alpha", "beta"), threshold=torch.tensor(0.3))
    assert sorted(name for name, _ in layer.named_parameters()) == ["alpha", "beta"]
    assert sorted(layer.state_dict()) == ["alpha", "beta", "threshold"]
    layer(torch.rand(5, 2, 4, 3, 3)).sum().backward()
    assert layer.beta.grad.shape == (4, 1, 1)
    assert layer.alpha.grad.shape == ()


def test_time_constants_become_decays():
    layer = CubaLIF.from_tau(0.005, 0.010, v_leak=0.2, dt=0.001)
    assert (layer.alpha, layer.beta, layer.gain) == (1 - 0.2, 1 - 0.1, pytest.approx(0.1))
    assert (layer.bias, layer.v_init, layer.dt, layer.rule) == (pytest.approx(0.02), 0.2, 0.001, "euler")
    exact = LIF.from_tau(0.010, rule="exact")
    assert exact.beta == pytest.approx(2.718281828459045**-0.1)
    assert LI.from_tau(torch.tensor([0.01, 0.02]), rule="exact").beta.shape == (2,)
    assert "beta=0.9" in repr(LIF(0.9, learn=("beta",)))
    assert "beta=tensor(2,)" in repr(LIF(torch.ones(2)))


def test_messages():
    with pytest.raises(UsageError, match=r"LIF: learn=\['tau'\]; expected names out of alpha, beta"):
        LIF(0.9, learn=("tau",))
    with pytest.raises(UsageError, match="LIF: learn='alpha'; expected a field that this neuron has"):
        LIF(0.9, learn=("alpha",))
    with pytest.raises(UsageError, match="rule 'heun' for a time constant; expected euler or exact"):
        LIF.from_tau(0.01, rule="heun")
    with pytest.raises(UsageError, match=r"an input of shape \(5,\); expected \[T, B"):
        LIF()(torch.zeros(5))
    with pytest.raises(UsageError, match="surrogate: 'arctan'; expected one of super, tanh"):
        Surrogate("arctan")
