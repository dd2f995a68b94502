"""The fused forward kernel against its own equation, one step and one operation at a time in numpy."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.toolchain.errors import UsageError
from spikeport.toolchain.kernels.lif import MODES, LifParams, LifState, run_li, run_lif
from spikeport.toolchain.kernels.threads import cut, run_pieces

MODE_NAMES = list(MODES)


def stepped(x, p, u, v, s):
    """The docstring's equation as numpy runs it, step by step; returns spikes, u, v, v_hat."""
    dtype = x.dtype.type
    features = max(np.size(value) for value in (p.alpha, p.beta, p.gain, p.bias, p.threshold, p.v_reset))
    full = lambda value: np.resize(np.broadcast_to(np.asarray(value, x.dtype), features), x.shape[1])  # noqa: E731
    beta, gain, bias, threshold, v_reset = map(full, (p.beta, p.gain, p.bias, p.threshold, p.v_reset))
    above = (lambda h: h >= threshold) if p.inclusive else (lambda h: h > threshold)
    rows = []
    for t in range(len(x)):
        u = x[t] if p.alpha is None else full(p.alpha) * u + x[t]
        guard = above(v)
        h = beta * v + gain * u + bias
        if p.when == "next" and p.reset != "none":
            h = np.where(s, v_reset, h) if p.reset == "value" else h - threshold * s
        if p.when == "guarded":
            h = h - threshold * guard
        s = above(h)
        v = h
        if p.reset == "value" and p.when == "now":
            v = np.where(s, v_reset, h)
        elif p.reset == "subtract" and p.when == "now":
            v = h - threshold * s
        elif p.when == "guarded":
            v = h - threshold * (s.astype(x.dtype) - guard.astype(x.dtype))
        rows.append((s.astype(dtype), u, v, h))
    return [np.stack(signal) for signal in zip(*rows, strict=True)]


def drawn(rng, vector, alpha, reset, when, inclusive, features):
    size = features if vector else None
    return LifParams(
        alpha=rng.uniform(0, 1, size) if alpha else None,
        beta=rng.uniform(0, 1, size),
        gain=rng.uniform(0.2, 1.5, size),
        bias=rng.uniform(-0.3, 0.3, size),
        threshold=rng.uniform(0.3, 1.2, size),
        v_reset=rng.uniform(-0.3, 0.2, size),
        reset=reset,
        when=when,
        inclusive=inclusive,
    )


