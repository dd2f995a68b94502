"""The backward kernel on its own; that its gradients are Norse's is shown in tests/models/test_neurons.py."""

import numpy as np
import pytest
from spikeport.toolchain.errors import UsageError
from spikeport.toolchain.kernels import gradients, jit, lif
from spikeport.toolchain.kernels.forward import forward_range
from spikeport.toolchain.kernels.gradients import Surrogate, run_lif_backward
from spikeport.toolchain.kernels.lif import LifParams, LifState, run_li, run_lif


def test_gradients_of_a_leaky_integrator_are_differences():
    rng = np.random.default_rng(0)
    x, weight = rng.normal(0, 1, (6, 4)), rng.normal(0, 1, (6, 4))
    values = {"alpha": 0.4, "beta": 0.8, "gain": 0.7, "bias": 0.1}
    start = {"u": rng.normal(0, 1, 4), "v": rng.normal(0, 1, 4)}

    def loss(x, values, start):
        return (run_li(x, LifParams(**values), LifState(**start)).v * weight).sum()

    found = run_lif_backward(x, weight, LifParams(**values), LifState(**start), want_params=True)
    step = 1e-6
    for name, value in values.items():
        up, down = loss(x, {**values, name: value + step}, start), loss(x, {**values, name: value - step}, start)
        assert found.params[name] == pytest.approx((up - down) / (2 * step), rel=1e-6)
    for t, n in np.ndindex(x.shape):
        nudge = np.zeros_like(x)
        nudge[t, n] = step
        slope = (loss(x + nudge, values, start) - loss(x - nudge, values, start)) / (2 * step)
        assert found.x[t, n] == pytest.approx(slope, rel=1e-6)
    for name in start:
        nudge = np.array([0, step, 0, 0])
        up, down = ({**start, name: start[name] + sign * nudge} for sign in (1, -1))
        slope = (loss(x, values, up) - loss(x, values, down)) / (2 * step)
        assert getattr(found.state, name)[1] == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("block", [1, 7, 64, 4096])
def test_result_does_not_depend_on_blocks_or_threads(monkeypatch, block):
    rng = np.random.default_rng(1)
    x, grad = rng.normal(0.4, 1, (9, 500)), rng.normal(0, 1, (9, 500))
    params = LifParams(0.5, np.linspace(0.7, 0.9, 125), threshold=0.8, reset="value", when="next")

    def everything():
        run, back = run_lif(x, params), run_lif_backward(x, grad, params, surrogate=Surrogate(), want_params=True)
        return [run.spikes, run.state.v, back.x, back.state.u, back.state.s], back.params

    rows, sums = everything()
    monkeypatch.setattr(lif, "BLOCK", block)
    monkeypatch.setattr(gradients, "_block", lambda _: block)
    monkeypatch.setattr("spikeport.toolchain.kernels.threads.SMALLEST_PIECE", 1)
    monkeypatch.setattr(lif, "thread_count", lambda: 3)
    monkeypatch.setattr(gradients, "thread_count", lambda: 3)
    again, sums_again = everything()
    for found, expected in zip(again, rows, strict=True):
        np.testing.assert_array_equal(found, expected)
    for name, expected in sums.items():
        np.testing.assert_allclose(sums_again[name], expected, rtol=1e-12)


def test_what_nobody_asks_for_is_not_made():
    x = np.ones((3, 8))
    found = run_lif_backward(x, x, LifParams(), surrogate=Surrogate(), want_state=False)
    assert found.params == {}
    assert found.state == LifState()


def test_messages():
    with pytest.raises(UsageError, match=r"a gradient of shape \(3, 7\); expected \(3, 8\)"):
        run_lif_backward(np.ones((3, 8)), np.ones((3, 7)), LifParams())
    with pytest.raises(UsageError, match="surrogate: 'logistic'; expected one of super, tanh"):
        Surrogate("logistic")


def test_kept_kernels_are_compiled_again_when_a_neighbour_changes(monkeypatch):
    run_lif(np.zeros((1, 1)), LifParams())
    codegen, signature = forward_range.targetctx.codegen(), forward_range.signatures[0]
    before = forward_range._cache._index_key(signature, codegen)
    assert forward_range._cache._index_key(signature, codegen) == before
    monkeypatch.setattr(jit, "sources", lambda: "another")
    assert forward_range._cache._index_key(signature, codegen) != before
