"""The dialect of sinabs: what its files mean, what its importer makes of ours, and what it cannot be told."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.exporters.nir.dialects.base import Told
from spikeport.exporters.nir.dialects.sinabs import DIALECT
from spikeport.exporters.nir.objects_in import tree_of_object
from spikeport.exporters.nir.reading import from_nir
from spikeport.exporters.nir.tree import Leaf
from spikeport.exporters.nir.writing import to_tree
from spikeport.toolchain.errors import GraphError, Refused
from spikeport.toolchain.graph import Graph, GraphBuilder
from spikeport.toolchain.graph import nodes as n
from support.nir_peers.one_neuron import SIZE, close_nodes, each
from support.nir_peers.sinabs_faults import exported, full, layer

KINDS = (n.IF, n.LIF, n.LeakyIntegrator)
GRID = (3, 2, 2)


def told(**fields) -> Told:
    return Told(**{"dt": 1e-3, "rule": "exact", "reset": "subtract", "at_least": True, **fields})


def drawn(kind: type, seed: int, at_least: bool) -> n.Node:
    rng = np.random.default_rng(seed)
    fields = {"gain": 1.0, "rule": "exact"}
    if kind is not n.IF:
        fields["beta"] = each(rng, 0.02, 0.99)
    if kind is not n.LeakyIntegrator:
        level = each(rng, 0.2, 3)
        fields |= {"threshold": level, "reset": "subtract", "at_least": at_least}
    return kind(**fields)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(KINDS), st.integers(0, 2**31), st.booleans())
def test_its_importer_makes_the_neuron_that_was_written(kind, seed, at_least):
    node = drawn(kind, seed, at_least)
    leaf = DIALECT.encode(node, (SIZE,), told())
    assert {value.dtype for value in leaf.values.values()} == {np.dtype(np.float32)}
    assert leaf.values["r"].tolist() == [1] * SIZE
    close_nodes(DIALECT.imported(leaf, told(at_least=at_least)), node)


def test_time_constants_count_steps_whatever_a_step_is():
    node = n.LIF(beta=np.exp(-1 / 5), gain=1.0, reset="subtract", at_least=True)
    for dt in (1e-3, 1.0):
        np.testing.assert_allclose(DIALECT.encode(node, (2,), told(dt=dt)).values["tau"], 5, rtol=1e-6)


def test_behind_a_convolution_there_is_one_place_for_each_channel():
    leaf = DIALECT.encode(n.LIF(beta=np.full((3, 1, 1), 0.5), reset="subtract", at_least=True), GRID, told())
    assert {value.shape for value in leaf.values.values()} == {(3, 1, 1)}
    places = n.LIF(beta=np.linspace(0.1, 0.9, 12).reshape(GRID), reset="subtract", at_least=True)
    with pytest.raises(GraphError, match="tau: different from place to place; expected one for each channel"):
        DIALECT.encode(places, GRID, told())
    whole = DIALECT.encode(
        n.IF(threshold=np.linspace(1, 2, 12).reshape(GRID), reset="subtract", at_least=True), GRID, told()
    )
    assert whole.values["v_threshold"].shape == GRID


def test_a_lif_is_exported_with_norm_input_and_imported_without():
    leaf = tree_of_object(exported(layer())).nodes["0"]
    alpha = np.exp(-1 / 5)
    np.testing.assert_allclose(DIALECT.exported(leaf, told()).gain, 1 - alpha, rtol=1e-6)
    np.testing.assert_allclose(DIALECT.imported(leaf, told()).gain, 1)


REFUSED = {
    "gain: 2; expected 1: its importer scales nothing": n.IF(gain=2.0, reset="subtract"),
    "bias: 0.5; expected 0: its importer takes no v_leak": n.IF(bias=0.5, reset="subtract"),
    "v_start: 0.5; expected 0": n.IF(v_start=0.5, reset="subtract"),
    "reset: 'value'; expected by subtraction": n.IF(),
    "when: 'next'; expected in the step of the spike": n.LIF(beta=0.5, reset="subtract", when="next"),
    "emit: 'charge'; expected spikes": n.IF(reset="subtract", emit="charge"),
    "threshold: 0 or less": n.IF(reset="subtract", threshold=0.0, at_least=True),
    "beta: 0 or 1; expected between them": n.LIF(beta=0.0, reset="subtract"),
    "kind: CubaLIF; expected IF, LIF or LI": n.CubaLIF(alpha=0.5, beta=0.5, reset="subtract"),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_its_importer_cannot_make_is_refused(message):
    with pytest.raises(GraphError, match=message.replace("(", r"\(")):
        DIALECT.encode(REFUSED[message], (2,), told())


def test_a_reset_to_a_value_is_none_of_its_own():
    with pytest.raises(GraphError, match="reset: 'value'; expected by subtraction"):
        DIALECT.imported(Leaf("IF", {"r": full(1), "v_threshold": full(1)}), told(reset="value"))


def chain(*layers: n.Node, shape: tuple[int, ...] = (3,), carries: str = "spikes") -> Graph:
    builder = GraphBuilder("chain", 1e-3)
    last = builder.add("input", n.Input(shape, carries))
    for index, node in enumerate(layers):
        last = builder.add(f"n{index}", node, last)
    builder.add("output", n.Output(), last)
    return builder.build()


def neuron(**fields) -> n.IF:
    return n.IF(**{"reset": "subtract", "at_least": True, **fields})


def test_layers_without_bias_get_one():
    tree = to_tree(chain(n.Affine(np.ones((2, 3), np.float32)), neuron()), "sinabs").tree
    assert (tree.nodes["n0"].kind, tree.nodes["n0"].values["bias"].tolist()) == ("Affine", [0, 0])


def test_the_padding_of_a_pool_is_refused():
    graph = chain(n.SumPool((2, 2), padding=((1, 1), (1, 1))), neuron(), shape=(1, 4, 4))
    with pytest.raises(Refused, match="padding of 'n0': another than 0; expected 0: sinabs drops it"):
        to_tree(graph, "sinabs")


def remarks(weight: float, carries: str = "spikes", leak: bool = False) -> list[str]:
    """What is said of three neurons that read three spiking ones through these weights."""
    first = n.LIF(beta=0.5, reset="subtract", at_least=True) if leak else neuron()
    layers = [n.Affine(np.full((3, 3), weight, np.float32)), first]
    return [line for line in to_tree(chain(*layers, carries=carries), "sinabs").remarks if "after from_nir" in line]


def test_it_is_said_where_neurons_may_fire_twice_or_reach_the_floor():
    several, floor = remarks(-0.5, "graded")
    assert several.startswith("n1: a sinabs neuron with v ≥ 2·θ sends several spikes in that step, not one")
    assert floor.startswith("n1: sinabs's importer keeps the potential of an IF at −θ or more")


def test_weights_can_exclude_both():
    """v < 1 before, and 3·w comes in: never 2 for w < 1/3, and for w < 1/2 with a β of a half."""
    assert remarks(0.33) == []
    assert len(remarks(0.34)) == 1
    assert remarks(0.49, leak=True) == []
    assert len(remarks(0.51, leak=True)) == 1
    assert len(remarks(0.1, "graded")) == 2
    assert len(remarks(-0.1)) == 1


def test_what_is_behind_a_layer_that_may_send_two_is_not_sure():
    def said(weight: float) -> list[str]:
        layers = [n.Affine(np.full((3, 3), weight, np.float32)), neuron(), n.Affine(np.full((3, 3), 0.1, np.float32))]
        return [line for line in to_tree(chain(*layers, neuron()), "sinabs").remarks if "after from_nir" in line]

    assert said(0.3) == []
    assert said(0.5)[0].startswith("n1, n3: ")


def test_its_files_are_known():
    graph = exported(torch.nn.Linear(1, 1), layer())
    sure, why = DIALECT.known(tree_of_object(graph))
    assert (sure, why) == (0.7, "r = 1, v_leak = 0, and time constants of 1 and more (5), which count steps")
    read = from_nir(graph)
    assert read.dialect == "sinabs"
    assert read.graph.nodes["1"].reset == "subtract"


def test_what_it_cannot_have_written_is_not_known():
    tree = tree_of_object(exported(torch.nn.Linear(1, 1), layer()))
    for changes in ({"r": full(2)}, {"v_leak": full(1)}, {"tau": full(0.01)}):
        other = Leaf("LIF", {**tree.nodes["1"].values, **changes})
        assert DIALECT.known(type(tree)({**tree.nodes, "1": other}, tree.edges)) is None
