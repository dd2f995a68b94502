"""The dialect of Norse against Norse: neurons as its exporter means them, and as its importer makes them."""

import logging
import warnings
from dataclasses import replace

import nir
import norse.torch as norse
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from norse.torch.functional.iaf import IAFParameters
from norse.torch.functional.leaky_integrator_box import LIBoxParameters
from norse.torch.functional.lif import LIFParameters
from norse.torch.functional.lif_box import LIFBoxParameters
from spikeport.exporters.nir.dialects.base import SURE, Told
from spikeport.exporters.nir.dialects.norse import DIALECT, encode, exported, imported
from spikeport.exporters.nir.objects import graph_object
from spikeport.exporters.nir.objects_in import tree_of_object
from spikeport.exporters.nir.tree import Leaf, Tree
from spikeport.toolchain.errors import GraphError
from spikeport.toolchain.graph.nodes import IF, LIF, CubaLIF, LeakyIntegrator
from support.nir_peers.one_neuron import INPUTS, SIZE, alone, behind, close_nodes, each, run

TOLD = Told(1e-3)


def answers(net, x=INPUTS):
    """What a cell of Norse sends, and its voltages."""
    state, sent, v = None, [], []
    with torch.no_grad():
        for step in x:
            z, state = net(torch.from_numpy(step), state)
            sent.append(z.numpy())
            inner = state.state["neuron"] if hasattr(state, "state") else state
            while not hasattr(inner, "v"):
                inner = inner[-1]
            v.append(inner.v.numpy())
    return np.stack(sent), np.stack(v)


def t(values):
    return torch.from_numpy(np.asarray(values, np.float32))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["IF", "LIF", "CubaLIF"])
