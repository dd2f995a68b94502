"""Every option of every neuron: the kernels give bit for bit what `step` gives, voltages and currents included."""

import itertools

import numpy as np
import pytest
from spikeport.toolchain.graph import Graph, GraphBuilder, Node, later, nodes
from spikeport.toolchain.simulate import simulate
from spikeport.toolchain.simulate.plan import plan

STEPS, BATCH, SHAPE = 9, 2, (3, 4, 2)
WAYS = {"number": (), "channel": (3, 1, 1), "neuron": SHAPE}
RESETS = [(reset, when) for reset in ("value", "subtract", "none") for when in ("now", "next")] + [
    ("subtract", "guarded")
]


def parameters(kind: type[Node], way: str, rng: np.random.Generator) -> dict[str, np.ndarray]:
    limits = {
        "alpha": (0.2, 0.9), "beta": (0.5, 0.98), "gain": (0.3, 1.5), "bias": (-0.1, 0.2), "v_start": (-0.5, 0.9),
        "threshold": (0.3, 0.8), "v_reset": (-0.2, 0.2), "adapt_decay": (0.5, 0.9), "adapt_step": (0.05, 0.3),
        "refractory_decay": (0.2, 0.7), "refractory_gain": (0.1, 0.5),
    }  # fmt: skip
    names = [name for name in limits if name in kind.__dataclass_fields__]
    return {name: rng.uniform(*limits[name], WAYS[way]) for name in names}


def assert_like_its_steps(node: Node, x: np.ndarray) -> None:
    """What is sent, u and v, in every step, in the dtype of x."""
    graph = Graph({"in": nodes.Input(SHAPE), "n": node, "out": nodes.Output()}, wired("in", "n", "out"))
    trace = simulate(graph, x, record=["n", "n.voltage", "n.current"], window=4)
    state = node.start(SHAPE, BATCH, x.dtype)
    for t in range(STEPS):
        sent, state = node.step(state, x[t])
        np.testing.assert_array_equal(trace["n"].values[t], sent)
        np.testing.assert_array_equal(trace["n"].voltages[t], state["v"])
        np.testing.assert_array_equal(trace["n"].currents[t], state.get("u", x[t]))
    assert trace.state is not None
    assert set(trace.state.nodes["n"]) == set(state)
    for key, value in state.items():
        np.testing.assert_array_equal(trace.state.nodes["n"][key], value)


def wired(*names: str) -> dict[str, tuple]:
    builder = GraphBuilder()
    for source, name in itertools.pairwise(names):
        builder.connect(name, source)
    return builder.wires


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", [nodes.IF, nodes.LIF, nodes.CubaLIF, nodes.AdaptiveLIF])
def test_a_firing_neuron_with_all_its_options(kind: type[Node], way: str, dtype: str) -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(0.2, 0.6, (STEPS, BATCH, *SHAPE)).astype(dtype)
    for (reset, when), at_least, emit in itertools.product(RESETS, (False, True), ("spikes", "voltage", "charge")):
        if kind is nodes.AdaptiveLIF and when == "guarded":
            continue
        fields = parameters(kind, way, rng)
        if reset != "value":
            del fields["v_reset"]
        node = kind(**fields, reset=reset, when=when, at_least=at_least, emit=emit)
        assert_like_its_steps(node, x)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", [nodes.Integrator, nodes.LeakyIntegrator, nodes.CubaIntegrator])
def test_an_integrator(kind: type[Node], way: str, dtype: str) -> None:
    rng = np.random.default_rng(6)
    assert_like_its_steps(kind(**parameters(kind, way, rng)), rng.normal(size=(STEPS, BATCH, *SHAPE)).astype(dtype))


@pytest.mark.parametrize("at_least", [False, True])
def test_a_potential_on_the_threshold_fires_only_with_at_least(at_least: bool) -> None:
    node = nodes.LIF(beta=0.5, threshold=np.float32(0.3), at_least=at_least)
    x = np.full((STEPS, BATCH, *SHAPE), np.float32(0.3))
    x[1:] = 0
    assert_like_its_steps(node, x)


def recurrent(neuron: Node, late: bool, bias: bool, size: int = 5) -> Graph:
    rng = np.random.default_rng(8)
    g = GraphBuilder()
    g.add("in", nodes.Input((size,)))
    weight, constant = rng.normal(size=(size, size)) * 0.6, rng.normal(size=size) * 0.2 if bias else None
    g.add("back", nodes.Affine(weight, constant), "n" if late else later("n"))
    g.add("joined", nodes.Add(), "in", later("back") if late else "back")
    g.add("n", neuron, "joined")
    g.add("out", nodes.Output("sum"), "n")
    return g.build()


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("reset", "when"), RESETS)
@pytest.mark.parametrize("kind", [nodes.LIF, nodes.CubaLIF])
def test_a_recurrent_layer_runs_as_one_kernel_and_like_its_steps(
    kind: type[Node], reset: str, when: str, bias: bool, late: bool
) -> None:
    from support.by_steps import run_by_steps

    decays = {"beta": 0.9, "alpha": 0.5} if kind is nodes.CubaLIF else {"beta": np.linspace(0.5, 0.9, 5)}
    graph = recurrent(kind(**decays, reset=reset, when=when, threshold=0.7), late, bias)
    assert plan(graph, np.dtype(np.float64)).recurrences
    x = np.random.default_rng(9).normal(0.3, 0.8, (STEPS, BATCH, 5))
    wanted = run_by_steps(graph, {"in": x})
    everything = ["n", "joined", "back", "n.voltage", "n.current"]
    for window in (None, 1, 4):
        trace = simulate(graph, x, record=everything, window=window)
        for name in ("n", "joined", "back"):
            np.testing.assert_allclose(trace[name].values, wanted[name], rtol=0, atol=1e-12)
        current = trace["joined"].values if kind is nodes.LIF else trace["n"].currents
        np.testing.assert_array_equal(trace["n"].currents, current)
        np.testing.assert_array_equal(simulate(graph, x, record=["n"])["n"].values, trace["n"].values)
    assert 0.05 < trace.rate("n") < 0.95
    first = simulate(graph, x[:4])
    rest = simulate(graph, x[4:], record=everything, state=first.state)
    for name in ("n", "joined", "back"):
        np.testing.assert_array_equal(rest[name].values, trace[name].values[4:])
    np.testing.assert_array_equal(rest["n"].voltages, trace["n"].voltages[4:])


def test_a_recurrent_layer_with_weights_too_large_for_a_cache_runs_step_by_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = np.random.default_rng(9).normal(0.3, 0.8, (STEPS, BATCH, 5))
    fast, slow = (recurrent(nodes.LIF(beta=0.8, threshold=0.7), late=True, bias=True) for _ in range(2))
    wanted = simulate(fast, x, record="all")
    monkeypatch.setattr("spikeport.toolchain.simulate.recurrent.LARGEST", 100)
    assert not plan(slow, np.dtype(np.float64)).recurrences
    found = simulate(slow, x, record="all")
    np.testing.assert_array_equal(found["n"].spikes, wanted["n"].spikes)
    np.testing.assert_allclose(found["n"].voltages, wanted["n"].voltages, rtol=0, atol=1e-12)