@pytest.mark.parametrize(("reset", "when"), MODE_NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("vector", [False, True])
def test_every_mode_equals_its_equation_bit_for_bit(reset, when, dtype, vector):
    rng = np.random.default_rng(3)
    for alpha, inclusive in itertools.product([False, True], [False, True]):
        params = drawn(rng, vector, alpha, reset, when, inclusive, features=75)
        x = rng.normal(0.4, 1, (12, 2 * 75)).astype(dtype)
        u, v = rng.normal(0, 0.7, (2, 150)).astype(dtype)
        s = (v > 0.2).astype(dtype)
        run = run_lif(x, params, LifState(u, v, s), record=("u", "v", "v_hat"))
        want = stepped(x, params, u, v, s)
        for found, expected in zip((run.spikes, run.u, run.v, run.v_hat), want, strict=True):
            np.testing.assert_array_equal(found, expected)
        assert 0 < run.spikes.mean() < 1
        np.testing.assert_array_equal(run.state.v, want[2][-1])
        if when == "next" and reset != "none":
            np.testing.assert_array_equal(run.state.s, want[0][-1])
        if alpha:
            np.testing.assert_array_equal(run.state.u, want[1][-1])
        unused = (run.state.u is None, run.state.s is None)
        assert unused == (not alpha, when != "next" or reset == "none")


@settings(deadline=None, max_examples=30)
@given(
    mode=st.sampled_from(MODE_NAMES),
    cuts=st.lists(st.integers(0, 20), max_size=4),
    features=st.sampled_from([1, 7, 600]),
    seed=st.integers(0, 2**16),
)
def test_windows_of_any_length_give_the_same_run(mode, cuts, features, seed):
    rng = np.random.default_rng(seed)
    params = drawn(rng, features > 1, True, *mode, False, features)
    x = rng.normal(0.3, 1, (20, 2 * features)).astype(np.float32)
    whole = run_lif(x, params, record=("v",))
    state, pieces = LifState(), []
    for start, stop in itertools.pairwise([0, *sorted(cuts), 20]):
        run = run_lif(x[start:stop], params, state, record=("v",))
        state = run.state
        pieces.append(run)
    np.testing.assert_array_equal(np.concatenate([run.spikes for run in pieces]), whole.spikes)
    np.testing.assert_array_equal(np.concatenate([run.v for run in pieces]), whole.v)
    for name in ("u", "v", "s"):
        np.testing.assert_array_equal(getattr(state, name), getattr(whole.state, name))


def test_a_neuron_exactly_at_threshold_fires_only_when_inclusive():
    for dtype in (np.float32, np.float64):
        x = np.array([[0.1, np.nextafter(dtype(0.1), dtype(0)), 0.2]], dtype)
        assert run_lif(x, LifParams(threshold=0.1)).spikes.tolist() == [[0, 0, 1]]
        assert run_lif(x, LifParams(threshold=0.1, inclusive=True)).spikes.tolist() == [[1, 0, 1]]


def test_leaky_integrator_never_fires_and_gives_its_voltage():
    x = np.random.default_rng(0).normal(1, 1, (9, 40))
    run = run_li(x, LifParams(alpha=0.5, beta=0.9, gain=0.1))
    u, v = np.zeros(40), np.zeros(40)
    for t in range(9):
        u = 0.5 * u + x[t]
        v = 0.9 * v + 0.1 * u + 0.0
        np.testing.assert_array_equal(run.v[t], v)
    assert run.spikes.shape == (0, 0)
    np.testing.assert_array_equal(run.state.v, v)


def test_inputs_and_states_are_never_written_to():
    x, v = np.ones((3, 8)), np.full(8, 0.5)
    x.flags.writeable = v.flags.writeable = False
    assert run_lif(x, LifParams(beta=0.5), LifState(v=v), keep_state=False).state == LifState()
    assert (x == 1).all()
    assert (v == 0.5).all()


def test_strided_and_empty_inputs():
    x = np.random.default_rng(1).normal(0, 1, (6, 20))
    strided = run_lif(x[:, ::2], LifParams(beta=0.5)).spikes
    np.testing.assert_array_equal(strided, run_lif(x[:, ::2].copy(), LifParams(beta=0.5)).spikes)
    none = run_lif(x[:0], LifParams(), LifState(v=np.full(20, 0.25)))
    assert none.spikes.shape == (0, 20)
    assert (none.state.v == 0.25).all()
    assert run_lif(x[:, :0], LifParams(beta=np.ones(5))).spikes.shape == (6, 0)


def test_result_goes_into_out():
    x = np.random.default_rng(1).normal(0, 1, (6, 20))
    out = np.empty_like(x)
    assert run_lif(x, LifParams(), out=out).spikes is out
    np.testing.assert_array_equal(out, run_lif(x, LifParams()).spikes)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: run_lif(x[0], LifParams()), r"an input of shape \(6,\)"),
        (lambda x: run_lif(x.astype(np.int32), LifParams()), "an input of int32; expected float32 or float64"),
        (lambda x: run_lif(x, LifParams(beta=np.ones(4))), r"parameters of \[1, 4\] features for 6 neurons"),
        (lambda x: run_lif(x, LifParams(), LifState(v=np.zeros(5))), r"an initial v of shape \(5,\); expected \(6,\)"),
        (lambda x: run_lif(x, LifParams(), out=np.zeros((3, 5))), r"out float64 \(3, 5\)"),
        (lambda _: LifParams(reset="value", when="guarded"), r"reset \(value, guarded\)"),
    ],
)
def test_messages(call, message):
    with pytest.raises(UsageError, match=message):
        call(np.zeros((3, 6)))


@settings(deadline=None, max_examples=50)
@given(count=st.integers(0, 5000), steps=st.integers(0, 70000), threads=st.integers(1, 9))
def test_pieces_cover_every_neuron_once(count, steps, threads):
    pieces = cut(count, steps, 16, threads)
    assert [n for start, stop in pieces for n in range(start, stop)] == list(range(count))


def test_an_error_in_a_piece_reaches_the_caller():
    def task(start, stop):
        if start == 2:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_pieces(task, [(0, 1), (1, 2), (2, 3)], threads=2)
