"""Spiking neurons against loops over single numbers, written from the equations at the head of the module."""

import itertools

import numpy as np
import pytest
from spikeport.toolchain.graph import Signal
from spikeport.toolchain.graph import nodes as n

STEPS, BATCH, SHAPE = 14, 2, (3, 2)


def by_hand(node: n.Node, x: np.ndarray, at: tuple[int, ...]) -> list[float]:
    """One neuron, one number after the other."""
    names = ("gain", "bias", "threshold", "v_reset", "v_start", "alpha", "beta")
    names += ("adapt_decay", "adapt_step", "refractory_decay", "refractory_gain")
    p = {name: float(np.broadcast_to(getattr(node, name, 1.0), SHAPE)[at]) for name in names}
    current = isinstance(node, (n.CubaLIF, n.AdaptiveLIF))
    adapts = isinstance(node, n.AdaptiveLIF)
    u = a = r = s = 0.0
    v = p["v_start"]
    over = (lambda v, level: v >= level) if node.at_least else (lambda v, level: v > level)
    sent = []
    for value in x:
        u = p["alpha"] * u + float(value) if current else float(value)
        v_hat = (p["beta"] if hasattr(node, "beta") else 1.0) * v + p["gain"] * u + p["bias"]
        a, r = (p["adapt_decay"] * a, p["refractory_decay"] * r) if adapts else (0.0, 0.0)
        level = p["threshold"] + a + r
        if node.when == "next":
            if node.reset == "value" and s:
                v_hat = p["v_reset"]
            elif node.reset == "subtract" and s:
                v_hat = v_hat - level
            s = float(over(v_hat, level))
            v = v_hat
        elif node.when == "guarded":
            above = float(over(v, level))
            v_hat = v_hat - above * level
            s = float(over(v_hat, level))
            v = v_hat - (s - above) * level
        else:
            s = float(over(v_hat, level))
            v = v_hat
            if s and node.reset == "value":
                v = p["v_reset"]
            elif s and node.reset == "subtract":
                v = v_hat - level
        if adapts:
            r = r + p["refractory_gain"] * (p["threshold"] + a) * s
            a = a + p["adapt_step"] * s
        sent.append({"spikes": s, "voltage": v, "charge": v_hat}[node.emit])
    return sent


def run(node: n.Node, x: np.ndarray) -> np.ndarray:
    state = node.start(x.shape[2:], x.shape[1], x.dtype)
    sent = []
    for value in x:
        y, state = node.step(state, value)
        sent.append(y)
    return np.stack(sent)


FIRING = ("IF", "LIF", "CubaLIF", "AdaptiveLIF")
OPTIONS = [
    (reset, when, emit)
    for reset, when, emit in itertools.product(
        ("value", "subtract", "none"), ("now", "next", "guarded"), ("spikes", "voltage", "charge")
    )
    if when != "guarded" or reset == "subtract"
]


def neuron(kind: str, rng: np.random.Generator, **options: object) -> n.Node:
    """A neuron whose every parameter differs from neuron to neuron."""
    fields: dict[str, object] = {
        "gain": rng.uniform(0.5, 1.5, SHAPE),
        "bias": rng.uniform(-0.1, 0.3, (3, 1)),
        "threshold": rng.uniform(0.4, 1.0, SHAPE),
        "v_start": rng.uniform(-0.5, 1.5, SHAPE),
        **options,
    }
    if options.get("reset") == "value":
        fields["v_reset"] = rng.uniform(-0.3, 0.2, SHAPE)
    if kind != "IF":
        fields["beta"] = rng.uniform(0.3, 1.0, SHAPE)
    if kind in ("CubaLIF", "AdaptiveLIF"):
        fields["alpha"] = rng.uniform(0.1, 0.9, 2)
    if kind == "AdaptiveLIF":
        fields["adapt_decay"], fields["adapt_step"] = rng.uniform(0.4, 0.9, SHAPE), rng.uniform(0.1, 0.5, SHAPE)
        fields["refractory_decay"], fields["refractory_gain"] = rng.uniform(0.2, 0.8, 2), rng.uniform(0.1, 0.6, SHAPE)
    return n.KINDS[kind](**fields)


