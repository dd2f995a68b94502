"""The dialect of snnTorch against snnTorch: neurons as its exporter means them, and as its importer makes them."""

import contextlib
import io
import warnings
from dataclasses import replace

import numpy as np
import pytest
import snntorch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from snntorch.export_nir import export_to_nir
from snntorch.import_nir import import_from_nir
from spikeport.exporters.nir.dialects.base import SURE, Told
from spikeport.exporters.nir.dialects.snntorch import DIALECT, DT, encode, exported, imported, mend
from spikeport.exporters.nir.objects import graph_object
from spikeport.exporters.nir.objects_in import tree_of_object
from spikeport.exporters.nir.tree import Leaf, Tree
from spikeport.toolchain.errors import GraphError
from spikeport.toolchain.graph.nodes import IF, LIF, CubaLIF, LeakyIntegrator
from support.nir_peers.one_neuron import INPUTS, SIZE, alone, behind, close_nodes, each, run

TOLD = Told(DT)


@contextlib.contextmanager
def quiet():
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
        warnings.simplefilter("ignore")
        yield


def leaf_of(kind: str, seed: int) -> Leaf:
    """A neuron that its importer takes, with a gain of its own."""
    rng = np.random.default_rng(seed)
    one, tau = np.ones(SIZE, np.float32), each(rng, 2e-4, 9e-4)
    gain = np.float32(rng.uniform(0.5, 2))
    fields = {"v_threshold": np.float32(rng.uniform(0.8, 2)) * one, "v_leak": 0 * one, "v_reset": -one}
    if kind == "LIF":
        return Leaf(kind, {**fields, "tau": tau, "r": gain * tau / np.float32(DT)})
    syn = each(rng, 2e-4, 4e-4)
    return Leaf(
        kind, {**fields, "tau_mem": tau, "tau_syn": syn, "r": tau / np.float32(DT), "w_in": gain * syn / np.float32(DT)}
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["LIF", "CubaLIF"])
def test_what_its_importer_makes_is_what_we_say_it_makes(kind: str, seed: int) -> None:
    leaf = leaf_of(kind, seed)
    if kind == "CubaLIF":  # the importer asks for thresholds that are the same to the last bit
        leaf = replace(leaf, values={**leaf.values, "w_in": np.float32(1) * leaf.values["tau_syn"] / np.float32(DT)})
    with quiet():
        net = import_from_nir(graph_object(alone(leaf)))
        state, sent = None, []
        for step in INPUTS:
            z, state = net(torch.from_numpy(step[None]), state)
            sent.append(z[0].numpy())
    spikes, _ = run(imported(leaf, TOLD))
    assert 0 < spikes.mean() < 1
    np.testing.assert_array_equal(spikes, np.stack(sent))


NEURONS = {
    "Leaky": lambda one, **more: snntorch.Leaky(beta=0.8 * one, threshold=1.2 * one, init_hidden=True, **more),
    "Synaptic": lambda one, **more: snntorch.Synaptic(
        alpha=0.5 * one, beta=0.8 * one, threshold=2.0 * one, init_hidden=True, **more
    ),
}


@pytest.mark.parametrize("reset", ["subtract", "zero", "none"])
@pytest.mark.parametrize("name", NEURONS)
def test_what_its_exporter_writes_is_read_as_the_neuron(name: str, reset: str) -> None:
    def network():
        return torch.nn.Sequential(torch.nn.Linear(SIZE, SIZE), NEURONS[name](torch.ones(SIZE), reset_mechanism=reset))

    with quiet():
        leaf = tree_of_object(export_to_nir(network(), torch.zeros(1, SIZE), ignore_dims=[0])).nodes["1"]
        own = network()[1]
        sent = np.stack([own(torch.from_numpy(step[None]))[0].numpy() for step in INPUTS])
    told = replace(DIALECT.told, reset={"zero": "value"}.get(reset, reset))
    spikes, _ = run(exported(leaf, told))
    assert 0 < spikes.mean() < 1
    np.testing.assert_array_equal(spikes, sent)


decays = st.floats(0.0, 0.98)


