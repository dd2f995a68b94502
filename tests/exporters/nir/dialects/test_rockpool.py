"""The dialect of Rockpool: what its files mean, what its importer makes of ours, and what it cannot be told."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.exporters.nir.dialects.base import Told
from spikeport.exporters.nir.dialects.rockpool import DIALECT, mend
from spikeport.exporters.nir.dialects.subtracting import beside
from spikeport.exporters.nir.objects_in import tree_of_object
from spikeport.exporters.nir.reading import from_nir
from spikeport.exporters.nir.tree import Leaf, Tree
from spikeport.exporters.nir.writing import to_tree
from spikeport.toolchain.errors import GraphError, Refused
from spikeport.toolchain.graph import Graph, GraphBuilder, Wire
from spikeport.toolchain.graph import nodes as n
from support.nir_peers.one_neuron import SIZE, close_nodes, each
from support.nir_peers.rockpool_faults import exported, rockpool

DT = 1e-3
GONE = 1e-12
FIRE = {"reset": "subtract", "at_least": True}


def told(**fields) -> Told:
    return Told(**{"dt": DT, "rule": "exact", "reset": "subtract", "at_least": True, **fields})


def drawn(kind: type, seed: int, at_least: bool) -> n.Node:
    rng = np.random.default_rng(seed)
    fields = {"rule": "exact"}
    if kind is not n.IF:
        fields["beta"] = each(rng, 0.3, 0.97)
    if kind is n.LeakyIntegrator:
        return kind(**fields, gain=fields["beta"])
    alpha = each(rng, 0.2, 0.9) if kind is n.CubaLIF else np.asarray(GONE)
    if kind is n.CubaLIF:
        fields["alpha"] = alpha
    bias = each(rng, -0.1, 0.1) * (1 if kind is n.CubaLIF else GONE)
    level = each(rng, 0.2, 3) * (1 if kind is n.CubaLIF else GONE)
    return kind(**fields, gain=alpha, bias=bias, threshold=level, reset="subtract", at_least=at_least)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from([n.IF, n.LIF, n.CubaLIF, n.LeakyIntegrator]), st.integers(0, 2**31), st.booleans())
def test_its_importer_makes_the_neuron_that_was_written(kind, seed, at_least):
    node = drawn(kind, seed, at_least)
    leaf = DIALECT.encode(node, (SIZE,), told())
    assert leaf.kind == ("LI" if kind is n.LeakyIntegrator else "CubaLIF")
    close_nodes(DIALECT.imported(leaf, told(at_least=at_least)), node)


def test_its_importer_finds_the_step_in_every_layer():
    leaf = DIALECT.encode(drawn(n.CubaLIF, 1, True), (SIZE,), told())
    np.testing.assert_allclose(leaf.values["tau_mem"] / (1 + leaf.values["r"]), DT, rtol=1e-6)


def test_a_current_that_is_gone_changes_nothing_in_float32():
    """i = α·(i + x) with α = 1e-12 is α·x to the last bit."""
    i, alpha = np.float32(0), np.float32(GONE)
    for x in np.random.default_rng(0).uniform(0.1, 1, 100).astype(np.float32):
        i = alpha * (i + x)
        assert i == alpha * x


def test_the_next_number_stands_for_the_compare_that_it_has_not():
    node = drawn(n.CubaLIF, 3, False)
    above = DIALECT.encode(node, (SIZE,), told()).values["v_threshold"]
    np.testing.assert_array_equal(above, beside(node.threshold, up=True).astype(np.float32))
    assert (above > node.threshold).all()


REFUSED = {
    "gain: 1; expected α": n.CubaLIF(alpha=0.5, beta=0.5, **FIRE),
    "reset: 'value'; expected by subtraction": n.CubaLIF(alpha=0.5, beta=0.5, gain=0.5),
    "when: 'guarded'; expected in the step of the spike": n.LIF(beta=0.5, gain=GONE, when="guarded", **FIRE),
    "threshold: 0 or less": n.IF(threshold=0.0, gain=GONE, **FIRE),
    "beta: 0 or 1; expected between them": n.LIF(beta=1.0, gain=GONE, **FIRE),
    "gain: 1; expected β: its synapse decays what comes in too": n.LeakyIntegrator(beta=0.5),
    "bias: 0.5; expected 0: its synapse has none": n.LeakyIntegrator(beta=0.5, gain=0.5, bias=0.5),
    "kind: CubaIntegrator; expected IF, LIF, CubaLIF or LI": n.CubaIntegrator(alpha=0.5, beta=0.5),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_its_importer_cannot_make_is_refused(message):
    with pytest.raises(GraphError, match=message):
        DIALECT.encode(REFUSED[message], (2,), told())


def test_shapes_that_its_importer_cannot_make_are_refused():
    with pytest.raises(GraphError, match="shape: 3 axes; expected one"):
        DIALECT.encode(drawn(n.CubaLIF, 0, True), (1, 1, SIZE), told())
    with pytest.raises(GraphError, match="shape: one neuron; expected two or more"):
        DIALECT.encode(n.LeakyIntegrator(beta=0.5, gain=0.5), (1,), told())


def recurrent(bias: float, dense: bool = True) -> Graph:
    builder = GraphBuilder("loop", DT)
    source = builder.add("input", n.Input((2,), "spikes"))
    weights = np.ones((2, 2), np.float32)
    before = builder.add("dense", n.Affine(weights), source) if dense else source
    back = builder.add("back", n.Affine(weights, np.full(2, bias, np.float32)), Wire("neurons", delayed=True))
    total = builder.add("sum", n.Add(), before, back)
    builder.add("neurons", n.CubaLIF(alpha=0.5, beta=0.5, gain=0.5, **FIRE), total)
    builder.add("output", n.Output(), "neurons")
    return builder.build()


def test_a_loop_is_one_layer_of_weights_and_its_neurons():
    tree = to_tree(recurrent(0.0), "rockpool").tree
    (inner,) = (node for node in tree.nodes.values() if isinstance(node, Tree))
    assert sorted(leaf.kind for leaf in inner.nodes.values()) == ["CubaLIF", "Input", "Linear", "Output"]


def test_a_bias_in_a_loop_moves_out_of_it():
    assert "back: its bias moved into dense" in to_tree(recurrent(1.0), "rockpool").remarks


def test_what_its_importer_drops_is_refused():
    with pytest.raises(Refused, match=r"bias in '\w+': in a loop; expected none: its importer drops it"):
        to_tree(recurrent(1.0, dense=False), "rockpool")
    builder = GraphBuilder("image", DT)
    source = builder.add("input", n.Input((1, 2, 2), "spikes"))
    conv = builder.add("conv", n.Conv(np.ones((1, 1, 1, 1), np.float32)), source)
    builder.add("output", n.Output(), conv)
    with pytest.raises(Refused, match="kind: Conv2d in NIR; expected one that rockpool's importer reads"):
        to_tree(builder.build(), "rockpool")


def test_the_step_stands_in_its_files():
    """r = τ·exp(−dt/τ)/dt, and dt is found again in each of them."""
    for dt in (1e-3, 7e-3, 2.5e-5):
        graph = exported(rockpool.LIFTorch((2,), tau_mem=torch.tensor([0.02, 0.03]), dt=dt))
        tree = tree_of_object(graph)
        assert DIALECT.step_of(tree) == pytest.approx(dt, rel=1e-5)
        assert DIALECT.known(tree)[0] == 0.95
        assert from_nir(graph).told.dt == pytest.approx(dt, rel=1e-5)


def test_others_have_another_r():
    """With r = τ/dt, as snnTorch writes it, neurons of two time constants do not agree on a step."""
    tau = np.array([0.02, 0.03], np.float32)
    fields = {"tau": tau, "r": tau / np.float32(DT), "v_leak": 0 * tau, "v_threshold": 1 + 0 * tau, "v_reset": 0 * tau}
    tree = Tree({"neurons": Leaf("LIF", fields)}, ())
    assert DIALECT.step_of(tree) is None
    assert DIALECT.known(tree) is None
    assert DIALECT.step_of(Tree({"neurons": Leaf("LIF", {**fields, "r": -tau})}, ())) is None


def test_the_batch_is_no_axis_of_the_input():
    ends = {name: Leaf(kind, {"shape": np.array([1, 3])}) for name, kind in (("input", "Input"), ("output", "Output"))}
    tree, lines = mend(Tree(ends, (("input", "output"),)))
    assert [leaf.values["shape"].tolist() for leaf in tree.nodes.values()] == [[3], [3]]
    assert [line[:15] for line in lines] == ["repaired: input", "repaired: outpu"]
    assert mend(Tree({"input": Leaf("Input", {"shape": np.array([2, 3])})}, ()))[1] == ()