def test_what_its_importer_makes_is_what_we_say_it_makes(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    fields = {"r": each(rng, 0.5, 2), "v_threshold": each(rng, 0.4, 0.9), "v_reset": each(rng, -0.5, 0)}
    fields |= {"IF": {}, "LIF": {"tau": each(rng, 2e-3, 9e-3)}}.get(
        kind, {"tau_mem": each(rng, 2e-3, 9e-3), "tau_syn": each(rng, 2e-3, 9e-3), "w_in": each(rng, 1, 3)}
    )
    fields |= {} if kind == "IF" else {"v_leak": each(rng, -0.2, 0.2)}
    leaf = Leaf(kind, fields)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        net = norse.from_nir(graph_object(alone(leaf)), dt=1e-3)
        logging.disable(logging.NOTSET)
    sent, v = answers(net)
    spikes, voltages = run(imported(leaf, TOLD))
    assert 0 < spikes.mean() < 1
    np.testing.assert_array_equal(spikes, sent)
    np.testing.assert_allclose(voltages, v, atol=1e-5)


CELLS = {
    "LIFBoxCell": lambda one: norse.LIFBoxCell(LIFBoxParameters(200 * one, 0.1 * one, 0.6 * one, 0 * one)),
    "LIFCell": lambda one: norse.LIFCell(LIFParameters(150 * one, 200 * one, 0.1 * one, 0.6 * one, 0 * one)),
    "IAFCell": lambda one: norse.IAFCell(IAFParameters(2 * one, 0 * one)),
    "LIBoxCell": lambda one: norse.LIBoxCell(LIBoxParameters(200 * one, 0.1 * one)),
}


@pytest.mark.parametrize("dt", [1e-3, 1.0], ids=["as it does by default", "with dt=1"])
@pytest.mark.parametrize("name", CELLS)
def test_what_its_exporter_writes_is_read_as_the_cell(name: str, dt: float) -> None:
    net = norse.SequentialState(torch.nn.Linear(SIZE, SIZE), CELLS[name](torch.ones(SIZE)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = tree_of_object(norse.to_nir(net, torch.zeros(SIZE), dt=dt))
    leaf = made.nodes["1"]
    assert isinstance(leaf, Leaf)
    sent, v = answers(net[1])
    spikes, voltages = run(exported(leaf, TOLD))
    np.testing.assert_allclose(spikes, sent, atol=1e-5)
    np.testing.assert_allclose(voltages, v, atol=1e-5)


decays = st.floats(0.05, 0.98)


@given(decays, decays, st.floats(0.1, 5), st.floats(-0.5, 0.5), st.sampled_from([1e-3, 1e-4, 1.0]))
@settings(deadline=None, max_examples=50)
def test_a_neuron_comes_back_from_what_is_written(
    alpha: float, beta: float, gain: float, rest: float, dt: float
) -> None:
    fire = {"threshold": 0.7}
    for node in (
        IF(**fire),
        LIF(beta=beta, gain=1 - beta, bias=rest * (1 - beta), v_start=rest, **fire),
        CubaLIF(alpha=alpha, beta=beta, gain=gain, **fire),
    ):
        close_nodes(imported(encode(node, (SIZE,), Told(dt)), Told(dt)), node)


REFUSED = {
    "an integrator": (LeakyIntegrator(beta=0.5), "kind: LeakyIntegrator; expected IF, LIF or CubaLIF"),
    "a subtraction": (LIF(beta=0.5, gain=0.5, reset="subtract"), "reset: subtract · now; expected value · now"),
    "a late reset": (LIF(beta=0.5, gain=0.5, when="next"), "reset: value · next; expected value · now"),
    "v_reset": (LIF(beta=0.5, gain=0.5, v_reset=-1.0), "v_reset: another value than 0; expected 0"),
    "at_least": (LIF(beta=0.5, gain=0.5, at_least=True), "at_least: true; expected false"),
    "a gain": (LIF(beta=0.5, gain=2.0), "gain: another value; expected 1 − beta"),
    "a gain of an IF": (IF(gain=2.0), "gain: another value; expected 1 − beta, or 1 of an IF"),
    "a start": (LIF(beta=0.5, gain=0.5, v_start=0.3), "bias: one that v_start does not go with"),
    "a bias with a current": (CubaLIF(alpha=0.5, beta=0.5, bias=0.3), "bias: one that v_start does not go with"),
    "no leak": (LIF(beta=1.0, gain=0.0), "beta: a decay of 1 or more"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_its_importer_cannot_run_is_refused_by_name(name: str) -> None:
    node, message = REFUSED[name]
    with pytest.raises(GraphError) as caught:
        encode(node, (SIZE,), TOLD)
    assert message in str(caught.value)


def test_its_files_are_recognised_by_their_numbers() -> None:
    one = np.ones(2, np.float32)
    own = Leaf("LIF", {"tau": 1e-5 * one, "r": one, "v_leak": 0 * one, "v_threshold": one, "v_reset": 0 * one})
    found = DIALECT.known(behind(np.float32, own))
    assert found is not None
    assert found[0] > 0.7
    assert "shorter than a step of 0.001 s" in found[1]
    short = replace(own, values={**own.values, "tau": 5e-4 * one})
    for less in (alone(own), behind(np.float64, own), behind(np.float32, short)):  # as anybody might write it
        assert DIALECT.known(less)[0] < SURE
    assert DIALECT.step_of(alone(own)) == 1e-3
    assert DIALECT.step_of(alone(Leaf("IF", {"r": one, "v_threshold": one}))) is None
    assert DIALECT.known(alone(replace(own, values={**own.values, "r": 2 * one}))) is None
    assert DIALECT.known(alone(replace(own, values={**own.values, "tau": 1e-2 * one}))) is None
    assert DIALECT.known(alone(replace(own, values={"tau": one}))) is None
    assert DIALECT.known(Tree({"a": Leaf("Linear", {"weight": np.ones((2, 2))})}, ())) is None
    inner = Tree({"sub": alone(Leaf("CubaLIF", {"tau_mem": one, "tau_syn": one, "r": one, "w_in": one}))}, ())
    assert "r and w_in are 1" in DIALECT.known(inner)[1]


def test_the_step_is_told_where_it_is_not_its_own() -> None:
    tree = alone(Leaf("Flatten", {}))
    assert DIALECT.warns(replace(tree, metadata={"dt": np.float64(1e-3)})) == ()
    assert "dt=0.0001" in DIALECT.warns(replace(tree, metadata={"dt": np.float64(1e-4)}))[0]


def test_nothing_but_neurons_is_looked_at(tmp_path) -> None:
    """A real file of its exporter, through nir.read."""
    net = norse.SequentialState(torch.nn.Linear(3, SIZE), CELLS["LIFBoxCell"](torch.ones(SIZE)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nir.write(tmp_path / "a.nir", norse.to_nir(net, torch.zeros(3)))
    assert DIALECT.known(tree_of_object(nir.read(tmp_path / "a.nir")))[0] > 0.7