@pytest.mark.parametrize("kind", FIRING)
@pytest.mark.parametrize(("reset", "when", "emit"), OPTIONS)
@pytest.mark.parametrize("at_least", [False, True])
def test_every_option_against_the_loop(kind: str, reset: str, when: str, emit: str, at_least: bool) -> None:
    if kind == "AdaptiveLIF" and when == "guarded":
        return
    rng = np.random.default_rng(7)
    node = neuron(kind, rng, reset=reset, when=when, emit=emit, at_least=at_least)
    x = rng.normal(size=(STEPS, BATCH, *SHAPE)) + 0.2
    ours = run(node, x)
    for at in itertools.product(range(BATCH), *map(range, SHAPE)):
        np.testing.assert_allclose(ours[(slice(None), *at)], by_hand(node, x[(slice(None), *at)], at[1:]), atol=1e-12)
    if emit == "spikes":
        assert 0.1 < ours.mean() < 0.95
        assert str(node.signal([Signal(SHAPE)]).carries) == "spikes"
    else:
        assert node.signal([Signal(SHAPE)]).carries.graded


@pytest.mark.parametrize("kind", FIRING)
def test_at_the_threshold_itself_only_at_least_spikes(kind: str) -> None:
    more = {"beta": 1.0} if kind != "IF" else {}
    more |= {"adapt_decay": 0.5, "adapt_step": 0.0} if kind == "AdaptiveLIF" else {}
    more |= {"alpha": 0.0} if kind == "CubaLIF" else {}
    x = np.array([0.5, 0.5, 0.0]).reshape(3, 1, 1)
    for at_least, expected in ((False, [0, 0, 0]), (True, [0, 1, 0])):
        assert run(n.KINDS[kind](at_least=at_least, **more), x).ravel().tolist() == expected


@pytest.mark.parametrize("kind", ["Integrator", "LeakyIntegrator", "CubaIntegrator"])
def test_integrators_against_the_loop(kind: str) -> None:
    rng = np.random.default_rng(3)
    fields = {"gain": rng.normal(size=SHAPE), "bias": rng.normal(size=2), "v_start": rng.normal(size=SHAPE)}
    alpha, beta = rng.uniform(0.1, 0.9, SHAPE), rng.uniform(0.1, 0.9, SHAPE)
    fields |= {"beta": beta} if kind != "Integrator" else {}
    fields |= {"alpha": alpha} if kind == "CubaIntegrator" else {}
    x = rng.normal(size=(STEPS, BATCH, *SHAPE))
    u, v, expected = 0.0, fields["v_start"], []
    for value in x:
        u = alpha * u + value if kind == "CubaIntegrator" else value
        v = (1.0 if kind == "Integrator" else beta) * v + fields["gain"] * u + fields["bias"]
        expected.append(v)
    np.testing.assert_allclose(run(n.KINDS[kind](**fields), x), np.stack(expected), atol=1e-12)


def test_an_adaptive_neuron_without_adaptation_is_a_cuba_lif() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(STEPS, BATCH, *SHAPE))
    plain = {"alpha": 0.5, "beta": 0.8, "threshold": 0.6, "reset": "subtract"}
    same = n.AdaptiveLIF(**plain, adapt_decay=0.9, adapt_step=0.0)
    assert np.array_equal(run(same, x), run(n.CubaLIF(**plain), x))


def test_a_cuba_lif_without_a_current_is_a_lif_and_a_lif_without_a_leak_is_an_if() -> None:
    x = np.random.default_rng(1).normal(size=(STEPS, BATCH, *SHAPE))
    assert np.array_equal(run(n.CubaLIF(alpha=0.0, beta=0.8), x), run(n.LIF(beta=0.8), x))
    assert np.array_equal(run(n.LIF(beta=1.0), x), run(n.IF(), x))


@pytest.mark.parametrize("when", ["now", "next"])
def test_a_reset_to_a_value_in_the_next_step_forgets_what_came_in(when: str) -> None:
    node = n.IF(threshold=1.0, reset="value", when=when, emit="voltage")
    voltages = run(node, np.array([2.0, 0.4, 0.4]).reshape(3, 1, 1)).ravel().tolist()
    assert voltages == {"now": [0.0, 0.4, 0.8], "next": [2.0, 0.0, 0.4]}[when]