@given(decays, decays, st.floats(0.1, 5), st.sampled_from([1e-3, 1e-4]), st.sampled_from(["euler", "exact"]))
@settings(deadline=None, max_examples=50)
def test_a_neuron_comes_back(alpha: float, beta: float, level: float, dt: float, rule: str) -> None:
    told = Told(dt, rule)
    for node in (
        IF(threshold=level),
        LIF(beta=beta, threshold=level, rule=rule),
        CubaLIF(alpha=alpha, beta=beta, threshold=level, rule=rule),
    ):
        back = imported(encode(node, (SIZE,), told), told)
        close_nodes(back, node)
        assert back.rule == node.rule


REFUSED = {
    "an integrator": (LeakyIntegrator(beta=0.5), "kind: LeakyIntegrator; expected IF, LIF or CubaLIF"),
    "a subtraction": (LIF(beta=0.5, reset="subtract"), "reset: subtract · now; expected value · now"),
    "a late reset": (LIF(beta=0.5, when="next"), "reset: value · next; expected value · now"),
    "v_reset": (LIF(beta=0.5, v_reset=-1.0), "v_reset: another value than 0; expected 0"),
    "at_least": (LIF(beta=0.5, at_least=True), "at_least: true; expected false"),
    "a gain": (LIF(beta=0.5, gain=2.0), "gain: another value than 1; expected 1"),
    "a start": (LIF(beta=0.5, v_start=0.3), "v_start: another value than 0; expected 0"),
    "a bias": (LIF(beta=0.5, bias=0.3), "bias: another value than 0; expected none"),
    "thresholds": (
        LIF(beta=0.5, threshold=[1.0, 2.0, 3.0, 4.0]),
        "threshold: one for each neuron; expected one for all",
    ),
    "a threshold below 0": (LIF(beta=0.5, threshold=-1.0), "threshold: less than 0; expected at least 0"),
    "a decay below 0": (LIF(beta=-0.5), "beta: a decay outside 0 ≤ β < 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_its_importer_cannot_run_is_refused_by_name(name: str) -> None:
    node, message = REFUSED[name]
    with pytest.raises(GraphError) as caught:
        encode(node, (SIZE,), TOLD)
    assert message in str(caught.value)


def test_a_file_that_its_importer_refuses_is_refused() -> None:
    leaf = leaf_of("CubaLIF", 0)
    with pytest.raises(GraphError, match="its importer refuses others"):
        imported(replace(leaf, values={**leaf.values, "r": 2 * leaf.values["r"]}), TOLD)
    with pytest.raises(GraphError, match="its importer refuses others"):
        imported(replace(leaf, values={**leaf.values, "v_leak": 1 + leaf.values["v_leak"]}), TOLD)
    with pytest.raises(GraphError, match="its importer makes another neuron of it"):
        imported(Leaf("IF", {}), TOLD)


def test_an_endless_time_constant_is_repaired_and_said() -> None:
    one = np.ones(SIZE, np.float32)
    fields = {"tau": np.inf * one, "r": np.inf * one, "v_threshold": one, "v_leak": 0 * one, "v_reset": 0 * one}
    tree, lines = mend(Tree({"sub": alone(Leaf("LIF", fields))}, ()))
    assert lines == ("neuron: repaired: tau and r are infinite, as snnTorch writes β = 1",)
    close_nodes(exported(tree.nodes["sub"].nodes["neuron"], DIALECT.told), IF(reset="subtract", when="next"))
    assert mend(alone(leaf_of("LIF", 0)))[1] == ()


def test_its_files_are_recognised_by_their_numbers() -> None:
    leaf = leaf_of("CubaLIF", 0)
    own = replace(leaf, values={**leaf.values, "w_in": leaf.values["tau_syn"] / DT, "v_reset": 0 * leaf.values["r"]})
    assert DIALECT.known(behind(np.float32, own))[0] == pytest.approx(0.7)
    assert DIALECT.known(behind(np.float64, own))[0] < SURE
    assert DIALECT.known(alone(own))[0] < SURE
    for name, value in (("w_in", 1.0), ("r", 1.0), ("v_reset", 0.5), ("v_leak", 0.5)):
        other = replace(own, values={**own.values, name: value + 0 * own.values[name]})
        assert DIALECT.known(alone(other)) is None, name
    looped = Tree({"rnn.lif": own, "rnn.w_rec": Leaf("Linear", {"weight": np.eye(SIZE)})}, ())
    assert DIALECT.known(looped)[0] == pytest.approx(0.9)
    assert DIALECT.known(Tree({"a": Leaf("Flatten", {})}, ())) is None
